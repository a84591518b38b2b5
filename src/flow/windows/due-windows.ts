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
  readonly #windows: T[] = []
  /** By place: when the window there is due, as it was when it came to its place. */
  readonly #ends: number[] = []

  /** The end of the window that is due first; +∞ where there is none. */
  get firstEnd(): number {
    return this.#ends.length === 0 ? Infinity : this.#ends[0]!
  }

  /** The window that is due first. */
  get first(): T {
    return this.#windows[0]!
  }

  /** Puts all windows in order anew. */
  fill(windows: readonly T[]): void {
    const ordered = [...windows].sort((one, other) =>
      one.floorEnd < other.floorEnd ? -1 : one.floorEnd > other.floorEnd ? 1 : 0,
    )
    ordered.forEach((window, place) => this.#put(window, window.floorEnd, place))
  }

  /** Takes note that the first window is now due later. */
  postponeFirst(): void {
    const window = this.#windows[0]!
    const end = window.floorEnd
    const length = this.#ends.length
    let place = 0
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && this.#ends[child + 1]! < this.#ends[child]!) child++
      if (this.#ends[child]! >= end) break
      this.#put(this.#windows[child]!, this.#ends[child]!, place)
      place = child
    }
    this.#put(window, end, place)
  }

  #put(window: T, end: number, place: number): void {
    this.#windows[place] = window
    this.#ends[place] = end
  }
}
