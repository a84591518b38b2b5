/**
 * How many rows to read at once, where an operator makes calls: so many that it is kept busy, and not many more, as what
 * waits for a call lies in memory and is written with the epoch.
 *
 * Not every row that is read comes to the operator. So a read that leaves room is followed by one twice as long, and one
 * that leaves none by one half as long.
 *
 * Invariant:
 * - CP1 Without calls, reads are of any length.
 */
import type { Plan } from "../flow/plan.ts"

/** See the head of this file. */
export class CallPace {
  readonly #least: number
  #rows: number

  constructor(plan: Plan) {
    const inFlight = plan.nodes.flatMap((node) => (node.kind === "asyncMap" ? [node.policy.inFlight] : []))
    this.#least = inFlight.length === 0 ? Infinity : Math.min(...inFlight)
    this.#rows = this.#least
  }

  /** How many rows to read at most. */
  get rows(): number {
    return this.#rows
  }

  /** Takes note of a read, and whether rows that came of it wait for a call. */
  read(rows: number, hasLeftWaiting: boolean): void {
    if (this.#least === Infinity || (rows < this.#rows && !hasLeftWaiting)) return
    this.#rows = Math.max(this.#least, hasLeftWaiting ? Math.floor(this.#rows / 2) : this.#rows * 2)
  }
}
