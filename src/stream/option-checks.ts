/** Options objects of `job(...)` and `.with(...)`, checked for programs that the compiler has not seen. */
import { nameHint } from "../base/did-you-mean.ts"
import { parseDuration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"

/** The options as an object, none of them unknown. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TidemarkError("invalid-options", `${where} takes an object of options.`, {
      hint: nameHint("", known, "options"),
    })
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return { ...options }
  throw new TidemarkError("invalid-options", `${where} has no option ${JSON.stringify(unknown)}.`, {
    hint: nameHint(unknown, known, "options"),
  })
}

/** The entries of an option that is an object of named things. */
export function checkEntries(where: string, option: string, value: unknown): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new TidemarkError("invalid-options", `${where}: ${option} is not given.`, {
    hint: `Write { ${option}: { name: ... } }.`,
  })
}

/** What becomes of a row that fails, as `job(...)` and `.with(...)` take it; `undefined` where neither is said. */
export function checkErrorPolicy(where: string, onError: unknown): "dead-letter" | "stop" | undefined {
  if (onError === undefined || onError === "dead-letter" || onError === "stop") return onError
  throw new TidemarkError("invalid-options", `${where}: onError is ${JSON.stringify(onError)}.`, {
    hint: 'Use "dead-letter" (a row that fails goes there, and the job goes on) or "stop".',
  })
}

/** A duration in microseconds. `what` begins the message: `"The job revenue: epoch.min"`. */
export function checkDuration(what: string, text: unknown): number {
  const hint = 'Write a number and a unit, such as "250ms", "5s", "1h 30m" or "1d" (units: us, ms, s, m, h, d).'
  if (typeof text !== "string") throw new TidemarkError("invalid-duration", `${what} is not given as a text.`, { hint })
  try {
    return parseDuration(text)
  } catch (cause) {
    throw new TidemarkError("invalid-duration", `${what} is ${JSON.stringify(text)}, which is not a duration.`, {
      hint,
      cause,
    })
  }
}
