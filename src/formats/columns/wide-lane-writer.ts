/** Writes lanes of values of 64 bits, in the way that takes the fewest bytes for those at hand: see `wide-lane.ts`. */
import type { ByteWriter } from "../../base/bytes.ts"
import { bitsOf } from "./bit-packing.ts"
import { decimalsOf, toWholes, wholeAt } from "./decimals.ts"
import { sampleStep } from "./distinct-values.ts"
import { Drift } from "./drift.ts"
import type { Frame } from "./lane-arithmetic.ts"
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

  /** Appends `count` values, at least one, which lie in the scratch where values or whole numbers do. */
  write(out: ByteWriter, halves: Int32Array, count: number): void {
    const before = out.length
    if (this.#drift.isDue) this.#choose(halves, count)
    if (!this.#writeBy(this.#way, out, halves, count)) this.#writeHalves(out, halves, count)
    this.#drift.wrote(out.length - before, count)
  }

  /** Chooses the way, and gives how many bits it takes. */
  #choose(halves: Int32Array, count: number): number {
    const bits = { near: Infinity, steps: Infinity, distinct: Infinity, halves: Infinity, decimal: Infinity }
    const { arithmetic, lows, highs } = this.#scratch
    const near = arithmetic.fromFirst(halves, count, lows)
    const steps = near ?? arithmetic.fromBefore(halves, count, lows)
    if (steps !== undefined) bits[near === undefined ? "steps" : "near"] = 64 + this.#lows.bitsOf(lows, count, steps)
    if (near === undefined) {
      splitHalves(halves, count, this.#scratch)
      bits.distinct = this.#bitsOfDistinct(lows, highs, count)
      bits.halves = this.#lows.bitsOf(lows, count) + this.#highs.bitsOf(highs, count)
    }
    bits.decimal = this.#bitsOfDecimals(halves, count)
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

  #bitsOfDecimals(halves: Int32Array, count: number): number {
    if (this.#wholes === undefined) return Infinity
    const { wholes } = this.#scratch
    const decimals = decimalsOf(halves, Math.min(count, LOOK_VALUES))
    if (decimals === undefined) return Infinity
    this.#decimals = decimals
    const distances = this.#wholesFromFirst(halves, count)
    if (distances !== undefined) return 16 + 64 + this.#lows.bitsOf(this.#scratch.lows, count, distances)
    return toWholes(halves, count, decimals, wholes) ? 16 + this.#wholes.#choose(wholes, count) : Infinity
  }

  /** How far the whole numbers are from the first one, to the room for low words; `undefined` where 32 bits do not hold that. */
  #wholesFromFirst(halves: Int32Array, count: number): Frame | undefined {
    const { arithmetic, lows: distances } = this.#scratch
    const first = wholeAt(halves, 0, this.#decimals)
    return arithmetic.wholesFromFirst(halves, count, this.#decimals, first, distances)
  }

  /** Gives false, and has appended nothing, where the values are none for that way. */
  #writeBy(way: Way, out: ByteWriter, halves: Int32Array, count: number): boolean {
    switch (way) {
      case "near":
      case "steps":
        return this.#writeDistances(way, out, halves, count)
      case "distinct":
        return this.#writeDistinct(out, halves, count)
      case "halves":
        return false
      case "decimal":
        return this.#writeDecimals(out, halves, count)
    }
  }

  #writeDistances(way: "near" | "steps", out: ByteWriter, halves: Int32Array, count: number): boolean {
    const { arithmetic, lows: distances } = this.#scratch
    const frame =
      way === "near" ? arithmetic.fromFirst(halves, count, distances) : arithmetic.fromBefore(halves, count, distances)
    if (frame === undefined) return false
    out.uint8(WAY[way])
    out.halves(halves[0]!, halves[1]!)
    this.#lows.write(out, distances, count, frame)
    return true
  }

  #writeDistinct(out: ByteWriter, halves: Int32Array, count: number): boolean {
    const { distinct, parts: numbers } = this.#scratch
    distinct.clear()
    for (let index = 0; index < count; index++) {
      const number = distinct.numberOf(halves[2 * index]!, halves[2 * index + 1]!)
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

  #writeHalves(out: ByteWriter, halves: Int32Array, count: number): void {
    const { lows, highs } = this.#scratch
    splitHalves(halves, count, this.#scratch)
    out.uint8(WAY.halves)
    this.#lows.write(out, lows, count)
    this.#highs.write(out, highs, count)
  }

  #writeDecimals(out: ByteWriter, halves: Int32Array, count: number): boolean {
    if (this.#wholes === undefined) return false
    const frame = this.#wholesFromFirst(halves, count)
    const { lows, wholes } = this.#scratch
    if (frame === undefined && !toWholes(halves, count, this.#decimals, wholes)) return false
    out.uint8(WAY.decimal)
    out.uint8(this.#decimals)
    if (frame === undefined) {
      this.#wholes.write(out, wholes, count)
      return true
    }
    const first = wholeAt(halves, 0, this.#decimals)
    out.uint8(WAY.near)
    out.halves(first, first >> 31)
    this.#lows.write(out, lows, count, frame)
    return true
  }
}

function splitHalves(halves: Int32Array, count: number, { lows, highs }: LaneScratch): void {
  for (let index = 0; index < count; index++) {
    lows[index] = halves[2 * index]!
    highs[index] = halves[2 * index + 1]!
  }
}
