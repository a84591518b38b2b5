/**
 * Windows of which few overlap, over slices that are shared: when one is due its rows are made at once of the slices that
 * lie in it, in two halves of the longest runs of those (`half-code.ts`). Nothing else is kept from one window to the next.
 *
 * Invariants (rules of docs/spec/windows.md, beside W3):
 * - W6 A record that was late for some windows is in those that it was on time for.
 * - W24 Order and bits follow from the grid's runs and from where the window lies in the grid.
 */
import type { Schema } from "../../../batch/schema.ts"
import type { Emitter } from "../../operator.ts"
import type { DirectRows } from "./direct-rows.ts"
import type { DirectWindows } from "./direct-windows.ts"
import { floorEndBehind, type SharedFiring } from "./shared-firing.ts"
import { NOBODY, type SharedSlices, type WaitingSlice } from "./shared-slices.ts"
import type { Slices } from "../kernels/slices.ts"
import type { ResultsOwner } from "../window-results.ts"

/** With more own slices than this in a window, what windows share is worth keeping up (0019). */
const SLICES_MAX = 6

/** See the head of this file. */
export class DirectFiring implements SharedFiring, ResultsOwner {
  // What a firing reads lies in few places: where windows are many, none of it is in the cache when its turn comes.
  readonly id: string
  readonly schema: Schema
  /** Who takes the rows. */
  out: Emitter = NOBODY
  readonly failure: ResultsOwner["failure"]
  readonly #slices: Slices
  readonly #shared: SharedSlices
  readonly together: DirectWindows
  readonly #rows: DirectRows
  /** By which number `rows` knows these windows. */
  readonly #told: number

  /** Whether so few windows overlap. */
  static suits({ size, slide }: Slices): boolean {
    return (size / slide) * (size % slide === 0 ? 1 : 2) <= SLICES_MAX
  }

  constructor({ id, schema, failure }: ResultsOwner, slices: Slices, shared: SharedSlices, together: DirectWindows) {
    this.id = id
    this.schema = together.schemaLike(schema)
    this.failure = failure
    this.#slices = slices
    this.#shared = shared
    this.together = together
    this.#rows = together.rows
    this.#told = together.rows.tell(slices)
    together.add(this)
  }

  get floorEnd(): number {
    return this.#rows.floorEnd(this.#told)
  }

  get neededFrom(): number {
    return this.floorEnd - this.#slices.size
  }

  bind(out: Emitter): void {
    this.out = out
  }

  /** Fires the windows that are due at `watermark`, of which some may have fired, and takes note of it as `pass` does. */
  fireDue(watermark: number): void {
    this.#fireUntil(watermark + 1)
    this.pass(watermark)
  }

  /** Fires all windows with records, and gives the end of the last; −∞ where none has any. */
  fireAll(): number {
    return this.#fireUntil(Infinity)
  }

  /** Fires the windows that end at `lastDueEnd` or earlier, and gives the end of the last; −∞ where none has records. */
  #fireUntil(lastDueEnd: number): number {
    const { out } = this
    const [rows, told] = [this.#rows, this.#told]
    const { waiting } = this.#shared
    // Most windows have records. At the end of all, a window without any is not to be looked at: some may still come for it.
    const isEnd = lastDueEnd === Infinity
    let lastEnd = -Infinity
    let end = rows.floorEnd(told)
    if (isEnd || end === -Infinity) end = this.#nextEnd(end, waiting)
    rows.serve(this)
    while (end <= lastDueEnd && end < Infinity) {
      rows.setFloorEnd(told, end)
      if (waiting.length > 0) this.#lookUpLate(end, waiting)
      const fired =
        waiting.length > 0 ? rows.fireWithLate(told, out) : rows.fireDue(told, isEnd ? end : lastDueEnd, out)
      lastEnd = Math.max(lastEnd, fired)
      end = rows.floorEnd(told)
      // Where one has no records, many may have none.
      if (end <= lastDueEnd) end = this.#nextEnd(end, waiting)
    }
    rows.flush(out)
    return lastEnd
  }

  /** Takes note that all windows have fired that end at `watermark` + 1 or earlier. */
  pass(watermark: number): void {
    this.#rows.setFloorEnd(this.#told, floorEndBehind(watermark, this.floorEnd, this.#slices))
  }

  /** The end of the first window with records that ends at `floorEnd` or later; +∞ where there is none. */
  #nextEnd(floorEnd: number, waiting: readonly WaitingSlice[]): number {
    const slices = this.#slices
    const first = this.#shared.runs.firstFrom(floorEnd - slices.size)
    if (first < floorEnd) return floorEnd
    let next = first === Infinity ? Infinity : slices.of(first).firstWindowEnd
    for (const { start, countsFrom } of waiting) {
      const end = Math.max(floorEnd, this.#countsFrom(countsFrom))
      if (end <= slices.of(start).lastWindowEnd) next = Math.min(next, end)
    }
    return next
  }

  /** The end of the first window for which records were on time that were for a moment of the grid. */
  #countsFrom(moment: number): number {
    return this.#slices.firstWindowEndBehind(moment - 1)
  }

  /** Looks up what waits of a window, which was late for a moment of the grid. */
  #lookUpLate(end: number, waiting: readonly WaitingSlice[]): void {
    const { runs } = this.#shared
    runs.lookUpNone()
    for (const { start, countsFrom, from, size } of waiting) {
      const isHeld = start >= end - this.#slices.size && start < end
      if (isHeld && this.#countsFrom(countsFrom) <= end) runs.appendPiece(from, size)
    }
  }

  /** What it uses is that of all. */
  release(): void {
    return
  }
}
