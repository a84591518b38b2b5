/**
 * Code that adds rows in order of time where there is no key: each slice is one entry.
 *
 * The rows of a slice are a run, whose end is looked for first. They are then summed up in variables, so that no addition
 * waits for memory: by blocks, where all rows of the batch count and the kernel can, else row by row. Whether a record has
 * to be refused is asked of the run where that can be, and where it may be so, the run is added again with care.
 * The sums are those that adding row by row gives, bit for bit.
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
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import type { FieldPlace, RecordAccess, Word } from "../../aggregates/aggregate.ts"
import { addByBlocks } from "./block-run-code.ts"
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
import { ONLY_ID } from "../keys/only-key.ts"
import { findRunEnd } from "./run-end-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** A kernel, the fields of its entry in variables, and the record at hand. */
interface SummedKernel {
  readonly placed: PlacedKernel
  readonly fields: readonly FieldPlace[]
  readonly record: RecordAccess
}

/** The variables of the function. */
interface Alone extends Adding {
  readonly shape: WindowShape
  readonly at: Local<"i32">
  readonly end: Local<"i32">
  readonly piece: LastPiece
  /** How many entries the piece has: 0 or 1. */
  readonly size: Local<"i32">
  /** Where the run of rows in one slice starts and ends. */
  readonly runStart: Local<"i32">
  readonly runEnd: Local<"i32">
  /** Sets `row` to the row at a place, without or with its time. */
  readonly setRow: (place: Code<"i32">) => Code<"none">
  readonly setRowAndTime: (place: Code<"i32">) => Code<"none">
  /** The entry's fields in memory, and in variables. */
  readonly places: readonly FieldPlace[]
  readonly sums: readonly FieldPlace[]
  readonly kernels: readonly SummedKernel[]
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
    const isAll = name === "ingestAll"
    const setRow = (place: Code<"i32">) => row.set(isAll ? place : i32.load(itemAddress(rows.get, place, 2)))
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
      runStart: scope.local("i32"),
      runEnd: scope.local("i32"),
      setRow,
      setRowAndTime: (place) => sequence(setRow(place), time.set(readTime)),
      places: entryPlaces(shape, adding),
      sums,
      kernels: shape.kernels.map((placed) => ({
        placed,
        fields: sums.slice(placed.entryFrom, placed.entryFrom + placed.kernel.entry.length),
        record: recordAccess(shape, adding, placed.inputFrom),
      })),
    }
    const body = block((exit) => [
      block((refused) => [
        loop((again) => [
          branchIf(exit, i32.geS(at.get, end.get)),
          ...findRun(alone, exit),
          ...addRun(alone, isAll, refused),
          branch(again),
        ]),
      ]),
      ...copyFields(sums, alone.places),
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    return [...setup, body, closeLast(control, piece, size), at.get]
  })
}

/** Finds the rows that follow in one slice, and its entry. */
function findRun(alone: Alone, exit: Label): Code<"none">[] {
  const { control, scope, setup, at, piece, size, time, entry, entry8, runStart, setRowAndTime } = alone
  const closePiece = closeLast(control, piece, size)
  const stop = (reason: number) => stopWith(control, reason, exit)
  const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
  const isInSlice = (place: Code<"i32">) => withValue([setRowAndTime(place)], i64.ltS(time.get, piece.end.get))
  return [
    setRowAndTime(at.get),
    when(i64.geS(time.get, piece.end.get), openSlice({ control, piece, size, time, closePiece, stop })),
    entry.set(piece.from.get),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    when(i32.eqz(size.get), startOnlyEntry(alone, exit)),
    i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1)),
    ...findRunEnd({ ...alone, isInSlice }),
    runStart.set(at.get),
  ]
}

/** Adds the rows of the run. */
function addRun(alone: Alone, isAll: boolean, refused: Label): Code<"none">[] {
  const { at, runStart, runEnd, places, sums, kernels } = alone
  const load = copyFields(places, sums)
  const store = copyFields(sums, places)
  const mayRefuse = kernels.some(({ placed }) => placed.kernel.refuses !== undefined)
  const add = (doubted: Label) => (isAll ? addAtOnce(alone, doubted) : addEach(alone, kernels, doubted))
  if (!mayRefuse) return [...load, ...add(refused), ...store]
  const isAccepted = kernels.flatMap(({ placed: { kernel }, fields }) =>
    kernel.accepts === undefined ? [] : [kernel.accepts(i32.sub(runEnd.get, runStart.get), fields)],
  )
  return [
    block((done) => [
      block((doubted) => [
        ...load,
        ...isAccepted.map((each) => branchIf(doubted, i32.eqz(each))),
        ...add(doubted),
        branch(done),
      ]),
      at.set(runStart.get),
      ...load,
      whileLoop(i32.ltS(at.get, runEnd.get), addNext(alone, kernels, { refused, isAccepted: false })),
    ]),
    ...store,
  ]
}

/** Adds the rows of a run that are all rows of the batch: by blocks where kernels can, then row by row for the others. */
function addAtOnce(alone: Alone, doubted: Label): Code<"none">[] {
  const { shape, at, row, runEnd, kernels } = alone
  const inBlocks = kernels.filter(({ placed }) => placed.kernel.blocks !== undefined)
  const others = kernels.filter((each) => !inBlocks.includes(each))
  if (inBlocks.length === 0) return addEach(alone, others, doubted)
  const addRow = addRecord(alone, inBlocks, { refused: doubted, isAccepted: true })
  return [
    row.set(at.get),
    ...addByBlocks({ shape, adding: alone, kernels: inBlocks, runEnd, doubted, addRow }),
    ...(others.length === 0 ? [at.set(runEnd.get)] : addEach(alone, others, doubted)),
  ]
}

/** Adds the rows of a run that was not found to have any to refuse. */
function addEach(alone: Alone, kernels: readonly SummedKernel[], doubted: Label): Code<"none">[] {
  const { at, runEnd } = alone
  return [whileLoop(i32.ltS(at.get, runEnd.get), addNext(alone, kernels, { refused: doubted, isAccepted: true }))]
}

/** Where to go when the record has to be refused, and whether those kernels that could say so have accepted the run. */
interface Asking {
  readonly refused: Label
  readonly isAccepted: boolean
}

/** Adds the row at `at` and goes on to the next. */
function addNext(alone: Alone, kernels: readonly SummedKernel[], asking: Asking): Code<"none">[] {
  const { at, setRow, setRowAndTime } = alone
  const needsTime = kernels.some(({ placed }) => placed.kernel.readsTime === true)
  return [needsTime ? setRowAndTime(at.get) : setRow(at.get), ...addRecord(alone, kernels, asking), increment(at)]
}

/** Adds the row at hand. */
function addRecord(
  { scope }: Alone,
  kernels: readonly SummedKernel[],
  { refused, isAccepted }: Asking,
): Code<"none">[] {
  return [
    ...kernels.flatMap(({ placed: { kernel }, record, fields }) => {
      if (kernel.refuses === undefined || (isAccepted && kernel.accepts !== undefined)) return []
      return [branchIf(refused, kernel.refuses(record, fields, scope))]
    }),
    ...kernels.flatMap(({ placed: { kernel }, record, fields }) => kernel.add(record, fields, scope)),
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
