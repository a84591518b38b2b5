/**
 * Whole numbers of a few bits each, one behind the other in words of 32 bits: the lowest bits first, as Arrow and Parquet have them.
 *
 * Invariant:
 * - PB1 `unpackBits` gives back what `packBits` was given, modulo 2³², where each number less the base fits the width.
 */
import { assert } from "../../base/assert.ts"

/** How many bits the numbers from 0 to `greatest` need, which is below 2³². */
export function bitsOf(greatest: number): number {
  assert(greatest >= 0 && greatest < 2 ** 32, "a number of a lane has 32 bits")
  return 32 - Math.clz32(greatest)
}

/** How many words so many numbers of a width take. */
export function wordsOf(count: number, width: number): number {
  return Math.ceil((count * width) / 32)
}

/** Packs `values[0, count)`, each less the base, to `words`. */
export function packBits(values: Int32Array, count: number, base: number, width: number, words: Int32Array): void {
  assert(width >= 0 && width <= 32, "a width has at most 32 bits")
  if (width === 0) return
  if (width === 32) {
    for (let index = 0; index < count; index++) words[index] = values[index]! - base
    return
  }
  let gathered = 0
  let bits = 0
  let at = 0
  for (let index = 0; index < count; index++) {
    const value = (values[index]! - base) | 0
    gathered |= value << bits
    bits += width
    if (bits >= 32) {
      words[at++] = gathered
      bits -= 32
      gathered = bits === 0 ? 0 : value >>> (width - bits)
    }
  }
  if (bits > 0) words[at] = gathered
}

/** Unpacks `count` numbers of a width, the base added to each, to `values`. */
export function unpackBits(words: Int32Array, count: number, base: number, width: number, values: Int32Array): void {
  assert(width >= 0 && width <= 32, "a width has at most 32 bits")
  if (width === 0) {
    values.fill(base, 0, count)
    return
  }
  if (width === 32) {
    for (let index = 0; index < count; index++) values[index] = words[index]! + base
    return
  }
  const mask = 2 ** width - 1
  let at = 0
  let bits = 0
  for (let index = 0; index < count; index++) {
    let value = words[at]! >>> bits
    bits += width
    if (bits >= 32) {
      at++
      bits -= 32
      if (bits > 0) value |= words[at]! << (width - bits)
    }
    values[index] = (value & mask) + base
  }
}
