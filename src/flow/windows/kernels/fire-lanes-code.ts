/**
 * What windows of few keys have, as lanes of vectors (`piece-lanes.ts`): taking a piece in, letting it go and storing a window's rows are
 * the same instructions whatever keys are in them. See `fire-few-code.ts` for what they are part of.
 *
 * While the function runs, the vectors are variables. In memory they are what the places of the old list have: the key with the id n has
 * the place n + 1, so vectors begin at the place 1.
 *
 * Invariants:
 * - FL1 What is in vectors is what `fire-few-code.ts` would have at the places, bit for bit; what is there for keys that are not known means nothing.
 */
import { i32, i64, i64x2, v128, when, type Code, type Local } from "../../../base/wasm-code.ts"
import { FEW_KEYS } from "../keys/few-keys.ts"
import { forEachEntry, type Turning } from "./advance-code.ts"
import { loadedFrom, vectorOfBits } from "./code-places.ts"
import { loadControl, type Emitting } from "./emit-code.ts"
import {
  HELD_BY_LANES,
  laneLayout,
  laneLists,
  lanesAt,
  PAIR,
  PAIRS,
  pairCodeOf,
  type LaneLayout,
  type LaneLists,
} from "./piece-lanes.ts"
import { PIECE } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

const FIELD_BYTES = 8
/** For totals, which nobody combines. */
const NOTHING = vectorOfBits(0n)

/** The variables: vectors by field, a pair of lanes each. */
export interface FiringLanes {
  readonly layout: LaneLayout
  readonly turning: Turning
  readonly lists: LaneLists
  /** The record of the piece at hand. */
  readonly record: Local<"i32">
  /** What keys have in the older block, or as totals. */
  readonly own: readonly (readonly Local<"v128">[])[]
  /** What they have in the newer block; `undefined` for totals. */
  readonly later: readonly (readonly Local<"v128">[] | undefined)[]
  /** By lane: how many bytes behind the first row's the key's row is; behind the last row's where it has none. */
  readonly rowAt: readonly Local<"i32">[]
}

/** The variables for a shape, or `undefined` where its pieces have no lanes. */
export function beginFiringLanes(turning: Turning): FiringLanes | undefined {
  const { shape, control, scope, setup, old } = turning
  const layout = laneLayout(shape)
  if (layout === undefined) return undefined
  const pairs = () => Array.from({ length: PAIRS }, () => scope.local("v128"))
  return {
    layout,
    turning,
    lists: laneLists(control, scope, setup),
    record: scope.local("i32"),
    own: layout.fields.map(pairs),
    later: layout.fields.map((_, field) => (old.later[field] === undefined ? undefined : pairs())),
    rowAt: Array.from({ length: FEW_KEYS }, () => scope.local("i32")),
  }
}

/** Each vector, and the address at which it is in memory. */
function vectorsInMemory({
  turning,
  own,
  later,
}: FiringLanes): { vector: Local<"v128">; base: Local<"i32">; at: number }[] {
  const { old } = turning
  const placed = (vectors: readonly Local<"v128">[], base: Local<"i32">) =>
    vectors.map((vector, pair) => ({ vector, base, at: (1 + pair * PAIR) * FIELD_BYTES }))
  return own.flatMap((vectors, field) => {
    const ofLater = later[field]
    return [
      ...placed(vectors, old.fields[field]!),
      ...(ofLater === undefined ? [] : placed(ofLater, old.later[field]!)),
    ]
  })
}

/** Reads the vectors from memory. */
export function loadLanes(lanes: FiringLanes): Code<"none">[] {
  return vectorsInMemory(lanes).map(({ vector, base, at }) => vector.set(v128.load(base.get, at)))
}

/** Writes the vectors to memory. */
export function keepLanes(lanes: FiringLanes): Code<"none">[] {
  return vectorsInMemory(lanes).map(({ vector, base, at }) => v128.store(base.get, vector.get, at))
}

/** Sets `record` to that of the piece at hand, as it is once the piece has been taken in. */
export function setRecord({ layout, turning, lists, record }: FiringLanes): Code<"none"> {
  return record.set(lanesAt(layout, turning.piece, lists))
}

