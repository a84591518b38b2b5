/**
 * Quantiles by a sketch with a proven error: counts of values in buckets, after DDSketch (C. Masson, J. E. Rim, H. K. Lee,
 * PVLDB 12(12), 2019), with buckets that are cut from the bits of doubles instead of by logarithms, and never collapsed.
 *
 * A bucket is all doubles of one sign and exponent that share the first `bits` bits behind the leading one; it stands for
 * the one of them nearest to 0. So
 *
 * - what is given for a value x is some r of the same sign with |x − r| < |x| · 2^−bits, and x itself where x has no more than
 *   `bits` + 1 significant bits: whole numbers up to 2^(bits + 1), halves up to half of that. Subnormal numbers too. Zero,
 *   ∞ and −∞ are given as they are;
 * - buckets are in the order of their values, so the bucket of the n-th value is the n-th of the buckets: what is given for
 *   a quantile is what stands for the exact one;
 * - a partial result depends on which values were added and not on their order, and can be taken away from another;
 * - there are at most as many buckets as values, and about 4,200 · 2^bits however many: 2^bits for each power of two that
 *   occurs.
 *
 * The quantile of q of n values is the ⌈q · n⌉-th least, and for 0 the least. NaN is greater than all numbers.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { ColumnType } from "../../batch/type.ts"
import { float64Type } from "../../batch/types/float64.ts"
import { objectType } from "../../batch/types/object.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { isNumeric } from "./input-types.ts"

/** The least and the greatest relative error that can be asked for. */
export const QUANTILE_ERRORS = { least: 1e-6, greatest: 0.5, usual: 0.01 } as const

/** What quantiles are made of. */
export interface QuantileOptions {
  /** By the name of the result's field; one without a name is the result itself. */
  readonly quantiles: number | readonly { readonly name: string; readonly quantile: number }[]
  /** The relative error: `QUANTILE_ERRORS`. */
  readonly error: number
}

/** Counts by bucket: 0 for zero, those of negative values are negative. */
type Buckets = Map<number, number>

/** The bits of a high word behind the sign that are the exponent, and those that are fraction. */
const HIGH_FRACTION_BITS = 20
/** Subnormal numbers become normal ones by this power of two, exactly. */
const SUBNORMAL_BITS = 52
const LEAST_NORMAL = 2 ** -1022
const EXPONENTS = 0x7ff

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** The definition of one quantile, or of several over the same values. */
export function quantiles({ quantiles, error }: QuantileOptions): AccumulatorDefinition {
  const bits = bucketBits(error)
  return {
    resultType(input) {
      if (input === undefined || !isNumeric(input)) return undefined
      const { isNullable } = input
      if (typeof quantiles === "number") return new ColumnType(float64Type.definition, { isNullable })
      const fields = objectType(Object.fromEntries(quantiles.map(({ name }) => [name, float64Type])))
      return new ColumnType(fields.definition, { isNullable })
    },
    accumulator: (): Accumulator<Buckets> => ({
      ...bucketCounts(bits),
      result(buckets) {
        if (buckets.size === 0) return null
        const ranked = new Ranked(buckets, bits)
        if (typeof quantiles === "number") return ranked.quantile(quantiles)
        return Object.fromEntries(quantiles.map(({ name, quantile }) => [name, ranked.quantile(quantile)]))
      },
    }),
  }
}

/** How many bits of a value its bucket keeps, for a relative error: one in 2^bits + 1 is not more. */
export function bucketBits(error: number): number {
  assert(error >= QUANTILE_ERRORS.least && error <= QUANTILE_ERRORS.greatest, "there is such an error")
  let bits = 0
  while (1 / (2 ** bits + 1) > error) bits++
  return bits
}

function bucketCounts(bits: number): Omit<Accumulator<Buckets>, "result"> {
  return {
    init: () => new Map<number, number>(),
    add(buckets, value) {
      const bucket = bucketOf(Number(value), bits)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
      return buckets
    },
    merge(earlier, later) {
      for (const [bucket, count] of later) earlier.set(bucket, (earlier.get(bucket) ?? 0) + count)
      return earlier
    },
    remove(whole, part) {
      for (const [bucket, count] of part) {
        const left = (whole.get(bucket) ?? 0) - count
        assert(left >= 0, "what is taken away was added")
        if (left === 0) whole.delete(bucket)
        else whole.set(bucket, left)
      }
      return whole
    },
    write: writeBuckets,
    read: readBuckets,
  }
}

/** The bucket of a value: greater for greater values. */
function bucketOf(value: number, bits: number): number {
  if (value === 0) return 0
  const shift = HIGH_FRACTION_BITS - bits
  if (Number.isNaN(value)) return 1 + (EXPONENTS + SUBNORMAL_BITS + 1) * 2 ** bits
  const isNormal = Math.abs(value) >= LEAST_NORMAL
  double[0] = isNormal ? value : value * 2 ** SUBNORMAL_BITS
  const high = (words[1]! & 0x7fffffff) >>> shift
  const bucket = 1 + high + (isNormal ? SUBNORMAL_BITS * 2 ** bits : 0)
  return value < 0 ? -bucket : bucket
}

/** The value of a bucket that is nearest to 0. */
function valueOf(bucket: number, bits: number): number {
  if (bucket === 0) return 0
  const high = Math.abs(bucket) - 1
  const isNormal = high >= (SUBNORMAL_BITS + 1) * 2 ** bits
  const fields = isNormal ? high - SUBNORMAL_BITS * 2 ** bits : high
  if (fields > EXPONENTS * 2 ** bits) return NaN
  words[0] = 0
  words[1] = fields << (HIGH_FRACTION_BITS - bits)
  const value = isNormal ? double[0]! : double[0]! / 2 ** SUBNORMAL_BITS
  return bucket < 0 ? -value : value
}

/** Buckets in order, to find quantiles in. */
class Ranked {
  readonly #buckets: readonly (readonly [number, number])[]
  readonly #count: number
  readonly #bits: number

  constructor(buckets: Buckets, bits: number) {
    this.#buckets = inOrder(buckets)
    this.#count = this.#buckets.reduce((sum, [, count]) => sum + count, 0)
    this.#bits = bits
  }

  quantile(quantile: number): number {
    let left = Math.max(1, Math.ceil(quantile * this.#count))
    for (const [bucket, count] of this.#buckets) {
      left -= count
      if (left <= 0) return valueOf(bucket, this.#bits)
    }
    assert(false, "no quantile lies behind the last value")
  }
}

function inOrder(buckets: Buckets): (readonly [number, number])[] {
  return [...buckets].sort(([one], [other]) => one - other)
}

/** How many buckets; then each in order as its distance from the one before, the first one with its sign, and its count. */
function writeBuckets(buckets: Buckets, out: ByteWriter): void {
  const ordered = inOrder(buckets)
  out.varint(ordered.length)
  let before: number | undefined
  for (const [bucket, count] of ordered) {
    if (before === undefined) {
      out.uint8(bucket < 0 ? 1 : 0)
      out.varint(Math.abs(bucket))
    } else out.varint(bucket - before)
    out.varint(count)
    before = bucket
  }
}

function readBuckets(from: ByteReader): Buckets {
  const buckets: Buckets = new Map()
  let bucket = 0
  for (let left = from.varint(); left > 0; left--) {
    if (buckets.size > 0) bucket += from.varint()
    else {
      const isNegative = from.uint8() !== 0
      bucket = from.varint() * (isNegative ? -1 : 1)
    }
    buckets.set(bucket + 0, from.varint())
  }
  return buckets
}
