/**
 * A service that takes the requests of webhooks, on a machine of its own, behind a network: it knows every key for good, and what it takes counts
 * in the order in which it came.
 *
 * Invariants:
 * - HR1 A request counts once, whatever comes again under its key; a key that comes with another body is a finding.
 * - HR2 Whether it rejects a request depends on the request alone. All else that it answers is chance, and may be said of a request that it has taken.
 * - HR3 When it has healed, each request is accepted or rejected.
 */
import type { Prng } from "../../base/prng.ts"
import type { WebhookAnswer, WebhookRequest } from "../../connectors/http/webhook/exchange.ts"
import type { SimScheduler } from "../scheduler.ts"
import type { HookShape } from "./live-scenario.ts"
import type { LiveRow } from "./live-truth.ts"

/** It is away for so long at most. */
const AWAY_MICROS_MAX = 6_000_000
const RETRY_AFTER_S_MAX = 3
const decoder = new TextDecoder()

/** What comes back: an answer; or nothing but the end of the connection. */
export type ReceiverAnswer = WebhookAnswer | "cut"

/** See the head of this file. */
export class HookReceiver {
  readonly findings: string[] = []
  /** How often it has said that it would take no request at all. */
  strays = 0
  readonly #scheduler: SimScheduler
  readonly #prng: Prng
  readonly #refuses: (row: LiveRow) => boolean
  #shape: HookShape
  #awayUntil = 0
  readonly #bodies = new Map<string, string>()
  readonly #taken = new Map<string, LiveRow[]>()

  /** @param refuses the rows for which it rejects a request. */
  constructor(scheduler: SimScheduler, prng: Prng, shape: HookShape, refuses: (row: LiveRow) => boolean) {
    this.#scheduler = scheduler
    this.#prng = prng
    this.#shape = shape
    this.#refuses = refuses
  }

  /** The rows that an address has taken, in the order in which they count. */
  rowsOf(url: string): readonly LiveRow[] {
    return this.#taken.get(url) ?? []
  }

  /** It is away for a while; what it has taken stays. */
  restart(): void {
    this.#awayUntil = this.#scheduler.now + 1 + this.#prng.below(AWAY_MICROS_MAX)
  }

  /** HR3. */
  heal(): void {
    this.#shape = { ...this.#shape, failChance: 0, strayChance: 0, restarts: 0 }
    this.#awayUntil = 0
  }

  /** A request has come. */
  arrive(request: WebhookRequest): ReceiverAnswer {
    if (this.#scheduler.now < this.#awayUntil) return "cut"
    if (this.#prng.chance(this.#shape.strayChance)) {
      this.strays++
      return answer(this.#prng.pick([401, 404]))
    }
    if (!this.#prng.chance(this.#shape.failChance)) return answer(this.#take(request))
    const isTaken = this.#prng.chance(0.5)
    if (isTaken) this.#take(request)
    if (this.#prng.chance(0.4)) return "cut"
    const seconds = this.#prng.chance(0.5) ? String(1 + this.#prng.below(RETRY_AFTER_S_MAX)) : undefined
    return answer(this.#prng.pick([408, 429, 500, 503]), seconds)
  }

  /** HR1 and HR2; gives the status. */
  #take({ url, headers, body }: WebhookRequest): number {
    const key = headers["idempotency-key"] ?? ""
    const text = decoder.decode(body)
    const known = this.#bodies.get(key)
    if (known !== undefined && known !== text) this.findings.push(`the key ${key} came with another body`)
    this.#bodies.set(key, text)
    const rows = rowsOfBody(text)
    if (rows.some(this.#refuses)) return 422
    if (known === undefined) this.#taken.set(url, [...this.rowsOf(url), ...rows])
    return 200
  }
}

function answer(status: number, retryAfter?: string): WebhookAnswer {
  return { status, statusText: "", retryAfter, text: "" }
}

function rowsOfBody(text: string): LiveRow[] {
  if (text.startsWith("[")) return JSON.parse(text) as LiveRow[]
  const lines = text.split("\n").filter((line) => line !== "")
  return lines.map((line) => JSON.parse(line) as LiveRow)
}
