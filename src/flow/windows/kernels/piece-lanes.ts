/**
 * What pieces have beside their entries where keys are few: all keys' fields at once, each key a lane of vectors.
 *
 * The lane of a key is its id. What a piece has for keys that are not in it are identities, which change nothing (G2): so windows take a piece
 * in, and let it go, by a few vectors, whichever keys are in it.
 *
 * Bytes of a record, which lies as far into its array as the piece's own, times `2 ** unitShift`:
 *
 *     by field: the lanes 0 and 1, and 2 and 3, of what the piece has           32 each
 *     by field that is no total: the same of what later old pieces have         32 each
 *     a bit for each key that is in the piece                                    4
 *
 * Invariants:
 * - PL1 The first part and the last one are right while `PIECE.dirty` is `HELD_BY_LANES`. Else they are made anew from entries before they are read.
 */
import { assert } from "../../../base/assert.ts"
import { i32, type Code, type Local } from "../../../base/wasm-code.ts"
import type { FunctionScope } from "../../../base/wasm-module.ts"
import type { LaneField, PairCode } from "../../aggregates/aggregate.ts"
import { FEW_KEYS } from "../keys/few-keys.ts"
import { loadedFrom } from "./code-places.ts"
import { CONTROL, PIECE_BYTES } from "./window-control.ts"
import type { PlacedKernel, WindowShape } from "./window-shape.ts"

/** Two lanes are a vector. */
export const PAIR = 2
/** And two vectors are all keys. */
export const PAIRS = FEW_KEYS / PAIR

const VECTOR_BYTES = 16
const FIELD_BYTES = PAIRS * VECTOR_BYTES
/** More sums than these do not stay in registers. */
const SUMS_MAX = 2

/** What `PIECE.dirty` is where the piece has changed since it was written, and its lanes have what its entries have. */
export const HELD_BY_LANES = 2

/** A field of entries, what a row adds to it, and for sums the input that is added. */
export interface FieldOfLanes {
  readonly kind: LaneField
  readonly input: number
}

/** Fields of entries that lanes can be for, or `undefined` where they cannot: keys must be single words, never null. */
function laneFields({ keys, kernels }: WindowShape): readonly FieldOfLanes[] | undefined {
  const { parts, hasNulls } = keys
  const isWord = parts.length === 1 && !hasNulls && ["int32", "dictionary"].includes(parts[0]!.storage)
  const fields = kernels.flatMap(({ kernel, inputFrom }) => kernel.lanes?.map((kind) => ({ kind, input: inputFrom })))
  const known = fields.flatMap((field) => field ?? [])
  const sums = known.filter(({ kind }) => kind === "float sum").length
  return isWord && known.length === fields.length && sums <= SUMS_MAX ? known : undefined
}

/** Where things stand in a record. */
export interface LaneLayout {
  readonly fields: readonly FieldOfLanes[]
  readonly bytes: number
  readonly unitShift: number
  values(field: number, pair: number): number
  /** What later old pieces have. */
  after(field: number, pair: number): number
  readonly present: number
}

/** The layout for a shape, or `undefined` where its pieces have no lanes. */
export function laneLayout(shape: WindowShape): LaneLayout | undefined {
  const fields = laneFields(shape)
  if (fields === undefined) return undefined
  const areSame = shape.kernels.every(({ kernel }) => kernel.window.length === kernel.entry.length)
  assert(areSame, "what is added by lanes is what windows have")
  const present = 2 * fields.length * FIELD_BYTES
  const unitShift = Math.ceil(Math.log2((present + 4) / PIECE_BYTES))
  return {
    fields,
    bytes: PIECE_BYTES << unitShift,
    unitShift,
    values: (field, pair) => field * FIELD_BYTES + pair * VECTOR_BYTES,
    after: (field, pair) => (fields.length + field) * FIELD_BYTES + pair * VECTOR_BYTES,
    present,
  }
}

/** How to combine and finish the results of an aggregate two lanes at once. */
export function pairCodeOf({ kernel: { pairs } }: PlacedKernel): PairCode {
  assert(pairs !== undefined, "what lanes are for is finished by pairs")
  return pairs
}

/** Where the list of pieces starts, and the array of their lanes. */
export interface LaneLists {
  readonly pieces: Local<"i32">
  readonly lanes: Local<"i32">
}

export function laneLists(control: Local<"i32">, scope: FunctionScope, setup: Code<"none">[]): LaneLists {
  return {
    pieces: loadedFrom(control, CONTROL.pieces, scope, setup),
    lanes: loadedFrom(control, CONTROL.pieceLanes, scope, setup),
  }
}

/** The address of the lanes of the piece whose record lies at `piece`. */
export function lanesAt({ unitShift }: LaneLayout, piece: Local<"i32">, lists: LaneLists): Code<"i32"> {
  return i32.add(lists.lanes.get, i32.shl(i32.sub(piece.get, lists.pieces.get), i32.const(unitShift)))
}
