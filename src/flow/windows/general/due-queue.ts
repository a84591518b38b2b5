/**
 * What waits for a moment: the earliest first. What is put in stays where it is, also where its moment is put off: whoever
 * takes it out asks it again.
 *
 * Invariant:
 * - DQ1 `take` gives what was put in, each once, in ascending order of the moments under which it was put in.
 */

/** A binary heap by time. */
export class DueQueue<T> {
  readonly #times: number[] = []
  readonly #items: T[] = []

  /** The earliest moment; +∞ where nothing waits. */
  get first(): number {
    return this.#times[0] ?? Infinity
  }

  /** What `take` would give. */
  get next(): T | undefined {
    return this.#items[0]
  }

  /** All that waits, in no order. */
  items(): T[] {
    return [...this.#items]
  }

  put(time: number, item: T): void {
    let at = this.#items.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#times[parent]! <= time) break
      this.#times[at] = this.#times[parent]!
      this.#items[at] = this.#items[parent]!
      at = parent
    }
    this.#times[at] = time
    this.#items[at] = item
  }

  /** Takes out one of those with the earliest moment. There must be one. */
  take(): T {
    const [times, items] = [this.#times, this.#items]
    const taken = items[0]!
    const time = times.pop()!
    const item = items.pop()!
    const { length } = items
    if (length === 0) return taken
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && times[child + 1]! < times[child]!) child++
      if (times[child]! >= time) break
      times[at] = times[child]!
      items[at] = items[child]!
      at = child
    }
    times[at] = time
    items[at] = item
    return taken
  }
}
