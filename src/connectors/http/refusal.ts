/**
 * What a request is answered that is not stored: a status of HTTP, and a body of JSON that says what, why, and what to do. The codes are a closed
 * list; `docs/spec/http.md` has them in a table.
 */

/** The status of each code. */
export const REFUSALS = {
  "bad-request": 400,
  "not-json": 400,
  "bad-records": 400,
  "bad-key": 400,
  unauthorized: 401,
  "forbidden-origin": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "request-timeout": 408,
  "request-too-large": 413,
  "too-many-records": 413,
  "unknown-content-type": 415,
  "unknown-content-encoding": 415,
  "expectation-failed": 417,
  "key-taken": 422,
  "rate-limited": 429,
  "header-too-large": 431,
  "internal-error": 500,
  overloaded: 503,
  "backlog-full": 503,
  "storage-failed": 503,
  stopping: 503,
  "not-running": 503,
} as const

/** One of the codes. */
export type RefusalCode = keyof typeof REFUSALS

/** What else is said. */
interface RefusalDetails {
  readonly headers?: Readonly<Record<string, string>>
  /** Members of `error` beside the code and the texts. */
  readonly members?: Readonly<Record<string, unknown>>
  /** In so many seconds it may be sent again. */
  readonly retryAfterSeconds?: number
}

/** A request that is not stored. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly hint: string
  readonly headers: Readonly<Record<string, string>>
  readonly retryAfterSeconds: number | undefined
  readonly #members: Readonly<Record<string, unknown>>

  constructor(code: RefusalCode, message: string, hint: string, details: RefusalDetails = {}) {
    super(message)
    this.name = "Refusal"
    this.code = code
    this.hint = hint
    const { headers = {}, members = {}, retryAfterSeconds } = details
    this.retryAfterSeconds = retryAfterSeconds
    this.headers = retryAfterSeconds === undefined ? headers : { ...headers, "retry-after": String(retryAfterSeconds) }
    this.#members = members
  }

  get status(): number {
    return REFUSALS[this.code]
  }

  /** What is said of it. */
  get error(): Readonly<Record<string, unknown>> {
    const { code, message, hint } = this
    return { code, message, hint, ...this.#members }
  }

  /** The answer's body. */
  body(): Uint8Array {
    return bodyOf({ error: this.error })
  }
}

/** What went wrong as what a sender is told. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal(
    "internal-error",
    "The request could not be handled.",
    "It may be stored or not: repeat it with its key.",
  )
}

const encoder = new TextEncoder()

/** A value as the body of an answer. */
export function bodyOf(value: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify(value)}\n`)
}
