/**
 * Code that adds records in no order of time, as they come: each is added to the piece that a cell of a cache has for the
 * number of its slice, and there to the entry that the piece's table has for its key. See `disorder-control.ts` for cells.
 *
 * Records of neighbouring slices come mixed. So nothing is asked about the last record's piece first, as the answer could
 * not be foretold.
 *
 * It stops before a record that there is no room for, or whose piece is not ready for it, or that would take a sum out of
 * its range.
 *
 * Invariants:
 * - W8 A record is added to all aggregates or to none.
 * - DC1 A record is added to the piece whose slice holds its time and whose records count in all of the slice's windows.
 * - WC5 What is known of the last piece by key (`window-code.ts`) goes on being so.
 */
import {
  block,
  branch,
  branchIf,
  call,
  i32,
  loop,
  when,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { increment, itemAddress, loadedFrom } from "./code-places.ts"
import { CELL, CELL_SHIFT, DISORDER, NOWHERE } from "./disorder-control.ts"
import { addRecord, beginAdding, entryPlaces, startFields, stopWith, timeReader, type Adding } from "./ingest-code.ts"
import { fillSlot, findSlot, firstSlot, placeInSlot, probeIn } from "./piece-index.ts"
import { CONTROL, PIECE, PIECE_BYTES, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The variables of the function. */
interface Anywhere extends Adding {
  readonly shape: WindowShape
  readonly disorder: Local<"i32">
  readonly id: Local<"i32">
  /** The address of the cell at hand. */
  readonly cell: Local<"i32">
  /** The address of its piece's record. */
  readonly record: Code<"i32">
}

/**
 * `ingestAnywhere(control, disorder, at, end, rows, ids) → at` adds to the pieces of the records' times, `ingestInto` to the
 * piece at hand.
 */
export function writeIngestAnywhere(
  module: WasmModule,
  shape: WindowShape,
  name: "ingestAnywhere" | "ingestInto",
): void {
  const parameters = { control: "i32", disorder: "i32", at: "i32", end: "i32", rows: "i32", ids: "i32" } as const
  module.function(name, { parameters, result: "i32" }, ({ control, disorder, at, end, rows, ids }, scope) => {
    const adding = beginAdding(shape, control, scope)
    const { setup, row, time, entry } = adding
    const readTime = timeReader(adding)
    const [id, cell] = [scope.local("i32"), scope.local("i32")]
    const given = i32.load(disorder.get, DISORDER.piece)
    const found = call("i32", "findPiece", control.get, disorder.get, readTime)
    const record = name === "ingestInto" ? given : found
    const anywhere: Anywhere = { ...adding, shape, disorder, id, cell, record }
    const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
    const isKeyed = shape.keys.parts.length > 0
    if (name === "ingestInto") {
      setup.push(
        cell.set(i32.add(disorder.get, i32.const(DISORDER.ownCell))),
        call("none", "fillCell", disorder.get, cell.get, given),
      )
    }
    const body = block((exit) => [
      block((refused) => {
        const findPiece = name === "ingestInto" ? [] : cellByNumber(anywhere, at, exit)
        const findEntry = isKeyed ? entryByKey(anywhere, exit) : onlyEntry(anywhere, exit)
        const add = addRecord(shape, adding, refused)
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            row.set(i32.load(itemAddress(rows.get, at.get, 2))),
            ...(shape.kernels.some(({ kernel }) => kernel.readsTime === true) ? [time.set(readTime)] : []),
            ...findPiece,
            ...(isKeyed ? [id.set(i32.load(itemAddress(ids.get, at.get, 2)))] : []),
            ...findEntry,
            ...add,
            i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1)),
            increment(at),
            branch(again),
          ]),
        ]
      }),
      i32.store(disorder.get, entry.get, DISORDER.entry),
      i32.store(control.get, i32.const(STOP.refused), CONTROL.reason),
    ])
    return [...setup, body, at.get]
  })
}

