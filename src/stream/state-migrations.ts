/** What becomes of state that an earlier version of a program has kept under another type, as programs say it. */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { ColumnType } from "../batch/type.ts"
import type { ValueMigration } from "../flow/process/process-spec.ts"

declare const MIGRATED: unique symbol

/**
 * What becomes of values of state that had another type. Made by `migration`.
 *
 * @example
 * ```ts
 * import { migration, t, type Migration } from "tidemark"
 *
 * const fromEuros: Migration<number> = migration(t.float64, (euros) => Math.round(euros * 100))
 * ```
 */
export interface Migration<out T> {
  /** For the compiler only. */
  readonly [MIGRATED]: T
}

/** What stands behind them. */
const specs = new WeakMap<object, ValueMigration>()

/**
 * Says what becomes of values of state that an earlier version of the program has kept under another type. It is called for each value
 * when the job first starts with this version; where it throws, or gives no value of the new type, the job does not start, and nothing
 * has changed (rule P17).
 *
 * @param type the type as it was declared.
 * @param migrate gives the value of the new type. It sees nothing but the old one, and should give the same for the same.
 *
 * @example
 * ```ts
 * import { migration, t, valueState } from "tidemark"
 *
 * const money = t.object({ cents: t.int53, currency: t.string })
 * const total = valueState(money, {
 *   migrate: [migration(t.float64, (euros) => ({ cents: Math.round(euros * 100), currency: "EUR" }))],
 * })
 * ```
 * @throws TidemarkError `invalid-plan` where there is no type or no function.
 */
export function migration<Old, New>(type: ColumnType<Old>, migrate: (value: Old) => New): Migration<New> {
  if (!(type instanceof ColumnType)) throw invalid(`has no type of earlier values, but ${shownValue(type)}`)
  if (typeof migrate !== "function") throw invalid(`has no function, but ${shownValue(migrate)}`)
  const made = Object.freeze({}) as unknown as Migration<New>
  specs.set(made, { type: type as ColumnType, migrate: migrate as ValueMigration["migrate"] })
  return made
}

/** What stands behind a migration; `undefined` where it is none. */
export function migrationSpecOf(given: unknown): ValueMigration | undefined {
  return typeof given === "object" && given !== null ? specs.get(given) : undefined
}

function invalid(problem: string): TidemarkError {
  return new TidemarkError("invalid-plan", `migration(...) ${problem}.`, {
    hint: "Write migration(t.float64, (value) => ...) with the type as it was declared.",
  })
}
