/**
 * What blocks of rows are added with: vectors of the values of 8 rows, without those that are null, and variables of
 * several lanes, so that one addition need not wait for the one before.
 */
import { f64x2, i32, i32x4, i64, i64x2, v128, type Code, type Local } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import { BLOCK_ROWS, type BlockAccess, type FieldPlace } from "./aggregate.ts"
import { asI64 } from "./fields.ts"

const VECTOR_BYTES = 16

/** How many bytes a value has, and so a lane. */
export type LaneBytes = 4 | 8

/** A vector with these lanes. */
export function vectorOf(lanes: Int32Array | BigInt64Array | Float64Array): Code<"v128"> {
  return v128.const([...new Uint8Array(lanes.buffer)])
}

/**
 * The values of a block's rows for the first input, vector by vector. Where one may be null, it stands as the lane of
 * `nothing`, without which none is.
 */
export function blockVectors(access: BlockAccess, bytes: LaneBytes, nothing?: Code<"v128">): readonly Code<"v128">[] {
  const lanes = VECTOR_BYTES / bytes
  return Array.from({ length: BLOCK_ROWS / lanes }, (_, index) => {
    const values = v128.load(access.values(0), index * VECTOR_BYTES)
    if (nothing === undefined) return values
    return v128.bitSelect(values, nothing, presenceOf(access, bytes, index * lanes))
  })
}

/** All ones in the lanes of the rows from `row` on that are not null. */
function presenceOf(access: BlockAccess, bytes: LaneBytes, row: number): Code<"v128"> {
  const bits = Array.from({ length: VECTOR_BYTES / bytes }, (_, lane) => 1 << (row + lane))
  const presence = access.presence(0)
  if (bytes === 4) {
    const wanted = vectorOf(Int32Array.from(bits))
    return i32x4.eq(v128.and(i32x4.splat(presence), wanted), wanted)
  }
  const wanted = vectorOf(BigInt64Array.from(bits, BigInt))
  return i64x2.eq(v128.and(i64x2.splat(i64.extendU(presence)), wanted), wanted)
}

/**
 * Counts as doubles, exactly: there is no instruction for it. Below the bits of 2⁵² stands the count, and the power is taken away
 * again. That asks for counts below 2⁵²: at a thousand million records a second a window has so many after 52 days.
 */
export function doublesOf(counts: Code<"v128">): Code<"v128"> {
  const power = vectorOf(Float64Array.of(2 ** 52, 2 ** 52))
  return f64x2.sub(v128.or(counts, power), power)
}

/** Variables for vectors. */
export function vectorLocals(scope: FunctionScope, count: number): readonly Local<"v128">[] {
  return Array.from({ length: count }, () => scope.local("v128"))
}

/** Counts a block's rows that are not null. */
export function countPresent(access: BlockAccess, count: FieldPlace): Code<"none"> {
  return addToCount(count, i32.popcnt(access.presence(0)))
}

/** Counts rows. */
export function addToCount(count: FieldPlace, rows: Code<"i32">): Code<"none"> {
  return count.store(i64.add(asI64(count.load()), i64.extendU(rows)))
}
