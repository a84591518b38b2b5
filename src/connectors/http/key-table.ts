/**
 * The keys of requests that were stored of late: for a time, and not more than so many.
 *
 * Invariants:
 * - KT1 A key that was added is found until so many others were added behind it, or so much time has gone by.
 * - KT2 Keys are forgotten in the order in which they were added.
 */

/** What is known of a stored request. */
export interface StoredRequest {
  /** The digest of what was sent, a unit for each byte. */
  readonly sent: string
  readonly records: number
  /** When it was stored, in µs since 1970. */
  readonly storedMicros: number
}

/** How long keys are remembered. */
export interface KeyPolicy {
  readonly count: number
  readonly micros: number
}

/** See the head of this file. */
export class KeyTable {
  readonly #policy: KeyPolicy
  /** By the digest of the key, in the order in which they were added. */
  readonly #requests = new Map<string, StoredRequest>()

  constructor(policy: KeyPolicy) {
    this.#policy = policy
  }

  get size(): number {
    return this.#requests.size
  }

  /** All that is known, oldest first. */
  entries(): IterableIterator<[string, StoredRequest]> {
    return this.#requests.entries()
  }

  find(digest: string, nowMicros: number): StoredRequest | undefined {
    const request = this.#requests.get(digest)
    return request === undefined || this.#isOver(request, nowMicros) ? undefined : request
  }

  /** Takes a request that was just stored; one of which the key is known already changes nothing. */
  add(digest: string, request: StoredRequest, nowMicros: number): void {
    if (this.find(digest, nowMicros) !== undefined) return
    this.#requests.delete(digest)
    this.#requests.set(digest, request)
    this.forget(nowMicros)
  }

  /** Forgets what is too old, or too much. */
  forget(nowMicros: number): void {
    for (const [digest, request] of this.#requests) {
      if (this.#requests.size <= this.#policy.count && !this.#isOver(request, nowMicros)) return
      this.#requests.delete(digest)
    }
  }

  #isOver({ storedMicros }: StoredRequest, nowMicros: number): boolean {
    return storedMicros < nowMicros - this.#policy.micros
  }
}

/** A digest as a text with a unit for each byte: maps take it, and it takes a byte each. */
export function digestText(digest: Uint8Array): string {
  return String.fromCharCode(...digest)
}

/** The digest that a text stands for. */
export function digestOf(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0))
}
