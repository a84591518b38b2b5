/**
 * Keeps secrets out of what a job tells: where the message of an error, a call's for one, has the value of a secret in it, stars
 * stand there.
 *
 * Invariant:
 * - SM1 No event, dead letter or failure of a job has the value of one of its secrets in it, as it is or as part of an address.
 */
import { secretParams } from "../batch/secret-params.ts"
import type { ExecutableJob } from "./executable-job.ts"

const STARS = "***"

/** Causes of causes are followed so far. */
const DEPTH_MAX = 10

/** Masks the secrets of one job. */
export class SecretMask {
  readonly #values: readonly string[]

  constructor({ paramsSchema, params }: Pick<ExecutableJob, "paramsSchema" | "params">) {
    const values = secretParams(paramsSchema).map(({ name }) => params[name])
    const texts = values.filter((value): value is string => typeof value === "string" && value !== "")
    const forms = texts.flatMap((text) => [text, encoded(text), JSON.stringify(text).slice(1, -1)])
    // One that has another in it goes first.
    this.#values = [...new Set(forms)].sort((one, other) => other.length - one.length)
  }

  /** The text without secrets. */
  text(text: string): string {
    return this.#values.reduce((masked, value) => masked.replaceAll(value, STARS), text)
  }

  /** The error, whose own texts and those of its causes have no secrets any more. */
  error(error: unknown): unknown {
    if (this.#values.length === 0) return error
    if (typeof error === "string") return this.text(error)
    this.#maskParts(error, DEPTH_MAX)
    return error
  }

  #maskParts(error: unknown, depth: number): void {
    if (!(error instanceof Error) || depth === 0) return
    // The stack begins with the message, and says it again where the message is changed.
    for (const part of ["message", "stack", "hint"] as const) {
      const text = (error as { readonly hint?: unknown } & Error)[part]
      if (typeof text !== "string" || this.text(text) === text) continue
      Object.defineProperty(error, part, { value: this.text(text), configurable: true, writable: true })
    }
    this.#maskParts(error.cause, depth - 1)
    if (error instanceof AggregateError) for (const each of error.errors) this.#maskParts(each, depth - 1)
  }
}

/** As it is in an address; half of a pair has no such form. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return text
  }
}
