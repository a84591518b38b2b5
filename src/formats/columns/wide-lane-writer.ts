/** Writes lanes of values of 64 bits, in the way that takes the fewest bytes for those at hand: see `wide-lane.ts`. */
import type { ByteWriter } from "../../base/bytes.ts"
import { bitsOf } from "./bit-packing.ts"
import { decimalsOf, toWholes } from "./decimals.ts"
import { distancesFromBefore, distancesFromFirst } from "./distances.ts"
import { sampleStep } from "./distinct-values.ts"
import { Drift } from "./drift.ts"
import { writeSmall } from "./lane-bytes.ts"
import type { LaneScratch } from "./lane-scratch.ts"
import { WIDE_WAY as WAY } from "./wide-lane.ts"
import { WordLaneWriter } from "./word-lane-writer.ts"

type Way = keyof typeof WAY

/** Decimals are looked for among so many values first. */
const LOOK_VALUES = 64

/** See the head of this file. */
export class WideLaneWriter {
  readonly #scratch: LaneScratch
  readonly #drift = new Drift()
  /** Of low words, and of distances. */
  readonly #lows: WordLaneWriter
  readonly #highs: WordLaneWriter
  /** Of whole numbers that stand for doubles; `undefined` where the values are none. */
  readonly #wholes: WideLaneWriter | undefined
  #way: Way = "halves"
  #decimals = 0

  constructor(scratch: LaneScratch, areDoubles: boolean) {
    this.#scratch = scratch
    this.#lows = new WordLaneWriter(scratch)
    this.#highs = new WordLaneWriter(scratch)
    this.#wholes = areDoubles ? new WideLaneWriter(scratch, false) : undefined
  }

  /** Appends the values of some rows, or of the first ones: `count`, at least one. */
  write(out: ByteWriter, halves: Int32Array, rows: Int32Array | null, count: number): void {
    const before = out.length
    if (this.#drift.isDue) this.#choose(halves, rows, count)
    if (!this.#writeBy(this.#way, out, halves, rows, count)) this.#writeHalves(out, halves, rows, count)
    this.#drift.wrote(out.length - before, count)
  }

  /** Chooses the way, and gives how many bits it takes. */
  #choose(halves: Int32Array, rows: Int32Array | null, count: number): number {
    const bits = { near: Infinity, steps: Infinity, distinct: Infinity, halves: Infinity, decimal: Infinity }
    const { lows, highs } = this.#scratch
    splitHalves(halves, rows, count, this.#scratch)
    bits.halves = this.#lows.bitsOf(lows, count) + this.#highs.bitsOf(highs, count)
    bits.distinct = this.#bitsOfDistinct(lows, highs, count)
    if (distancesFromFirst(halves, rows, count, lows)) bits.near = 64 + this.#lows.bitsOf(lows, count)
    else if (distancesFromBefore(halves, rows, count, lows)) bits.steps = 64 + this.#lows.bitsOf(lows, count)
    bits.decimal = this.#bitsOfDecimals(halves, rows, count)
    const ways = Object.keys(WAY) as Way[]
    this.#way = ways.reduce((best, way) => (bits[way] < bits[best] ? way : best))
    return bits[this.#way]
  }

  #bitsOfDistinct(lows: Int32Array, highs: Int32Array, count: number): number {
    const { distinct } = this.#scratch
    distinct.clear()
    const step = sampleStep(count)
    for (let index = 0; index < count; index += step) {
      if (distinct.numberOf(lows[index]!, highs[index]!) < 0) return Infinity
    }
    return distinct.size * 64 + count * bitsOf(distinct.size - 1)
  }

  #bitsOfDecimals(halves: Int32Array, rows: Int32Array | null, count: number): number {
    if (this.#wholes === undefined) return Infinity
    const { wholes } = this.#scratch
    const decimals = decimalsOf(halves, rows, Math.min(count, LOOK_VALUES))
    if (decimals === undefined || !toWholes(halves, rows, count, decimals, wholes)) return Infinity
    this.#decimals = decimals
    return 16 + this.#wholes.#choose(wholes, null, count)
  }

  /** Gives false, and has appended nothing, where the values are none for that way. */
  #writeBy(way: Way, out: ByteWriter, halves: Int32Array, rows: Int32Array | null, count: number): boolean {
    switch (way) {
      case "near":
      case "steps":
        return this.#writeDistances(way, out, halves, rows, count)
      case "distinct":
        return this.#writeDistinct(out, halves, rows, count)
      case "halves":
        return false
      case "decimal":
        return this.#writeDecimals(out, halves, rows, count)
    }
  }

  #writeDistances(
    way: "near" | "steps",
    out: ByteWriter,
    halves: Int32Array,
    rows: Int32Array | null,
    count: number,
  ): boolean {
    const { lows: distances } = this.#scratch
    const measure = way === "near" ? distancesFromFirst : distancesFromBefore
    if (!measure(halves, rows, count, distances)) return false
    const first = 2 * (rows === null ? 0 : rows[0]!)
    out.uint8(WAY[way])
    out.halves(halves[first]!, halves[first + 1]!)
    this.#lows.write(out, distances, null, count)
    return true
  }

  #writeDistinct(out: ByteWriter, halves: Int32Array, rows: Int32Array | null, count: number): boolean {
    const { distinct, parts: numbers } = this.#scratch
    distinct.clear()
    for (let index = 0; index < count; index++) {
      const at = 2 * (rows === null ? index : rows[index]!)
      const number = distinct.numberOf(halves[at]!, halves[at + 1]!)
      if (number < 0) return false
      numbers[index] = number
    }
    const { size, lows, highs } = distinct
    out.uint8(WAY.distinct)
    out.varint(size)
    for (const words of [lows, highs]) for (let number = 0; number < size; number++) out.uint32(words[number]!)
    writeSmall(out, numbers, count, size - 1, this.#scratch)
    return true
  }

  #writeHalves(out: ByteWriter, halves: Int32Array, rows: Int32Array | null, count: number): void {
    const { lows, highs } = this.#scratch
    splitHalves(halves, rows, count, this.#scratch)
    out.uint8(WAY.halves)
    this.#lows.write(out, lows, null, count)
    this.#highs.write(out, highs, null, count)
  }

  #writeDecimals(out: ByteWriter, halves: Int32Array, rows: Int32Array | null, count: number): boolean {
    const { wholes } = this.#scratch
    if (this.#wholes === undefined || !toWholes(halves, rows, count, this.#decimals, wholes)) return false
    out.uint8(WAY.decimal)
    out.uint8(this.#decimals)
    this.#wholes.write(out, wholes, null, count)
    return true
  }
}

function splitHalves(halves: Int32Array, rows: Int32Array | null, count: number, { lows, highs }: LaneScratch): void {
  for (let index = 0; index < count; index++) {
    const at = 2 * (rows === null ? index : rows[index]!)
    lows[index] = halves[at]!
    highs[index] = halves[at + 1]!
  }
}
