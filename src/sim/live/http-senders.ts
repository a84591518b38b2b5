/**
 * Programs that send records by HTTP, each over the network: one request at a time, repeated until an answer says that it is stored. They
 * live on other machines, so deaths of the job's process are silence to them.
 */
import { assert } from "../../base/assert.ts"
import type { Prng } from "../../base/prng.ts"
import type { InputDoor, Receipt } from "../../connectors/http/input-door.ts"
import { Refusal } from "../../connectors/http/refusal.ts"
import type { SimScheduler } from "../scheduler.ts"
import { DeadProcessError } from "../sim-call.ts"
import type { LiveRequest, LiveScenario } from "./live-scenario.ts"
import type { SimNetwork } from "./sim-network.ts"

const TIMEOUT_MICROS = 2_500_000
const RETRY_MICROS_MAX = 700_000
const PAUSE_MICROS_MAX = 400_000

/** What senders hear. */
type Answer = { readonly receipt: Receipt } | { readonly refusal: Refusal } | "unreachable"

/** See the head of this file. */
export class HttpSenders {
  /** The way into the job, while there is one. */
  door: InputDoor | undefined
  readonly acknowledged = new Set<LiveRequest>()
  /** How often each request was given to the job. */
  readonly deliveries = new Map<LiveRequest, number>()
  readonly findings: string[] = []
  readonly #scenario: LiveScenario
  readonly #scheduler: SimScheduler
  readonly #network: SimNetwork
  readonly #prng: Prng
  readonly #waiting: LiveRequest[]

  constructor(scenario: LiveScenario, scheduler: SimScheduler, network: SimNetwork, prng: Prng) {
    this.#scenario = scenario
    this.#scheduler = scheduler
    this.#network = network
    this.#prng = prng
    this.#waiting = [...scenario.requests]
    for (let sender = 0; sender < scenario.senders; sender++) this.#next()
  }

  /** Whether all is acknowledged. */
  get isDone(): boolean {
    return this.acknowledged.size === this.#scenario.requests.length
  }

  #next(): void {
    this.#after(PAUSE_MICROS_MAX, () => {
      const request = this.#waiting.shift()
      if (request !== undefined) this.#attempt(request)
    })
  }

  /** Sends a request and waits for an answer, as long as it waits for any. */
  #attempt(request: LiveRequest): void {
    let isOver = false
    const hear = (answer: Answer | undefined): void => {
      if (isOver) return
      isOver = true
      this.#hear(request, answer)
    }
    this.#network.send(() => this.#arrive(request, (answer) => this.#network.send(() => hear(answer))))
    this.#scheduler.schedule(TIMEOUT_MICROS, () => hear(undefined))
  }

  #hear(request: LiveRequest, answer: Answer | undefined): void {
    if (answer === undefined || answer === "unreachable" || "refusal" in answer) {
      if (typeof answer === "object" && answer.refusal.status < 500) {
        this.findings.push(`a request was refused as its sender's fault: ${answer.refusal.message}`)
      }
      this.#after(RETRY_MICROS_MAX, () => this.#attempt(request))
      return
    }
    const { records, isRepeated } = answer.receipt
    if (records !== request.records.length)
      this.findings.push(`${records} records were acknowledged, not ${request.records.length}`)
    if (this.acknowledged.has(request) && !isRepeated)
      this.findings.push("a request that was acknowledged was stored again")
    this.acknowledged.add(request)
    if (request.hasKey && this.#prng.chance(this.#scenario.forgetChance))
      this.#after(TIMEOUT_MICROS, () => this.#attempt(request))
    else this.#next()
  }

  /** A request has come to the machine of the job. */
  #arrive(request: LiveRequest, answer: (answer: Answer) => void): void {
    const { door } = this
    if (door === undefined) return answer("unreachable")
    const lines = request.records.map(({ id, key, value, at }) => JSON.stringify({ id, key, value, at }))
    const body = new TextEncoder().encode(lines.join("\n"))
    this.deliveries.set(request, (this.deliveries.get(request) ?? 0) + 1)
    const first = request.records[0]
    assert(first !== undefined, "a request has records")
    const take = async (): Promise<Receipt> => {
      door.expectOpen()
      return await door.take({ body, format: "json-lines", key: request.hasKey ? `request ${first.id}` : undefined })
    }
    take().then(
      (receipt) => answer({ receipt }),
      (error: unknown) => {
        if (error instanceof Refusal) answer({ refusal: error })
        else if (!(error instanceof DeadProcessError))
          this.findings.push(`a request could not be handled: ${String(error)}`)
      },
    )
  }

  #after(microsMax: number, perform: () => void): void {
    this.#scheduler.schedule(1 + this.#prng.below(microsMax), perform)
  }
}
