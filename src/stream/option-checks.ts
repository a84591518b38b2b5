/** Values of options of `job(...)` and `.with(...)`, checked for programs that the compiler has not seen. */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"

/** The entries of an option that is an object of named things. */
export function checkEntries(where: string, option: string, value: unknown): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value)
  const problem = value === undefined ? "not given" : `${shownValue(value)}, which is not an object`
  throw new TidemarkError("invalid-options", `${where}: ${option} is ${problem}.`, {
    hint: `Write { ${option}: { name: ... } }.`,
  })
}

/** What becomes of a row that fails, as `job(...)` and `.with(...)` take it; `undefined` where neither is said. */
export function checkErrorPolicy(where: string, onError: unknown): "dead-letter" | "stop" | undefined {
  if (onError === undefined || onError === "dead-letter" || onError === "stop") return onError
  throw new TidemarkError("invalid-options", `${where}: onError is ${shownValue(onError)}.`, {
    hint: 'Use "dead-letter" (a row that fails goes there, and the job goes on) or "stop".',
  })
}
