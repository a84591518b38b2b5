/**
 * Slices: event time cut at every edge of a window, so that each window is a run of whole slices ("panes",
 * Krishnamurthy et al., "On-the-fly sharing for streamed aggregation", SIGMOD 2006; "Cutty", CIKM 2016).
 *
 * Windows start at `offset + k · slide` and are `size` long; a tumbling window is one whose slide is its size. In each
 * stretch of `slide` there are at most two edges: where windows start, and, where the slide does not divide the size,
 * where windows end, `size mod slide` later. All lengths and times are whole microseconds.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W1 A window holds its start and not its end.
 * - W2 Windows start at whole multiples of the slide from the offset, before 1970 too.
 * - SL1 Slices do not overlap, and together they cover all of time.
 * - SL2 All moments of a slice lie in the same windows.
 */
import { assert } from "../../../base/assert.ts"
import type { SlicedWindowSpec } from "../../plan.ts"

/** A slice and the windows that it lies in. */
export interface SliceBounds {
  readonly start: number
  /** The first moment behind the slice. */
  readonly end: number
  /** The end of the first window that holds the slice. */
  readonly firstWindowEnd: number
  /** The end of the last one. Less than `firstWindowEnd` where no window holds the slice. */
  readonly lastWindowEnd: number
}

/** Cuts time into slices. */
export class Slices {
  readonly size: number
  readonly slide: number
  /** Up to here from 1970, either way, windows have exact bounds: not at the very ends of time (1684 and 2255). */
  readonly maxTime: number
  /** In [0, slide). */
  readonly offset: number
  /** How far behind a window's start the end of another lies; 0 where they fall together. */
  readonly #endEdge: number

  /** @param maxTime where it is to be less than what the lengths give. */
  constructor(spec: SlicedWindowSpec, maxTime = Infinity) {
    const slide = spec.kind === "tumbling" ? spec.sizeMicros : spec.slideMicros
    for (const length of [spec.sizeMicros, slide]) {
      assert(Number.isSafeInteger(length) && length > 0, "lengths of windows are positive whole microseconds")
    }
    assert(Number.isSafeInteger(spec.offsetMicros), "the offset of windows is in whole microseconds")
    this.size = spec.sizeMicros
    this.slide = slide
    this.maxTime = Math.min(maxTime, Number.MAX_SAFE_INTEGER - this.size - 2 * slide)
    this.offset = ((spec.offsetMicros % slide) + slide) % slide
    this.#endEdge = this.size % slide
  }

  /**
   * How long a block is: the least multiple of the slide that is no shorter than a window. Blocks start at the offset
   * and at whole multiples of this from it, so each window lies in at most two blocks.
   */
  get blockLength(): number {
    return Math.ceil(this.size / this.slide) * this.slide
  }

  /** Whether windows start and end at the same moments, so that each slide is one slice, and no moment lies between windows. */
  get hasOneEdge(): boolean {
    return this.#endEdge === 0 && this.slide <= this.size
  }

  /** Whether moments lie in several windows. */
  get areOverlapping(): boolean {
    return this.slide < this.size
  }

  /** The slice that holds a moment that is at most `maxTime` away from 1970. */
  of(time: number): SliceBounds {
    const period = this.#periodStart(time)
    const edge = period + this.#endEdge
    const isBehindEdge = this.#endEdge > 0 && time >= edge
    const start = isBehindEdge ? edge : period
    const end = this.#endEdge > 0 && !isBehindEdge ? edge : period + this.slide
    // The last window that holds the slice starts with its period; the first is the first that ends at `end` or later.
    const lastWindowEnd = period + this.size
    const firstWindowEnd = lastWindowEnd - Math.floor((lastWindowEnd - end) / this.slide) * this.slide
    return { start, end, firstWindowEnd, lastWindowEnd }
  }

  /** The end of the first window that ends behind `time`. */
  firstWindowEndBehind(time: number): number {
    const shift = this.size % this.slide
    return this.#periodStart(time - shift) + shift + this.slide
  }

  /** The greatest start of a window that is not behind `time`. */
  #periodStart(time: number): number {
    const start = this.offset + Math.floor((time - this.offset) / this.slide) * this.slide
    // The quotient is rounded: next to a boundary of long ago it may be one too high or too low.
    if (start > time) return start - this.slide
    return time - start >= this.slide ? start + this.slide : start
  }
}
