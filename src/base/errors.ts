/**
 * Operating errors: what can go wrong outside our own code, said in words.
 *
 * An operating error has a stable `code` (API), a `message` (what happened and where) and a `hint` (what to do).
 * Each code has a page in `docs/errors/`. Mistakes in our own code are not operating errors: see `assert.ts`.
 *
 * Invariants:
 * - R1 Every code stands in `ERROR_CODES`, and every entry has a page `docs/errors/<code>.md`.
 * - R2 The text of a message may change in any release; the code may not.
 */

/** The closed list of codes. Add a code together with its page in `docs/errors/`. */
export const ERROR_CODES = [
  "invalid-duration",
  "invalid-timestamp",
  "invalid-schema",
  "invalid-plan",
  "invalid-options",
  "unbound-input",
  "unbound-output",
  "invalid-params",
  "address-unavailable",
  "arena-exhausted",
  "lambda-failed",
  "call-failed",
  "aggregate-overflow",
  "too-many-bad-records",
  "source-missing",
  "source-changed",
  "source-unreadable",
  "input-closed",
  "sink-occupied",
  "sink-failed",
  "sink-unreachable",
  "sink-mismatch",
  "sink-refused",
  "package-missing",
  "state-missing",
  "state-foreign",
  "state-corrupt",
  "state-newer-format",
  "state-locked",
  "state-fenced",
  "log-missing",
  "log-corrupt",
  "log-newer-format",
  "log-locked",
  "log-fenced",
  "log-sealed",
  "log-closed",
  "log-full",
  "log-record-too-long",
  "disk-full",
  "disk-failed",
  "job-file-invalid",
  "project-occupied",
] as const

/**
 * One of the stable error codes; each has a page in `docs/errors/`.
 *
 * @example
 * ```ts
 * import type { ErrorCode } from "tidemark"
 *
 * const worthRetrying: ErrorCode[] = ["disk-full", "state-locked"]
 * ```
 */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** What a `TidemarkError` is made of. */
export interface ErrorDetails {
  /** What to do about it, as a sentence. */
  readonly hint?: string
  /** The error that led to this one. */
  readonly cause?: unknown
}

/**
 * An operating error with a stable code.
 *
 * @example
 * ```ts
 * import { TidemarkError } from "tidemark"
 *
 * function explainFailure(error: unknown): string {
 *   return error instanceof TidemarkError ? `${error.code}: ${error.message}` : String(error)
 * }
 * ```
 */
export class TidemarkError extends Error {
  /** The stable code: look it up in `docs/errors/`. */
  readonly code: ErrorCode
  /** What to do about it, or `undefined` where the message says all there is. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = "TidemarkError"
    this.code = code
    this.hint = details.hint
  }
}
