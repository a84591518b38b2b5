/**
 * Doubles as the shortest decimal number that reads back as the same one, without allocation: what `String` writes, for
 * those that it writes without an exponent and that have up to seventeen digits.
 *
 * A double is scaled by a power of ten to a whole number of seventeen digits and a fraction, exactly, as the sum of two
 * doubles. Every decimal number nearer to it than half the distance to its neighbours reads back as it. Among those of
 * fifteen digits there is at most one, and it is the shortest of all, once its zeros are gone; else the nearest of
 * sixteen digits is taken if it is near enough, else the nearest of seventeen. (Steele and White, "How to Print
 * Floating-Point Numbers Accurately", 1990, by arithmetic that the hardware has.)
 *
 * Invariant:
 * - SD1 What is written is what `String` gives; otherwise nothing is, and the answer is -1.
 */
import { POWERS_OF_TEN } from "./decimal-bytes.ts"
import { paddedToBytes } from "./decimal-to-bytes.ts"

const [ZERO, MINUS, DOT] = [48, 45, 46] as const

const DIGITS = 17
/** The digits are held in two parts that fit small integers. */
const LOW_DIGITS = 8
const LOW_UNIT = 1e8
const SMALLEST_SCALED = 1e16
const LARGEST_SCALED = 1e17

/** Below it `String` writes an exponent. */
const SMALLEST = 1e-6

/** Two numbers that lie closer than this are not told apart. The arithmetic errs by some 10⁻⁸. */
const UNSURE = 1e-5

/** Cuts a double in two halves whose products are exact (Dekker, 1971). */
const SPLITTER = 2 ** 27 + 1

const POWER_HIGHS = POWERS_OF_TEN.map((power) => power * SPLITTER - (power * SPLITTER - power))
const POWER_LOWS = POWERS_OF_TEN.map((power, exponent) => power - POWER_HIGHS[exponent]!)

/** A double, and its bits: the low word first. */
const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** The digits, and zeros behind them. */
const digits = new Uint8Array(DIGITS)

/** Writes double `row` at `bytes[at]` and gives where it ends. */
export function shortestToBytes(doubles: Float64Array, row: number, bytes: Uint8Array, at: number): number {
  const value = doubles[row]!
  const magnitude = Math.abs(value)
  if (!(magnitude >= SMALLEST && magnitude < LARGEST_SCALED)) return -1
  let scale = DIGITS - 1
  if (magnitude >= 1) while (magnitude >= POWERS_OF_TEN[DIGITS - scale]!) scale--
  else while (magnitude * POWERS_OF_TEN[scale - DIGITS + 1]! < 1) scale++

  const power = POWERS_OF_TEN[scale]!
  const scaled = magnitude * power
  const valueHigh = magnitude * SPLITTER - (magnitude * SPLITTER - magnitude)
  const valueLow = magnitude - valueHigh
  const powerHigh = POWER_HIGHS[scale]!
  const powerLow = POWER_LOWS[scale]!
  const rest = valueLow * powerLow - (scaled - valueHigh * powerHigh - valueLow * powerHigh - valueHigh * powerLow)
  let high = Math.floor(scaled / LOW_UNIT)
  let low = scaled - high * LOW_UNIT + rest
  if (low < 0) {
    high--
    low += LOW_UNIT
  }
  // At a power of two the neighbour below is nearer.
  double[0] = magnitude
  if (high * LOW_UNIT < SMALLEST_SCALED || (words[0] === 0 && (words[1]! & 0xfffff) === 0)) return -1
  words[0] = 0
  words[1] = ((words[1]! >>> 20) - 53) << 20
  const reach = double[0] * power

  let nearest = Math.round(low / 100) * 100
  let distance = Math.abs(low - nearest)
  if (Math.abs(distance - reach) < UNSURE) return -1
  if (distance > reach) {
    nearest = Math.round(low / 10) * 10
    distance = Math.abs(low - nearest)
    if (Math.abs(distance - reach) < UNSURE || distance > 5 - UNSURE) return -1
    if (distance > reach) {
      nearest = Math.round(low)
      if (Math.abs(low - nearest) > 0.5 - UNSURE) return -1
    }
  }
  if (nearest === LOW_UNIT) {
    high++
    nearest = 0
  }
  // The power of ten above, which is another scale.
  if (high * LOW_UNIT === LARGEST_SCALED) return -1
  paddedToBytes(high, DIGITS - LOW_DIGITS, digits, 0)
  paddedToBytes(nearest, LOW_DIGITS, digits, DIGITS - LOW_DIGITS)
  return digitsToBytes(value < 0, DIGITS - scale, bytes, at)
}

/** Writes the digits, the point before digit `point`, and no zeros behind it that say nothing. */
function digitsToBytes(isNegative: boolean, point: number, bytes: Uint8Array, start: number): number {
  let at = start
  let count = DIGITS
  while (digits[count - 1] === ZERO) count--
  if (isNegative) bytes[at++] = MINUS
  if (point <= 0) {
    bytes[at++] = ZERO
    bytes[at++] = DOT
    for (let place = point; place < 0; place++) bytes[at++] = ZERO
  }
  for (let index = 0; index < Math.max(count, point); index++) {
    if (index === point && index > 0) bytes[at++] = DOT
    bytes[at++] = digits[index]!
  }
  return at
}
