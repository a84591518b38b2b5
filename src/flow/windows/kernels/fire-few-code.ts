/**
 * Code that fires windows where keys are few (`few-keys.ts`): the same windows, rows and bits as `fire-code.ts`, with less
 * for each window. See `window-code.ts` for blocks, and what old and new is.
 *
 * The key with the id n has the place n + 1 of the old list, and what it has in the newer block beside it, whether it is in the
 * window or not: what is not has identities, which change nothing (G2). So there is nothing to look up. Which keys are in
 * the older block and in the newer one, and in which order, say two words, with a place in each byte, the first in the
 * lowest. The window's rows are those of the first word, then those of the second that are not in the first: that is
 * found anew where one of them changes, a few times a block.
 *
 * Everything is one function, and what it reads of the control block it reads once for all windows that are due.
 *
 * Invariants:
 * - FF1 Between calls the lists are empty, as `reset` leaves them: so who goes on by lists finds everything anew.
 */
import {
  block,
  branch,
  branchIf,
  i32,
  i32x4,
  i64,
  i64x2,
  loop,
  v128,
  when,
  whileLoop,
  type Code,
  type Label,
  type Local,
} from "../../../base/wasm-code.ts"
import type { WasmModule } from "../../../base/wasm-module.ts"
import { FEW_KEYS } from "../keys/few-keys.ts"
import { listedColumns } from "../keys/key-list.ts"
import {
  acrossBase,
  addBehind,
  beginTurning,
  forEachEntry,
  letGo,
  pieceAt,
  setPlace,
  takeOld,
  type Turning,
} from "./advance-code.ts"
import { bitsConstant, fieldPlace, increment, itemAddress, loadedFrom, loadedLongFrom } from "./code-places.ts"
import { loadControl, noteRun, storeFromPlace, storeListedKey, type Emitting } from "./emit-code.ts"
import {
  beginFiringLanes,
  clearLanes,
  findRecord,
  findRowsOfLanes,
  keepLanes,
  letGoOfLanes,
  loadLanes,
  placesOfPiece,
  setRecord,
  storeResultsOfLanes,
  takeNewLanes,
  takeOldLanes,
  type FiringLanes,
} from "./fire-lanes-code.ts"
import { CONTROL, PIECE, PIECE_BYTES } from "./window-control.ts"
import type { WindowShape } from "./window-shape.ts"

/** The variables of the function. */
interface Few {
  readonly turning: Turning
  readonly emitting: Emitting
  readonly keyCount: Local<"i32">
  /** Pieces [head, sealed) are in the window, those before `edge` in its older block. */
  readonly head: Local<"i32">
  readonly sealed: Local<"i32">
  readonly edge: Local<"i32">
  readonly tail: Local<"i32">
  /** The end of the window at hand, of the first that is due and has not fired, and where the newer block starts. */
  readonly end: Local<"i64">
  readonly floorEnd: Local<"i64">
  readonly newStart: Local<"i64">
  readonly size: Local<"i64">
  readonly blockLength: Local<"i64">
  /** The places of keys in each block, as bytes; those of the newer one as bits, too; and those of the window's rows. */
  readonly oldOrder: Local<"i64">
  readonly newOrder: Local<"i64">
  readonly newPlaces: Local<"i32">
  readonly order: Local<"i64">
  readonly rowCount: Local<"i32">
  readonly hasChanged: Local<"i32">
  /** By part: the keys of the window's rows, where parts are words. */
  readonly keyVectors: readonly Local<"v128">[]
  /** What is at places, in variables; `undefined` where pieces have no lanes. */
  readonly lanes: FiringLanes | undefined
}

