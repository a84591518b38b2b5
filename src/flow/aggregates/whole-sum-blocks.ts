/**
 * Sums of integers, block by block: in lanes of 64 bits, as their order means nothing.
 *
 * No sum may leave its range on the way (WH1). A batch has at most 2¹⁶ rows, so values of int32 take a sum at most 2⁴⁷
 * further: where it is not that near to an end of its range, no record is refused. Of wider values it is found out as they
 * are added whether any is large, and where one is, they are added record by record after all.
 */
import { assert } from "../../base/assert.ts"
import { branchIf, i32, i64, i64x2, v128, type Code, type Local } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import type { BlockAccess, BlockCode, FieldPlace } from "./aggregate.ts"
import { asI64 } from "./fields.ts"
import { addToCount, blockVectors, countPresent, vectorOf } from "./lanes.ts"
import { MAX_SUMS, type SumRange } from "./whole-sum.ts"

const INT32_BITS = 31n
/** Values of 64 bits are not large in [−2ᵇ, 2ᵇ): 2¹⁶ of them, as a batch may have, use up half of the range. */
const SMALL_BITS = { int53: 36n, int64: 46n } as const
/** Vectors of two values that a block of int32 has. */
const PAIRS = 4

/** Whether `count` values in [−2ᵇ, 2ᵇ) leave a sum within its range, in any order. */
export function staysInRange(range: SumRange, sum: FieldPlace, count: Code<"i32">, bits = INT32_BITS): Code<"i32"> {
  const reach = i64.shl(i64.extendU(count), i64.const(bits))
  const max = i64.const(MAX_SUMS[range])
  const before = asI64(sum.load())
  return i32.and(i64.leS(before, i64.sub(max, reach)), i64.geS(before, i64.sub(reach, max)))
}

/** What a sum of integers is made from. */
export interface WholeSumInput {
  readonly range: SumRange
  readonly isNullable: boolean
  readonly isInt32: boolean
}

/** Adds to the sum, and to the count of values where there is one. */
export function wholeSumBlocks(
  input: WholeSumInput,
  access: BlockAccess,
  [sum, count, ...others]: readonly FieldPlace[],
  scope: FunctionScope,
): BlockCode {
  assert(sum !== undefined && others.length === 0, "an entry is a sum, or a sum and a count")
  // One vector: an addition takes a cycle, and several aggregates at once have to have room in registers.
  const total = scope.local("v128")
  const lanes = input.isInt32 ? narrowLanes(input, access, total) : wideLanes(input, access, total, sum, scope)
  const counted = count === undefined ? [] : [count]
  return {
    begin: [total.set(ZEROS), ...lanes.begin],
    addBlock: [...lanes.addBlock, ...(input.isNullable ? counted.map((each) => countPresent(access, each)) : [])],
    end: [
      ...lanes.end,
      ...([0, 1] as const).map((lane) => sum.store(i64.add(asI64(sum.load()), i64x2.extractLane(total.get, lane)))),
      ...(input.isNullable ? [] : counted.map((each) => addToCount(each, access.rows))),
    ],
  }
}

/** Values of int32. */
function narrowLanes({ isNullable }: WholeSumInput, access: BlockAccess, total: Local<"v128">): BlockCode {
  const pairs = isNullable
    ? blockVectors(access, 4, ZEROS).flatMap((four) => [i64x2.extendLowI32x4S(four), i64x2.extendHighI32x4S(four)])
    : Array.from({ length: PAIRS }, (_, index) => v128.load32x2S(access.values(0), index * 8))
  return { begin: [], addBlock: pairs.map((pair) => total.set(i64x2.add(total.get, pair))), end: [] }
}

/** Values of 64 bits. */
function wideLanes(
  { range, isNullable }: WholeSumInput,
  access: BlockAccess,
  total: Local<"v128">,
  sum: FieldPlace,
  scope: FunctionScope,
): BlockCode {
  const bits = SMALL_BITS[range]
  const pair = scope.local("v128")
  // Moved by 2ᵇ, values that are not large lie in [0, 2ᵇ⁺¹): none of their higher bits is set.
  const seen = scope.local("v128")
  const isLarge = v128.anyTrue(v128.and(seen.get, longs(-(2n ** (bits + 1n)))))
  const pairs = blockVectors(access, 8, isNullable ? ZEROS : undefined)
  return {
    begin: [seen.set(ZEROS)],
    addBlock: pairs.flatMap((two) => [
      pair.set(two),
      total.set(i64x2.add(total.get, pair.get)),
      seen.set(v128.or(seen.get, i64x2.add(pair.get, longs(2n ** bits)))),
    ]),
    end: [
      branchIf(access.doubted, isLarge),
      branchIf(access.doubted, i32.eqz(staysInRange(range, sum, access.rows, bits))),
    ],
  }
}

function longs(value: bigint): Code<"v128"> {
  return vectorOf(BigInt64Array.of(value, value))
}

const ZEROS = longs(0n)
