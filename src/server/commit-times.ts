/**
 * How long commits took, as a histogram in the manner of Prometheus: each bucket counts those that took so long or less.
 *
 * Invariant:
 * - CT1 Buckets never fall, each is at most the next, and the last one that is told (+Inf) is the count.
 */

/** The upper bounds of the buckets in seconds: from what a commit into memory takes to what nobody should wait for. */
const BOUNDS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** See the head of this file. */
export class CommitTimes {
  readonly #buckets = BOUNDS_SECONDS.map(() => 0)
  count = 0
  sumSeconds = 0

  add(micros: number): void {
    const seconds = micros / 1_000_000
    this.count++
    this.sumSeconds += seconds
    BOUNDS_SECONDS.forEach((bound, index) => {
      if (seconds <= bound) this.#buckets[index]!++
    })
  }

  /** Each bound with how many took so long or less. */
  get buckets(): readonly (readonly [boundSeconds: number, count: number])[] {
    return BOUNDS_SECONDS.map((bound, index) => [bound, this.#buckets[index]!])
  }
}
