/**
 * Windows of which few overlap, over slices that are shared: when one is due its rows are made at once of the slices that
 * lie in it, in two halves of the longest runs of those (`half-code.ts`). Nothing else is kept from one window to the next.
 *
 * Invariants (rules of docs/spec/windows.md, beside W3):
 * - W6 A record that was late for some windows is in those that it was on time for.
 * - W24 Order and bits follow from the grid's runs and from where the window lies in the grid.
 */
import type { Emitter } from "../operator.ts"
import type { DirectRows } from "./direct-rows.ts"
import type { SharedFiring } from "./shared-firing.ts"
import type { SharedSlices, WaitingSlice } from "./shared-slices.ts"
import type { Slices } from "./slices.ts"
import type { FiredWindows } from "./window-firing.ts"
import type { ResultsOwner } from "./window-results.ts"

/** With more own slices than this in a window, what windows share is worth keeping up (0019). */
const SLICES_MAX = 6

/** See the head of this file. */
export class DirectFiring implements SharedFiring {
  readonly #owner: ResultsOwner
  readonly #slices: Slices
  readonly #shared: SharedSlices
  readonly #rows: DirectRows
  /** By which number `rows` knows these windows. */
  readonly #told: number

  /** Whether so few windows overlap. */
  static suits({ size, slide }: Slices): boolean {
    return (size / slide) * (size % slide === 0 ? 1 : 2) <= SLICES_MAX
  }

  constructor(owner: ResultsOwner, slices: Slices, shared: SharedSlices, rows: DirectRows) {
    this.#owner = owner
    this.#slices = slices
    this.#shared = shared
    this.#rows = rows
    this.#told = rows.tell(slices)
  }

  fireUntil(lastDueEnd: number, fired: FiredWindows, out: Emitter): number {
    const { slide } = this.#slices
    const rows = this.#rows
    const { waiting } = this.#shared
    // Most windows have records. At the end of all, a window without any is not to be looked at: some may still come for it.
    const isEnd = lastDueEnd === Infinity
    let lastEnd = -Infinity
    let end = fired.floorEnd
    if (isEnd || end === -Infinity) end = this.#nextEnd(end, waiting)
    rows.serve(this.#owner)
    while (end <= lastDueEnd && end < Infinity) {
      if (waiting.length > 0) {
        this.#lookUpLate(end, waiting)
        if (rows.fireWithLate(this.#told, end, out)) lastEnd = end
        end += slide
      } else {
        end = rows.fireDue(this.#told, end, isEnd ? end : lastDueEnd, out)
        lastEnd = Math.max(lastEnd, rows.lastEnd)
      }
      fired.passWindow(end - slide)
      // Where one has no records, many may have none.
      if (end <= lastDueEnd) end = this.#nextEnd(end, waiting)
    }
    rows.flush(out)
    return lastEnd
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

  neededFrom(floorEnd: number): number {
    return floorEnd - this.#slices.size
  }

  /** Nothing was kept. */
  forget(): void {
    return
  }

  release(): void {
    return
  }
}
