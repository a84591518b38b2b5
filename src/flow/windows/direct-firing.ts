/**
 * Windows of which few overlap, over slices that are shared: when one is due its rows are made at once of the slices that
 * lie in it, and of the longest runs of those (`merged-runs.ts`). Nothing is kept from one window to the next.
 *
 * Invariants (rules of docs/spec/windows.md, beside W3):
 * - W6 A record that was late for some windows is in those that it was on time for.
 * - W21 Windows, late rows, order and bits are those that the two stacks of `stacked-firing.ts` give.
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

/** A part of a window: all of its own slice that was on time for it, or what was late for some of its windows. */
interface Part {
  readonly from: number
  readonly until: number
  readonly isOnTime: boolean
  readonly waiting: WaitingSlice[]
}

/** Moments at which a window is cut into slices, behind its start. */
function edgesOf({ size, slide }: Slices): number[] {
  const edges: number[] = []
  const second = size % slide
  for (let period = 0; period <= size; period += slide) {
    edges.push(period)
    if (second > 0 && period + second <= size) edges.push(period + second)
  }
  return edges
}

/** See the head of this file. */
export class DirectFiring implements SharedFiring {
  readonly #owner: ResultsOwner
  readonly #slices: Slices
  readonly #shared: SharedSlices
  readonly #rows: DirectRows
  readonly #edges: readonly number[]
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
    this.#edges = edgesOf(slices)
    this.#told = rows.tell(slices, this.#edges)
  }

  fireUntil(lastDueEnd: number, fired: FiredWindows, out: Emitter): number {
    const { size, slide } = this.#slices
    const rows = this.#rows
    const { waiting } = this.#shared
    // Most windows have records. At the end of all, a window without any is not to be looked at: some may still come for it.
    const isEnd = lastDueEnd === Infinity
    let lastEnd = -Infinity
    let end = fired.floorEnd
    if (isEnd || end === -Infinity) end = this.#nextEnd(end, waiting)
    rows.serve(this.#owner, size)
    while (end <= lastDueEnd && end < Infinity) {
      if (waiting.length > 0) this.#takeParts(end, waiting)
      const hasRows = waiting.length > 0 ? rows.fireTaken(end, out) : rows.fire(this.#told, end, out)
      fired.passWindow(end)
      if (hasRows) lastEnd = end
      end += slide
      // Where one has no records, many may have none.
      if ((isEnd || !hasRows) && end <= lastDueEnd) end = this.#nextEnd(end, waiting)
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

  /** How many of the slices of the window that starts at `start` lie in its older block. */
  #olderSlices(start: number): number {
    const { offset, blockLength } = this.#slices
    const behind = (start - offset) % blockLength
    const into = behind < 0 ? behind + blockLength : behind
    const edges = this.#edges
    let count = edges.length - 1
    if (into === 0) return 0
    while (edges[count]! > blockLength - into) count--
    return count
  }

  /** Takes the slices of a window where records wait that were late for a moment of the grid. */
  #takeParts(end: number, waiting: readonly WaitingSlice[]): void {
    const start = end - this.#slices.size
    const older = this.#olderSlices(start)
    const parts = this.#edges.slice(0, -1).map((_, at) => this.#partsOf(start, at, end, waiting))
    for (const part of parts.slice(0, older).flat().reverse()) {
      this.#lookUp(part)
      this.#rows.takeOlder()
    }
    for (const part of parts.slice(older).flat()) {
      this.#lookUp(part)
      this.#rows.takeNewer()
    }
  }

  /** The parts of one slice that are in the window that ends at `end`, in order of the first window in which they count. */
  #partsOf(start: number, at: number, end: number, waiting: readonly WaitingSlice[]): Part[] {
    const [from, until] = [start + this.#edges[at]!, start + this.#edges[at + 1]!]
    const { firstWindowEnd } = this.#slices.of(from)
    const late = new Map<number, Part>()
    const onTime: Part = { from, until, isOnTime: true, waiting: [] }
    for (const slice of waiting) {
      if (slice.start < from || slice.start >= until) continue
      const counts = this.#countsFrom(slice.countsFrom)
      if (counts > end) continue
      let part = counts <= firstWindowEnd ? onTime : late.get(counts)
      if (part === undefined) late.set(counts, (part = { from, until, isOnTime: false, waiting: [] }))
      part.waiting.push(slice)
    }
    const inOrder = [...late].sort(([one], [other]) => one - other).map(([, part]) => part)
    return [onTime, ...inOrder]
  }

  #lookUp({ from, until, isOnTime, waiting }: Part): void {
    const { runs } = this.#shared
    if (isOnTime) runs.lookUp(from, until)
    else runs.lookUpNone()
    for (const slice of waiting) runs.appendPiece(slice.from, slice.size)
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