/** `fireFew(control, keyCount, lastDueEnd, to, capacity) → rows`: see `fireDue`; `keyCount` is how many keys there are. */
export function writeFireFew(module: WasmModule, shape: WindowShape): void {
  const parameters = { control: "i32", keyCount: "i32", lastDueEnd: "f64", to: "i32", capacity: "i32" } as const
  module.function("fireFew", { parameters, result: "i32" }, (given, scope) => {
    const { control, keyCount, lastDueEnd, to, capacity } = given
    const turning = beginTurning(shape, control, scope)
    const { setup } = turning
    const due = scope.local("i64")
    const row = scope.local("i32")
    const load = (offset: number) => loadedFrom(control, offset, scope, setup)
    const loadLong = (offset: number) => loadedLongFrom(control, offset, scope, setup)
    const lanes = beginFiringLanes(turning)
    const few: Few = {
      turning,
      lanes,
      emitting: { shape, scope, control, setup, row, index: scope.local("i32") },
      keyCount,
      head: load(CONTROL.head),
      sealed: load(CONTROL.sealed),
      edge: load(CONTROL.edge),
      tail: load(CONTROL.tail),
      end: loadLong(CONTROL.floorEnd),
      floorEnd: loadLong(CONTROL.floorEnd),
      newStart: loadLong(CONTROL.newStart),
      size: loadLong(CONTROL.size),
      blockLength: loadLong(CONTROL.blockLength),
      oldOrder: loadLong(CONTROL.fewOld),
      newOrder: loadLong(CONTROL.fewNew),
      newPlaces: scope.local("i32"),
      order: scope.local("i64"),
      rowCount: scope.local("i32"),
      hasChanged: scope.local("i32"),
      keyVectors: areWords(shape) ? shape.keys.parts.map(() => scope.local("v128")) : [],
    }
    const slide = loadLong(CONTROL.slide)
    const body = block((exit) => [
      loop((again) => [
        ...findNext(few, exit),
        branchIf(exit, i64.gtS(few.end.get, due.get)),
        few.floorEnd.set(few.end.get),
        ...dropPieces(few),
        // The difference is less than a block where the window is in the same two as the last one.
        when(i64.geU(i64.sub(few.newStart.get, windowStart(few)), few.blockLength.get), findAnew(few)),
        ...takeNewPieces(few),
        when(few.hasChanged.get, findOrder(few)),
        branchIf(exit, i32.gtU(few.rowCount.get, i32.sub(capacity.get, row.get))),
        ...storeRows(few, capacity),
        few.end.set(i64.add(few.end.get, slide.get)),
        few.floorEnd.set(few.end.get),
        branch(again),
      ]),
    ])
    // It sets up variables, too.
    const makeFirstPlaces = makePlaces(few)
    return [
      ...setup,
      due.set(i64.truncSatF64S(lastDueEnd.get)),
      row.set(to.get),
      few.hasChanged.set(i32.const(1)),
      ...makeFirstPlaces,
      ...(lanes === undefined ? [] : loadLanes(lanes)),
      ...addPlaces(few.newPlaces, few.newOrder, scope.local("i64")),
      body,
      ...(lanes === undefined ? [] : keepLanes(lanes)),
      ...writeBack(few),
      i32.sub(row.get, to.get),
    ]
  })
}

function windowStart({ end, size }: Few): Code<"i64"> {
  return i64.sub(end.get, size.get)
}

function writeBack({ turning, head, sealed, edge, floorEnd, newStart, oldOrder, newOrder }: Few): Code<"none">[] {
  const { control } = turning
  return [
    i32.store(control.get, head.get, CONTROL.head),
    i32.store(control.get, sealed.get, CONTROL.sealed),
    i32.store(control.get, edge.get, CONTROL.edge),
    i64.store(control.get, floorEnd.get, CONTROL.floorEnd),
    i64.store(control.get, newStart.get, CONTROL.newStart),
    i64.store(control.get, oldOrder.get, CONTROL.fewOld),
    i64.store(control.get, newOrder.get, CONTROL.fewNew),
  ]
}

/** Sets `end` to that of the next window with records, or goes to `exit` where there is none. */
function findNext({ turning, head, sealed, tail, end }: Few, exit: Label): Code<"none">[] {
  const { scope } = turning
  const next = scope.local("i32")
  const countsFrom = i64.load(next.get, PIECE.countsFrom)
  const lastEnd = i64.load(i32.sub(next.get, i32.const(PIECE_BYTES)), PIECE.lastWindowEnd)
  return [
    next.set(pieceAt(turning, sealed.get)),
    block((found) => [
      when(i32.gtU(sealed.get, head.get), [branchIf(found, i64.geS(lastEnd, end.get))]),
      branchIf(exit, i32.geU(sealed.get, tail.get)),
      end.set(i64.select(i64.gtS(countsFrom, end.get), countsFrom, end.get)),
    ]),
  ]
}

