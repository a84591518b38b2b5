/** Decimal numbers in ASCII bytes, without allocation: what the numeric types' `numberFromBytes` are made of. */

const [ZERO, MINUS, DOT, UPPER_E, LOWER_E] = [48, 45, 46, 69, 101] as const

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** Every whole number of so many digits is below 2⁵³. */
const EXACT_DIGITS = 15

/** The whole number `-?[0-9]+` of at most fifteen digits, never −0; NaN for anything else. */
export function wholeNumberFromBytes(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  if (first >= end || end - first > EXACT_DIGITS) return NaN
  let value = 0
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
  }
  return isNegative ? 0 - value : value
}

/**
 * The double nearest to `-?[0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)?` where at most fifteen digits and a small power of ten
 * make it: then one division or multiplication of exact doubles rounds right (Clinger, "How to Read Floating Point
 * Numbers Accurately", 1990). NaN for anything else.
 */
export function doubleFromBytes(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let at = first
  let value = 0
  let digit = 0
  for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
  let digits = at - first
  if (digits === 0) return NaN
  let scale = 0
  if (at < end && bytes[at] === DOT) {
    const fractionStart = ++at
    for (; at < end && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit
    scale = fractionStart - at
    if (scale === 0) return NaN
    digits -= scale
  }
  if (digits > EXACT_DIGITS) return NaN
  if (at < end) {
    if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return NaN
    const exponent = exponentFromBytes(bytes, at + 1, end)
    scale += exponent
    if (!(scale >= -22 && scale <= 22)) return NaN
  }
  const magnitude = scale < 0 ? value / POWERS_OF_TEN[-scale]! : scale > 0 ? value * POWERS_OF_TEN[scale]! : value
  return isNegative ? -magnitude : magnitude
}

/** `[+-]?[0-9]+` of at most three digits; NaN for anything else. */
function exponentFromBytes(bytes: Uint8Array, start: number, end: number): number {
  const PLUS = 43
  const first = bytes[start] === MINUS || bytes[start] === PLUS ? start + 1 : start
  if (first >= end || end - first > 3) return NaN
  let value = 0
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
  }
  return bytes[start] === MINUS ? -value : value
}
