/**
 * Decimal numbers in ASCII bytes: what the numeric types' `fromBytes` are made of, and the scanners of the same numbers
 * for decoders that do not yet know where a number ends.
 *
 * A scanner reads the longest number that starts at `start`, stores it as value `row` of its storage, and gives where it
 * ends. It gives `NO_NUMBER` where none stands there, or where the value must be found another way; what the slot holds
 * then is unspecified.
 *
 * A double that one function hands to another lies on the heap unless the compiler makes one of the two, so values go
 * straight into typed arrays: nothing is allocated, whatever is compiled how.
 *
 * Invariants:
 * - DB1 The value stored is the one that `Number` gives for the same text; for whole numbers never −0.
 * - DB2 `…FromBytes(bytes, start, end, …)` gives whether the scanner ends at `end`.
 */
import { writeInt53 } from "../column.ts"

const [ZERO, PLUS, MINUS, DOT, LOWER_E] = [48, 43, 45, 46, 101] as const

/** The answer of scanners that have stored nothing. */
export const NO_NUMBER = -1

/** Powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** Every whole number of so many digits is below 2⁵³. */
const EXACT_DIGITS = 15
/** So many digits some of them have. */
const SAFE_DIGITS = 16

/** Numbers of more digits are left to `Number`: two halves of nine digits, which are below 2³¹ each. */
const LONG_DIGITS = 18
const HALF_DIGITS = 9

/** What `scanWholeNumber` has read. */
const whole = new Float64Array(1)

/** Two factors, their rounded product, and what that lacks of the exact one. */
const exact = new Float64Array(4)

/** What `scanExponent` has read, and where it ends. */
const exponent = { value: 0, end: 0 }

/** Scans `-?[0-9]+` of at most sixteen digits that is a safe integer, and leaves it in `whole`. */
function scanWholeNumber(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = start < end && bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
  // Of sixteen digits, those beyond a safe integer were perhaps rounded, but never to one.
  if (at === first || at - first > SAFE_DIGITS || value > Number.MAX_SAFE_INTEGER) return NO_NUMBER
  whole[0] = isNegative ? 0 - value : value
  return at
}

/** Scans `-?[0-9]+` into `int64` storage. */
export function scanInt53(bytes: Uint8Array, start: number, end: number, halves: Int32Array, row: number): number {
  const at = scanWholeNumber(bytes, start, end)
  if (at !== NO_NUMBER) writeInt53(halves, row, whole[0]!)
  return at
}

/** Scans `-?[0-9]+` within the range of int32. */
export function scanInt32(bytes: Uint8Array, start: number, end: number, words: Int32Array, row: number): number {
  const at = scanWholeNumber(bytes, start, end)
  if (at === NO_NUMBER) return NO_NUMBER
  const value = whole[0]!
  words[row] = value
  return value === (value | 0) ? at : NO_NUMBER
}

/**
 * Scans `-?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)?`.
 *
 * Up to fifteen digits with a small power of ten, one division or multiplication of exact doubles rounds right (Clinger,
 * "How to Read Floating Point Numbers Accurately", 1990); up to eighteen, see `storeScaled`.
 */
export function scanDouble(bytes: Uint8Array, start: number, end: number, doubles: Float64Array, row: number): number {
  const isNegative = start < end && bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
  let digits = at - first
  let decimals = 0
  if (digits > 0 && at < end && bytes[at] === DOT) {
    const fractionStart = ++at
    for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
    decimals = at - fractionStart
    digits += decimals
    // A point without digits behind it does not belong to the number.
    if (decimals === 0) at--
  }
  if (digits === 0) return NO_NUMBER
  if (digits > EXACT_DIGITS || decimals > EXACT_DIGITS || (at < end && (bytes[at]! | 0x20) === LOWER_E)) {
    scanExponent(bytes, at, end)
    if (!storeScaled(bytes, first, at, exponent.value - decimals, doubles, row)) return NO_NUMBER
    if (isNegative) doubles[row] = -doubles[row]!
    return exponent.end
  }
  if (decimals > 0) value /= POWERS_OF_TEN[decimals]!
  doubles[row] = isNegative ? -value : value
  return at
}

