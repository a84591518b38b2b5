/**
 * Timers by when they are due: a binary heap. A timer that was moved or taken away stays in the heap, as nothing, until it
 * is the first.
 *
 * Invariant:
 * - TQ1 Timers are taken in order of their times, those of one time in the order in which they were set.
 */

/** A timer of a key. */
export interface Timer<K> {
  readonly owner: K
  /** Its kind: an index into the operator's. */
  readonly kind: number
  /** Tells timers of one kind and key apart. */
  readonly tag: string
  /** When it is due, in microseconds. */
  readonly time: number
  /** Grows from timer to timer. */
  readonly sequence: number
  /** Whether it still is to fire. */
  isSet: boolean
}

/** See the head of this file. */
export class TimerQueue<K> {
  readonly #heap: Timer<K>[] = []
  #gone = 0

  /** How many timers are set. */
  get size(): number {
    return this.#heap.length - this.#gone
  }

  /** When the first timer is due, or `Infinity`. */
  get firstTime(): number {
    this.#dropGone()
    return this.#heap[0]?.time ?? Infinity
  }

  /** When the last one is due, or `-Infinity`. */
  get lastTime(): number {
    let last = -Infinity
    for (const { isSet, time } of this.#heap) if (isSet && time > last) last = time
    return last
  }

  add(timer: Timer<K>): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(timer, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = timer
  }

  /** Takes a timer away, if it is set. */
  remove(timer: Timer<K>): void {
    if (!timer.isSet) return
    timer.isSet = false
    this.#gone++
    // So that timers that are moved again and again do not fill the memory.
    if (this.#gone > 64 && this.#gone > this.#heap.length / 2) this.#rebuild()
  }

  /** The first timer, if it is due at `time`: it is taken, and not set any more. */
  take(time: number): Timer<K> | undefined {
    if (this.firstTime > time) return undefined
    const timer = this.#pop()
    if (timer !== undefined) timer.isSet = false
    return timer
  }

  #dropGone(): void {
    while (this.#heap.length > 0 && !this.#heap[0]!.isSet) {
      this.#pop()
      this.#gone--
    }
  }

  #rebuild(): void {
    const left = this.#heap.filter(({ isSet }) => isSet)
    this.#heap.length = 0
    this.#gone = 0
    for (const timer of left) this.add(timer)
  }

  #pop(): Timer<K> | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore<K>(one: Timer<K>, other: Timer<K>): boolean {
  return one.time < other.time || (one.time === other.time && one.sequence < other.sequence)
}