/** Sets `cell` to one that has the piece of the record at `at`. */
function cellByNumber(anywhere: Anywhere, at: Local<"i32">, exit: Label): Code<"none">[] {
  const { control, disorder, scope, setup, cell, record } = anywhere
  const load = (offset: number) => loadedFrom(disorder, offset, scope, setup)
  const [cells, mask, numbers] = [load(DISORDER.cells), load(DISORDER.cellMask), load(DISORDER.numbers)]
  const [number, piece] = [scope.local("i32"), scope.local("i32")]
  return [
    number.set(i32.load(itemAddress(numbers.get, at.get, 2))),
    cell.set(i32.add(cells.get, i32.shl(i32.and(number.get, mask.get), i32.const(CELL_SHIFT)))),
    when(i32.ne(i32.load(cell.get, CELL.number), number.get), [
      piece.set(record),
      when(i32.eq(piece.get, i32.const(NOWHERE)), [stopWith(control, STOP.newSlice, exit)]),
      call("none", "fillCell", disorder.get, cell.get, piece.get),
      i32.store(cell.get, number.get, CELL.number),
    ]),
  ]
}

/** Sets `entry` to that of the key in the piece, which may be new. */
function entryByKey(anywhere: Anywhere, exit: Label): Code<"none">[] {
  const { control, scope, id, cell, record, entry } = anywhere
  const probe = probeIn(scope)
  const from = i32.load(cell.get, CELL.from)
  const piece = scope.local("i32")
  return [
    probe.table.set(i32.load(cell.get, CELL.table)),
    probe.bytes.set(i32.load(cell.get, CELL.tableBytes)),
    probe.slot.set(firstSlot(probe, id)),
    block((done) => [
      block((free) => [findSlot(probe, id, free), entry.set(i32.add(from, placeInSlot(probe))), branch(done)]),
      piece.set(record),
      ...startEntry(anywhere, piece, exit),
      ...fillSlot(probe, id, i32.sub(entry.get, from)),
      i32.store(piece.get, i32.load(piece.get, PIECE.size), PIECE.indexed),
      when(i32.eq(piece.get, lastRecord(control)), [
        i32.store(itemAddress(i32.load(control.get, CONTROL.entryOf), id.get, 2), entry.get),
      ]),
    ]),
  ]
}

/** Sets `entry` to the piece's only one, which may be new. */
function onlyEntry(anywhere: Anywhere, exit: Label): Code<"none">[] {
  const { control, scope, cell, record, entry } = anywhere
  const piece = scope.local("i32")
  return [
    entry.set(i32.load(cell.get, CELL.from)),
    when(i32.eqz(i32.load(cell.get, CELL.tableBytes)), [
      piece.set(record),
      ...startEntry(anywhere, piece, exit),
      i32.store(cell.get, i32.const(1), CELL.tableBytes),
      when(i32.eq(piece.get, lastRecord(control)), [i32.store(i32.load(control.get, CONTROL.entryOf), entry.get)]),
    ]),
  ]
}

function lastRecord(control: Local<"i32">): Code<"i32"> {
  const end = itemAddress(i32.load(control.get, CONTROL.pieces), i32.load(control.get, CONTROL.tail), 6)
  return i32.sub(end, i32.const(PIECE_BYTES))
}

/** Code that appends an entry to the piece for the key at hand, and sets `entry` to it. */
function startEntry(anywhere: Anywhere, piece: Local<"i32">, exit: Label): Code<"none">[] {
  const { shape, control, disorder, id, cell, entry, entry8 } = anywhere
  const size = i32.load(piece.get, PIECE.size)
  return [
    when(i32.geU(size, i32.load(piece.get, PIECE.capacity)), [
      i32.store(disorder.get, piece.get, DISORDER.piece),
      // Its entries move now, so the cell is of no number.
      i32.store(cell.get, i32.const(0), CELL.number),
      stopWith(control, STOP.noRoom, exit),
    ]),
    entry.set(i32.add(i32.load(piece.get, PIECE.from), size)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    i32.store(itemAddress(i32.load(control.get, CONTROL.entryIds), entry.get, 2), id.get),
    ...startFields(shape, entryPlaces(shape, anywhere)),
    i32.store(piece.get, i32.add(size, i32.const(1)), PIECE.size),
  ]
}
