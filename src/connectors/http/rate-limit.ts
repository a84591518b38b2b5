/**
 * How often each sender may come: a bucket of tokens that fills at a rate, and from which each request takes one.
 *
 * Invariant:
 * - RT1 In any span of `s` seconds a sender has at most `perSecond × s + burst` requests let in, while it is remembered.
 */

/** A rate, and how many may come at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

interface Bucket {
  tokens: number
  micros: number
}

/** So many senders are remembered; of more the one is forgotten that came last the longest ago. */
const SENDERS_MAX = 10_000

/** See the head of this file. */
export class RateLimit {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Lets a sender in, or gives how many seconds it should wait. */
  waitSeconds(sender: string, nowMicros: number): number | undefined {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(sender) ?? { tokens: burst, micros: nowMicros }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMicros - bucket.micros) / 1e6) * perSecond)
    bucket.micros = nowMicros
    this.#buckets.delete(sender)
    this.#buckets.set(sender, bucket)
    if (this.#buckets.size > SENDERS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
    bucket.tokens--
    return undefined
  }
}
