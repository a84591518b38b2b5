/**
 * Sends what an outbox has, as many requests at a time as it may, until each is answered.
 *
 * What fails is tried again behind a wait of its own; failures in a row open the circuit breaker, which stops all. What the receiver rejects is
 * set aside, or ends the job, as was asked for.
 *
 * Invariants (`docs/spec/webhook.md`):
 * - DP1 A request is acknowledged when the receiver has accepted it, or when it has been set aside durably.
 * - DP2 When the job is asked to stop, what is sent on is what goes through: at the first failure, or after ten seconds, the rest is left.
 */
import type { Env } from "../../../env/env.ts"
import { backOffMicros, type BreakerPolicy, CircuitBreaker } from "./circuit-breaker.ts"
import { ExchangeError, verdictOf, type Verdict, type WebhookAnswer } from "./exchange.ts"
import type { Outbox, OutboxRequest } from "./outbox.ts"

/** Why a wait ends that is not needed any more; without it an error would be made for each. */
const OVER = "over"
const STOP_GRACE_MICROS = 10_000_000
/** A request that has failed so often is told of, though the breaker is closed as others pass. */
const TOLD_FAILURES = 5

/** How requests are sent and tried again. */
export interface DispatchPolicy extends BreakerPolicy {
  readonly concurrency: number
  readonly timeoutMicros: number
  /** For how long a request is tried before it is rejected. */
  readonly forMicros: number
}

/** What it is made of. */
export interface DispatcherParts {
  readonly outbox: Outbox
  readonly policy: DispatchPolicy
  readonly env: Pick<Env, "clock" | "timers" | "randomUint32">
  /** Sends a request. */
  readonly send: (request: OutboxRequest, signal: AbortSignal) => Promise<WebhookAnswer>
  /** Makes durable that a request was rejected, or throws what ends the job. */
  readonly setAside: (request: OutboxRequest, reason: string) => Promise<void>
  /** The error that ends the job where the receiver would take no request. */
  readonly misdirected: (reason: string) => Error
  /** Something was acknowledged, or left. */
  readonly onProgress: () => void
  readonly onFailure: (error: unknown) => void
}

