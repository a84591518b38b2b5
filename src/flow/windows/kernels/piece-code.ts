/**
 * Code that finds the piece of a time, makes one where there is none, and fills cells with what is known of a piece. See
 * `disorder-code.ts`.
 */
import {
  choose,
  i32,
  i64,
  memoryCopy,
  memoryFill,
  returns,
  sequence,
  when,
  whileLoop,
  type Code,
  type Local,
} from "../../../base/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../../base/wasm-module.ts"
import { itemAddress } from "./code-places.ts"
import { CELL, DISORDER, FIRST_ROOM_MAX, NOWHERE, SMALLEST_ROOM } from "./disorder-control.ts"
import { freeSlots, tableAddress, tableBytes } from "./piece-index.ts"
import { laneLayout, laneLists, lanesAt } from "./piece-lanes.ts"
import { slicing } from "./slicing-code.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** `fillCell(disorder, cell, piece)`: the piece counts as changed then. */
export function writeFillCell(module: WasmModule, shape: WindowShape): void {
  const isKeyed = shape.keys.parts.length > 0
  const parameters = { disorder: "i32", cell: "i32", piece: "i32" } as const
  module.function("fillCell", { parameters, result: "none" }, ({ disorder, cell, piece }) => {
    const from = i32.load(piece.get, PIECE.from)
    return [
      i32.store(cell.get, tableAddress(i32.load(disorder.get, DISORDER.slots), from), CELL.table),
      i32.store(cell.get, isKeyed ? tableBytes(piece) : i32.load(piece.get, PIECE.size), CELL.tableBytes),
      i32.store(cell.get, from, CELL.from),
      i32.store(piece.get, i32.const(1), PIECE.dirty),
      sequence(),
    ]
  })
}

/** The variables of `findPiece`. */
interface Finding {
  readonly shape: WindowShape
  readonly scope: FunctionScope
  readonly control: Local<"i32">
  readonly disorder: Local<"i32">
  readonly time: Local<"i64">
  /** The place of the first piece that ends behind the time, and the address of its record. */
  readonly index: Local<"i32">
  readonly piece: Local<"i32">
}

const nowhere = returns(i32.const(NOWHERE))

/**
 * `findPiece(control, disorder, time) → record`: the piece of a time whose records count in all its windows, a new one where
 * there is none; `NOWHERE` where it is not ready for records in no order, or there is no room.
 */
export function writeFindPiece(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", disorder: "i32", time: "i64" } as const
  module.function("findPiece", { parameters, result: "i32" }, ({ control, disorder, time }, scope) => {
    const [index, high, middle, piece] = [
      scope.local("i32"),
      scope.local("i32"),
      scope.local("i32"),
      scope.local("i32"),
    ]
    const pieceAt = (place: Local<"i32">) => itemAddress(i32.load(control.get, CONTROL.pieces), place.get, 6)
    const end = i64.load(piece.get, PIECE.end)
    // Pieces that have joined late are of slices of which a window has fired, and no record is on time for those.
    const isThere = i32.and(
      i32.ltU(index.get, i32.load(control.get, CONTROL.tail)),
      i64.leS(i64.load(piece.get, PIECE.start), time.get),
    )
    const isUnready = i32.or(
      i32.ne(i32.load(piece.get, PIECE.indexed), i32.load(piece.get, PIECE.size)),
      i32.eqz(i32.load(piece.get, PIECE.shift)),
    )
    return [
      index.set(i32.load(control.get, CONTROL.sealed)),
      high.set(i32.load(control.get, CONTROL.tail)),
      whileLoop(i32.ltU(index.get, high.get), [
        middle.set(i32.shrU(i32.add(index.get, high.get), i32.const(1))),
        piece.set(pieceAt(middle)),
        when(i64.leS(end, time.get), [index.set(i32.add(middle.get, i32.const(1)))], [high.set(middle.get)]),
      ]),
      piece.set(pieceAt(index)),
      when(
        isThere,
        // Without keys there are no tables.
        shape.keys.parts.length === 0 ? [] : [when(isUnready, [nowhere])],
        insertPiece({ shape, scope, control, disorder, time, index, piece }),
      ),
      piece.get,
    ]
  })
}

