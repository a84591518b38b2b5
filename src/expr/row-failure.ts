/**
 * What is said of a row for which a lambda failed. Both forms of a lambda say the same, as both ask here.
 *
 * Messages are clauses without a full stop, as those of bad records are.
 */
import { counted } from "../base/counted.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Field } from "../batch/schema.ts"

/** The lambda threw. */
export function lambdaThrew(thrown: unknown): TidemarkError {
  return new TidemarkError("lambda-failed", `the lambda threw ${thrownText(thrown)}`, { cause: thrown })
}

/** The lambda gave something other than an object of columns. */
export function resultNotAnObject(value: unknown): TidemarkError {
  return new TidemarkError("lambda-failed", `the lambda gave ${shownValue(value)}, which is not an object of columns`)
}

/** The lambda's object has no value, not even null, for a column. */
export function columnMissing({ name, type }: Field): TidemarkError {
  const hint = type.isNullable ? "Give null where there is no value: undefined is not null." : undefined
  return new TidemarkError(
    "lambda-failed",
    `the lambda gave no value for the column ${JSON.stringify(name)}`,
    hint === undefined ? {} : { hint },
  )
}

/** The lambda's object has a value for a column that is not of the column's type. */
export function columnInvalid({ name }: Field, value: unknown, reason: string): TidemarkError {
  const column = JSON.stringify(name)
  return new TidemarkError(
    "lambda-failed",
    `the lambda gave ${shownValue(value)} for the column ${column}, which is ${reason}`,
  )
}

/** The lambda gave a value that is not of the type wanted. */
export function valueInvalid(value: unknown, reason: string): TidemarkError {
  return new TidemarkError("lambda-failed", `the lambda gave ${shownValue(value)}, which is ${reason}`)
}

/** All attempts of a call have failed: the last with this error, or for this reason, a clause. */
export function callFailed(last: unknown, attempts: number): TidemarkError {
  const how = attempts === 1 ? "the call failed" : `the call failed ${counted(attempts, "time")}, at last`
  const isOurs = last instanceof TidemarkError && last.code === "call-failed"
  const why = isOurs ? last.message : `it threw ${thrownText(last)}`
  return new TidemarkError("call-failed", `${how}: ${why}`, { cause: last })
}

/** So many causes are told of an error. */
const CAUSES_MAX = 3

/** What was thrown, and what caused it: `fetch` says only there why it failed. */
function thrownText(thrown: unknown): string {
  try {
    return [String(thrown), ...causesOf(thrown)].join(", as ")
  } catch {
    return "something that has no text"
  }
}

function causesOf(thrown: unknown): string[] {
  const causes: string[] = []
  for (let error = thrown; error instanceof Error && causes.length < CAUSES_MAX; error = error.cause) {
    if (error.cause !== undefined) causes.push(causeText(error.cause))
  }
  return causes
}

/** An error of several attempts, such as to connect to a name's addresses, has no message of its own, but a code. */
function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const { code } = cause as { readonly code?: unknown }
  return cause.message === "" && typeof code === "string" ? `${cause.name}: ${code}` : String(cause)
}
