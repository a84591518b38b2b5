/**
 * Code that adds rows in order of time by their keys.
 *
 * Rows are taken in runs, each of which lies in one slice: where a run ends is looked for first (`run-end-code.ts`), so
 * that nothing but keys and values is read row by row. A row's entry is found by its key's id (`ingest-id-code.ts`).
 *
 * While the nth entry of a piece is that of the id n, as in the first slice and wherever keys come in the same order again,
 * the piece is straight: an entry is found by the id alone, and nobody reads where it is.
 *
 * Invariants:
 * - IK2 Entries and ids of a straight piece are the same, counted from its first entry.
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
import { directSource, idFinder, type IdFinder, type IdSource } from "./ingest-id-code.ts"
import { findRunEnd } from "./run-end-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** A round of the loop takes so many rows: what a round costs is a part of what a row does. */
const UNROLL = 4

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

function writeKind(module: WasmModule, shape: WindowShape, kind: IngestKind): void {
  const parameters = { control: "i32", at: "i32", end: "i32", rows: "i32", ids: "i32" } as const
  module.function(kind.name, { parameters, result: "i32" }, ({ control, at, end, rows, ids }, scope) => {
    const keyed = beginKeyed(shape, control, scope)
    const { adding, piece, size, isStraight, behindId } = keyed
    const { setup, row, time } = adding
    const readTime = timeReader(adding)
    const closePiece = closeLast(control, piece, size)
    const runEnd = scope.local("i32")
    const setRow = (place: Code<"i32">) => row.set(kind.hasList ? i32.load(itemAddress(rows.get, place, 2)) : place)
    const setRowAndTime = (place: Code<"i32">) => sequence(setRow(place), time.set(readTime))
    const needsTime = shape.kernels.some(({ kernel }) => kernel.readsTime === true)
    const finder = idFinder({ shape, source: kind.ids, adding, at, ids, behindId })
    const body = block((exit) => [
      block((refused) => {
        const read = needsTime ? setRowAndTime(at.get) : setRow(at.get)
        const addRun = (isWritten: boolean) => addRows(keyed, { at, runEnd, read, finder, isWritten, exit, refused })
        const stop = (reason: number) => stopWith(control, reason, exit)
        const open = openSlice({ control, piece, size, time, closePiece, stop })
        const isInSlice = (place: Code<"i32">) => withValue([setRowAndTime(place)], i64.ltS(time.get, piece.end.get))
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            setRowAndTime(at.get),
            when(i64.geS(time.get, piece.end.get), [...open, isStraight.set(i32.const(1))]),
            ...findRunEnd({ scope, setup, at, end, runEnd, isInSlice }),
            when(i32.eqz(piece.written.get), addRun(false), addRun(true)),
            branch(again),
          ]),
        ]
      }),
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    const noteStraight = [
      i32.store(control.get, piece.from.get, CONTROL.straightFrom),
      i32.store(control.get, i32.mul(size.get, isStraight.get), CONTROL.straightCount),
    ]
    return [...setup, body, closePiece, ...noteStraight, at.get]
  })
}

/** The variables of a function that adds rows by their keys, beside those of all that add. */
interface Keyed {
  readonly shape: WindowShape
  readonly adding: Adding
  readonly piece: LastPiece
  /** How many entries the last piece has, and whether it is straight. */
  readonly size: Local<"i32">
  readonly isStraight: Local<"i32">
  /** Where keys' entries are noted, by `behindId`, and which entries have changed. */
  readonly entryOf: Local<"i32">
  readonly entryDirty: Local<"i32">
  /** One more than the id of the row's key, as tables have it. */
  readonly behindId: Local<"i32">
}

function beginKeyed(shape: WindowShape, control: Local<"i32">, scope: FunctionScope): Keyed {
  const adding = beginAdding(shape, control, scope)
  const { setup } = adding
  const entryOf = loadedFrom(control, CONTROL.entryOf, scope, setup)
  const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
  const piece = lastPiece(control, scope, setup)
  const [size, isStraight, behindId] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  setup.push(
    entryOf.set(i32.sub(entryOf.get, i32.const(4))),
    size.set(i32.load(piece.record.get, PIECE.size)),
    isStraight.set(isStraightPiece(control, piece, size)),
  )
  return { shape, adding, piece, size, isStraight, entryOf, entryDirty, behindId }
}