/** Sets `record` likewise, and makes what it holds from the piece's entries where that is not there. */
export function findRecord(lanes: FiringLanes): Code<"none">[] {
  const { layout, turning, record } = lanes
  const { shape, control, scope, setup, piece, id, entry8 } = turning
  const lane8 = i32.add(record.get, i32.shl(id.get, i32.const(3)))
  const present = scope.local("i32")
  const fields = shape.entryFields.map((_, field) => loadedFrom(control, shape.control.entryField(field), scope, setup))
  const fromEntries = [
    present.set(i32.const(0)),
    ...layout.fields.flatMap((_, field) =>
      eachPair((pair) => v128.store(record.get, identityOf(shape, field), layout.values(field, pair))),
    ),
    ...forEachEntry(turning, [
      present.set(i32.or(present.get, i32.shl(i32.const(1), id.get))),
      ...fields.map((base, field) =>
        i64.store(lane8, i64.load(i32.add(base.get, entry8.get)), layout.values(field, 0)),
      ),
    ]),
    i32.store(record.get, present.get, layout.present),
  ]
  const isHeld = i32.eq(i32.load(piece.get, PIECE.dirty), i32.const(HELD_BY_LANES))
  return [setRecord(lanes), when(i32.eqz(isHeld), fromEntries)]
}

function eachPair<T>(codeOf: (pair: number) => T): T[] {
  return Array.from({ length: PAIRS }, (_, pair) => codeOf(pair))
}

function identityOf({ windowFields }: WindowShape, field: number): Code<"v128"> {
  return vectorOfBits(windowFields[field]!.identity)
}

/** The places of the keys that the piece at hand has, as bits. */
export function placesOfPiece({ layout, record }: FiringLanes): Code<"i32"> {
  return i32.shl(i32.load(record.get, layout.present), i32.const(1))
}

/** What the piece at hand has. */
function ofPiece({ layout, record }: FiringLanes, field: number, pair: number): Code<"v128"> {
  return v128.load(record.get, layout.values(field, pair))
}

/** Gives all keys identities. */
export function clearLanes({ turning, own, later }: FiringLanes): Code<"none">[] {
  const clear = (vectors: readonly Local<"v128">[] | undefined, field: number) =>
    (vectors ?? []).map((vector) => vector.set(identityOf(turning.shape, field)))
  return [...own.flatMap(clear), ...later.flatMap(clear)]
}

/** Sets vectors of the lanes, by field: code for each pair of them, from what aggregates combine. */
function setCombined(
  lanes: FiringLanes,
  parts: {
    readonly vectors: (field: number) => readonly Local<"v128">[] | undefined
    readonly earlier: (field: number, pair: number) => Code<"v128">
    readonly later: (field: number, pair: number) => Code<"v128">
  },
): Code<"none">[] {
  return lanes.turning.shape.kernels.flatMap((placed) => {
    const fields = placed.kernel.window.map((_, field) => placed.windowFrom + field)
    return eachPair((pair) => {
      const ofAll = (side: typeof parts.earlier) => fields.map((field) => side(field, pair))
      const combined = pairCodeOf(placed).combine?.(ofAll(parts.earlier), ofAll(parts.later))
      return fields.flatMap((field, index) => parts.vectors(field)?.[pair]!.set(combined![index]!) ?? [])
    }).flat()
  })
}

/** Adds the piece at hand to totals, or takes it away from them. */
function countIn(lanes: FiringLanes, count: (whole: Code<"v128">, part: Code<"v128">) => Code<"v128">): Code<"none">[] {
  const totals = lanes.own.filter((_, field) => lanes.later[field] === undefined)
  return totals.flatMap((vectors) => {
    const field = lanes.own.indexOf(vectors)
    return vectors.map((vector, pair) => vector.set(count(vector.get, ofPiece(lanes, field, pair))))
  })
}

