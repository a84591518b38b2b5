/**
 * The slices that have records for windows which have not fired yet.
 *
 * Finding the windows that are due costs nothing while there is none: the earliest end is kept. The order of slices is
 * restored when a window fires, not when a slice comes; records come nearly in order, so there is little to sort.
 *
 * Invariants:
 * - OS1 `earliestEnd` is the least `nextEnd` of all open slices.
 * - OS2 A slice leaves when the last window that it lies in has passed.
 */
import { assert } from "../../base/assert.ts"
import { compareSlices, Slice } from "./slice.ts"
import type { Slices, SliceBounds } from "./slices.ts"
import type { SliceTable } from "./slice-table.ts"

/** See the head of this file. */
export class OpenSlices {
  readonly #slices: Slices
  readonly #newTable: () => SliceTable
  /** By start; those with the same bounds in one list. Some may have no records yet. */
  readonly #byStart = new Map<number, Slice[]>()
  /** Those that are open, from `#head` on. */
  #list: Slice[] = []
  #head = 0
  #isSorted = true
  #earliestEnd = Infinity

  constructor(slices: Slices, newTable: () => SliceTable) {
    this.#slices = slices
    this.#newTable = newTable
  }

  /** The end of the next window to fire; +∞ where no slice is open. */
  get earliestEnd(): number {
    return this.#earliestEnd
  }

  /** All open slices, in no particular order. */
  get all(): readonly Slice[] {
    return this.#head === 0 ? this.#list : this.#list.slice(this.#head)
  }

  /** The slice with these bounds whose records count from the given window on. A new one is not open yet. */
  at(bounds: SliceBounds, countsFrom: number): Slice {
    const siblings = this.#byStart.get(bounds.start)
    const found = siblings?.find((slice) => slice.countsFrom === countsFrom)
    if (found !== undefined) return found
    const slice = new Slice(bounds, countsFrom, this.#newTable())
    if (siblings === undefined) this.#byStart.set(bounds.start, [slice])
    else siblings.push(slice)
    return slice
  }

  /** Takes note of what became of a slice that `at` gave: with records it is open, without it is forgotten. */
  settle(slice: Slice): void {
    if (slice.isOpen) return
    if (slice.table.size === 0) {
      const others = this.#byStart.get(slice.bounds.start)!.filter((other) => other !== slice)
      if (others.length === 0) this.#byStart.delete(slice.bounds.start)
      else this.#byStart.set(slice.bounds.start, others)
      return
    }
    slice.isOpen = true
    const last = this.#list[this.#list.length - 1]
    if (last !== undefined && compareSlices(last, slice) > 0) this.#isSorted = false
    this.#list.push(slice)
    this.#earliestEnd = Math.min(this.#earliestEnd, slice.nextEnd)
  }

  /** The slices whose records count in the window that ends at `earliestEnd`, in order. */
  membersOfEarliest(): Slice[] {
    this.#sort()
    const end = this.#earliestEnd
    const members: Slice[] = []
    for (let at = this.#head; at < this.#list.length; at++) {
      const slice = this.#list[at]!
      if (slice.bounds.start >= end) break
      if (slice.countsFrom <= end) members.push(slice)
    }
    assert(members.length > 0, "a window that is due has records")
    return members
  }

  /** Takes note that the window that ends at `earliestEnd`, whose slices are given, has fired. */
  pass(members: readonly Slice[]): void {
    const end = this.#earliestEnd
    for (const slice of members) {
      assert(slice.nextEnd === end, "a window fires once")
      slice.nextEnd = end + this.#slices.slide
    }
    // Slices leave in order, as the last window of one never ends before that of an earlier one.
    while (this.#head < this.#list.length && this.#list[this.#head]!.bounds.lastWindowEnd <= end) {
      const slice = this.#list[this.#head++]!
      slice.isOpen = false
      this.#forget(slice)
    }
    if (this.#head * 2 > this.#list.length) {
      this.#list = this.#list.slice(this.#head)
      this.#head = 0
    }
    this.#findEarliest()
  }

  /**
   * Forgets a slice and those with the same bounds. Their list is emptied, as outgrown tables of the map still refer to
   * it: once one of those is tenured, it and all later ones stay until the next full collection.
   */
  #forget({ bounds }: Slice): void {
    const siblings = this.#byStart.get(bounds.start)
    if (siblings !== undefined) siblings.length = 0
    this.#byStart.delete(bounds.start)
  }

  /** Forgets the slices all of whose windows end at `end` or earlier, and passes over those windows of the others. */
  passAllUntil(end: number): void {
    this.#sort()
    const kept: Slice[] = []
    for (let at = this.#head; at < this.#list.length; at++) {
      const slice = this.#list[at]!
      slice.nextEnd = Math.max(slice.countsFrom, this.#slices.firstWindowEndBehind(end))
      slice.isOpen = slice.nextEnd <= slice.bounds.lastWindowEnd
      if (slice.isOpen) kept.push(slice)
      else this.#forget(slice)
    }
    this.#list = kept
    this.#head = 0
    this.#findEarliest()
  }

  #sort(): void {
    if (this.#isSorted) return
    this.#list = this.#list.slice(this.#head).sort(compareSlices)
    this.#head = 0
    this.#isSorted = true
  }

  /** Windows end behind the start of each of their slices: behind the first end found, no slice can have an earlier one. */
  #findEarliest(): void {
    this.#earliestEnd = Infinity
    for (let at = this.#head; at < this.#list.length; at++) {
      const slice = this.#list[at]!
      if (slice.bounds.start >= this.#earliestEnd) return
      this.#earliestEnd = Math.min(this.#earliestEnd, slice.nextEnd)
    }
  }

  /** How many groups all slices have together. */
  countGroups(): number {
    let count = 0
    for (let at = this.#head; at < this.#list.length; at++) count += this.#list[at]!.table.size
    return count
  }

  /** How many windows have records and have not fired. */
  countWindows(): number {
    this.#sort()
    let count = 0
    /** The end of the last window counted. */
    let counted = -Infinity
    const byNextEnd = [...this.all].sort((one, other) => one.nextEnd - other.nextEnd)
    for (const { nextEnd, bounds } of byNextEnd) {
      const from = Math.max(nextEnd, counted + this.#slices.slide)
      if (from > bounds.lastWindowEnd) continue
      count += (bounds.lastWindowEnd - from) / this.#slices.slide + 1
      counted = bounds.lastWindowEnd
    }
    return count
  }
}
