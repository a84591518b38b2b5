/**
 * Code that adds records in no order of time, as they come: each is added to the piece that a cell of a cache has for its
 * time, and there to the entry that the piece's table has for its key. See `disorder-control.ts` for cells.
 *
 * Records of neighbouring slices come mixed. So nothing is asked about the last record's piece first, as the answer could
 * not be foretold; and pieces are found by a multiplication, as a division would take as long as all the rest.
 *
 * It stops before a record whose piece is not there or not ready for it, or that would take a sum out of its range.
 *
 * Invariants:
 * - W8 A record is added to all aggregates or to none.
 * - DC1 A record is added to the piece whose slice holds its time and whose records count in all of the slice's windows.
 */
import {
  block,
  branch,
  branchIf,
  call,
  f64,
  i32,
  i64,
  loop,
  returns,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../expr/wasm-code.ts"
import type { FunctionScope, WasmModule } from "../../expr/wasm-module.ts"
import { increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { DISORDER } from "./disorder-control.ts"
import { addRecord, beginAdding, entryPlaces, startFields, stopWith, timeReader, type Adding } from "./ingest-code.ts"
import { beginProbe, fillSlot, findSlot, placeInSlot, probeIn } from "./piece-index.ts"
import { CONTROL, PIECE, PIECE_BYTES, STOP } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** 1.5 · 2⁵²: a double that is added to it keeps its nearest whole number in the lowest bits. */
const ROUNDING = 6755399441055744
const ROUNDING_BITS = 0x4338000000000000n

/** The variables of the function. */
interface Anywhere extends Adding {
  readonly shape: WindowShape
  readonly disorder: Local<"i32">
  readonly id: Local<"i32">
  /** The address of the record of the piece at hand. */
  readonly piece: Local<"i32">
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
    const anywhere: Anywhere = { ...adding, shape, disorder, id: scope.local("i32"), piece: scope.local("i32") }
    const { id, piece } = anywhere
    const entryDirty = loadedFrom(control, CONTROL.entryDirty, scope, setup)
    const readTime = timeReader(adding)
    const isKeyed = shape.keys.parts.length > 0
    if (name === "ingestInto") setup.push(piece.set(i32.load(disorder.get, DISORDER.piece)))
    const body = block((exit) => [
      block((refused) => {
        const findPiece = name === "ingestInto" ? [] : pieceByTime(anywhere, exit)
        const findEntry = isKeyed ? entryByKey(anywhere, exit) : onlyEntry(anywhere, exit)
        const add = addRecord(shape, adding, refused)
        return [
          loop((again) => [
            branchIf(exit, i32.geS(at.get, end.get)),
            row.set(i32.load(itemAddress(rows.get, at.get, 2))),
            time.set(readTime),
            ...findPiece,
            ...(isKeyed ? [id.set(i32.load(itemAddress(ids.get, at.get, 2)))] : []),
            ...findEntry,
            ...add,
            i32.store8(i32.add(entryDirty.get, entry.get), i32.const(1)),
            i32.store(piece.get, i32.const(1), PIECE.dirty),
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

/** Sets `piece` to that of the time. */
function pieceByTime({ control, disorder, scope, setup, time, piece }: Anywhere, exit: Label): Code<"none">[] {
  const load = (offset: number) => loadedFrom(disorder, offset, scope, setup)
  const long = (offset: number) => loadedLongFrom(disorder, offset, scope, setup)
  const [cells, mask, hasTwoEdges] = [load(DISORDER.cells), load(DISORDER.cellMask), load(DISORDER.hasTwoEdges)]
  const [doubleOrigin, origin, endEdge] = [long(DISORDER.doubleOrigin), long(DISORDER.origin), long(DISORDER.endEdge)]
  const slide = loadedLongFrom(control, CONTROL.slide, scope, setup)
  const scale = scope.local("f64")
  const nowhere = scope.local("i32")
  setup.push(
    scale.set(f64.load(disorder.get, DISORDER.scale)),
    nowhere.set(i32.add(disorder.get, i32.const(DISORDER.nowhere))),
  )
  const [number, cell] = [scope.local("i64"), scope.local("i32")]
  const doubled = i64.sub(i64.shl(time.get, i64.const(1n)), doubleOrigin.get)
  const rounded = f64.add(f64.mul(f64.convertI64S(doubled), scale.get), f64.const(ROUNDING))
  const into = i64.sub(i64.sub(time.get, origin.get), i64.mul(i64.sub(number.get, i64.const(ROUNDING_BITS)), slide.get))
  const isElsewhere = i32.or(
    i64.ltS(time.get, i64.load(piece.get, PIECE.start)),
    i64.geS(time.get, i64.load(piece.get, PIECE.end)),
  )
  return [
    number.set(i64.reinterpretF64(rounded)),
    cell.set(i32.wrap(number.get)),
    when(hasTwoEdges.get, [cell.set(i32.add(i32.shl(cell.get, i32.const(1)), i64.geS(into, endEdge.get)))]),
    cell.set(itemAddress(cells.get, i32.and(cell.get, mask.get), 2)),
    piece.set(i32.load(cell.get)),
    when(isElsewhere, [
      piece.set(call("i32", "findPiece", control.get, disorder.get, time.get)),
      when(i32.eq(piece.get, nowhere.get), [stopWith(control, STOP.newSlice, exit)]),
      i32.store(cell.get, piece.get),
    ]),
  ]
}

/**
 * `findPiece(control, disorder, time) → record`: the piece of a time whose records count in all its windows; that which no
 * time is in, where there is none that is ready.
 */
export function writeFindPiece(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", disorder: "i32", time: "i64" } as const
  module.function("findPiece", { parameters, result: "i32" }, ({ control, disorder, time }, scope) => {
    const [low, high, middle, piece] = ["i32", "i32", "i32", "i32"].map(() => scope.local("i32"))
    const pieceAt = (index: Local<"i32">) => itemAddress(i32.load(control.get, CONTROL.pieces), index!.get, 6)
    const end = i64.load(piece!.get, PIECE.end)
    // One that is late for some windows counts from a slide behind its slice's first window on, or later.
    const isLate = i64.geS(i64.sub(i64.load(piece!.get, PIECE.countsFrom), end), i64.load(control.get, CONTROL.slide))
    const none = returns(i32.add(disorder.get, i32.const(DISORDER.nowhere)))
    return [
      low!.set(i32.load(control.get, CONTROL.sealed)),
      high!.set(i32.load(control.get, CONTROL.tail)),
      whileLoop(i32.ltU(low!.get, high!.get), [
        middle!.set(i32.shrU(i32.add(low!.get, high!.get), i32.const(1))),
        piece!.set(pieceAt(middle!)),
        when(i64.leS(end, time.get), [low!.set(i32.add(middle!.get, i32.const(1)))], [high!.set(middle!.get)]),
      ]),
      piece!.set(pieceAt(low!)),
      when(i32.geU(low!.get, i32.load(control.get, CONTROL.tail)), [none]),
      when(i32.or(i64.gtS(i64.load(piece!.get, PIECE.start), time.get), isLate), [none]),
      ...(shape.keys.parts.length === 0 ? [] : [when(isUnready(piece!), [none])]),
      piece!.get,
    ]
  })
}

/** Whether the piece's table lacks some of its keys, or is not there. */
function isUnready(piece: Local<"i32">): Code<"i32"> {
  const isMissing = i32.ne(i32.load(piece.get, PIECE.indexed), i32.load(piece.get, PIECE.size))
  return i32.or(isMissing, i32.eqz(i32.load(piece.get, PIECE.shift)))
}

/** Sets `entry` to that of the key in the piece, which may be new. */
function entryByKey(anywhere: Anywhere, exit: Label): Code<"none">[] {
  const { control, disorder, scope, setup, id, piece, entry } = anywhere
  const slots = loadedFrom(disorder, DISORDER.slots, scope, setup)
  const probe = probeIn(scope)
  const from = scope.local("i32")
  const place = placeInSlot(probe)
  return [
    from.set(i32.load(piece.get, PIECE.from)),
    ...beginProbe(probe, slots.get, from.get, piece, id),
    block((done) => [
      block((free) => [findSlot(probe, id, free), entry.set(i32.add(from.get, place)), branch(done)]),
      ...startEntry(anywhere, exit),
      ...fillSlot(probe, id, i32.sub(entry.get, from.get)),
      i32.store(piece.get, i32.load(piece.get, PIECE.size), PIECE.indexed),
      // What is known of the last piece by key goes on being so.
      when(i32.eq(piece.get, lastRecord(control, scope, setup).get), [
        i32.store(itemAddress(i32.load(control.get, CONTROL.entryOf), id.get, 2), entry.get),
      ]),
    ]),
  ]
}

/** Sets `entry` to the piece's only one, which may be new. */
function onlyEntry(anywhere: Anywhere, exit: Label): Code<"none">[] {
  const { control, scope, setup, piece, entry } = anywhere
  return [
    entry.set(i32.load(piece.get, PIECE.from)),
    when(i32.eqz(i32.load(piece.get, PIECE.size)), [
      ...startEntry(anywhere, exit),
      when(i32.eq(piece.get, lastRecord(control, scope, setup).get), [
        i32.store(i32.load(control.get, CONTROL.entryOf), entry.get),
      ]),
    ]),
  ]
}

function lastRecord(control: Local<"i32">, scope: FunctionScope, setup: Code<"none">[]): Local<"i32"> {
  const last = scope.local("i32")
  const end = itemAddress(i32.load(control.get, CONTROL.pieces), i32.load(control.get, CONTROL.tail), 6)
  setup.push(last.set(i32.sub(end, i32.const(PIECE_BYTES))))
  return last
}

/** Code that appends an entry to the piece for the key at hand, and sets `entry` to it. */
function startEntry(anywhere: Anywhere, exit: Label): Code<"none">[] {
  const { shape, control, disorder, id, piece, entry, entry8 } = anywhere
  const size = i32.load(piece.get, PIECE.size)
  return [
    when(i32.geU(size, i32.load(piece.get, PIECE.capacity)), [
      i32.store(disorder.get, piece.get, DISORDER.piece),
      stopWith(control, STOP.noRoom, exit),
    ]),
    entry.set(i32.add(i32.load(piece.get, PIECE.from), size)),
    entry8.set(i32.shl(entry.get, i32.const(3))),
    i32.store(itemAddress(i32.load(control.get, CONTROL.entryIds), entry.get, 2), id.get),
    ...startFields(shape, entryPlaces(shape, anywhere)),
    i32.store(piece.get, i32.add(size, i32.const(1)), PIECE.size),
  ]
}
