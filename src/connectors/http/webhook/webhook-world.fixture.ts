/**
 * A world with a receiver in it: requests and answers take virtual time, some are lost, and a process may die before a request leaves it or behind
 * its arrival. The receiver is on another machine: it stays, and knows every key.
 */
import { assert } from "../../../base/assert.ts"
import { Prng } from "../../../base/prng.ts"
import { SimWorld, type SimEnv } from "../../../sim/sim-env.ts"
import { ExchangeError, type Exchange, type WebhookAnswer, type WebhookRequest } from "./exchange.ts"

const LATENCY_MICROS_MAX = 20_000
const ENDED = "the request was ended"

/** How bad the network and the receiver are. */
export interface ReceiverShape {
  /** The chance that a request does not arrive, that its answer does not, and that it is refused for now. */
  readonly lossChance: number
  /** What the receiver rejects for good. */
  readonly rejects?: (body: string) => boolean
}

/** A body that counts, in the order in which they were taken. */
export interface TakenBody {
  readonly key: string
  readonly text: string
}

const decoder = new TextDecoder()

/** See the head of this file. */
export class WebhookWorld extends SimWorld implements Exchange {
  readonly taken: TakenBody[] = []
  /** What was done wrong. */
  readonly findings: string[] = []
  /** How many requests have come, and how many with a key that had come before. */
  arrivals = 0
  repeats = 0
  #shape: ReceiverShape
  readonly #prng: Prng
  readonly #bodies = new Map<string, string>()
  #lives = 0

  constructor(seed: number, shape: ReceiverShape) {
    super({ seed })
    this.#shape = shape
    this.#prng = new Prng(seed * 7 + 1)
  }

  override boot(): SimEnv {
    this.#lives++
    return super.boot()
  }

  /** From now on nothing is lost. */
  heal(): void {
    this.#shape = { ...this.#shape, lossChance: 0 }
  }

  send({ headers, body }: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
    const never = new Promise<never>(() => undefined)
    if (!this.isAlive) return never
    const life = this.#lives
    const fault = this.faults.strike({ step: "sink.webhook.send", operation: "write", occurrence: 0 })
    if (fault === "crash-before" || fault === "kill-before") return this.#die(fault, never)
    if (signal.aborted) return Promise.reject(new ExchangeError(ENDED))
    const key = headers["idempotency-key"]
    assert(key !== undefined, "a request has a key")
    const text = decoder.decode(body)
    return new Promise((resolve, reject) => {
      const hears = (): boolean => this.isAlive && life === this.#lives
      signal.addEventListener("abort", () => {
        if (hears()) reject(new ExchangeError(ENDED))
      })
      const answer = (status: number): void => {
        this.#later(() => {
          if (hears()) resolve({ status, statusText: "", retryAfter: undefined, text: "" })
        })
      }
      if (fault === "eio" || this.#isLost()) {
        this.#later(() => {
          if (hears()) reject(new ExchangeError("the request was lost"))
        })
        return
      }
      this.#later(() => {
        // Where it comes late, the process that has sent it may be gone.
        if (this.#isLost()) return answer(503)
        const status = this.#arrive(key, text)
        if ((fault === "crash-after" || fault === "kill-after") && hears()) return void this.#die(fault, never)
        if (fault === "enospc" || this.#isLost()) {
          this.#later(() => {
            if (hears()) reject(new ExchangeError("the answer was lost"))
          })
        } else answer(status)
      })
    })
  }

  close(): void {}

  #arrive(key: string, text: string): number {
    this.arrivals++
    const before = this.#bodies.get(key)
    if (before !== undefined) {
      this.repeats++
      if (before !== text) this.findings.push(`the key ${key} came with another body`)
    }
    this.#bodies.set(key, text)
    if (this.#shape.rejects?.(text) === true) return 422
    if (before === undefined) this.taken.push({ key, text })
    return 200
  }

  #isLost(): boolean {
    return this.#prng.chance(this.#shape.lossChance)
  }

  #later(perform: () => void): void {
    this.scheduler.schedule(1 + this.#prng.below(LATENCY_MICROS_MAX), perform)
  }

  #die(fault: string, never: Promise<never>): Promise<never> {
    if (fault.startsWith("crash")) this.crash()
    else this.kill()
    return never
  }
}