/** Pieces whose last window was an earlier one leave. */
function dropPieces(few: Few): Code<"none">[] {
  const { turning, lanes, head, sealed, edge, tail, end, oldOrder, hasChanged } = few
  const { piece, kernels } = turning
  const isLeaving = i32.and(i32.ltU(head.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.lastWindowEnd), end.get))
  const left = turning.scope.local("i32")
  const letGoOfEntries = () =>
    forEachEntry(turning, [...setKeysPlace(turning), ...kernels.flatMap((code) => letGo(turning, code))])
  const leave = [
    ...(lanes === undefined ? letGoOfEntries() : [setRecord(lanes), ...letGoOfLanes(lanes)]),
    left.set(i32.load(piece.get, PIECE.oldCount)),
    // The keys whose last piece it is are the last ones.
    when(left.get, [
      left.set(i32.sub(byteCount(oldOrder), left.get)),
      oldOrder.set(i64.and(oldOrder.get, i64.sub(i64.shl(i64.const(1n), bitOfByte(left)), i64.const(1n)))),
      hasChanged.set(i32.const(1)),
    ]),
  ]
  const laterOf = (local: Local<"i32">) => i32.select(i32.gtU(head.get, local.get), head.get, local.get)
  return [
    piece.set(pieceAt(turning, head.get)),
    whileLoop(isLeaving, [
      when(i32.ltU(head.get, edge.get), leave),
      increment(head),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
    // What leaves from the newer block leaves because a block begins: then everything is found anew.
    sealed.set(laterOf(sealed)),
    edge.set(laterOf(edge)),
  ]
}

/** Finds what windows share from the pieces: the older block's are taken in, the latest first. */
function findAnew(few: Few): Code<"none">[] {
  const { turning, lanes, head, sealed, edge, tail, newStart, oldOrder, newOrder, newPlaces, hasChanged } = few
  const { control, scope, piece, place, kernels } = turning
  const [index, count, oldPlaces] = [scope.local("i32"), scope.local("i32"), scope.local("i32")]
  const intoBlock = scope.local("i64")
  const isOld = i32.and(i32.ltU(index.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), newStart.get))
  const listOld = listPlace(place, oldOrder, oldPlaces, [])
  return [
    i32.store(control.get, i32.const(0), CONTROL.fewReady),
    ...makePlaces(few),
    ...(lanes === undefined ? [] : clearLanes(lanes)),
    oldOrder.set(i64.const(0n)),
    newOrder.set(i64.const(0n)),
    newPlaces.set(i32.const(0)),
    oldPlaces.set(i32.const(0)),
    hasChanged.set(i32.const(1)),
    intoBlock.set(i64.remS(i64.sub(windowStart(few), i64.load(control.get, CONTROL.offset)), few.blockLength.get)),
    when(i64.ltS(intoBlock.get, i64.const(0n)), [intoBlock.set(i64.add(intoBlock.get, few.blockLength.get))]),
    newStart.set(i64.sub(windowStart(few), intoBlock.get)),
    sealed.set(head.get),
    when(i64.ne(intoBlock.get, i64.const(0n)), [
      newStart.set(i64.add(newStart.get, few.blockLength.get)),
      index.set(head.get),
      piece.set(pieceAt(turning, index.get)),
      whileLoop(isOld, [increment(index), piece.set(i32.add(piece.get, i32.const(PIECE_BYTES)))]),
      sealed.set(index.get),
      whileLoop(i32.gtU(index.get, head.get), [
        index.set(i32.sub(index.get, i32.const(1))),
        piece.set(i32.sub(piece.get, i32.const(PIECE_BYTES))),
        count.set(byteCount(oldOrder)),
        ...(lanes === undefined
          ? forEachEntry(turning, [
              ...setKeysPlace(turning),
              ...kernels.flatMap((code) => takeOld(turning, code)),
              ...listOld,
            ])
          : [...findRecord(lanes), ...takeOldLanes(lanes), listNew(lanes, oldPlaces, listOld)]),
        i32.store(piece.get, i32.sub(byteCount(oldOrder), count.get), PIECE.oldCount),
      ]),
    ]),
    edge.set(sealed.get),
  ]
}

/** Takes in the pieces that start before the window's end and were not in the window before. */
function takeNewPieces(few: Few): Code<"none">[] {
  const { turning, lanes, sealed, tail, end, newOrder, newPlaces, hasChanged } = few
  const { piece, place, place8, kernels, old } = turning
  const isNew = i32.and(i32.ltU(sealed.get, tail.get), i64.ltS(i64.load(piece.get, PIECE.start), end.get))
  const takeIn = () =>
    kernels.flatMap((code) => {
      const places = code.words.map((word, field) =>
        fieldPlace(word, acrossBase(old, code.placed.windowFrom + field), place8),
      )
      return addBehind(turning, code, places, "all")
    })
  const list = listPlace(place, newOrder, newPlaces, [hasChanged.set(i32.const(1))])
  return [
    piece.set(pieceAt(turning, sealed.get)),
    whileLoop(isNew, [
      ...(lanes === undefined
        ? forEachEntry(turning, [...setKeysPlace(turning), ...takeIn(), ...list])
        : [...findRecord(lanes), ...takeNewLanes(lanes), listNew(lanes, newPlaces, list)]),
      i32.store(piece.get, i32.const(0), PIECE.oldCount),
      increment(sealed),
      piece.set(i32.add(piece.get, i32.const(PIECE_BYTES))),
    ]),
  ]
}

