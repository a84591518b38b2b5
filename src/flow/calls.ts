/**
 * Calls that leave the dataflow: an operator asks for them, whoever drives the dataflow makes them and gives the answers
 * back between batches. So what is asynchronous, and what fails by chance, stays outside of operators.
 *
 * Invariants:
 * - CA1 Each call that was asked for is answered at most once; a row is never asked for twice.
 * - CA2 Two rows of an operator never have the same key, and a row has the same key whenever it is asked for.
 */

/** How calls are made, by plan. */
export interface CallPolicy {
  /** At most so many rows have a call that was asked for and have not left the operator. */
  readonly inFlight: number
  /** In which order rows leave: as they came, or as they were answered. */
  readonly order: CallOrder
  /** How long an attempt may take. */
  readonly timeoutMicros: number
  /** How often a call is tried, the first time included. */
  readonly attempts: number
  /** How long to wait before the second attempt. It doubles from there, up to the most. */
  readonly backOffMicros: number
  readonly maxBackOffMicros: number
  /** What becomes of a row whose attempts have all failed; `undefined` where the job's policy says it. */
  readonly onFailure: "dead-letter" | "stop" | undefined
}

/**
 * In which order the rows of an `asyncMap` leave it: that in which they came (`"input"`), or that in which their calls were
 * answered (`"completion"`).
 *
 * @example
 * ```ts
 * import type { CallOrder } from "tidemark"
 *
 * const order: CallOrder = "completion"
 * ```
 */
export type CallOrder = "input" | "completion"

/** A user's function of a row, the job's parameters and a call. It may give a promise. */
export type CallFunction = (row: never, params: never, call: never) => unknown

/** A call that an operator asks for. */
export interface CallRequest {
  /** The operator's id. */
  readonly operator: string
  /** Which of its rows it is. */
  readonly ticket: number
  /** Makes the row anew, for each attempt: a user's function may do with it what it likes. */
  readonly makeRow: () => Record<string, unknown>
  readonly key: string
}

/** What came of a call. */
export interface CallAnswer {
  readonly operator: string
  readonly ticket: number
  /** What the user's function gave, as it is; or why all attempts failed. */
  readonly outcome:
    { readonly kind: "given"; readonly value: unknown } | { readonly kind: "failed"; readonly error: Error }
}

/** Takes requests. The calls are made later, when the dataflow is not at work. */
export interface Calls {
  start(request: CallRequest): void
}
