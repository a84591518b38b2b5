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
    return wholeNumberToBytes(value, bytes, at)
  }
  if (!(magnitude < EXACT_BELOW && magnitude > 0)) return -1
  const hundredths = Math.round(magnitude * 100)
  if (hundredths / 100 === magnitude && hundredths < EXACT_BELOW) return fixedToBytes(value, hundredths, 2, bytes, at)
  const millionths = Math.round(magnitude * 1e6)
  if (millionths / 1e6 === magnitude && millionths < EXACT_BELOW) return fixedToBytes(value, millionths, 6, bytes, at)
  return -1
}

/** Writes `scaled` with a point before its last `decimals` digits and without the zeros at its end. */
function fixedToBytes(value: number, scaled: number, decimals: number, bytes: Uint8Array, start: number): number {
  const unit = decimals === 2 ? 100 : 1_000_000
  let at = start
  if (value < 0) bytes[at++] = MINUS
  const whole = Math.floor(scaled / unit)
  let fraction = scaled - whole * unit
  at = digitsToBytes(whole, bytes, at)
  if (fraction === 0) return at
  bytes[at++] = DOT
  let kept = decimals
  while (fraction % 10 === 0) {
    fraction /= 10
    kept--
  }
  paddedToBytes(fraction, kept, bytes, at)
  return at + kept
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
