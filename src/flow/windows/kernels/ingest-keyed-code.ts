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
  memoryFill,
  sequence,
  when,
  whileLoop,
  withValue,
  type Code,
  type Label,
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress } from "./code-places.ts"
import { addByBlocks } from "./ingest-blocks-code.ts"
import { closeLast, openSlice, stopWith, timeReader } from "./ingest-code.ts"
import { addToEntry, beginKeyed, makeSureOfRoom, startEntry, type Keyed, type KeyedRun } from "./ingest-entry-code.ts"
import { directSource, idFinder, type IdSource } from "./ingest-id-code.ts"
import { addByLanes, noteEntries } from "./ingest-lanes-code.ts"
import { laneLayout } from "./piece-lanes.ts"
import { findRunEnd } from "./run-end-code.ts"
import { CONTROL, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** A round of the loop takes so many rows: what a round costs is a part of what a row does. */
const UNROLL = 4

/** Runs are added by blocks where so many rows of the last run were the first of their key, and one of so many. */
const MANY_NEW = 8
const MANY_OF = 4

/**
 * Where a run has so many times more rows than a piece has entries that an epoch has written, nearly all of these will
 * change: they are marked at once, and no row marks its own.
 */
const ROWS_OF_MARKED = 8

/** The functions, and which rows they take and how they find ids. */
interface IngestKind {
  readonly name: string
  readonly hasList: boolean
  readonly ids: IdSource
}

/**
 * `ingest(control, at, end, rows, ids) → at`: `rows` is the address of a list of row numbers, `ids` of their keys';
 * `ingestAll`, where `rows` means nothing and records are rows; and, for keys that can be looked up, `ingestDirect` and
 * `ingestDirectAll`, where `ids` means nothing, or is the
 * address of keys' cells (`key-cell-code.ts`).
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
    const { adding, piece, size, isStraight, entryDirty, behindId } = keyed
    const { setup, row, time } = adding
    const readTime = timeReader(adding)
    const closePiece = closeLast(control, piece, size)
    const runEnd = scope.local("i32")
    const isNoted = scope.local("i32")
    setup.push(isNoted.set(i32.const(1)))
    const [hasManyNew, runStart, sizeBefore] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
    const newCount = i32.sub(size.get, sizeBefore.get)
    const runLength = i32.sub(at.get, runStart.get)
    const marksEach = scope.local("i32")
    const rowsLeft = i32.sub(runEnd.get, at.get)
    const areMostToChange = i32.leU(i32.mul(piece.written.get, i32.const(ROWS_OF_MARKED)), rowsLeft)
    const markAll = memoryFill(i32.add(entryDirty.get, piece.from.get), i32.const(1), piece.written.get)
    const setRow = (place: Code<"i32">) => row.set(kind.hasList ? i32.load(itemAddress(rows.get, place, 2)) : place)
    const setRowAndTime = (place: Code<"i32">) => sequence(setRow(place), time.set(readTime))
    const needsTime = shape.kernels.some(({ kernel }) => kernel.readsTime === true)
    const finder = idFinder({ shape, source: kind.ids, adding, ids, behindId })
    const layout = kind.ids === "told" ? undefined : laneLayout(shape)
    const body = block((exit) => [
      block((refused) => {
        const read = needsTime ? setRowAndTime(at.get) : setRow(at.get)
        const run = { at, runEnd, read, finder, exit, refused }
        const addAll = (isWritten: boolean) =>
          when(hasManyNew.get, addByBlocks(keyed, { ...run, isWritten }), addRows(keyed, { ...run, isWritten }))
        const stop = (reason: number) => stopWith(control, reason, exit)
        const open = openSlice({ control, piece, size, time, closePiece, stop })
        const laneRows = { at, end, list: kind.hasList ? rows : undefined }
        const isInSlice = (place: Code<"i32">) => withValue([setRowAndTime(place)], i64.ltS(time.get, piece.end.get))
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            setRowAndTime(at.get),
            when(i64.geS(time.get, piece.end.get), [
              ...open,
              isStraight.set(i32.const(1)),
              isNoted.set(i32.const(1)),
              ...(layout === undefined ? [] : addByLanes(keyed, layout, { ...laneRows, isNoted }, again)),
            ]),
            ...findRunEnd({ scope, setup, at, end, runEnd, isInSlice }),
            runStart.set(at.get),
            sizeBefore.set(size.get),
            marksEach.set(piece.written.get),
            when(i32.and(i32.ne(marksEach.get, i32.const(0)), areMostToChange), [markAll, marksEach.set(i32.const(0))]),
            when(i32.eqz(marksEach.get), [addAll(false)], [addAll(true)]),
            hasManyNew.set(
              i32.and(
                i32.geS(newCount, i32.const(MANY_NEW)),
                i32.geS(i32.mul(newCount, i32.const(MANY_OF)), runLength),
              ),
            ),
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
    const note = layout === undefined ? [] : [when(i32.eqz(isNoted.get), noteEntries(keyed))]
    return [...setup, body, closePiece, ...note, ...noteStraight, at.get]
  })
}

/**
 * Adds the rows of a run. The loops hold nothing but what each row needs: where a row's key has no entry, they are left for
 * the code that starts it, and entered again at the same row. So all that they read stays in registers.
 */
function addRows(keyed: Keyed, run: KeyedRun): Code<"none">[] {
  const { at, runEnd, read, finder, exit } = run
  const { adding, isStraight } = keyed
  const roundsEnd = adding.scope.local("i32")
  const straight = straightEntries(keyed)
  const rounds = (places: Keyed, findEntry: readonly Code<"none">[]) => {
    const one = [read, ...finder.find(at.get, exit), ...findEntry, ...addToEntry(places, run), increment(at)]
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
            [...straight.begin, ...rounds(straight.keyed, straight.find(missing))],
            rounds(keyed, findNotedEntry(keyed, run, missing)),
          ),
          branch(done),
        ]),
        ...finder.add(exit),
        makeSureOfRoom(keyed, i32.const(1), exit),
        ...startEntry(keyed),
        branch(next),
      ]),
    ]),
  ]
}

/** Entries of a straight piece by `behindId` alone (IK2): the same places, seen from before the piece's first entry. */
function straightEntries(keyed: Keyed) {
  const { adding, piece, size, behindId, entryDirty } = keyed
  const before = i32.sub(piece.from.get, i32.const(1))
  const fields = adding.fields.map(() => adding.scope.local("i32"))
  const dirty = adding.scope.local("i32")
  return {
    keyed: { ...keyed, adding: { ...adding, fields, entry: behindId }, entryDirty: dirty },
    begin: [
      ...fields.map((field, index) => field.set(itemAddress(adding.fields[index]!.get, before, 3))),
      dirty.set(i32.add(entryDirty.get, before)),
    ],
    // An id that is not known is 0, and so no less than any size.
    find: (missing: Label) => [branchIf(missing, i32.geU(i32.sub(behindId.get, i32.const(1)), size.get))],
  }
}

/** Code that sets `entry` by where it is noted, or goes to `missing`. */
function findNotedEntry(keyed: Keyed, { finder }: KeyedRun, missing: Label): Code<"none">[] {
  const { adding, piece, entryOf, behindId } = keyed
  const { entry } = adding
  return [
    ...finder.test(missing),
    entry.set(i32.load(itemAddress(entryOf.get, behindId.get, 2))),
    branchIf(missing, i32.ltS(entry.get, piece.from.get)),
  ]
}
