/**
 * A lane of values of 64 bits, as pairs of words (low, high), in the way that takes the fewest bytes for those at hand. Behind a byte that
 * says which way:
 *
 * | way | bytes |
 * |---|---|
 * | 0 near | int64 first value; as a lane of words: how far each value is from the first |
 * | 1 steps | int64 first value; as a lane of words: how far each value is from the one before, the first from itself |
 * | 2 distinct | varint how many; their low words, then their high words, uint32 each; packed: which of them each value is |
 * | 3 halves | the low words as a lane of words, then the high words |
 * | 4 decimal | for doubles: a byte, how many decimals; as a lane of this kind: the whole numbers that, divided by that power of ten, are the values |
 *
 * Lanes of words, and `packed`, as in `word-lane.ts`. Distances are signed, and added modulo 2⁶⁴.
 *
 * Invariant:
 * - WD1 What was written is read back, bit for bit, whatever the values and the way.
 */
import type { ByteReader } from "../../base/bytes.ts"
import { DECIMALS_MAX, fromWholes } from "./decimals.ts"
import { DISTINCT_MAX } from "./distinct-values.ts"
import { readCount, readPacked } from "./lane-bytes.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { numberBelow, readWordLane } from "./word-lane.ts"

/** The ways. */
export const WIDE_WAY = { near: 0, steps: 1, distinct: 2, halves: 3, decimal: 4 } as const

/**
 * Reads a block of a lane: `count` values, at least one, to `halves`.
 *
 * @throws RangeError where the bytes are none.
 */
export function readWideLane(from: ByteReader, halves: Int32Array, count: number, scratch: LaneScratch): void {
  const way = from.uint8()
  if (way !== WIDE_WAY.decimal) {
    readWholes(way, from, halves, count, scratch)
    return
  }
  const decimals = from.uint8()
  if (decimals > DECIMALS_MAX) throw new RangeError(`numbers have ${decimals} decimals`)
  const { wholes } = scratch
  readWholes(from.uint8(), from, wholes, count, scratch)
  fromWholes(wholes, count, decimals, halves)
}

function readWholes(way: number, from: ByteReader, halves: Int32Array, count: number, scratch: LaneScratch): void {
  switch (way) {
    case WIDE_WAY.near:
    case WIDE_WAY.steps:
      readDistances(way === WIDE_WAY.steps, from, halves, count, scratch)
      return
    case WIDE_WAY.distinct:
      readDistinct(from, halves, count, scratch)
      return
    case WIDE_WAY.halves: {
      const { lows, highs } = scratch
      readWordLane(from, lows, count, scratch)
      readWordLane(from, highs, count, scratch)
      for (let index = 0; index < count; index++) {
        halves[2 * index] = lows[index]!
        halves[2 * index + 1] = highs[index]!
      }
      return
    }
    default:
      throw new RangeError(`a lane of pairs of words is written in way ${way}`)
  }
}

function readDistances(
  areSteps: boolean,
  from: ByteReader,
  halves: Int32Array,
  count: number,
  scratch: LaneScratch,
): void {
  let low = from.uint32() | 0
  let high = from.uint32() | 0
  const { lows: distances } = scratch
  readWordLane(from, distances, count, scratch)
  for (let index = 0; index < count; index++) {
    const distance = distances[index]!
    const sum = (low + distance) | 0
    const carry = sum >>> 0 < low >>> 0 ? 1 : 0
    const upper = (high + (distance >> 31) + carry) | 0
    halves[2 * index] = sum
    halves[2 * index + 1] = upper
    if (areSteps) {
      low = sum
      high = upper
    }
  }
}

function readDistinct(from: ByteReader, halves: Int32Array, count: number, scratch: LaneScratch): void {
  const { lows, highs, parts } = scratch
  const size = readCount(from, DISTINCT_MAX)
  for (const words of [lows, highs]) for (let number = 0; number < size; number++) words[number] = from.uint32()
  readPacked(from, parts, count, 0, scratch)
  for (let index = 0; index < count; index++) {
    const number = numberBelow(parts[index]!, size)
    halves[2 * index] = lows[number]!
    halves[2 * index + 1] = highs[number]!
  }
}
