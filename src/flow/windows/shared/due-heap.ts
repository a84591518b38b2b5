/**
 * Windows by when they are due, in linear memory: a binary heap whose first window a kernel fires and puts back where it
 * belongs (`due-code.ts`), so that a watermark for which k of n windows are due costs O(k log n), and none of it is JavaScript.
 *
 * By place, 16 bytes; behind the last window is a place that is due never:
 *
 *      0  when it is due: the end of its first window that has not fired, a double     8  which it is: 4 bytes
 */
import { assert } from "../../../base/assert.ts"
import type { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import { DUE, DUE_BYTES } from "./due-code.ts"

const SMALLEST = 16

/** See the head of this file. */
export class DueHeap {
  readonly #places: LinearArray
  #count = 0

  constructor(arena: Arena) {
    this.#places = new LinearArray(arena, 8, (SMALLEST * DUE_BYTES) / 8)
    this.#write(0, Infinity, 0)
  }

  /** Where it lies; another address after windows were taken. */
  get address(): number {
    return this.#places.address
  }

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** When the first is due; +∞ where there is none. */
  get firstEnd(): number {
    return this.#places.f64[0]!
  }

  /** Which is due first. */
  get first(): number {
    return this.#places.i32[DUE.window / 4]!
  }

  /** Takes the window of the next number, which is due at once, as all others are: −∞. */
  add(): void {
    assert(this.#count === 0 || this.firstEnd === -Infinity, "no window has fired")
    this.#places.reserve(((this.#count + 2) * DUE_BYTES) / 8)
    this.#write(this.#count, -Infinity, this.#count)
    this.#count++
    this.#write(this.#count, Infinity, 0)
  }

  /** Takes note when each window is due, by number. */
  fill(ends: readonly number[]): void {
    assert(ends.length === this.#count, "all windows were added")
    const order = ends.map((_, window) => window)
    // A sorted list is a heap. Ends may be −∞, of which there is no difference.
    order.sort((one, other) => (ends[one] === ends[other] ? one - other : ends[one]! < ends[other]! ? -1 : 1))
    order.forEach((window, place) => this.#write(place, ends[window]!, window))
  }

  #write(place: number, end: number, window: number): void {
    this.#places.f64[(place * DUE_BYTES + DUE.end) / 8] = end
    this.#places.i32[(place * DUE_BYTES + DUE.window) / 4] = window
  }

  release(): void {
    this.#places.release()
  }
}
