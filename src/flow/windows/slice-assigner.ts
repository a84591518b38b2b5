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
import type { OpenSlices } from "./open-slices.ts"
import type { Slice } from "./slice.ts"
import type { Slices } from "./slices.ts"

const LATE = -1
const BETWEEN = -2
const OUT_OF_TIME = -3

/** Assigns records to slices. Its arrays hold the last batch's result and are used again. */
export class SliceAssigner {
  readonly #slices: Slices
  readonly #open: OpenSlices
  /** Rows that go into a slice, in order; their event times; and the index of their slice in `touched`. */
  rows: Int32Array = new Int32Array(0)
  times: Float64Array = new Float64Array(0)
  sliceIndexes: Int32Array = new Int32Array(0)
  /** How many rows go into a slice. */
  count = 0
  /** The slices that records go into. */
  touched: Slice[] = []
  /** Rows that came late for all their windows, in order. */
  late: Int32Array = new Int32Array(0)
  lateCount = 0
  /** How many rows lie between windows. */
  betweenCount = 0
  /** Rows whose windows would reach beyond the ends of time. */
  outOfTime: number[] = []
  /** What was found last, for which times, and up to which watermark it holds. */
  #target = OUT_OF_TIME
  #fromTime = 0
  #untilTime = 0
  #untilWatermark = 0

  constructor(slices: Slices, open: OpenSlices) {
    this.#slices = slices
    this.#open = open
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
      this.#target = this.#indexOf(this.#open.at(bounds, firstWindowEnd))
    } else {
      const countsFrom = this.#slices.firstWindowEndBehind(watermark + 1)
      this.#untilWatermark = countsFrom - 1
      this.#target = this.#indexOf(this.#open.at(bounds, countsFrom))
    }
  }

  #indexOf(slice: Slice): number {
    if (this.touched[slice.place] === slice) return slice.place
    slice.place = this.touched.length
    this.touched.push(slice)
    return slice.place
  }
}