/** Code that makes the piece of the time at the place, with a table and room for as many keys as pieces have. */
function insertPiece(finding: Finding): Code<"none">[] {
  const { scope, control, disorder, time, piece, index } = finding
  const setup: Code<"none">[] = []
  const { start, end, firstEnd, lastEnd, find } = slicing({ control, disorder, time, scope, setup })
  const room = scope.local("i32")
  const field = (offset: number) => i32.load(control.get, offset)
  const [tail, entryTail] = [field(CONTROL.tail), field(CONTROL.entryTail)]
  // The next piece to be in a window is that which has most of its keys.
  const full = lesser(field(CONTROL.sealed), i32.sub(tail, i32.const(1)))
  const fullSize = i32.load(itemAddress(field(CONTROL.pieces), full, 6), PIECE.size)
  const usualSize = choose(i32.eq(field(CONTROL.head), tail), i32.const(0), fullSize)
  const slotsCapacity = i32.load(disorder.get, DISORDER.slotsCapacity)
  const entriesEnd = i32.add(entryTail, room.get)
  const table = tableAddress(i32.load(disorder.get, DISORDER.slots), i32.load(piece.get, PIECE.from))
  return [
    when(i32.geU(tail, field(CONTROL.pieceCapacity)), [nowhere]),
    room.set(lesser(usualSize, i32.const(FIRST_ROOM_MAX))),
    when(i32.ltU(room.get, i32.const(SMALLEST_ROOM)), [room.set(i32.const(SMALLEST_ROOM))]),
    // The least power of two that is no less.
    room.set(i32.shl(i32.const(1), i32.sub(i32.const(32), i32.clz(i32.sub(room.get, i32.const(1)))))),
    when(i32.gtU(entriesEnd, lesser(field(CONTROL.entryCapacity), slotsCapacity)), [nowhere]),
    ...setup,
    ...find,
    when(i32.ltU(index.get, tail), makePlace(finding, i32.sub(tail, index.get))),
    i32.store(control.get, i32.add(tail, i32.const(1)), CONTROL.tail),
    memoryFill(piece.get, i32.const(0), i32.const(PIECE_BYTES)),
    i64.store(piece.get, start.get, PIECE.start),
    i64.store(piece.get, end.get, PIECE.end),
    i64.store(piece.get, firstEnd.get, PIECE.countsFrom),
    i64.store(piece.get, lastEnd.get, PIECE.lastWindowEnd),
    i32.store(piece.get, entryTail, PIECE.from),
    i32.store(piece.get, room.get, PIECE.capacity),
    i32.store(piece.get, i32.clz(room.get), PIECE.shift),
    i32.store(control.get, entriesEnd, CONTROL.entryTail),
    freeSlots(table, i32.mul(room.get, i32.const(2))),
  ]
}

/** Moves so many pieces, from the place on, by one; and the lanes of those that have some. */
function makePlace({ shape, scope, control, piece }: Finding, count: Code<"i32">): Code<"none">[] {
  const layout = laneLayout(shape)
  const move = (address: Local<"i32">, bytes: number) =>
    memoryCopy(i32.add(address.get, i32.const(bytes)), address.get, i32.mul(count, i32.const(bytes)))
  if (layout === undefined) return [move(piece, PIECE_BYTES)]
  const [setup, lanes]: [Code<"none">[], Local<"i32">] = [[], scope.local("i32")]
  const address = lanesAt(layout, piece, laneLists(control, scope, setup))
  return [...setup, lanes.set(address), move(lanes, layout.bytes), move(piece, PIECE_BYTES)]
}

function lesser(one: Code<"i32">, other: Code<"i32">): Code<"i32"> {
  return i32.select(i32.ltU(one, other), one, other)
}
