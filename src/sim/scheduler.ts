/**
 * Virtual time: what is to happen when, and the loop that makes it happen.
 *
 * Nothing here waits in real time. Between two events the loop lets one macrotask of Node pass, so that all microtasks
 * of the program under test have run and everything that it wants of the world is in the queue. That is deterministic as
 * long as the program under test has no other source of macrotasks: no real timers, no real I/O, no threads.
 *
 * Invariants:
 * - Q1 Events fire in order of time, events of one time in the order in which they were scheduled.
 * - Q2 Time moves only by firing events, and by `runFor`, which leaves no event behind that was due.
 */
import { assert } from "../base/assert.ts"

/** Something that will happen at a virtual time. */
export interface SimEvent {
  readonly micros: number
  readonly order: number
  readonly fire: () => void
  isCancelled: boolean
}

/** The virtual clock and its queue of events. */
export class SimScheduler {
  #now = 0
  #order = 0
  /** A binary heap: the next event first. */
  readonly #heap: SimEvent[] = []
  #fired = 0

  /** Microseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** How many events have fired. */
  get fired(): number {
    return this.#fired
  }

  /** Puts an event in the queue. */
  schedule(delayMicros: number, fire: () => void): SimEvent {
    assert(delayMicros >= 0, "nothing is scheduled for the past")
    const event = { micros: this.#now + delayMicros, order: this.#order++, fire, isCancelled: false }
    this.#heap.push(event)
    this.#siftUp(this.#heap.length - 1)
    return event
  }

  /** Fires the next event; `false` where there is none. */
  step(): boolean {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.isCancelled) continue
      this.#now = event.micros
      this.#fired++
      event.fire()
      return true
    }
    return false
  }

  /**
   * Fires events until `isDone` says so, which is asked whenever the program under test has come to rest.
   *
   * @throws Error where nothing is left to happen, or more than `maxSteps` events have fired.
   */
  async runUntil(isDone: () => boolean, maxSteps = 5_000_000): Promise<void> {
    for (let steps = 0; ; steps++) {
      await programAtRest()
      if (isDone()) return
      if (steps > maxSteps) throw new Error(`The program is still busy after ${maxSteps} simulated events.`)
      if (!this.step()) throw new Error("The program waits for something that will never happen.")
    }
  }

  /**
   * Lets so much time pass: fires what is due until then, also what comes of it, and stands still there.
   *
   * @throws Error where more than `maxSteps` events have fired.
   */
  async runFor(micros: number, maxSteps = 5_000_000): Promise<void> {
    assert(micros >= 0, "time does not go back")
    const end = this.#now + micros
    for (let steps = 0; ; steps++) {
      await programAtRest()
      const next = this.#next()
      if (next === undefined || next.micros > end) break
      if (steps > maxSteps) throw new Error(`The program is still busy after ${maxSteps} simulated events.`)
      this.step()
    }
    this.#now = end
  }

  /** The next event that is not cancelled. */
  #next(): SimEvent | undefined {
    while (this.#heap[0]?.isCancelled) this.#pop()
    return this.#heap[0]
  }

  #pop(): SimEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    this.#siftDown()
    return first
  }

  #siftUp(from: number): void {
    const heap = this.#heap
    const event = heap[from]!
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #siftDown(): void {
    const heap = this.#heap
    const event = heap[0]!
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, event)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = event
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.micros < b.micros || (a.micros === b.micros && a.order < b.order)
}

/** Resolves when every microtask there is has run. */
function programAtRest(): Promise<void> {
  // eslint-disable-next-line no-restricted-globals -- This is the one place where simulated time meets the event loop.
  return new Promise((resolve) => setImmediate(resolve))
}
