/** What `asyncMap` takes beside its columns and its function, and what it gives that function. */
import { formatDuration, type Duration } from "../base/duration.ts"
import { shownValue } from "../base/shown-value.ts"
import type { CallOrder, CallPolicy } from "../flow/calls.ts"
import type { CallChecks } from "./call-checks.ts"

/**
 * One attempt of a call, as the function of an `asyncMap` sees it.
 *
 * @example
 * ```ts
 * import type { AsyncCall } from "tidemark"
 *
 * async function priceOf(sku: string, { signal, key }: AsyncCall): Promise<number> {
 *   const url = `https://prices.example/${encodeURIComponent(sku)}`
 *   const answer = await fetch(url, { signal, headers: { "idempotency-key": key } })
 *   if (!answer.ok) throw new Error(`the price of ${sku}: ${answer.status}`)
 *   return Number(await answer.text())
 * }
 * ```
 */
export interface AsyncCall {
  /** Aborts when the attempt has taken too long, and when the job ends: hand it on to `fetch` and its like. */
  readonly signal: AbortSignal
  /**
   * The row's own: the same in each attempt and after a recovery, and no other row's. What is asked can tell by it that
   * it was asked before.
   */
  readonly key: string
  /** From 1. After a recovery it begins anew. */
  readonly attempt: number
}

/**
 * How calls that fail are tried again.
 *
 * @example
 * ```ts
 * import type { RetryOptions } from "tidemark"
 *
 * const patient: RetryOptions = { attempts: 8, backOff: "250ms", maxBackOff: "1m" }
 * ```
 */
export interface RetryOptions {
  /** How often a call is tried, the first time included. Default 3. */
  readonly attempts?: number
  /** How long to wait before the second attempt, about; it doubles from there. Default `"100ms"`. */
  readonly backOff?: Duration
  /** The longest wait. Default `"10s"`, or `backOff` where that is longer. */
  readonly maxBackOff?: Duration
}

/**
 * Options of `.asyncMap(...)`.
 *
 * @example
 * ```ts
 * import type { AsyncMapOptions } from "tidemark"
 *
 * const options: AsyncMapOptions = {
 *   id: "prices",
 *   inFlight: 200,
 *   order: "input",
 *   timeout: "2s",
 *   retry: { attempts: 5, backOff: "100ms", maxBackOff: "10s" },
 *   onFailure: "dead-letter",
 * }
 * ```
 */
export interface AsyncMapOptions {
  /** Names the operator; see `OperatorOptions`. Its rows in flight are state under this name. */
  readonly id?: string
  /** At most so many rows have a call under way, or an answer that waits for its turn. Default 100. */
  readonly inFlight?: number
  /** In which order rows leave. Default `"input"`: a slow call holds back the rows behind it. */
  readonly order?: CallOrder
  /** How long an attempt may take. Default `"10s"`. */
  readonly timeout?: Duration
  /** How calls that fail are tried again. */
  readonly retry?: RetryOptions
  /** What becomes of a row whose attempts have all failed. Default: as the job's `onError` says. */
  readonly onFailure?: "dead-letter" | "stop"
}

const OPTIONS = ["id", "inFlight", "order", "timeout", "retry", "onFailure"]
const RETRY_OPTIONS = ["attempts", "backOff", "maxBackOff"]
const IN_FLIGHT_MAX = 65_536
const ATTEMPTS_MAX = 1_000

/** The options, checked, with defaults filled in. */
export function callPolicyOf(
  checks: CallChecks,
  given: unknown,
): { readonly id: unknown; readonly policy: CallPolicy } {
  const { id, inFlight = 100, order = "input", timeout = "10s", retry, onFailure } = checks.options(given, OPTIONS)
  const { attempts = 3, backOff = "100ms", maxBackOff } = checks.options(retry, RETRY_OPTIONS)
  if (order !== "input" && order !== "completion") {
    throw checks.error(`the order is ${shownValue(order)}`, 'Use "input" (rows leave as they came) or "completion".')
  }
  if (onFailure !== undefined && onFailure !== "dead-letter" && onFailure !== "stop") {
    throw checks.error(`onFailure is ${shownValue(onFailure)}`, 'Use "dead-letter" or "stop".')
  }
  const timeoutMicros = checks.duration("timeout", timeout)
  if (timeoutMicros === 0) throw checks.error("the timeout is zero", "Give a duration greater than zero.")
  const backOffMicros = checks.duration("retry.backOff", backOff)
  const longest = maxBackOff ?? formatDuration(Math.max(backOffMicros, 10_000_000))
  const maxBackOffMicros = checks.duration("retry.maxBackOff", longest)
  if (maxBackOffMicros < backOffMicros) {
    throw checks.error("retry.maxBackOff is shorter than retry.backOff", "Waits grow from the one to the other.")
  }
  const policy = {
    inFlight: checks.count("inFlight", inFlight, IN_FLIGHT_MAX),
    order,
    timeoutMicros,
    attempts: checks.count("retry.attempts", attempts, ATTEMPTS_MAX),
    backOffMicros,
    maxBackOffMicros,
    onFailure,
  } as const
  return { id, policy }
}
