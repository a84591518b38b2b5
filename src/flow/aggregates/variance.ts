/**
 * Variance and standard deviation, of a sample (divided by n − 1) and of a population (divided by n).
 *
 * Of integers they are exact, and rounded to a double at the end: the partial result holds n, Σx and Σx² as bigints, so
 * that order does not matter and parts can be taken away.
 *
 * Of floats the partial result is n, the mean and the sum of squared deviations from it, added up by B. P. Welford's
 * formula (Technometrics 4(3), 1962) and merged by that of T. F. Chan, G. H. Golub and R. J. LeVeque (The American
 * Statistician 37(3), 1983). With κ² = Σx² / Σ(x − mean)², the condition number, the relative error of the sum of squares is at
 * most about n κ 2⁻⁵³, where that of Σx² − (Σx)²/n would be n κ² 2⁻⁵³.
 *
 * Invariants:
 * - VA1 NaN, ∞ or −∞ among the values gives NaN, in any order.
 * - VA2 Of finite values the result is never NaN and never negative; ∞ where a square exceeds the doubles.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { ColumnType } from "../../batch/type.ts"
import { float64Type } from "../../batch/types/float64.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { isNumeric } from "./input-types.ts"
import { readBigint, writeBigint } from "./bigint-bytes.ts"

/** Which of the four. */
export interface SpreadOptions {
  /** What the sum of squared deviations is divided by. */
  readonly of: "sample" | "population"
  /** Whether the result is the root. */
  readonly isRoot: boolean
}

interface FloatSpread {
  count: number
  mean: number
  /** The sum of squared deviations from the mean. */
  squares: number
}

interface WholeSpread {
  count: number
  sum: bigint
  squares: bigint
}

/** The definition of one of the four. */
export function spread(options: SpreadOptions): AccumulatorDefinition {
  return {
    resultType(input) {
      if (input === undefined || !isNumeric(input)) return undefined
      // One value is a population, and no sample.
      return new ColumnType(float64Type.definition, { isNullable: input.isNullable || options.of === "sample" })
    },
    accumulator: (input) => (input!.storage === "float64" ? floatSpread(options) : wholeSpread(options)),
  }
}

function dividedBy(count: number, { of }: SpreadOptions): number {
  return of === "sample" ? count - 1 : count
}

function floatSpread(options: SpreadOptions): Accumulator<FloatSpread> {
  return {
    init: () => ({ count: 0, mean: 0, squares: 0 }),
    add(spread, value) {
      const x = value as number
      const count = ++spread.count
      if (!Number.isFinite(x)) {
        spread.mean = spread.squares = NaN
        return spread
      }
      const away = x - spread.mean
      // Where the difference exceeds the doubles, its share of the mean does not.
      spread.mean = Number.isFinite(away) ? spread.mean + away / count : spread.mean + (x / count - spread.mean / count)
      spread.squares += away * (x - spread.mean)
      return spread
    },
    merge(earlier, later) {
      if (later.count === 0) return earlier
      if (earlier.count === 0) return { ...later }
      const count = earlier.count + later.count
      const away = later.mean - earlier.mean
      const share = later.count / count
      const between = away * away * (earlier.count * share)
      return {
        count,
        mean: Number.isFinite(away)
          ? earlier.mean + away * share
          : earlier.mean * (earlier.count / count) + later.mean * share,
        squares: earlier.squares + later.squares + between,
      }
    },
    result({ count, squares }) {
      const by = dividedBy(count, options)
      if (by <= 0) return null
      return options.isRoot ? Math.sqrt(squares / by) : squares / by
    },
    write({ count, mean, squares }, out) {
      out.varint(count)
      out.float64(mean)
      out.float64(squares)
    },
    read: (from) => ({ count: from.varint(), mean: from.float64(), squares: from.float64() }),
  }
}

function wholeSpread(options: SpreadOptions): Accumulator<WholeSpread> {
  return {
    init: () => ({ count: 0, sum: 0n, squares: 0n }),
    add(spread, value) {
      const x = BigInt(value as number | bigint)
      spread.count++
      spread.sum += x
      spread.squares += x * x
      return spread
    },
    merge: (one, other) => ({
      count: one.count + other.count,
      sum: one.sum + other.sum,
      squares: one.squares + other.squares,
    }),
    remove: (whole, part) => ({
      count: whole.count - part.count,
      sum: whole.sum - part.sum,
      squares: whole.squares - part.squares,
    }),
    result({ count, sum, squares }) {
      const by = dividedBy(count, options)
      if (by <= 0) return null
      const n = BigInt(count)
      const variance = nearestQuotient(n * squares - sum * sum, n * BigInt(by))
      return options.isRoot ? Math.sqrt(variance) : variance
    },
    write: writeWhole,
    read: readWhole,
  }
}

function writeWhole({ count, sum, squares }: WholeSpread, out: ByteWriter): void {
  out.varint(count)
  writeBigint(sum, out)
  writeBigint(squares, out)
}

function readWhole(from: ByteReader): WholeSpread {
  return { count: from.varint(), sum: readBigint(from), squares: readBigint(from) }
}

/** The double nearest to a quotient of whole numbers, of which neither is negative. */
function nearestQuotient(dividend: bigint, divisor: bigint): number {
  // So many more bits than a double has that one sticky bit tells on which side of a tie the quotient lies.
  const shift = BigInt(Math.max(0, 64 + divisor.toString(2).length - dividend.toString(2).length))
  const quotient = (dividend << shift) / divisor
  const isExact = quotient * divisor === dividend << shift
  return Number(isExact ? quotient : quotient | 1n) / 2 ** Number(shift)
}
