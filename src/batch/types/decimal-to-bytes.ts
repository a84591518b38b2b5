/**
 * Numbers as decimal digits in ASCII bytes, without allocation: what the numeric types' `toBytes` are made of.
 *
 * Invariant:
 * - DW1 What is written is what `String` gives (for −0: "-0"), in at most `NUMBER_BYTES_MAX` bytes; otherwise nothing
 *   is, and the answer is -1.
 */
import { readInt53 } from "../column.ts"

const [ZERO, MINUS, DOT] = [48, 45, 46] as const

/** A decimal number of so many digits is told apart from every other such number by its nearest double. */
const EXACT_BELOW = 1e15

/** Writes value `row` of `int32` storage at `bytes[at]` and gives where it ends. */
export function int32ToBytes(words: Int32Array, row: number, bytes: Uint8Array, at: number): number {
  return wholeNumberToBytes(words[row]!, bytes, at)
}

/** Writes value `row` of `int64` storage, a safe integer. */
export function int53ToBytes(halves: Int32Array, row: number, bytes: Uint8Array, at: number): number {
  return wholeNumberToBytes(readInt53(halves, row), bytes, at)
}

/** Writes a whole number within ±(2⁵³ − 1). */
export function wholeNumberToBytes(value: number, bytes: Uint8Array, at: number): number {
  if (value < 0) {
    bytes[at] = MINUS
    return digitsToBytes(-value, bytes, at + 1)
  }
  return digitsToBytes(value, bytes, at)
}

/**
 * Writes double `row` where it is a decimal number of at most fifteen digits, two or six of them behind the point, as sums
 * of money and most measurements are; -1 for any other. A decimal number of fifteen digits whose nearest double it is
 * is the only one, so it is the shortest there is, which is what `String` looks for.
 */
export function doubleToBytes(doubles: Float64Array, row: number, bytes: Uint8Array, at: number): number {
  const value = doubles[row]!
  const magnitude = Math.abs(value)
  if (magnitude < 2 ** 31 && (value | 0) === value && (value !== 0 || 1 / value > 0)) {
    return wholeNumberToBytes(value | 0, bytes, at)
  }
  if (!(magnitude < EXACT_BELOW && magnitude > 0)) return -1
  let decimals = 2
  let unit = 100
  let scaled = Math.round(magnitude * unit)
  if (scaled / unit !== magnitude) {
    decimals = 6
    unit = 1_000_000
    scaled = Math.round(magnitude * unit)
    if (scaled / unit !== magnitude) return -1
  }
  if (scaled >= EXACT_BELOW) return -1
  if (value < 0) bytes[at] = MINUS
  const whole = Math.floor(scaled / unit)
  const end = digitsToBytes(whole, bytes, value < 0 ? at + 1 : at)
  return fractionToBytes((scaled - whole * unit) | 0, decimals, bytes, end)
}

/** Writes a point and `decimals` digits, without the zeros at their end. */
function fractionToBytes(digits: number, decimals: number, bytes: Uint8Array, at: number): number {
  if (digits === 0) return at
  let fraction = digits
  let kept = decimals
  while (fraction % 10 === 0) {
    fraction = (fraction / 10) | 0
    kept--
  }
  bytes[at] = DOT
  paddedToBytes(fraction, kept, bytes, at + 1)
  return at + 1 + kept
}

/** Writes a whole number of at least 0. */
function digitsToBytes(value: number, bytes: Uint8Array, at: number): number {
  if (value < 1e9) return smallDigitsToBytes(value | 0, bytes, at)
  const high = Math.floor(value / 1e9)
  const end = smallDigitsToBytes(high, bytes, at)
  paddedToBytes(value - high * 1e9, 9, bytes, end)
  return end + 9
}

function smallDigitsToBytes(value: number, bytes: Uint8Array, at: number): number {
  let count = 1
  for (let bound = 10; value >= bound; bound *= 10) count++
  paddedToBytes(value, count, bytes, at)
  return at + count
}

/** Writes the last `count` digits of a whole number below 2³¹. */
export function paddedToBytes(value: number, count: number, bytes: Uint8Array, at: number): void {
  let rest = value | 0
  for (let place = at + count - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0
    bytes[place] = ZERO + (rest - tenth * 10)
    rest = tenth
  }
}
