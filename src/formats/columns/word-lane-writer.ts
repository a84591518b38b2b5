/** Writes lanes of numbers of 32 bits, in the way that takes the fewest bytes for those at hand: see `word-lane.ts`. */
import type { ByteWriter } from "../../base/bytes.ts"
import { bitsOf } from "./bit-packing.ts"
import { sampleStep } from "./distinct-values.ts"
import { Drift } from "./drift.ts"
import type { Frame } from "./lane-arithmetic.ts"
import { writePacked, writeSmall } from "./lane-bytes.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { WORD_WAY as WAY } from "./word-lane.ts"

type Way = keyof typeof WAY

/** Numbers in fewer bits are not looked at for how many are distinct. */
const DISTINCT_BITS_MIN = 6

/** See the head of this file. */
export class WordLaneWriter {
  readonly #scratch: LaneScratch
  readonly #drift = new Drift()
  #way: Way = "packed"

  constructor(scratch: LaneScratch) {
    this.#scratch = scratch
  }

  /**
   * Appends `count` numbers, at least one, that lie in the scratch, but not in the room for parts, lengths, or packed bits.
   *
   * @param frame that of the numbers, where it is known.
   */
  write(out: ByteWriter, values: Int32Array, count: number, frame?: Frame): void {
    const before = out.length
    if (this.#drift.isDue) this.#choose(values, count, frame)
    if (!this.#writeBy(this.#way, out, values, count)) this.#writePacked(out, values, count, frame)
    this.#drift.wrote(out.length - before, count)
  }

  /** How many bits numbers take in the best way. Which way that is is looked for again when some are written: these may be others. */
  bitsOf(values: Int32Array, count: number, frame?: Frame): number {
    this.#drift.expire()
    return this.#choose(values, count, frame)
  }

  #choose(values: Int32Array, count: number, frame: Frame | undefined): number {
    const { arithmetic, parts } = this.#scratch
    const { width } = frame ?? arithmetic.frame(values, count)
    const runs = arithmetic.runs(values, count)
    const bits: Record<Way, number> = {
      packed: 32 + count * width,
      deltas: count === 1 ? Infinity : 64 + count * arithmetic.deltas(values, count, parts).width,
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

  #writePacked(
    out: ByteWriter,
    values: Int32Array,
    count: number,
    frame = this.#scratch.arithmetic.frame(values, count),
  ): void {
    out.uint8(WAY.packed)
    out.uint32(frame.base)
    writePacked(out, values, count, frame, this.#scratch)
  }

  #writeDeltas(out: ByteWriter, values: Int32Array, count: number): boolean {
    if (count === 1) return false
    const { arithmetic, parts: deltas } = this.#scratch
    const frame = arithmetic.deltas(values, count, deltas)
    out.uint8(WAY.deltas)
    out.uint32(values[0]!)
    out.uint32(frame.base)
    writePacked(out, deltas, count - 1, frame, this.#scratch)
    return true
  }

  #writeRuns(out: ByteWriter, values: Int32Array, count: number): void {
    const { arithmetic, parts: ofRuns, lengths } = this.#scratch
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
    const frame = arithmetic.frame(ofRuns, runs)
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
