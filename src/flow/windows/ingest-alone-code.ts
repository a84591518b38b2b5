/**
 * Code that adds rows in order of time where there is no key: each slice is one entry.
 *
 * The rows of a slice are found by looking ahead in ever longer steps, and then summed up in variables, so that no
 * addition waits for memory. The sums are those that adding row by row gives, bit for bit.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  i64,
  loop,
  sequence,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../expr/wasm-code.ts"
import type { WasmModule } from "../../expr/wasm-module.ts"
import type { FieldPlace, Word } from "../aggregates/aggregate.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import {
  beginAdding,
  closeLast,
  entryPlaces,
  lastPiece,
  openSlice,
  recordAccess,
  startFields,
  stopWith,
  timeReader,
  type Adding,
  type LastPiece,
} from "./ingest-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The id of the only key. */
const ONLY_ID = 0
/** How far ahead is looked first, in rows. */
const FIRST_STEP = 16

/** The variables of the function. */
interface Alone extends Adding {
  readonly shape: WindowShape
  readonly at: Local<"i32">
  readonly end: Local<"i32">
  readonly piece: LastPiece
  /** How many entries the piece has: 0 or 1. */
  readonly size: Local<"i32">
  /** Where the run of rows in one slice ends. */
  readonly runEnd: Local<"i32">
  /** Sets `row` to the row at a place, without or with its time. */
  readonly setRow: (place: Code<"i32">) => Code<"none">
  readonly setRowAndTime: (place: Code<"i32">) => Code<"none">
  /** The entry's fields in memory, and in variables. */
  readonly places: readonly FieldPlace[]
  readonly sums: readonly FieldPlace[]
}

/** `ingest` and `ingestAll` as in `ingest-code.ts`; `ids` means nothing. */
export function writeIngestAlone(module: WasmModule, shape: WindowShape, name: "ingest" | "ingestAll"): void {
  const parameters = { control: "i32", at: "i32", end: "i32", rows: "i32", ids: "i32" } as const
  module.function(name, { parameters, result: "i32" }, ({ control, at, end, rows }, scope) => {
    const adding = beginAdding(shape, control, scope)
    const { setup, row, time } = adding
    const piece = lastPiece(control, scope, setup)
    const size = scope.local("i32")
    setup.push(size.set(i32.load(piece.record.get, PIECE.size)))
    const readTime = timeReader(adding)
    const setRow = (place: Code<"i32">) =>
      row.set(name === "ingest" ? i32.load(itemAddress(rows.get, place, 2)) : place)
    const sums = shape.entryFields.map(({ word }): FieldPlace => {
      const local = scope.local<Word>(word)
      return { word, load: () => local.get, store: (value) => local.set(value) }
    })
    const alone: Alone = {
      ...adding,
      shape,
      at,
      end,
      piece,
      size,
      runEnd: scope.local("i32"),
      setRow,
      setRowAndTime: (place) => sequence(setRow(place), time.set(readTime)),
      places: entryPlaces(shape, adding),
      sums,
    }
    const body = block((exit) => [
      block((refused) => [
        loop((again) => [branchIf(exit, i32.geS(at.get, end.get)), ...addRun(alone, exit, refused), branch(again)]),
      ]),
      ...copyFields(sums, alone.places),
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    return [...setup, body, closeLast(control, piece, size), at.get]
  })
}

/** Adds the rows that follow in one slice. */
function addRun(alone: Alone, exit: Label, refused: Label): Code<"none">[] {
  const { shape, control, scope, setup, at, piece, size, time, entry, entry8, runEnd, places, sums } = alone
  const needsTime = shape.kernels.some(({ kernel }) => kernel.readsTime === true)
  const records = shape.kernels.map(({ kernel, entryFrom, inputFrom }) => ({
    kernel,
    fields: sums.slice(entryFrom, entryFrom + kernel.entry.length),
    record: recordAccess(shape, alone, inputFrom),
  }))
  const addRow = [
    needsTime ? alone.setRowAndTime(at.get) : alone.setRow(at.get),
    ...records.flatMap(({ kernel, record, fields }) =>
      kernel.refuses === undefined ? [] : [branchIf(refused, kernel.refuses(record, fields, scope))],
    ),
    ...records.flatMap(({ kernel, record, fields }) => kernel.add(record, fields, scope)),
    increment(at),
  ]
  const closePiece = closeLast(control, piece, size)
  const stop = (reason: number) => stopWith(control, reason, exit)
  const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
  return [
    alone.setRowAndTime(at.get),
    when(i64.geS(time.get, piece.end.get), openSlice({ control, piece, size, time, closePiece, stop })),
    entry.set(piece.from.get),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    when(i32.eqz(size.get), startOnlyEntry(alone, exit)),
    i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1)),
    ...findRunEnd(alone),
    ...copyFields(places, sums),
    whileLoop(i32.ltS(at.get, runEnd.get), addRow),
    ...copyFields(sums, places),
  ]
}

function copyFields(from: readonly FieldPlace[], to: readonly FieldPlace[]): Code<"none">[] {
  return from.map((place, index) => to[index]!.store(place.load()))
}

function startOnlyEntry({ shape, control, scope, setup, piece, size, places }: Alone, exit: Label): Code<"none">[] {
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const entryIds = load(CONTROL.entryIds)
  return [
    when(i32.geU(piece.from.get, load(CONTROL.entryCapacity).get), [stopWith(control, STOP.noRoom, exit)]),
    size.set(i32.const(1)),
    i32.store(load(CONTROL.entryOf).get, piece.from.get, ONLY_ID * 4),
    i32.store(itemAddress(entryIds.get, piece.from.get, 2), i32.const(ONLY_ID)),
    ...startFields(shape, places),
  ]
}

/** Sets `runEnd` to the first place behind `at` whose row is not in the slice, or to the end. */
function findRunEnd({ scope, at, end, piece, time, runEnd, setRowAndTime }: Alone): Code<"none">[] {
  const low = scope.local("i32")
  const high = scope.local("i32")
  const isInSlice = i64.ltS(time.get, piece.end.get)
  return [
    low.set(at.get),
    high.set(i32.const(FIRST_STEP)),
    block((found) => [
      loop((again) => [
        runEnd.set(i32.add(at.get, high.get)),
        branchIf(found, i32.geS(runEnd.get, end.get)),
        setRowAndTime(runEnd.get),
        branchIf(found, i32.eqz(isInSlice)),
        low.set(runEnd.get),
        high.set(i32.shl(high.get, i32.const(1))),
        branch(again),
      ]),
    ]),
    high.set(i32.select(i32.ltS(runEnd.get, end.get), runEnd.get, end.get)),
    // The row at `low` is in the slice; the one at `high` is not, or there is none.
    whileLoop(i32.gtS(i32.sub(high.get, low.get), i32.const(1)), [
      runEnd.set(i32.shrU(i32.add(low.get, high.get), i32.const(1))),
      setRowAndTime(runEnd.get),
      when(isInSlice, [low.set(runEnd.get)], [high.set(runEnd.get)]),
    ]),
    runEnd.set(high.get),
  ]
}
