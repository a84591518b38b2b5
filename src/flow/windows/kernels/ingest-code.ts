/**
 * Code that adds records: the fast way for rows in order of time, which opens slices itself, and the general way for
 * records whose entries were found already. See `window-code.ts`.
 *
 * Both stop before a record that they cannot add, with the reason in the control block: a sum would leave its range, an
 * array is full, or (where windows have two edges a slide) the record starts a new slice.
 *
 * Invariant:
 * - W8 A record is added to all aggregates or to none.
 */
import {
  branch,
  branchIf,
  f64,
  i32,
  i64,
  returns,
  sequence,
  when,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import type { FieldPlace, InputLeaf, RecordAccess, Word } from "../../aggregates/aggregate.ts"
import { bitOf, bitsConstant, fieldPlace, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { CONTROL, PIECE, PIECE_BYTES, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The variables of a function that adds records. */
export interface Adding {
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  /** The record's row in its batch, its event time, and its entry. */
  readonly row: Local<"i32">
  readonly time: Local<"i64">
  readonly entry: Local<"i32">
  readonly entry8: Local<"i32">
  readonly setup: Code<"none">[]
  readonly fields: readonly Local<"i32">[]
}

export function beginAdding(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Adding {
  const setup: Code<"none">[] = [i32.store(control.get, i32.const(STOP.done), CONTROL.reason)]
  const fields = shape.entryFields.map((_, index) => loadedFrom(control, shape.control.entryField(index), scope, setup))
  return {
    scope,
    control,
    row: scope.local("i32"),
    time: scope.local("i64"),
    entry: scope.local("i32"),
    entry8: scope.local("i32"),
    setup,
    fields,
  }
}

/** Code that adds the record to its entry, or goes to `refused`. */
export function addRecord(shape: WindowShape, adding: Adding, refused: Label): Code<"none">[] {
  const { scope, entry8, fields } = adding
  const codes: Code<"none">[] = [entry8.set(i32.shl(adding.entry.get, i32.const(3)))]
  const placed = shape.kernels.map(({ kernel, entryFrom, inputFrom }) => {
    const places = kernel.entry.map(({ word }, index) => fieldPlace(word, fields[entryFrom + index]!, entry8))
    return { kernel, places, record: recordAccess(shape, adding, inputFrom) }
  })
  for (const { kernel, places, record } of placed) {
    if (kernel.refuses !== undefined) codes.push(branchIf(refused, kernel.refuses(record, places, scope)))
  }
  for (const { kernel, places, record } of placed) codes.push(...kernel.add(record, places, scope))
  return codes
}

/** A record's values for the kernel whose inputs start at `inputFrom`. Addresses are loaded once, when first used. */
export function recordAccess(shape: WindowShape, adding: Adding, inputFrom: number): RecordAccess {
  const { control, scope, setup, row } = adding
  const values = new Map<number, Local<"i32">>()
  const bitmaps = new Map<number, Local<"i32">>()
  const loaded = (known: Map<number, Local<"i32">>, input: number, offset: number) => {
    let local = known.get(input)
    if (local === undefined) known.set(input, (local = loadedFrom(control, offset, scope, setup)))
    return local
  }
  return {
    time: adding.time.get,
    value(input) {
      const index = inputFrom + input
      return leafValue(shape.inputs[index]!, loaded(values, input, shape.control.inputValues(index)), row)
    },
    isPresent(input) {
      return bitOf(loaded(bitmaps, input, shape.control.inputValidity(inputFrom + input)).get, row)
    },
  }
}

function leafValue({ storage, word }: InputLeaf, base: Local<"i32">, row: Local<"i32">): Code<Word> {
  switch (storage) {
    case "bit":
      return i64.extendU(bitOf(base.get, row))
    case "int32":
    case "dictionary":
      return i64.load32S(itemAddress(base.get, row.get, 2))
    case "int64":
      return i64.load(itemAddress(base.get, row.get, 3))
    case "float64": {
      const address = itemAddress(base.get, row.get, 3)
      return word === "f64" ? f64.load(address) : i64.load(address)
    }
  }
}

/** Code that gives a row's event time. */
export function timeReader({ control, scope, setup, row }: Adding): Code<"i64"> {
  const times = loadedFrom(control, CONTROL.times, scope, setup)
  const shift = loadedLongFrom(control, CONTROL.timeShift, scope, setup)
  return i64.add(i64.load(itemAddress(times.get, row.get, 3)), shift.get)
}

/** Code that gives an entry's fields their identities. */
export function startFields(shape: WindowShape, places: readonly FieldPlace[]): Code<"none">[] {
  return places.map((place, index) => place.store(bitsConstant(place.word, shape.entryFields[index]!.identity)))
}

/** The fields of the entry at hand, in memory. */
export function entryPlaces(shape: WindowShape, { fields, entry8 }: Adding): FieldPlace[] {
  return shape.entryFields.map(({ word }, index) => fieldPlace(word, fields[index]!, entry8))
}

/** Code that ends with a reason. */
export function stopWith(control: Local<"i32">, reason: number, exit: Label): Code<"none"> {
  return sequence(i32.store(control.get, i32.const(reason), CONTROL.reason), branch(exit))
}

/** Code that writes how many entries the last piece has. */
export function closeLast(control: Local<"i32">, { record, from }: LastPiece, size: Local<"i32">): Code<"none"> {
  const capacity = i32.load(record.get, PIECE.capacity)
  return sequence(
    i32.store(record.get, size.get, PIECE.size),
    i32.store(record.get, i32.select(i32.gtU(size.get, capacity), size.get, capacity), PIECE.capacity),
    i32.store(control.get, i32.add(from.get, capacity), CONTROL.entryTail),
  )
}

/** The last piece, in variables. */
export interface LastPiece {
  readonly record: Local<"i32">
  readonly end: Local<"i64">
  readonly from: Local<"i32">
  readonly written: Local<"i32">
}

/** Loads the last piece. */
export function lastPiece(control: Local<"i32">, scope: FunctionScope, setup: Code<"none">[]): LastPiece {
  const record = scope.local("i32")
  const end = scope.local("i64")
  const from = scope.local("i32")
  const written = scope.local("i32")
  const last = i32.sub(i32.load(control.get, CONTROL.tail), i32.const(1))
  setup.push(
    record.set(itemAddress(i32.load(control.get, CONTROL.pieces), last, 6)),
    end.set(i64.load(record.get, PIECE.end)),
    from.set(i32.load(record.get, PIECE.from)),
    written.set(i32.load(record.get, PIECE.written)),
  )
  return { record, end, from, written }
}

/** Code that appends the piece of the slice that holds `time`, where windows have one edge a slide. */
export function openSlice(parts: {
  readonly control: Local<"i32">
  readonly piece: LastPiece
  readonly size: Local<"i32">
  readonly time: Local<"i64">
  readonly closePiece: Code<"none">
  readonly stop: (reason: number) => Code<"none">
}): Code<"none">[] {
  const { control, piece, size, time, closePiece, stop } = parts
  const slide = i64.load(control.get, CONTROL.slide)
  const behind = i64.sub(time.get, piece.end.get)
  const tail = i32.load(control.get, CONTROL.tail)
  const { record } = piece
  return [
    when(i32.eqz(i32.load(control.get, CONTROL.hasOneEdge)), [stop(STOP.newSlice)]),
    when(i32.geU(tail, i32.load(control.get, CONTROL.pieceCapacity)), [stop(STOP.noRoom)]),
    closePiece,
    // From here on `end` is the start of the slice.
    when(i64.geS(behind, slide), [piece.end.set(i64.add(piece.end.get, i64.mul(i64.divU(behind, slide), slide)))]),
    record.set(i32.add(record.get, i32.const(PIECE_BYTES))),
    i32.store(control.get, i32.add(tail, i32.const(1)), CONTROL.tail),
    i64.store(record.get, piece.end.get, PIECE.start),
    i64.store(record.get, i64.add(piece.end.get, i64.load(control.get, CONTROL.size)), PIECE.lastWindowEnd),
    piece.end.set(i64.add(piece.end.get, slide)),
    i64.store(record.get, piece.end.get, PIECE.end),
    i64.store(record.get, piece.end.get, PIECE.countsFrom),
    piece.from.set(i32.load(control.get, CONTROL.entryTail)),
    i32.store(record.get, piece.from.get, PIECE.from),
    i32.store(record.get, i32.const(0), PIECE.capacity),
    i32.store(record.get, i32.const(0), PIECE.written),
    i32.store(record.get, i32.const(1), PIECE.dirty),
    i32.store(record.get, i32.const(0), PIECE.oldCount),
    i64.store(record.get, i64.const(0n), PIECE.indexed),
    piece.written.set(i32.const(0)),
    size.set(i32.const(0)),
  ]
}

/** `refusing(control, row, entry) → aggregate`. */
export function writeRefusing(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", givenRow: "i32", givenEntry: "i32" } as const
  module.function("refusing", { parameters, result: "i32" }, ({ control, givenRow, givenEntry }, scope) => {
    const adding = beginAdding(shape, control, scope)
    const { fields, entry8, row } = adding
    const tests = shape.kernels.flatMap(({ kernel, entryFrom, inputFrom }, index) => {
      if (kernel.refuses === undefined) return []
      const places = kernel.entry.map(({ word }, field) => fieldPlace(word, fields[entryFrom + field]!, entry8))
      const record = recordAccess(shape, adding, inputFrom)
      return [when(kernel.refuses(record, places, scope), [returns(i32.const(index))])]
    })
    const begin = [row.set(givenRow.get), entry8.set(i32.shl(givenEntry.get, i32.const(3)))]
    return [...adding.setup, ...begin, ...tests, i32.const(-1)]
  })
}