/** Scans `[eE][+-]?[0-9]+` behind a number that ends at `start`; what is no exponent is none, so it is 0 there. */
function scanExponent(bytes: Uint8Array, start: number, end: number): void {
  exponent.value = 0
  exponent.end = start
  if (start >= end || (bytes[start]! | 0x20) !== LOWER_E) return
  const sign = start + 1 < end ? bytes[start + 1]! : 0
  const first = sign === MINUS || sign === PLUS ? start + 2 : start + 1
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = Math.min(value * 10 + digit, 10_000)
  if (at === first) return
  exponent.value = sign === MINUS ? 0 - value : value
  exponent.end = at
}

/**
 * Stores the double nearest to the digits of `bytes[start, end)` (with or without a point between) times 10^scale, for
 * up to eighteen digits and |scale| ≤ 22, which covers the numbers that JavaScript and others print. Gives whether it has.
 *
 * The digits are held exactly as the sum of two doubles, and divided by the power of ten with a correction for the
 * remainder, which is known to some 2⁻⁵⁰ of itself: where that uncertainty could change the sum's rounding, it has not.
 */
function storeScaled(
  bytes: Uint8Array,
  start: number,
  end: number,
  scale: number,
  doubles: Float64Array,
  row: number,
): boolean {
  if (scale < -22 || scale > 22) return false
  let high = 0
  let low = 0
  let digits = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || (digits === 0 && digit === 0)) continue
    digits++
    if (digits > HALF_DIGITS) low = (low * 10 + digit) | 0
    else high = (high * 10 + digit) | 0
  }
  if (digits <= EXACT_DIGITS) {
    const value = high * POWERS_OF_TEN[Math.max(0, digits - HALF_DIGITS)]! + low
    doubles[row] = scale < 0 ? value / POWERS_OF_TEN[-scale]! : value * POWERS_OF_TEN[scale]!
    return true
  }
  if (digits > LONG_DIGITS || scale > 0) return false
  const lowScale = POWERS_OF_TEN[Math.max(0, digits - HALF_DIGITS)]!
  exact[0] = high
  exact[1] = lowScale
  multiply()
  const product = exact[2]!
  const rest = exact[3]! + low
  const sum = product + rest
  const sumError = rest - (sum - product)
  const divisor = POWERS_OF_TEN[-scale]!
  const quotient = sum / divisor
  exact[0] = quotient
  exact[1] = divisor
  multiply()
  const remainder = sum - exact[2]! - exact[3]!
  const correction = (remainder + sumError) / divisor
  const uncertainty = Math.abs(correction) * 2 ** -50
  doubles[row] = quotient + correction
  return quotient + (correction - uncertainty) === quotient + (correction + uncertainty)
}

/** Multiplies the first two numbers of `exact` (Dekker, 1971). */
function multiply(): void {
  const SPLITTER = 2 ** 27 + 1
  const a = exact[0]!
  const b = exact[1]!
  const product = a * b
  const aScaled = a * SPLITTER
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = b * SPLITTER
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  exact[2] = product
  exact[3] = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** Reads the whole number `-?[0-9]+`, a safe integer of at most sixteen digits, into `int64` storage. */
export function int53FromBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  halves: Int32Array,
  row: number,
): boolean {
  return scanInt53(bytes, start, end, halves, row) === end
}

/** The same within the range of int32. */
export function int32FromBytes(bytes: Uint8Array, start: number, end: number, words: Int32Array, row: number): boolean {
  return scanInt32(bytes, start, end, words, row) === end
}

/** Reads the double that `-?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)?` stands for, unless only `Number` knows it. */
export function doubleFromBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  doubles: Float64Array,
  row: number,
): boolean {
  return scanDouble(bytes, start, end, doubles, row) === end
}
