/** Writes lanes of numbers of 32 bits, in the way that takes the fewest bytes for those at hand: see `word-lane.ts`. */
import type { ByteWriter } from "../../base/bytes.ts"
import { bitsOf } from "./bit-packing.ts"
import { sampleStep } from "./distinct-values.ts"
import { Drift } from "./drift.ts"
import { writePacked, writeSmall, type Frame } from "./lane-bytes.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { WORD_WAY as WAY } from "./word-lane.ts"

type Way = keyof typeof WAY

/** Numbers in fewer bits are not looked at for how many are distinct. */
const DISTINCT_BITS_MIN = 6

/** The least value, and how many bits the greatest has above it. */
function frameOf(values: Int32Array, count: number): Frame {
  let least = values[0]!
  let greatest = least
  for (let index = 1; index < count; index++) {
    const value = values[index]!
    if (value < least) least = value
    else if (value > greatest) greatest = value
  }
  return { base: least, width: bitsOf(greatest - least) }
}

/** The same of how far each value is from the one before; `undefined` where 32 bits do not hold that. */
function deltaFrameOf(values: Int32Array, count: number): Frame | undefined {
  let least = Infinity
  let greatest = -Infinity
  let before = values[0]!
  for (let index = 1; index < count; index++) {
    const value = values[index]!
    const delta = value - before
    before = value
    if (delta < least) least = delta
    if (delta > greatest) greatest = delta
  }
  if (count === 1) return { base: 0, width: 0 }
  return greatest - least < 2 ** 32 ? { base: least, width: bitsOf(greatest - least) } : undefined
}

/** How many stretches of one value there are. */
function runsOf(values: Int32Array, count: number): number {
  let runs = 1
  for (let index = 1; index < count; index++) if (values[index] !== values[index - 1]) runs++
  return runs
}

/** See the head of this file. */
export class WordLaneWriter {
  readonly #scratch: LaneScratch
  readonly #drift = new Drift()
  #way: Way = "packed"

  constructor(scratch: LaneScratch) {
    this.#scratch = scratch
  }

  /** Appends the numbers of some rows, or the first ones: `count`, at least one. They do not lie in the room for parts or lengths. */
  write(out: ByteWriter, numbers: Int32Array, rows: Int32Array | null, count: number): void {
    const values = rows === null ? numbers : gather(numbers, rows, count, this.#scratch.gathered)
    const before = out.length
    if (this.#drift.isDue) this.#choose(values, count)
    if (!this.#writeBy(this.#way, out, values, count)) this.#writePacked(out, values, count)
    this.#drift.wrote(out.length - before, count)
  }

  /** How many bits numbers take in the best way. */
  bitsOf(values: Int32Array, count: number): number {
    return this.#choose(values, count)
  }

  #choose(values: Int32Array, count: number): number {
    const { width } = frameOf(values, count)
    const runs = runsOf(values, count)
    const deltas = deltaFrameOf(values, count)
    const bits: Record<Way, number> = {
      packed: 32 + count * width,
      deltas: deltas === undefined ? Infinity : 64 + count * deltas.width,
      runs: 32 + runs * (width + bitsOf(Math.ceil(count / runs)) + 2),
      distinct: width < DISTINCT_BITS_MIN ? Infinity : this.#bitsOfDistinct(values, count),
    }
    const ways = Object.keys(WAY) as Way[]
    this.#way = ways.reduce((best, way) => (bits[way] < bits[best] ? way : best))
    return bits[this.#way]
  }

  #bitsOfDistinct(values: Int32Array, count: number): number {
    const { distinct } = this.#scratch
    distinct.clear()
    const step = sampleStep(count)
    for (let index = 0; index < count; index += step) if (distinct.numberOf(values[index]!, 0) < 0) return Infinity
    return distinct.size * 32 + count * bitsOf(distinct.size - 1)
  }

  /** Gives false, and has appended nothing, where the values are none for that way. */
  #writeBy(way: Way, out: ByteWriter, values: Int32Array, count: number): boolean {
    switch (way) {
      case "packed":
        return false
      case "deltas":
        return this.#writeDeltas(out, values, count)
      case "runs":
        this.#writeRuns(out, values, count)
        return true
      case "distinct":
        return this.#writeDistinct(out, values, count)
    }
  }

  #writePacked(out: ByteWriter, values: Int32Array, count: number): void {
    const frame = frameOf(values, count)
    out.uint8(WAY.packed)
    out.uint32(frame.base)
    writePacked(out, values, count, frame, this.#scratch)
  }

  #writeDeltas(out: ByteWriter, values: Int32Array, count: number): boolean {
    const frame = deltaFrameOf(values, count)
    if (frame === undefined) return false
    const { parts: deltas } = this.#scratch
    for (let index = 1; index < count; index++) deltas[index - 1] = values[index]! - values[index - 1]!
    out.uint8(WAY.deltas)
    out.uint32(values[0]!)
    out.uint32(frame.base)
    writePacked(out, deltas, count - 1, frame, this.#scratch)
    return true
  }

  #writeRuns(out: ByteWriter, values: Int32Array, count: number): void {
    const { parts: ofRuns, lengths } = this.#scratch
    let runs = 0
    let start = 0
    let longest = 0
    for (let index = 1; index <= count; index++) {
      if (index < count && values[index] === values[start]) continue
      ofRuns[runs] = values[start]!
      lengths[runs++] = index - start - 1
      longest = Math.max(longest, index - start - 1)
      start = index
    }
    const frame = frameOf(ofRuns, runs)
    out.uint8(WAY.runs)
    out.varint(runs)
    out.uint32(frame.base)
    writePacked(out, ofRuns, runs, frame, this.#scratch)
    writeSmall(out, lengths, runs, longest, this.#scratch)
  }

  #writeDistinct(out: ByteWriter, values: Int32Array, count: number): boolean {
    const { distinct, parts: numbers } = this.#scratch
    distinct.clear()
    for (let index = 0; index < count; index++) {
      const number = distinct.numberOf(values[index]!, 0)
      if (number < 0) return false
      numbers[index] = number
    }
    const { size, lows } = distinct
    out.uint8(WAY.distinct)
    out.varint(size)
    for (let number = 0; number < size; number++) out.uint32(lows[number]!)
    writeSmall(out, numbers, count, size - 1, this.#scratch)
    return true
  }
}

function gather(numbers: Int32Array, rows: Int32Array, count: number, to: Int32Array): Int32Array {
  for (let index = 0; index < count; index++) to[index] = numbers[rows[index]!]!
  return to
}