/** See the head of this file. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #breaker: CircuitBreaker
  readonly #random: () => number
  /** Ends of all waits, for timers and for answers. */
  readonly #ends = new Set<AbortController>()
  #isClosing = false
  readonly #underWay = new Set<Promise<void>>()
  /** Those that have failed often, and why. */
  readonly #stubborn = new Map<OutboxRequest, string>()
  #state: "running" | "stopping" | "halted" = "running"
  #reason: string | undefined
  /** The end of the breaker's wait that somebody waits for. */
  #awaitedMicros: number | undefined

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    this.#random = () => parts.env.randomUint32() / 2 ** 32
    this.#breaker = new CircuitBreaker(parts.policy, this.#random)
  }

  /** Whether nothing is sent any more, as the job stops. */
  get isHalted(): boolean {
    return this.#state === "halted" && this.#underWay.size === 0
  }

  /** What it waits for, as a clause. */
  get waitsFor(): string | undefined {
    if (this.#parts.outbox.isEmpty) return undefined
    if (this.#state === "halted") return this.#reason ?? "the job was asked to stop"
    return this.#breaker.reason ?? this.#stubborn.values().next().value
  }

  /** Sends what can be sent now. */
  pump(): void {
    const { outbox, env, policy } = this.#parts
    if (this.#state === "halted" || this.#isClosing) return
    const nowMicros = env.clock.monotonicMicros()
    const most = Math.min(policy.concurrency, this.#breaker.allowed(nowMicros))
    while (this.#underWay.size < most) {
      const request = outbox.take()
      if (request === undefined) break
      const attempt: Promise<void> = this.#attempt(request)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#underWay.delete(attempt)
          this.pump()
          this.#parts.onProgress()
        })
      this.#underWay.add(attempt)
    }
    const until = this.#breaker.openUntil(nowMicros)
    if (until !== undefined) this.#awaitBreaker(until, until - nowMicros)
    if (this.#state === "stopping" && this.#underWay.size === 0 && !outbox.isEmpty) this.#halt()
  }

  /** DP2. */
  stop(): void {
    if (this.#state !== "running") return
    this.#state = "stopping"
    this.pump()
    void this.#after(STOP_GRACE_MICROS, () => {
      this.#halt()
      this.#endAll()
    })
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#endAll()
    await Promise.allSettled(this.#underWay)
  }

  #endAll(): void {
    this.#isClosing = true
    for (const end of this.#ends) end.abort()
  }

  #fail(error: unknown): void {
    this.#state = "halted"
    this.#parts.onFailure(error)
  }

  #halt(): void {
    this.#reason ??= this.#breaker.reason ?? this.#stubborn.values().next().value
    this.#state = "halted"
    this.#parts.onProgress()
  }

  async #attempt(request: OutboxRequest): Promise<void> {
    const { outbox, env, setAside, misdirected, policy } = this.#parts
    request.firstTriedMicros ??= env.clock.monotonicMicros()
    const verdict = await this.#ask(request)
    if (this.#isClosing && verdict.kind !== "accepted") return
    if (verdict.kind === "misdirected") throw misdirected(verdict.reason)
    if (verdict.kind === "again") {
      const nowMicros = env.clock.monotonicMicros()
      request.failures++
      this.#breaker.failed(nowMicros, verdict.reason, verdict.waitMicros)
      if (request.failures >= TOLD_FAILURES) this.#stubborn.set(request, verdict.reason)
      if (this.#state !== "running") return this.#leave(verdict.reason)
      if (nowMicros - request.firstTriedMicros < policy.forMicros) return this.#tryLater(request, verdict.waitMicros)
      await setAside(request, `it was tried for too long, ${request.failures} times; at last ${verdict.reason}`)
    } else this.#breaker.answered()
    if (verdict.kind === "rejected") await setAside(request, verdict.reason)
    this.#stubborn.delete(request)
    outbox.acknowledge(request)
  }

  /** Sends a request once. */
  async #ask(request: OutboxRequest): Promise<Verdict> {
    const { env, policy, send } = this.#parts
    const over = new AbortController()
    this.#ends.add(over)
    let isLate = false
    const limit = async (): Promise<void> => {
      await env.timers.sleep(policy.timeoutMicros, over.signal)
      if (over.signal.aborted) return
      isLate = true
      over.abort()
    }
    void limit()
    try {
      return verdictOf(await send(request, over.signal), env.clock.wallMicros())
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error
      const reason = isLate ? `no answer within ${policy.timeoutMicros / 1_000_000} s` : error.message
      return { kind: "again", reason, waitMicros: 0 }
    } finally {
      this.#ends.delete(over)
      over.abort(OVER)
    }
  }

  /** What has failed while the job stops is left to the next run, and so is all else. */
  #leave(reason: string): void {
    this.#reason = reason
    this.#state = "halted"
  }

  #tryLater(request: OutboxRequest, waitMicros: number): void {
    const { outbox, policy } = this.#parts
    const micros = Math.max(waitMicros, backOffMicros(policy, request.failures, this.#random))
    void this.#after(micros, () => {
      outbox.putBack(request)
      this.pump()
    })
  }

  #awaitBreaker(untilMicros: number, micros: number): void {
    if (this.#awaitedMicros === untilMicros) return
    this.#awaitedMicros = untilMicros
    void this.#after(micros, () => this.pump())
  }

  /** Does something after a while, unless all is ended before. */
  async #after(micros: number, perform: () => void): Promise<void> {
    const end = new AbortController()
    this.#ends.add(end)
    await this.#parts.env.timers.sleep(micros, end.signal)
    this.#ends.delete(end)
    if (!this.#isClosing) perform()
  }
}
