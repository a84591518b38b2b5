/** Numbers that no typed array has: decimals (a whole number and a scale), and floats of two bytes. */
import { POWERS_OF_TEN } from "../../batch/types/decimal-bytes.ts"
import { demand } from "./malformed.ts"

/** The most bytes of a decimal: twice what 76 digits take, and no writer allows more. */
const DECIMAL_BYTES_MAX = 64

/** The whole number of two words, over 10^scale: the nearest double. */
export function decimalOfLong(low: number, high: number, scale: number): number {
  const unscaled = high * 0x1_0000_0000 + (low >>> 0)
  // Both are exact, so that one division rounds once.
  if (Number.isSafeInteger(unscaled) && scale < POWERS_OF_TEN.length) return unscaled / POWERS_OF_TEN[scale]!
  return nearest((BigInt(high) << 32n) | BigInt(low >>> 0), scale)
}

/** The whole number of bytes, the highest first and in two's complement, over 10^scale. */
export function decimalOfBytes(bytes: Uint8Array, start: number, end: number, scale: number): number {
  if (end - start <= 6) {
    let unscaled = start < end && bytes[start]! >= 0x80 ? -1 : 0
    for (let at = start; at < end; at++) unscaled = unscaled * 256 + bytes[at]!
    if (scale < POWERS_OF_TEN.length) return unscaled / POWERS_OF_TEN[scale]!
    return nearest(BigInt(unscaled), scale)
  }
  demand(end - start <= DECIMAL_BYTES_MAX, `a decimal has more than ${DECIMAL_BYTES_MAX} bytes`)
  let digits = "0x"
  for (let at = start; at < end; at++) digits += bytes[at]!.toString(16).padStart(2, "0")
  return nearest(BigInt.asIntN(8 * (end - start), BigInt(digits)), scale)
}

function nearest(unscaled: bigint, scale: number): number {
  return Number(`${unscaled}e-${scale}`) + 0
}

/** IEEE 754 binary16, the lower byte first. */
export function float16(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8)
  const sign = word >> 15 === 1 ? -1 : 1
  const exponent = (word >> 10) & 0x1f
  const fraction = word & 0x3ff
  if (exponent === 0) return (sign * fraction) / 2 ** 24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
}