/** Lists the keys of the piece at hand where some of them are not among those places. */
function listNew(lanes: FiringLanes, places: Local<"i32">, list: readonly Code<"none">[]): Code<"none"> {
  const { turning } = lanes
  return when(
    i32.and(placesOfPiece(lanes), i32.xor(places.get, i32.const(-1))),
    forEachEntry(turning, [...setKeysPlace(turning), ...list]),
  )
}

/** Sets `place` to that of the key at hand. */
function setKeysPlace(turning: Turning): Code<"none">[] {
  return setPlace(turning, i32.add(turning.id.get, i32.const(1)))
}

/** How many places a word has. */
function byteCount(order: Local<"i64">): Code<"i32"> {
  const bits = i32.sub(i32.const(64), i32.wrap(i64.clz(order.get)))
  return i32.shrU(i32.add(bits, i32.const(7)), i32.const(3))
}

function bitOfByte(byte: Local<"i32">): Code<"i64"> {
  return i64.extendU(i32.shl(byte.get, i32.const(3)))
}

function bitOfPlace(place: Local<"i32">): Code<"i32"> {
  return i32.shl(i32.const(1), place.get)
}

/** Puts a place behind the last one of a word that does not have it, and then does the rest. */
function listPlace(
  place: Local<"i32">,
  order: Local<"i64">,
  places: Local<"i32">,
  then: readonly Code<"none">[],
): Code<"none">[] {
  const byte = i64.extendU(i32.shl(byteCount(order), i32.const(3)))
  return [
    when(i32.eqz(i32.and(places.get, bitOfPlace(place))), [
      order.set(i64.or(order.get, i64.shl(i64.extendU(place.get), byte))),
      places.set(i32.or(places.get, bitOfPlace(place))),
      ...then,
    ]),
  ]
}

/** Adds the places of a word to those in bits. */
function addPlaces(places: Local<"i32">, order: Local<"i64">, left: Local<"i64">): Code<"none">[] {
  const bit = i32.shl(i32.const(1), i32.wrap(i64.and(left.get, i64.const(0xffn))))
  return [
    left.set(order.get),
    whileLoop(i64.ne(left.get, i64.const(0n)), [
      places.set(i32.or(places.get, bit)),
      left.set(i64.shrU(left.get, i64.const(8n))),
    ]),
  ]
}

/** Finds the order of the window's rows. */
function findOrder(few: Few): Code<"none">[] {
  const { turning, lanes, oldOrder, newOrder, order, rowCount, hasChanged } = few
  const { scope, place } = turning
  const [left, places] = [scope.local("i64"), scope.local("i32")]
  return [
    order.set(oldOrder.get),
    places.set(i32.const(0)),
    ...addPlaces(places, oldOrder, left),
    left.set(newOrder.get),
    whileLoop(i64.ne(left.get, i64.const(0n)), [
      place.set(firstPlace(left)),
      ...listPlace(place, order, places, []),
      left.set(i64.shrU(left.get, i64.const(8n))),
    ]),
    rowCount.set(byteCount(order)),
    ...findKeyVectors(few),
    ...(lanes === undefined ? [] : findRowsOfLanes(lanes, order, rowCount)),
    hasChanged.set(i32.const(0)),
  ]
}

/** The place in the lowest byte of a word. */
function firstPlace(order: Local<"i64">): Code<"i32"> {
  return i32.wrap(i64.and(order.get, i64.const(0xffn)))
}

/** Whether each part of a key is a word, and never null: then a vector has the part of all keys. */
function areWords({ keys: { parts } }: WindowShape): boolean {
  return parts.every(({ storage, width, nullBit }) => width === 1 && storage !== "bit" && nullBit === 0)
}

/** Sets the vectors of keys; behind the last row they hold what stands at the place 0. */
function findKeyVectors({ turning, order, keyVectors }: Few): Code<"none">[] {
  const { scope, place, old } = turning
  const left = scope.local("i64")
  if (keyVectors.length === 0) return []
  return [
    left.set(order.get),
    ...Array.from({ length: FEW_KEYS }).flatMap((_, lane) => [
      place.set(firstPlace(left)),
      left.set(i64.shrU(left.get, i64.const(8n))),
      ...keyVectors.map((vector, part) => {
        const word = i32.load(itemAddress(old.columns[part]!.get, place.get, 2))
        return vector.set(lane === 0 ? i32x4.splat(word) : i32x4.replaceLane(vector.get, lane, word))
      }),
    ]),
  ]
}

