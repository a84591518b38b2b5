/**
 * Whole numbers of 64 bits as decimal digits in ASCII bytes, without bigints: what `int64` lends to decoders and
 * encoders. A value lies in two words, as value `row` of `int64` storage.
 *
 * Doubles are exact up to 2⁵³, so digits are taken nine at a time, and words in halves of sixteen bits.
 *
 * Invariants:
 * - IW1 `int64FromBytes` gives whether it has stored the value that `BigInt` gives for the same text; it knows all
 *   values of the type that are written with at most nineteen digits.
 * - IW2 `int64ToBytes` writes what `String` gives for the value, in at most twenty bytes.
 */
import { readInt53 } from "../column.ts"
import { paddedToBytes, wholeNumberToBytes } from "./decimal-to-bytes.ts"

const [ZERO, MINUS] = [48, 45] as const
const DIGITS_MAX = 19
const LOW_DIGITS = 9
const BILLION = 1e9

/** Reads `-?[0-9]+`. */
export function int64FromBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  halves: Int32Array,
  row: number,
): boolean {
  const isNegative = start < end && bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  if (first >= end || end - first > DIGITS_MAX) return false
  let billions = 0
  let rest = 0
  const lowStart = end - LOW_DIGITS
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return false
    if (at < lowStart) billions = billions * 10 + digit
    else rest = rest * 10 + digit
  }
  const upper = Math.floor(billions / 0x1_0000)
  const lower = billions - upper * 0x1_0000
  const product = upper * BILLION
  const carried = Math.floor(product / 0x1_0000)
  const low = (product - carried * 0x1_0000) * 0x1_0000 + lower * BILLION + rest
  const high = carried + Math.floor(low / 2 ** 32)
  const lowWord = low >>> 0
  const isSmallest = isNegative && high === 2 ** 31 && lowWord === 0
  if (high >= 2 ** 31 && !isSmallest) return false
  halves[2 * row] = isNegative ? -lowWord : lowWord
  halves[2 * row + 1] = isNegative ? -high - (lowWord === 0 ? 0 : 1) : high
  return true
}

/** Writes value `row` at `bytes[at]` and gives where it ends. */
export function int64ToBytes(halves: Int32Array, row: number, bytes: Uint8Array, at: number): number {
  const number = readInt53(halves, row)
  if (Number.isSafeInteger(number)) return wholeNumberToBytes(number, bytes, at)
  const isNegative = number < 0
  let start = at
  if (isNegative) bytes[start++] = MINUS
  let high = halves[2 * row + 1]! >>> 0
  let low = halves[2 * row]! >>> 0
  if (isNegative) {
    high = (~high + (low === 0 ? 1 : 0)) >>> 0
    low = -low >>> 0
  }
  // Long division by a billion, in digits of sixteen bits.
  const first = Math.floor(high / BILLION)
  const middle = (high - first * BILLION) * 0x1_0000 + (low >>> 16)
  const second = Math.floor(middle / BILLION)
  const last = (middle - second * BILLION) * 0x1_0000 + (low & 0xffff)
  const third = Math.floor(last / BILLION)
  const end = wholeNumberToBytes(first * 2 ** 32 + second * 0x1_0000 + third, bytes, start)
  paddedToBytes(last - third * BILLION, LOW_DIGITS, bytes, end)
  return end + LOW_DIGITS
}
