/**
 * Windows by when they are due: a binary heap, so that a watermark that none of n windows waits for costs one comparison,
 * and one for which k are due O(k log n).
 */

/** What has a next moment. */
export interface Due {
  /** The end of its first window that has not fired; −∞ before the first. */
  readonly floorEnd: number
}

/** See the head of this file. */
export class DueWindows<T extends Due> {
  #windows: readonly T[] = []
  /** By place: which window is there, and when it is due, as it was when it came to its place. */
  #order = new Int32Array(0)
  #ends = new Float64Array(0)

  /** The end of the window that is due first; +∞ where there is none. */
  get firstEnd(): number {
    return this.#ends.length === 0 ? Infinity : this.#ends[0]!
  }

  /** The window that is due first. */
  get first(): T {
    return this.#windows[this.#order[0]!]!
  }

  /** Takes these windows, in place of those of before. */
  fill(windows: readonly T[]): void {
    const ends = windows.map(({ floorEnd }) => floorEnd)
    const ordered = ends
      .map((_, window) => window)
      .sort((one, other) => (ends[one] === ends[other] ? one - other : ends[one]! - ends[other]!))
    this.#windows = [...windows]
    this.#order = Int32Array.from(ordered)
    this.#ends = Float64Array.from(ordered, (window) => ends[window]!)
  }

  /** Takes note that the first window is now due when one that ends at `end` is. */
  postponeFirst(end: number): void {
    const [order, ends] = [this.#order, this.#ends]
    const window = order[0]!
    let place = 0
    for (let child = 1; child < ends.length; child = 2 * place + 1) {
      if (child + 1 < ends.length && ends[child + 1]! < ends[child]!) child++
      if (ends[child]! >= end) break
      order[place] = order[child]!
      ends[place] = ends[child]!
      place = child
    }
    order[place] = window
    ends[place] = end
  }
}
