/**
 * Sums as plain values, for `sum` and `mean`: of floats from the first value on, in order; of integers exact, whatever
 * they come to on the way. Whether a sum of integers is within its type's range is asked of the result alone.
 *
 *     float    uint8 0 no value, 1 a value, then float64
 *     whole    uint8 0 no value, 1 a safe integer, 2 another; then float64, or two int64: the low 64 bits and the others
 *
 * Invariants:
 * - SA1 The sum of nothing but −0 is −0.
 * - SA2 Sums of integers are exact, and the same in any order.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Accumulator } from "./accumulator.ts"
import { MAX_SUMS, type SumRange } from "./whole-sum.ts"

const NOTHING = 0
const NUMBER = 1
const WIDE = 2

/** The sum of floats; `null` of none. */
export const floatSumAccumulator: Accumulator<number | null> = {
  init: () => null,
  add: (sum, value) => (sum === null ? (value as number) : sum + (value as number)),
  merge: (earlier, later) => (earlier === null || later === null ? (earlier ?? later) : earlier + later),
  result: (sum) => sum,
  write(sum, out) {
    out.uint8(sum === null ? NOTHING : NUMBER)
    if (sum !== null) out.float64(sum)
  },
  read(from) {
    const tag = from.uint8()
    if (tag > NUMBER) throw new RangeError(`${tag} stands for a sum`)
    return tag === NOTHING ? null : from.float64()
  },
}

/** A sum of integers: a number where that is exact, else a bigint; `null` of none. */
export type WholeSum = number | bigint | null

/** The sum of integers, as a number or a bigint by the range of its type. */
export function wholeSumAccumulator(range: SumRange): Accumulator<WholeSum> {
  return {
    init: () => null,
    add: (sum, value) => plus(sum, value as number | bigint),
    merge: (earlier, later) => (later === null ? earlier : plus(earlier, later)),
    remove: (whole, part) => (part === null ? whole : plus(whole, -part)),
    result(sum) {
      if (sum === null) return null
      const exact = wholeWithin(sum, range)
      return range === "int64" ? exact : Number(exact)
    },
    write: writeWhole,
    read: readWhole,
  }
}

function plus(sum: WholeSum, value: number | bigint): number | bigint {
  if (sum === null) return value
  if (typeof sum === "number" && typeof value === "number") {
    const total = sum + value
    if (Number.isSafeInteger(total)) return total
  }
  return BigInt(sum) + BigInt(value)
}

/** @throws TidemarkError `aggregate-overflow` where the sum is not within the range. */
export function wholeWithin(sum: number | bigint, range: SumRange): bigint {
  const exact = BigInt(sum)
  const most = MAX_SUMS[range]
  const least = range === "int64" ? -most - 1n : -most
  if (exact <= most && exact >= least) return exact
  throw new TidemarkError("aggregate-overflow", "it would leave the range of its sum's type", {
    hint: "Sum a float64, or fewer or smaller values.",
  })
}

/** Appends a sum of integers. */
function writeWhole(sum: WholeSum, out: ByteWriter): void {
  if (sum === null) out.uint8(NOTHING)
  else if (typeof sum === "number") {
    out.uint8(NUMBER)
    out.float64(sum)
  } else {
    out.uint8(WIDE)
    out.int64(BigInt.asIntN(64, sum))
    out.int64(sum >> 64n)
  }
}

/** Reads a sum of integers. */
function readWhole(from: ByteReader): WholeSum {
  const tag = from.uint8()
  if (tag === NOTHING) return null
  if (tag === WIDE) return BigInt.asUintN(64, from.int64()) + (from.int64() << 64n)
  const sum = from.float64()
  if (tag === NUMBER && Number.isSafeInteger(sum)) return sum
  throw new RangeError(`${tag} and ${sum} stand for a sum`)
}
