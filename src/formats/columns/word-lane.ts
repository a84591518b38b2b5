/**
 * A lane of numbers of 32 bits, in the way that takes the fewest bytes for those at hand. Behind a byte that says which way:
 *
 * | way | bytes |
 * |---|---|
 * | 0 packed | uint32 base; packed: each value less the base |
 * | 1 deltas | uint32 first value, uint32 base; packed: each other value less the one before, less the base |
 * | 2 runs | varint how many; uint32 base; packed: the value of each less the base; packed: the length of each less 1 |
 * | 3 distinct | varint how many; uint32 each; packed: which of them each value is |
 *
 * `packed` is a byte, how many bits a number has, and the numbers in words (`bit-packing.ts`). All arithmetic is modulo 2³².
 *
 * Invariant:
 * - WL1 What was written is read back, whatever the values and the way.
 */
import type { ByteReader } from "../../base/bytes.ts"
import { DISTINCT_MAX } from "./distinct-values.ts"
import { readCount, readPacked } from "./lane-bytes.ts"
import type { LaneScratch } from "./lane-scratch.ts"

/** The ways. */
export const WORD_WAY = { packed: 0, deltas: 1, runs: 2, distinct: 3 } as const

/**
 * Reads a block of a lane: `count` numbers, at least one, to `values`.
 *
 * @throws RangeError where the bytes are none.
 */
export function readWordLane(from: ByteReader, values: Int32Array, count: number, scratch: LaneScratch): void {
  const way = from.uint8()
  switch (way) {
    case WORD_WAY.packed:
      readPacked(from, values, count, from.uint32(), scratch)
      return
    case WORD_WAY.deltas: {
      values[0] = from.uint32()
      const base = from.uint32()
      const { parts: deltas } = scratch
      readPacked(from, deltas, count - 1, base, scratch)
      for (let index = 1; index < count; index++) values[index] = values[index - 1]! + deltas[index - 1]!
      return
    }
    case WORD_WAY.runs:
      readRuns(from, values, count, scratch)
      return
    case WORD_WAY.distinct: {
      const { parts, lengths: numbers } = scratch
      const size = readCount(from, DISTINCT_MAX)
      for (let number = 0; number < size; number++) parts[number] = from.uint32()
      readPacked(from, numbers, count, 0, scratch)
      for (let index = 0; index < count; index++) values[index] = parts[numberBelow(numbers[index]!, size)]!
      return
    }
    default:
      throw new RangeError(`a lane of words is written in way ${way}`)
  }
}

function readRuns(from: ByteReader, values: Int32Array, count: number, scratch: LaneScratch): void {
  const { parts: ofRuns, lengths } = scratch
  const runs = readCount(from, count)
  readPacked(from, ofRuns, runs, from.uint32(), scratch)
  readLengths(from, lengths, runs, count, scratch)
  let at = 0
  for (let run = 0; run < runs; run++) values.fill(ofRuns[run]!, at, (at += lengths[run]!))
}

/** Reads the lengths of runs, which together are `count`. */
function readLengths(from: ByteReader, lengths: Int32Array, runs: number, count: number, scratch: LaneScratch): void {
  readPacked(from, lengths, runs, 1, scratch)
  let sum = 0
  for (let run = 0; run < runs; run++) {
    if (lengths[run]! < 1) throw new RangeError("a run has no length")
    sum += lengths[run]!
  }
  if (sum !== count) throw new RangeError(`runs have ${sum} values together, not ${count}`)
}

/** Holds the number of a distinct value to how many there are. */
export function numberBelow(number: number, size: number): number {
  if (number < 0 || number >= size) throw new RangeError(`a value is number ${number} of ${size}`)
  return number
}
