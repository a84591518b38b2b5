/**
 * Calls that a job's operators ask for, under way: tried again where they fail, given up where they take too long, and their
 * answers kept until the job takes them.
 *
 * Invariants (rules of docs/spec/calls.md):
 * - AM5 An attempt that takes longer than its timeout has failed, and its signal aborts. What it gives later is not used.
 * - AM6 What fails is tried as often as the policy says, after waits that double; then its failure is the answer.
 * - AM7 When the job ends, the signals of all attempts under way abort, and no answer comes any more.
 */
import { formatDuration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Env } from "../env/env.ts"
import { callFailed } from "../expr/row-failure.ts"
import type { CallAnswer, CallFunction, CallPolicy, CallRequest, Calls } from "../flow/calls.ts"
import type { Plan } from "../flow/plan.ts"

/** What calls need of the world. */
export type CallsEnv = Pick<Env, "timers" | "randomUint32">

/** What a call is given beside its row and the parameters. */
interface GivenCall {
  readonly signal: AbortSignal
  readonly key: string
  readonly attempt: number
}

type Call = (row: unknown, params: unknown, call: GivenCall) => unknown

/** An operator that asks for calls. */
interface Caller {
  readonly call: Call
  readonly policy: CallPolicy
}

/** What calls are made with. */
export interface AsyncCallsOptions {
  readonly plan: Plan
  readonly params: Readonly<Record<string, unknown>>
  readonly env: CallsEnv
  /** There is an answer to be taken. */
  readonly onAnswer: () => void
}

/** See the head of this file. */
export class AsyncCalls implements Calls {
  readonly #options: AsyncCallsOptions
  readonly #callers: ReadonlyMap<string, Caller>
  /** Attempts, and waits between them. */
  readonly #underWay = new Set<AbortController>()
  #hasEnded = false
  readonly #answers: CallAnswer[] = []

  constructor(options: AsyncCallsOptions) {
    this.#options = options
    this.#callers = new Map(
      options.plan.nodes.flatMap((node): [string, Caller][] =>
        node.kind === "asyncMap" ? [[node.id, { call: node.lambda as CallFunction as Call, policy: node.policy }]] : [],
      ),
    )
  }

  /** Whether there is an answer to be taken. */
  get hasAnswers(): boolean {
    return this.#answers.length > 0
  }

  /** Takes the answers that have come, in the order in which they came. */
  take(): CallAnswer[] {
    return this.#answers.splice(0)
  }

  start(request: CallRequest): void {
    void this.#make(request)
  }

  /** Gives all calls up (AM7). */
  close(): void {
    this.#hasEnded = true
    const reason = new TidemarkError("call-failed", "the job has ended")
    for (const each of this.#underWay) each.abort(reason)
  }

  async #make(request: CallRequest): Promise<void> {
    const { operator, ticket } = request
    // The dataflow is at work: a user's function is not called in the midst of it.
    await Promise.resolve()
    const outcome = await this.#outcomeOf(request, this.#callers.get(operator)!)
    if (this.#hasEnded) return
    this.#answers.push({ operator, ticket, outcome: outcome! })
    this.#options.onAnswer()
  }

  /** What came of a call; nothing where the job has ended before. */
  async #outcomeOf(request: CallRequest, caller: Caller): Promise<CallAnswer["outcome"] | undefined> {
    const { policy } = caller
    for (let attempt = 1; !this.#hasEnded; attempt++) {
      try {
        const value = await this.#untilEnd((controller) => this.#try(request, caller, attempt, controller))
        return { kind: "given", value }
      } catch (thrown) {
        if (attempt === policy.attempts) return { kind: "failed", error: callFailed(thrown, attempt) }
      }
      const { timers } = this.#options.env
      await this.#untilEnd(({ signal }) => timers.sleep(this.#waitMicros(policy, attempt), signal))
    }
    return undefined
  }

  /** Does what the end of the job aborts. */
  async #untilEnd<T>(work: (controller: AbortController) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    this.#underWay.add(controller)
    try {
      return await work(controller)
    } finally {
      this.#underWay.delete(controller)
    }
  }

  /** How long to wait behind an attempt: between a half and all of what the policy says, so that not all come again at once. */
  #waitMicros({ backOffMicros, maxBackOffMicros }: CallPolicy, attempt: number): number {
    const micros = Math.min(maxBackOffMicros, backOffMicros * 2 ** (attempt - 1))
    return Math.round(micros * (0.5 + this.#options.env.randomUint32() / 2 ** 33))
  }

  /** One attempt: what the user's function gives, where it does so in time. */
  async #try(
    request: CallRequest,
    { call, policy }: Caller,
    attempt: number,
    controller: AbortController,
  ): Promise<unknown> {
    const { params, env } = this.#options
    const { signal } = controller
    const settled = new AbortController()
    void env.timers.sleep(policy.timeoutMicros, settled.signal).then(() => {
      if (settled.signal.aborted) return
      const timeout = formatDuration(policy.timeoutMicros)
      controller.abort(new TidemarkError("call-failed", `it took longer than ${timeout}`))
    })
    try {
      const given = call(request.makeRow(), params, { signal, key: request.key, attempt })
      return await Promise.race([given, rejectedBy(signal)])
    } finally {
      settled.abort()
    }
  }
}

/** Rejects with the signal's reason when it aborts. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const refuse = (): void => reject(signal.reason as Error)
    if (signal.aborted) refuse()
    else signal.addEventListener("abort", refuse, { once: true })
  })
}
