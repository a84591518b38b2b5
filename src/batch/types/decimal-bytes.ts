/**
 * Decimal numbers in ASCII bytes, without allocation: what the numeric types' `numberFromBytes` are made of, and the
 * scanners of the same numbers for decoders that do not yet know where a number ends.
 *
 * A scanner reads the longest number that starts at `start`, gives its value, and leaves where it ends in
 * `scanned.end` (`start` where no number stands there). NaN means that the value must be found another way.
 *
 * Invariants:
 * - DB1 A value other than NaN is the one that `Number` gives for the same text; for whole numbers never −0.
 * - DB2 `…FromBytes(bytes, start, end)` is the scanner's value where the scanner ends at `end`, else NaN.
 */

const [ZERO, PLUS, MINUS, DOT, LOWER_E] = [48, 43, 45, 46, 101] as const

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** Every whole number of so many digits is below 2⁵³. */
const EXACT_DIGITS = 15

/** Numbers of more digits are left to `Number`: two halves of nine digits, which are below 2³¹ each. */
const LONG_DIGITS = 18
const HALF_DIGITS = 9

/** Where the last scan ended. It is one object, so that scanners can give two results without allocation. */
export const scanned = { end: 0 }

/** Scans `-?[0-9]+`; NaN beyond fifteen digits. */
export function scanWholeNumber(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = start < end && bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
  const digits = at - first
  scanned.end = digits === 0 ? start : at
  if (digits === 0 || digits > EXACT_DIGITS) return NaN
  return isNegative ? 0 - value : value
}

/**
 * Scans `-?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)?`.
 *
 * Up to fifteen digits with a small power of ten, one division or multiplication of exact doubles rounds right (Clinger,
 * "How to Read Floating Point Numbers Accurately", 1990); up to eighteen, see `scaledDouble`.
 */
export function scanDouble(bytes: Uint8Array, start: number, end: number): number {
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
  scanned.end = digits === 0 ? start : at
  if (digits === 0) return NaN
  if (digits > EXACT_DIGITS || decimals > EXACT_DIGITS || (at < end && (bytes[at]! | 0x20) === LOWER_E)) {
    value = scanLongDouble(bytes, first, at, end, decimals)
  } else if (decimals > 0) {
    value /= POWERS_OF_TEN[decimals]!
  }
  return isNegative ? -value : value
}

/** Scans the exponent behind the digits of `bytes[start, digitsEnd)`, where there is one, and gives the number. */
function scanLongDouble(bytes: Uint8Array, start: number, digitsEnd: number, end: number, decimals: number): number {
  const scale = scanExponent(bytes, digitsEnd, end) - decimals
  return scale >= -22 && scale <= 22 ? scaledDouble(bytes, start, digitsEnd, scale) : NaN
}

/** Scans `[eE][+-]?[0-9]+` behind a number that ends at `start`; what is no exponent is none, so it is 0 there. */
function scanExponent(bytes: Uint8Array, start: number, end: number): number {
  scanned.end = start
  if (start >= end || (bytes[start]! | 0x20) !== LOWER_E) return 0
  const sign = start + 1 < end ? bytes[start + 1]! : 0
  const first = sign === MINUS || sign === PLUS ? start + 2 : start + 1
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = Math.min(value * 10 + digit, 10_000)
  scanned.end = at === first ? start : at
  return sign === MINUS ? -value : value
}

/**
 * The double nearest to the digits of `bytes[start, end)` (with or without a point between) times 10^scale, for up to
 * eighteen digits and |scale| ≤ 22, which covers the numbers that JavaScript and others print; else NaN.
 *
 * The digits are held exactly as the sum of two doubles, and divided by the power of ten with a correction for the
 * remainder, which is known to some 2⁻⁵⁰ of itself: where that uncertainty could change the sum's rounding, NaN.
 */
function scaledDouble(bytes: Uint8Array, start: number, end: number, scale: number): number {
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
    return scale < 0 ? value / POWERS_OF_TEN[-scale]! : value * POWERS_OF_TEN[scale]!
  }
  if (digits > LONG_DIGITS || scale > 0) return NaN
  const lowScale = POWERS_OF_TEN[Math.max(0, digits - HALF_DIGITS)]!
  const product = high * lowScale
  const rest = productError(high, lowScale, product) + low
  const sum = product + rest
  const sumError = rest - (sum - product)
  const divisor = POWERS_OF_TEN[-scale]!
  const quotient = sum / divisor
  const back = quotient * divisor
  const remainder = sum - back - productError(quotient, divisor, back)
  const correction = (remainder + sumError) / divisor
  const uncertainty = Math.abs(correction) * 2 ** -50
  const nearest = quotient + correction
  const isSure = quotient + (correction - uncertainty) === quotient + (correction + uncertainty)
  return isSure ? nearest : NaN
}

/** What `product`, the rounded product of `a` and `b`, lacks of the exact one (Dekker, 1971). */
function productError(a: number, b: number, product: number): number {
  const SPLITTER = 2 ** 27 + 1
  const aScaled = a * SPLITTER
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = b * SPLITTER
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** The whole number `-?[0-9]+` of at most fifteen digits, never −0; NaN for anything else. */
export function wholeNumberFromBytes(bytes: Uint8Array, start: number, end: number): number {
  const value = scanWholeNumber(bytes, start, end)
  return scanned.end === end ? value : NaN
}

/** The same within the range of int32. */
export function int32FromBytes(bytes: Uint8Array, start: number, end: number): number {
  const value = wholeNumberFromBytes(bytes, start, end)
  return value === (value | 0) ? value : NaN
}

/** The double that `-?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)?` stands for; NaN for anything else, and where only `Number` knows. */
export function doubleFromBytes(bytes: Uint8Array, start: number, end: number): number {
  const value = scanDouble(bytes, start, end)
  return scanned.end === end ? value : NaN
}