/** Takes in the piece at hand, which is the latest of the newer block. */
export function takeNewLanes(lanes: FiringLanes): Code<"none">[] {
  const { later } = lanes
  return [
    ...countIn(lanes, i64x2.add),
    ...setCombined(lanes, {
      vectors: (field) => later[field],
      earlier: (field, pair) => later[field]?.[pair]!.get ?? NOTHING,
      later: (field, pair) => ofPiece(lanes, field, pair),
    }),
  ]
}

/** Takes in the piece at hand, which is the earliest of the older block so far. */
export function takeOldLanes(lanes: FiringLanes): Code<"none">[] {
  const { layout, record, own, later } = lanes
  const isFold = (field: number) => later[field] !== undefined
  return [
    ...countIn(lanes, i64x2.add),
    ...own.flatMap((vectors, field) =>
      isFold(field) ? vectors.map((vector, pair) => v128.store(record.get, vector.get, layout.after(field, pair))) : [],
    ),
    ...setCombined(lanes, {
      vectors: (field) => (isFold(field) ? own[field] : undefined),
      earlier: (field, pair) => ofPiece(lanes, field, pair),
      later: (field, pair) => own[field]![pair]!.get,
    }),
  ]
}

/** Lets go of the piece at hand, the earliest of the older block. */
export function letGoOfLanes(lanes: FiringLanes): Code<"none">[] {
  const { layout, record, own, later } = lanes
  return [
    ...countIn(lanes, i64x2.sub),
    ...own.flatMap((vectors, field) =>
      later[field] === undefined
        ? []
        : vectors.map((vector, pair) => vector.set(v128.load(record.get, layout.after(field, pair)))),
    ),
  ]
}

/** Finds where keys' rows are from the order of their places, a byte each. */
export function findRowsOfLanes({ rowAt }: FiringLanes, order: Local<"i64">, rowCount: Local<"i32">): Code<"none">[] {
  const placeIn = (byte: number) => i64.and(i64.shrU(order.get, i64.const(BigInt(8 * byte))), i64.const(0xffn))
  return rowAt.flatMap((at, id) => [
    at.set(i32.shl(rowCount.get, i32.const(3))),
    ...rowAt.map((_, byte) =>
      when(i64.eq(placeIn(byte), i64.const(BigInt(id + 1))), [at.set(i32.const(byte * FIELD_BYTES))]),
    ),
  ])
}

/** Stores the results of the window's rows. There must be room for as many as there may be. */
export function storeResultsOfLanes(lanes: FiringLanes, emitting: Emitting): Code<"none">[] {
  const { own, later, rowAt } = lanes
  const { shape, scope, row } = emitting
  const [rows, result] = [scope.local("i32"), scope.local("v128")]
  const storeLeaf = (base: Local<"i32">, pair: number, value: Code<"v128">) => [
    result.set(value),
    ...Array.from({ length: PAIR }, (_, lane) => {
      const at = rowAt[pair * PAIR + lane]!
      return v128.store64Lane(i32.add(i32.add(base.get, rows.get), at.get), result.get, lane)
    }),
  ]
  const ofKernel = (placed: PlacedKernel, pair: number) => {
    const fields = placed.kernel.window.map((_, index) => placed.windowFrom + index)
    const ofOwn = fields.map((field) => own[field]![pair]!.get)
    const ofLater = fields.map((field) => later[field]?.[pair]!.get)
    const pairs = pairCodeOf(placed)
    const isSplit = ofLater.some((code) => code !== undefined)
    const both = isSplit
      ? pairs.combine!(
          ofOwn,
          ofLater.map((code) => code ?? NOTHING),
        )
      : ofOwn
    const values = pairs.finish(both.map((code, index) => (ofLater[index] === undefined ? ofOwn[index]! : code)))
    return placed.kernel.results.flatMap((_, leaf) =>
      storeLeaf(loadControl(emitting, shape.control.resultValues(placed.resultFrom + leaf)), pair, values[leaf]!),
    )
  }
  return [
    rows.set(i32.shl(row.get, i32.const(3))),
    ...shape.kernels.flatMap((placed) => eachPair((pair) => ofKernel(placed, pair)).flat()),
  ]
}
