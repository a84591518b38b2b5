/**
 * Keeps an output from hammering a receiver that does not answer, or says that it has too much to do.
 *
 * Closed, requests pass. After some failures in a row, or one that says when to come again, it is open: nothing is sent for a while, which doubles each
 * time. Then it is half open: one request at a time passes, and what becomes of it closes or opens it.
 *
 * Invariants:
 * - CB1 While it is open nothing is sent.
 * - CB2 It is open for as long as the receiver has asked for, at least.
 * - CB3 An answer that is no failure closes it.
 */

/** How it waits. */
export interface BreakerPolicy {
  /** So many failures in a row open it. */
  readonly failures: number
  readonly initialMicros: number
  readonly maxMicros: number
}

/** See the head of this file. */
export class CircuitBreaker {
  readonly #policy: BreakerPolicy
  readonly #random: () => number
  #failures = 0
  #openings = 0
  #openUntilMicros: number | undefined
  #reason = ""

  /** @param random a number in [0, 1). */
  constructor(policy: BreakerPolicy, random: () => number) {
    this.#policy = policy
    this.#random = random
  }

  /** Why it is not closed. */
  get reason(): string | undefined {
    return this.#openUntilMicros === undefined ? undefined : this.#reason
  }

  /** When it is to be asked again, where it is open now. */
  openUntil(nowMicros: number): number | undefined {
    return this.#openUntilMicros !== undefined && nowMicros < this.#openUntilMicros ? this.#openUntilMicros : undefined
  }

  /** How many requests may be under way. */
  allowed(nowMicros: number): number {
    if (this.#openUntilMicros === undefined) return Infinity
    return nowMicros < this.#openUntilMicros ? 0 : 1
  }

  /** The receiver has answered otherwise than by a failure. */
  answered(): void {
    this.#failures = 0
    this.#openings = 0
    this.#openUntilMicros = undefined
  }

  /** @param waitMicros for how long the receiver has asked. */
  failed(nowMicros: number, reason: string, waitMicros = 0): void {
    this.#reason = reason
    this.#failures++
    const isOpen = this.openUntil(nowMicros) !== undefined
    // What was under way when it opened says nothing new.
    if (isOpen) this.#openUntilMicros = Math.max(this.#openUntilMicros!, nowMicros + waitMicros)
    if (isOpen || (this.#openUntilMicros === undefined && waitMicros === 0 && this.#failures < this.#policy.failures))
      return
    const { initialMicros, maxMicros } = this.#policy
    const longest = Math.min(maxMicros, initialMicros * 2 ** this.#openings++)
    const micros = longest / 2 + this.#random() * (longest / 2)
    this.#openUntilMicros = nowMicros + Math.max(Math.ceil(micros), waitMicros)
  }
}

/** How long to wait before a request is tried again that has failed so often: back-off with full jitter. */
export function backOffMicros(
  { initialMicros, maxMicros }: Pick<BreakerPolicy, "initialMicros" | "maxMicros">,
  failures: number,
  random: () => number,
): number {
  return Math.ceil(random() * Math.min(maxMicros, initialMicros * 2 ** (failures - 1)))
}
