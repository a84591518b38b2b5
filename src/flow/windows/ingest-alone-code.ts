/**
 * Code that adds rows in order of time where there is no key: each slice is one entry.
 *
 * The rows of a slice are found by looking ahead in ever longer steps, and then summed up in variables, so that no
 * addition waits for memory. The sums are those that adding row by row gives, bit for bit.
 */
import { block, branch, branchIf, i32, i64, loop, sequence, when, whileLoop, type Code } from "../../expr/wasm-code.ts"
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
} from "./ingest-code.ts"
import { CONTROL, PIECE, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The id of the only key. */
const ONLY_ID = 0
/** How far ahead is looked first, in rows. */
const FIRST_STEP = 16

/** `ingest` and `ingestAll` as in `ingest-code.ts`; `ids` means nothing. */
export function writeIngestAlone(module: WasmModule, shape: WindowShape, name: "ingest" | "ingestAll"): void {
  const parameters = { control: "i32", at: "i32", end: "i32", rows: "i32", ids: "i32" } as const
  module.function(name, { parameters, result: "i32" }, ({ control, at, end, rows }, scope) => {
    const adding = beginAdding(shape, control, scope)
    const { setup, row, time, entry } = adding
    const load = (offset: number) => loadedFrom(control, offset, scope, setup)
    const entryOf = load(CONTROL.entryOf)
    const entryIds = load(CONTROL.entryIds)
    const entryDirty = load(CONTROL.entryDirty)
    const room = load(CONTROL.entryCapacity)
    const piece = lastPiece(control, scope, setup)
    const size = scope.local("i32")
    const readTime = timeReader(adding)
    setup.push(size.set(i32.load(piece.record.get, PIECE.size)))
    const runEnd = scope.local("i32")
    const low = scope.local("i32")
    const high = scope.local("i32")
    const setRow = (place: Code<"i32">) =>
      row.set(name === "ingest" ? i32.load(itemAddress(rows.get, place, 2)) : place)
    const setRowAndTime = (place: Code<"i32">) => sequence(setRow(place), time.set(readTime))
    const needsTime = shape.kernels.some(({ kernel }) => kernel.readsTime === true)
    const isInSlice = i64.ltS(time.get, piece.end.get)
    const findRunEnd = [
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
    const places = entryPlaces(shape, adding)
    const sums = shape.entryFields.map(({ word }) => scope.local<Word>(word))
    const inVariables = sums.map((local): FieldPlace => ({
      word: local.type,
      load: () => local.get,
      store: (value) => local.set(value),
    }))
    const storeSums = sums.map((local, index) => places[index]!.store(local.get))
    const startEntry = (exit: Parameters<typeof branch>[0]) => [
      when(i32.geU(piece.from.get, room.get), [stopWith(control, STOP.noRoom, exit)]),
      size.set(i32.const(1)),
      i32.store(entryOf.get, piece.from.get, ONLY_ID * 4),
      i32.store(itemAddress(entryIds.get, piece.from.get, 2), i32.const(ONLY_ID)),
      ...startFields(shape, places),
    ]
    const body = block((exit) => [
      block((refused) => {
        const records = shape.kernels.map(({ kernel, entryFrom, inputFrom }) => ({
          kernel,
          fields: inVariables.slice(entryFrom, entryFrom + kernel.entry.length),
          record: recordAccess(shape, adding, inputFrom),
        }))
        const addRow = [
          needsTime ? setRowAndTime(at.get) : setRow(at.get),
          ...records.flatMap(({ kernel, record, fields }) =>
            kernel.refuses === undefined ? [] : [branchIf(refused, kernel.refuses(record, fields, scope))],
          ),
          ...records.flatMap(({ kernel, record, fields }) => kernel.add(record, fields, scope)),
          increment(at),
        ]
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            setRowAndTime(at.get),
            when(i32.eqz(isInSlice), [
              ...openSlice({
                control,
                piece,
                size,
                time,
                closePiece: closeLast(control, piece, size),
                stop: (reason) => stopWith(control, reason, exit),
              }),
            ]),
            entry.set(piece.from.get),
            adding.entry8.set(i32.shl(entry.get, i32.const(3))),
            when(i32.eqz(size.get), startEntry(exit)),
            i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1)),
            ...findRunEnd,
            ...sums.map((local, index) => local.set(places[index]!.load())),
            whileLoop(i32.ltS(at.get, runEnd.get), addRow),
            ...storeSums,
            branch(again),
          ]),
        ]
      }),
      ...storeSums,
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    return [...setup, body, closeLast(control, piece, size), at.get]
  })
}