/** Stores the window's rows: keys and bounds of all at once where there is room for as many rows as there may be. */
function storeRows(few: Few, capacity: Local<"i32">): Code<"none">[] {
  const { turning, emitting, lanes, keyVectors, end, size, order } = few
  const { shape, scope, id, place, old } = turning
  const { row } = emitting
  const resultIds = loadControl(emitting, CONTROL.resultIds)
  const [starts, ends] = [loadControl(emitting, CONTROL.windowStarts), loadControl(emitting, CONTROL.windowEnds)]
  const start = i64.sub(end.get, size.get)
  const keys = shape.keys.parts.flatMap((part, index) => storeListedKey(emitting, part, index, old, place.get))
  const oneByOne = [
    when(
      resultIds.get,
      forEachRow(few, [
        id.set(i32.sub(place.get, i32.const(1))),
        i32.store(itemAddress(resultIds.get, row.get, 2), id.get),
      ]),
      forEachRow(few, [
        ...keys,
        i64.store(itemAddress(starts.get, row.get, 3), start),
        i64.store(itemAddress(ends.get, row.get, 3), end.get),
      ]),
    ),
  ]
  const results = forEachRow(
    few,
    shape.kernels.flatMap((placed, index) => storeFromPlace(emitting, old, place.get, placed, index)),
  )
  const isRoom = i32.leU(i32.const(FEW_KEYS), i32.sub(capacity.get, row.get))
  const bounds = scope.local("v128")
  const storeBounds = (base: Local<"i32">, bound: Code<"i64">) => [
    bounds.set(i64x2.splat(bound)),
    v128.store(itemAddress(base.get, row.get, 3), bounds.get),
    v128.store(itemAddress(base.get, row.get, 3), bounds.get, 16),
  ]
  const atOnce = [
    ...keyVectors.map((vector, part) => {
      const base = loadControl(emitting, shape.control.keyValues(part))
      return v128.store(itemAddress(base.get, row.get, 2), vector.get)
    }),
    ...storeBounds(starts, start),
    ...storeBounds(ends, end.get),
  ]
  return [
    ...(keyVectors.length === 0 ? oneByOne : [when(i32.and(isRoom, i32.eqz(resultIds.get)), atOnce, oneByOne)]),
    ...(lanes === undefined
      ? results
      : [when(isRoom, storeResultsOfLanes(lanes, emitting), [...keepLanes(lanes), ...results])]),
    row.set(i32.add(row.get, few.rowCount.get)),
    when(resultIds.get, [when(i64.ne(order.get, i64.const(0n)), noteRun(emitting, row.get, end))]),
  ]
}

/** Code for each of the window's rows, by `row` and `place`. */
function forEachRow({ turning, emitting, order, rowCount }: Few, body: readonly Code<"none">[]): Code<"none">[] {
  const { scope, place } = turning
  const { row } = emitting
  const left = scope.local("i64")
  return [
    left.set(order.get),
    whileLoop(i64.ne(left.get, i64.const(0n)), [
      place.set(firstPlace(left)),
      ...body,
      increment(row),
      left.set(i64.shrU(left.get, i64.const(8n))),
    ]),
    row.set(i32.sub(row.get, rowCount.get)),
  ]
}

/** Gives keys that have come since the last time their places, with identities. */
function makePlaces({ turning, keyCount }: Few): Code<"none">[] {
  const { shape, control, scope, place, place8, old } = turning
  const words = loadedFrom(control, CONTROL.keyWords, scope, turning.setup)
  const [ready, key] = [scope.local("i32"), scope.local("i32")]
  return [
    ready.set(i32.load(control.get, CONTROL.fewReady)),
    whileLoop(i32.ltU(ready.get, keyCount.get), [
      key.set(i32.add(words.get, i32.mul(ready.get, i32.const(shape.keys.stride * 4)))),
      increment(ready),
      ...setPlace(turning, ready.get),
      ...listedColumns(shape.keys).map(({ at, width }, column) => {
        const base = old.columns[column]!
        return width === 1
          ? i32.store(itemAddress(base.get, place.get, 2), i32.load(key.get, at * 4))
          : i64.store(itemAddress(base.get, place.get, 3), i64.load(key.get, at * 4))
      }),
      ...shape.windowFields.flatMap(({ word, identity }, field) =>
        [old.fields[field], old.later[field]].flatMap((base) =>
          base === undefined ? [] : [fieldPlace(word, base, place8).store(bitsConstant(word, identity))],
        ),
      ),
    ]),
    i32.store(control.get, ready.get, CONTROL.fewReady),
  ]
}
