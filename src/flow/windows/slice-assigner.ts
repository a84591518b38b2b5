/**
 * Which slice each record of a batch goes into, by its event time and the watermark of its partition before it.
 *
 * Neighbouring records mostly share a slice, so what was found for one is kept with the range of time for which it holds
 * and the watermark up to which it does: within a batch watermarks never go back (H2, T1).
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W5 A record is late for a window when its partition's watermark before it is at least the window's end − 1.
 * - W6 A record that is late for all its windows goes to the late output; late for some, it counts in the others.
 * - W7 A record between windows (the slide is longer than the size) counts nowhere and is not late.
 */
import { readInt53, type Int64Column } from "../../batch/column.ts"
import type { SliceBounds, Slices } from "./slices.ts"

const LATE = -1
const BETWEEN = -2
const OUT_OF_TIME = -3

/** A slice, and the end of the first window in which its records count. */
export interface Target {
  readonly bounds: SliceBounds
  readonly countsFrom: number
}

/** Assigns records to slices. Its arrays hold the last batch's result and are used again. */
export class SliceAssigner {
  readonly #slices: Slices
  /** Rows that go into a slice, in order; their event times; and the index of their slice in `touched`. */
  rows: Int32Array = new Int32Array(0)
  times: Float64Array = new Float64Array(0)
  sliceIndexes: Int32Array = new Int32Array(0)
  /** How many rows go into a slice. */
  count = 0
  /** The slices that records go into. */
  touched: Target[] = []
  /** Rows that came late for all their windows, in order. */
  late: Int32Array = new Int32Array(0)
  lateCount = 0
  /** How many rows lie between windows. */
  betweenCount = 0
  /** Rows whose windows would reach beyond the ends of time. */
  outOfTime: number[] = []
  /** Open addressing by the slice's start: one more than an index in `touched`, or 0. At most half is taken. */
  #slots = new Int32Array(64)
  /** What was found last, for which times, and up to which watermark it holds. */
  #target = OUT_OF_TIME
  #fromTime = 0
  #untilTime = 0
  #untilWatermark = 0

  constructor(slices: Slices) {
    this.#slices = slices
  }

  /**
   * Assigns rows `rows[0]` … `rows[count − 1]`.
   *
   * @param shift what is added to the column to give event time.
   * @param watermarks by row; `null` where no record is late.
   */
  assign(column: Int64Column, shift: number, rows: Int32Array, count: number, watermarks: Float64Array | null): void {
    this.#begin(count)
    const { halves } = column
    // What was found last, in variables of the loop's own.
    let fromTime = 0
    let untilTime = 0
    let untilWatermark = 0
    let target = OUT_OF_TIME
    let accepted = 0
    for (let at = 0; at < count; at++) {
      const row = rows[at]!
      const time = readInt53(halves, row) + shift
      const watermark = watermarks === null ? -Infinity : watermarks[row]!
      if (!(time >= fromTime && time < untilTime && watermark < untilWatermark)) {
        this.#locate(time, watermark)
        fromTime = this.#fromTime
        untilTime = this.#untilTime
        untilWatermark = this.#untilWatermark
        target = this.#target
      }
      if (target >= 0) {
        this.rows[accepted] = row
        this.times[accepted] = time
        this.sliceIndexes[accepted++] = target
      } else if (target === LATE) this.late[this.lateCount++] = row
      else if (target === BETWEEN) this.betweenCount++
      else this.outOfTime.push(row)
    }
    this.count = accepted
  }

  #begin(count: number): void {
    if (this.rows.length < count) {
      this.rows = new Int32Array(count)
      this.times = new Float64Array(count)
      this.sliceIndexes = new Int32Array(count)
      this.late = new Int32Array(count)
    }
    if (this.touched.length > 0) this.#slots.fill(0)
    this.touched = []
    this.lateCount = 0
    this.betweenCount = 0
    this.outOfTime = []
  }

  #locate(time: number, watermark: number): void {
    this.#fromTime = time
    this.#untilTime = time
    this.#target = OUT_OF_TIME
    const { maxTime } = this.#slices
    if (Math.abs(time) > maxTime) return
    const bounds = this.#slices.of(time)
    const { firstWindowEnd, lastWindowEnd } = bounds
    this.#fromTime = Math.max(bounds.start, -maxTime)
    this.#untilTime = Math.min(bounds.end, maxTime + 1)
    this.#untilWatermark = Infinity
    if (firstWindowEnd > lastWindowEnd) this.#target = BETWEEN
    else if (watermark >= lastWindowEnd - 1) this.#target = LATE
    else if (watermark < firstWindowEnd - 1) {
      this.#untilWatermark = firstWindowEnd - 1
      this.#target = this.#indexOf({ bounds, countsFrom: firstWindowEnd })
    } else {
      const countsFrom = this.#slices.firstWindowEndBehind(watermark + 1)
      this.#untilWatermark = countsFrom - 1
      this.#target = this.#indexOf({ bounds, countsFrom })
    }
  }

  #indexOf(target: Target): number {
    const slots = this.#slots
    let slot = this.#slotOf(target)
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const { bounds, countsFrom } = this.touched[slots[slot]! - 1]!
      if (bounds.start === target.bounds.start && countsFrom === target.countsFrom) return slots[slot]! - 1
    }
    this.touched.push(target)
    slots[slot] = this.touched.length
    if (this.touched.length * 2 > slots.length) this.#growSlots()
    return this.touched.length - 1
  }

  #slotOf({ bounds, countsFrom }: Target): number {
    // Slices start a slide or less apart, and one with a later window is as far from those as that window is.
    const number = Math.floor((bounds.start + countsFrom) / this.#slices.slide)
    return (Math.imul(number, 0x9e3779b1) >>> 8) & (this.#slots.length - 1)
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    this.#slots = slots
    this.touched.forEach((target, index) => {
      let slot = this.#slotOf(target)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = index + 1
    })
  }
}