/** Whether the last piece is straight (IK2). */
function isStraightPiece(control: Local<"i32">, piece: LastPiece, size: Local<"i32">): Code<"i32"> {
  const [from, count] = [i32.load(control.get, CONTROL.straightFrom), i32.load(control.get, CONTROL.straightCount)]
  const isNoted = i32.and(i32.eq(from, piece.from.get), i32.eq(count, size.get))
  return i32.or(isNoted, i32.eqz(size.get))
}

/**
 * Adds the rows of a run. The loops hold nothing but what each row needs: where a row's key has no entry, they are left for
 * the code that starts it, and entered again at the same row. So all that they read stays in registers.
 */
function addRows(
  keyed: Keyed,
  parts: {
    readonly at: Local<"i32">
    readonly runEnd: Local<"i32">
    /** Sets the row, and the time where that is needed. */
    readonly read: Code<"none">
    readonly finder: IdFinder
    /** Whether an epoch has written entries of the piece: only such entries can become dirty. */
    readonly isWritten: boolean
    readonly exit: Label
    readonly refused: Label
  },
): Code<"none">[] {
  const { at, runEnd, read, finder, isWritten, exit, refused } = parts
  const { shape, adding, isStraight, entryDirty } = keyed
  const roundsEnd = adding.scope.local("i32")
  const rounds = (missing: Label, findEntry: readonly Code<"none">[]) => {
    const one = [
      read,
      ...finder.find(exit, missing),
      ...findEntry,
      ...addRecord(shape, adding, refused),
      ...(isWritten ? [i32.store8(i32.add(entryDirty.get, adding.entry.get), i32.const(1))] : []),
      increment(at),
    ]
    return [
      whileLoop(i32.ltS(at.get, roundsEnd.get), [...Array.from({ length: UNROLL }).flatMap(() => one)]),
      whileLoop(i32.ltS(at.get, runEnd.get), one),
    ]
  }
  return [
    roundsEnd.set(i32.sub(runEnd.get, i32.const(UNROLL - 1))),
    block((done) => [
      loop((next) => [
        block((missing) => [
          when(
            isStraight.get,
            rounds(missing, findStraightEntry(keyed, missing)),
            rounds(missing, findNotedEntry(keyed, missing)),
          ),
          branch(done),
        ]),
        ...finder.add(exit),
        ...startEntry(keyed, exit),
        branch(next),
      ]),
    ]),
  ]
}

/** Code that sets `entry` by the id alone (IK2), or goes to `missing`. */
function findStraightEntry({ adding: { entry }, piece, size, behindId }: Keyed, missing: Label): Code<"none">[] {
  return [
    entry.set(i32.sub(behindId.get, i32.const(1))),
    branchIf(missing, i32.geU(entry.get, size.get)),
    entry.set(i32.add(entry.get, piece.from.get)),
  ]
}

/** Code that sets `entry` by where it is noted, or goes to `missing`. */
function findNotedEntry({ adding: { entry }, piece, entryOf, behindId }: Keyed, missing: Label): Code<"none">[] {
  return [
    entry.set(i32.load(itemAddress(entryOf.get, behindId.get, 2))),
    branchIf(missing, i32.ltS(entry.get, piece.from.get)),
  ]
}

/** Code that begins the entry of a key that has none in the piece, or goes to `exit`. */
function startEntry(keyed: Keyed, exit: Label): Code<"none">[] {
  const { shape, adding, piece, size, isStraight, entryOf, entryDirty, behindId } = keyed
  const { control, scope, setup, entry, entry8 } = adding
  const load = (offset: number) => loadedFrom(control, offset, scope, setup)
  const entryIds = load(CONTROL.entryIds)
  return [
    entry.set(i32.add(piece.from.get, size.get)),
    when(i32.geU(entry.get, load(CONTROL.entryCapacity).get), [stopWith(control, STOP.noRoom, exit)]),
    increment(size),
    isStraight.set(i32.and(isStraight.get, i32.eq(behindId.get, size.get))),
    i32.store(itemAddress(entryOf.get, behindId.get, 2), entry.get),
    i32.store(itemAddress(entryIds.get, entry.get, 2), i32.sub(behindId.get, i32.const(1))),
    i32.store8(i32.add(entryDirty.get, entry.get), i32.const(0)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    ...startFields(shape, entryPlaces(shape, adding)),
  ]
}
