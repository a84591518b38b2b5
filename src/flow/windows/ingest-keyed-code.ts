/**
 * Code that adds rows in order of time by their keys.
 *
 * Rows are taken in runs, each of which lies in one slice: where a run ends is looked for first (`run-end-code.ts`), so
 * that nothing but keys and values is read row by row. A row's entry is found by its key's id. Ids are told, or found on
 * the way in a table by value or by the code of a text (`key-kernel.ts`), or by cell (`key-cells.ts`), which has 0 where
 * nothing is known yet.
 *
 * Invariant:
 * - W8 A record is added to all aggregates or to none.
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
  withValue,
  type Code,
  type Label,
  type Local,
} from "../../expr/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../expr/wasm-module.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import {
  addRecord,
  beginAdding,
  closeLast,
  entryPlaces,
  lastPiece,
  openSlice,
  startFields,
  stopWith,
  timeReader,
  type Adding,
  type LastPiece,
} from "./ingest-code.ts"
import { mayHaveCells } from "./key-cells.ts"
import { findRunEnd } from "./run-end-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** A round of the loop takes so many rows: what a round costs is a part of what a row does. */
const UNROLL = 4

/** How ids are found: they are told, or looked up by the value of a whole number, the code of a text, or a cell. */
export type IdSource = "told" | "value" | "code" | "cell"

/** The functions, and which rows they take and how they find ids. */
interface IngestKind {
  readonly name: string
  readonly hasList: boolean
  readonly ids: IdSource
}

/**
 * `ingest(control, at, end, rows, ids) → at`: `rows` is the address of a list of row numbers, `ids` of their keys';
 * `ingestAll`, where `rows` means nothing and records are rows; and, for keys that can be looked up, `ingestDirect` and
 * `ingestDirectAll`, where `ids` means nothing.
 */
export function writeIngest(module: WasmModule, shape: WindowShape): void {
  writeKind(module, shape, { name: "ingest", hasList: true, ids: "told" })
  writeKind(module, shape, { name: "ingestAll", hasList: false, ids: "told" })
  const ids = directSource(shape)
  if (ids === undefined) return
  writeKind(module, shape, { name: "ingestDirect", hasList: true, ids })
  writeKind(module, shape, { name: "ingestDirectAll", hasList: false, ids })
}

/** How ids can be looked up, or `undefined` for other keys. */
function directSource({ keys }: WindowShape): IdSource | undefined {
  const { parts, hasNulls } = keys
  if (mayHaveCells(keys)) return "cell"
  if (parts.length !== 1 || hasNulls) return undefined
  const { storage } = parts[0]!
  if (storage === "int32") return "value"
  return storage === "dictionary" ? "code" : undefined
}

function writeKind(module: WasmModule, shape: WindowShape, kind: IngestKind): void {
  const parameters = { control: "i32", at: "i32", end: "i32", rows: "i32", ids: "i32" } as const
  module.function(kind.name, { parameters, result: "i32" }, ({ control, at, end, rows, ids }, scope) => {
    const adding = beginAdding(shape, control, scope)
    const { setup, row, time, entry } = adding
    const load = (offset: number) => loadedFrom(control, offset, scope, setup)
    // Ids are counted from 1 here, as tables have them.
    const entryOf = load(CONTROL.entryOf)
    setup.push(entryOf.set(i32.sub(entryOf.get, i32.const(4))))
    const entryDirty = load(CONTROL.entryDirty)
    const readTime = timeReader(adding)
    const piece = lastPiece(control, scope, setup)
    const size = scope.local("i32")
    setup.push(size.set(i32.load(piece.record.get, PIECE.size)))
    const closePiece = closeLast(control, piece, size)
    const runEnd = scope.local("i32")
    const setRow = (place: Code<"i32">) => row.set(kind.hasList ? i32.load(itemAddress(rows.get, place, 2)) : place)
    const setRowAndTime = (place: Code<"i32">) => sequence(setRow(place), time.set(readTime))
    const needsTime = shape.kernels.some(({ kernel }) => kernel.readsTime === true)
    const behindId = scope.local("i32")
    const address = scope.local("i32")
    const findId = idFinder({ shape, kind, adding, at, ids, behindId })
    const body = block((exit) => [
      block((refused) => {
        const start = startEntry({ shape, adding, piece, size, address, behindId, exit })
        const addRun = (isWritten: boolean) => {
          const row = (missing: Label) => [
            needsTime ? setRowAndTime(at.get) : setRow(at.get),
            ...findId(exit),
            address.set(itemAddress(entryOf.get, behindId.get, 2)),
            entry.set(i32.load(address.get)),
            branchIf(missing, i32.ltS(entry.get, piece.from.get)),
            ...addRecord(shape, adding, refused),
            // Only entries that an epoch has written can become dirty.
            ...(isWritten ? [i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1))] : []),
            increment(at),
          ]
          return addRows({ scope, at, runEnd, row, start })
        }
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            setRowAndTime(at.get),
            when(
              i64.geS(time.get, piece.end.get),
              openSlice({ control, piece, size, time, closePiece, stop: (reason) => stopWith(control, reason, exit) }),
            ),
            ...findRunEnd({
              scope,
              setup,
              at,
              end,
              runEnd,
              isInSlice: (place) => withValue([setRowAndTime(place)], i64.ltS(time.get, piece.end.get)),
            }),
            when(i32.eqz(piece.written.get), addRun(false), addRun(true)),
            branch(again),
          ]),
        ]
      }),
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    return [...setup, body, closePiece, at.get]
  })
}

