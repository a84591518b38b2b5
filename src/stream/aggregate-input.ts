/** What an aggregate was told to read of each row: a column, a lambda, or a lambda with the type of what it gives. */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import { ColumnType } from "../batch/type.ts"

/** An input as `recordAggregates` takes it, and the options that were given behind it. */
export interface GivenInput {
  readonly input: object
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * Reads the arguments of a call that begin with what it aggregates.
 *
 * @param kind the name of the function that was called.
 * @param example how arguments before the input are written, for hints: `"0.99, "`.
 * @param known names of options; none where the call takes no options.
 */
export function givenInput(
  kind: string,
  given: readonly unknown[],
  example = "",
  known?: readonly string[],
): GivenInput {
  const [value, lambda] = given
  const isTyped = value instanceof ColumnType && typeof lambda === "function"
  const wanted = isTyped ? 2 : typeof value === "string" || typeof value === "function" ? 1 : 0
  const hint = `Write ${kind}(${example}"column"), ${kind}(${example}(row) => ...) or ${kind}(${example}t.int64, (row) => ...).`
  if (wanted === 0) {
    throw new TidemarkError("invalid-plan", `${kind}(...) has nothing that it could aggregate.`, { hint })
  }
  const most = known === undefined ? wanted : wanted + 1
  if (given.length > most) {
    const extra = shownValue(given[most])
    throw new TidemarkError("invalid-options", `${kind}(...) takes no more than what it aggregates: not ${extra}.`, {
      hint,
    })
  }
  const options =
    known === undefined || given[wanted] === undefined ? {} : checkOptions(`${kind}(...)`, given[wanted], known)
  if (isTyped) return { input: { kind: "typed", type: value, lambda }, options }
  return {
    input: typeof value === "string" ? { kind: "column", name: value } : { kind: "lambda", lambda: value },
    options,
  }
}

/** A whole number within bounds, or an error that names the call. */
export function checkWhole(
  call: string,
  what: string,
  value: unknown,
  { least, greatest }: { readonly least: number; readonly greatest: number },
  hint: string,
): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= greatest) return value as number
  throw new TidemarkError(
    "invalid-options",
    `${call}(...): ${what} is a whole number from ${least} to ${greatest}, not ${shownValue(value)}.`,
    { hint },
  )
}

/** A number within bounds, or an error that names the call. */
export function checkNumber(
  call: string,
  what: string,
  value: unknown,
  { least, greatest }: { readonly least: number; readonly greatest: number },
  hint: string,
): number {
  if (typeof value === "number" && value >= least && value <= greatest) return value
  throw new TidemarkError(
    "invalid-options",
    `${call}(...): ${what} is a number from ${least} to ${greatest}, not ${shownValue(value)}.`,
    { hint },
  )
}
