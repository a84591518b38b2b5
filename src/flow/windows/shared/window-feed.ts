/**
 * Feeds a window with entries of slices that it shares with others.
 *
 * A window's own slice is made of slices of the grid. When it is final, as the first window that holds it is due, its entries are
 * merged from those (`merged-runs.ts`) into a piece of the window's own memory. Records that were late for a moment of the
 * grid lie in slices of the grid that wait apart: where they were on time for the window's own slice they are merged
 * behind the others; else they become a piece that waits for the first window in which they count.
 *
 * So the window has the pieces that it would have alone, of the same records; what differs is in which order they were
 * added (W21).
 *
 * Invariants:
 * - WF1 Each slice of the window is taken in once, when all that is on time for it has come.
 * - WF2 What was taken in is a cache: after `forget` it is made again from the slices that are shared.
 */
import type { Arena } from "../../../batch/arena.ts"
import { EntryTable } from "./entry-table.ts"
import type { MergeFunctions } from "./merge-code.ts"
import type { SourceTables } from "./merged-runs.ts"
import type { SharedSlices, WaitingSlice } from "./shared-slices.ts"
import type { SliceBounds, Slices } from "../kernels/slices.ts"
import { CONTROL, PIECE } from "../kernels/window-control.ts"
import type { WindowMemory } from "../window-memory.ts"
import type { PiecePlace, WindowPieces } from "../window-pieces.ts"

/** What a window is fed with. */
export interface WindowFeedParts {
  readonly shared: SharedSlices
  readonly slices: Slices
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  /** By field of the window's entries: which of the shared ones it is. */
  readonly fields: readonly number[]
  readonly code: MergeFunctions
  /** Where the shared ones lie. */
  readonly sources: SourceTables
}

/** See the head of this file. */
export class WindowFeed {
  readonly #parts: WindowFeedParts
  readonly #own: EntryTable
  /** For how many entries there was room when the table was written: with more, they lie elsewhere. */
  #ownCapacity = 0
  /** Own slices that start earlier are taken in, or no window needs them. */
  #nextStart = -Infinity
  /** Late records that count from windows on that end by then are taken in: those to come count from later ones. */
  #takenEnd = -Infinity

  constructor(arena: Arena, parts: WindowFeedParts) {
    this.#parts = parts
    const { memory, fields } = parts
    this.#own = new EntryTable(
      arena,
      memory,
      fields.map((_, field) => field),
    )
  }

  /** Slices of the grid that start earlier are not asked for any more. */
  get nextStart(): number {
    return this.#nextStart
  }

  release(): void {
    this.#own.release()
  }

  /** Forgets what was taken in; `floorEnd` is the end of the first window that has not fired. */
  forget(floorEnd: number): void {
    const { pieces, memory, slices } = this.#parts
    pieces.drop(Infinity)
    memory.forgetKeys()
    this.#nextStart = floorEnd - slices.size
    this.#takenEnd = -Infinity
  }

  /** Takes in all that counts in windows that end at `lastDueEnd` or earlier, of which `floorEnd` is the first. */
  take(lastDueEnd: number, floorEnd: number): void {
    const { shared, slices, memory } = this.#parts
    const { runs } = shared
    const waiting = shared.waiting
    memory.reserveKeys(shared.stored.keys.size)
    for (;;) {
      const late = waiting.find(({ start }) => start >= this.#nextStart)
      const first = Math.min(runs.firstFrom(this.#nextStart), late === undefined ? Infinity : late.start)
      if (first === Infinity) break
      const bounds = slices.of(first)
      if (bounds.firstWindowEnd > lastDueEnd) break
      this.#takeSlice(bounds, waiting)
      this.#nextStart = bounds.end
    }
    if (waiting.length > 0) this.#takeLate(lastDueEnd, floorEnd, waiting)
  }

  /** A slice's records that were on time for all of its windows. */
  #takeSlice(bounds: SliceBounds, waiting: readonly WaitingSlice[]): void {
    const { runs } = this.#parts.shared
    runs.lookUp(bounds.start, bounds.end)
    for (const { start, countsFrom, from, size } of waiting) {
      const isOnTime = start >= bounds.start && start < bounds.end && countsFrom <= bounds.firstWindowEnd
      if (isOnTime) runs.appendPiece(from, size)
    }
    // There may be no more than records that were late for all windows of the slice.
    if (runs.rangeEntries === 0) return
    this.#append(() => {
      const { pieces, memory } = this.#parts
      pieces.openLast(bounds)
      return { list: memory.pieces, index: memory.tail - 1 }
    })
  }

  /** Records that were late for some of their slices' windows, and count in one that is due. */
  #takeLate(lastDueEnd: number, floorEnd: number, waiting: readonly WaitingSlice[]): void {
    const { shared, slices, pieces } = this.#parts
    const counted = waiting.map((slice) => {
      const bounds = slices.of(slice.start)
      return { ...slice, bounds, from: slice.from, counts: slices.firstWindowEndBehind(slice.countsFrom - 1) }
    })
    const due = counted.filter(({ bounds, counts }) => {
      const isLate = counts > bounds.firstWindowEnd && counts <= bounds.lastWindowEnd
      return isLate && counts > this.#takenEnd && counts <= lastDueEnd && bounds.lastWindowEnd >= floorEnd
    })
    const isSame = (one: (typeof due)[number], other: (typeof due)[number]) =>
      one.bounds.start === other.bounds.start && one.counts === other.counts
    due.forEach((slice, index) => {
      if (due.findIndex((other) => isSame(slice, other)) !== index) return
      shared.runs.lookUpNone()
      for (const other of due) if (isSame(slice, other)) shared.runs.appendPiece(other.from, other.size)
      this.#append(() => pieces.at(slice.bounds, slice.counts))
    })
    this.#takenEnd = Math.max(this.#takenEnd, ...due.map(({ counts }) => counts))
  }

  /** Merges the entries that were looked up into a new piece. */
  #append(makePiece: () => PiecePlace): void {
    const { shared, memory, pieces, code, sources } = this.#parts
    pieces.reserveEntries(shared.runs.rangeEntries)
    if (this.#ownCapacity !== memory.entryCapacity) {
      this.#own.sync()
      this.#ownCapacity = memory.entryCapacity
    }
    const { list, index } = makePiece()
    const from = memory.get(CONTROL.entryTail)
    const { runs } = shared
    const tail = runs.merge(code.merge, this.#own, sources, runs.slots, from, from)
    list.set(index, PIECE.from, from)
    list.set(index, PIECE.size, tail - from)
    list.set(index, PIECE.capacity, tail - from)
    memory.set(CONTROL.entryTail, tail)
  }
}