/**
 * Adds the rows of a run. The loops hold nothing but what each row needs: where a row's key has no entry, they are left for
 * the code that starts it, and entered again at the same row. So all that they read stays in registers.
 */
function addRows(parts: {
  readonly scope: FunctionScope
  readonly at: Local<"i32">
  readonly runEnd: Local<"i32">
  /** Adds the row at `at` and goes on to the next, or goes to `missing`. */
  readonly row: (missing: Label) => Code<"none">[]
  readonly start: Code<"none">[]
}): Code<"none">[] {
  const { scope, at, runEnd, row, start } = parts
  const roundsEnd = scope.local("i32")
  return [
    roundsEnd.set(i32.sub(runEnd.get, i32.const(UNROLL - 1))),
    block((done) => [
      loop((next) => [
        block((missing) => {
          const one = row(missing)
          return [
            whileLoop(i32.ltS(at.get, roundsEnd.get), [...Array.from({ length: UNROLL }).flatMap(() => one)]),
            whileLoop(i32.ltS(at.get, runEnd.get), one),
            branch(done),
          ]
        }),
        ...start,
        branch(next),
      ]),
    ]),
  ]
}

/** Code that sets `behindId` to one more than the id of the row's key, or goes to `exit` where it cannot be looked up. */
function idFinder(parts: {
  readonly shape: WindowShape
  readonly kind: IngestKind
  readonly adding: Adding
  readonly at: Local<"i32">
  readonly ids: Local<"i32">
  readonly behindId: Local<"i32">
}): (exit: Label) => Code<"none">[] {
  const { shape, kind, adding, at, ids, behindId } = parts
  const { control, scope, setup, row } = adding
  if (kind.ids === "told") {
    return () => [behindId.set(i32.add(i32.load(itemAddress(ids.get, at.get, 2)), i32.const(1)))]
  }
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const table = load(CONTROL.idTable)
  if (kind.ids === "cell") {
    return (exit) => {
      const unknown = stopWith(control, STOP.newKey, exit)
      return [
        ...findCell(shape, adding, behindId, unknown),
        behindId.set(i32.load(itemAddress(table.get, behindId.get, 2))),
        when(i32.eqz(behindId.get), [unknown]),
      ]
    }
  }
  const values = load(shape.control.lookedUp(0))
  const value = i32.load(itemAddress(values.get, row.get, 2))
  const lookUp = behindId.set(i32.load(itemAddress(table.get, behindId.get, 2)))
  // Every code of the dictionary has a place in its table; of values, those below a bound.
  const count = kind.ids === "value" ? load(CONTROL.idCount) : undefined
  return (exit) => {
    const unknown = stopWith(control, STOP.newKey, exit)
    return [
      behindId.set(value),
      ...(count === undefined ? [] : [when(i32.geU(behindId.get, count.get), [unknown])]),
      lookUp,
      when(i32.eqz(behindId.get), [unknown]),
    ]
  }
}

/** Code that sets `cell` to that of the row's key, or comes to `unknown` where it has none. */
function findCell(shape: WindowShape, adding: Adding, cell: Local<"i32">, unknown: Code<"none">): Code<"none">[] {
  const { control, scope, setup, row } = adding
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const beyond = scope.local("i32")
  const parts = shape.keys.parts.map((_, part) => {
    const [column, bits] = [load(shape.control.lookedUp(part)), load(shape.control.lookedUpBits(part))]
    const value = scope.local("i32")
    return { value, bits, read: value.set(i32.load(itemAddress(column.get, row.get, 2))) }
  })
  const cells = parts.map(({ value }) => value.get)
  const excess = parts.map(({ value, bits }) => i32.shrU(value.get, bits.get))
  return [
    ...parts.map(({ read }) => read),
    beyond.set(excess.reduce((all, each) => i32.or(all, each))),
    cell.set(cells.reduce((all, each, part) => i32.or(i32.shl(all, parts[part]!.bits.get), each))),
    when(beyond.get, [unknown]),
  ]
}

/** Code that begins the entry of a key that has none in the piece. */
function startEntry(parts: {
  readonly shape: WindowShape
  readonly adding: Adding
  readonly piece: LastPiece
  readonly size: Local<"i32">
  /** Where the key's entry is noted. */
  readonly address: Local<"i32">
  readonly behindId: Local<"i32">
  readonly exit: Label
}): Code<"none">[] {
  const { shape, adding, piece, size, address, behindId, exit } = parts
  const { control, scope, setup, entry, entry8 } = adding
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const entryIds = load(CONTROL.entryIds)
  return [
    entry.set(i32.add(piece.from.get, size.get)),
    when(i32.geU(entry.get, load(CONTROL.entryCapacity).get), [stopWith(control, STOP.noRoom, exit)]),
    increment(size),
    i32.store(address.get, entry.get),
    i32.store(itemAddress(entryIds.get, entry.get, 2), i32.sub(behindId.get, i32.const(1))),
    i32.store8(i32.add(load(CONTROL.entryDirty).get, entry.get), i32.const(0)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    ...startFields(shape, entryPlaces(shape, adding)),
  ]
}
