/**
 * `count`, `sum`, `min`, `max`, `mean`, `first`, `last`: what a window makes of its rows. They describe; `flow/aggregates`
 * computes.
 *
 * Except for `count`, each takes a column's name, a lambda that gives numbers, or a type and a lambda that gives values of
 * it. Null is skipped: an aggregate of no value that is not null is null.
 */
import type { ColumnType } from "../batch/type.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { givenInput } from "./aggregate-input.ts"
import type {
  ColumnAggregate,
  CountAggregate,
  LambdaAggregate,
  TypedAggregate,
  ValueAggregateKind,
} from "./aggregate-types.ts"

/**
 * An aggregate of a value of each row, such as `sum`.
 *
 * @example
 * ```ts
 * import { sum, t } from "tidemark"
 *
 * const fares = sum("fare")
 * const net = sum((r: { fare: number; tip: number }) => r.fare - r.tip)
 * const units = sum(t.int64, (r: { units: bigint }) => r.units * 100n)
 * ```
 */
export interface ValueAggregate<K extends ValueAggregateKind> {
  /** Of what the lambda gives: numbers (`t.float64`), or null. */
  <R, P, V>(lambda: (row: R, params: P) => V): LambdaAggregate<K, R, P, V>
  /** Of a column. */
  <N extends string>(column: N): ColumnAggregate<K, N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
  ): TypedAggregate<K, R, P, C>
}

/**
 * The number of rows.
 *
 * @example
 * ```ts
 * import { count } from "tidemark"
 *
 * const aggregates = { trips: count() }
 * ```
 */
export const count: () => CountAggregate = (...given: readonly unknown[]) => {
  if (given.length > 0) {
    throw new TidemarkError("invalid-options", `count() counts rows and takes nothing: not ${shownValue(given[0])}.`, {
      hint: 'To count the rows in which a column is not null, call .notNull("column") before the window.',
    })
  }
  return Object.freeze({ kind: "count", input: Object.freeze({ kind: "none" }) })
}

/**
 * The sum. Of columns of whole numbers it is an int53, of int64 an int64: where it leaves their range, the row that does it
 * fails. Floats add in order of arrival, as float64. There is none of uint64.
 *
 * @example
 * ```ts
 * import { sum } from "tidemark"
 *
 * const aggregates = { fares: sum("fare"), net: sum((r: { fare: number; tip: number }) => r.fare - r.tip) }
 * ```
 */
export const sum: ValueAggregate<"sum"> = valueAggregate("sum")

/**
 * The least value, of numbers, bigints or timestamps: NaN wins over every number, and −0 is less than +0, as in `Math.min`.
 *
 * @example
 * ```ts
 * import { min } from "tidemark"
 *
 * const aggregates = { cheapest: min("fare") }
 * ```
 */
export const min: ValueAggregate<"min"> = valueAggregate("min")

/**
 * The greatest value, of numbers, bigints or timestamps: NaN wins over every number, and −0 is less than +0, as in
 * `Math.max`.
 *
 * @example
 * ```ts
 * import { max } from "tidemark"
 *
 * const aggregates = { dearest: max("fare") }
 * ```
 */
export const max: ValueAggregate<"max"> = valueAggregate("max")

/**
 * The arithmetic mean, a float64: the sum divided by the number of values.
 *
 * @example
 * ```ts
 * import { mean } from "tidemark"
 *
 * const aggregates = { meanFare: mean("fare") }
 * ```
 */
export const mean: ValueAggregate<"mean"> = valueAggregate("mean")

/**
 * The value with the earliest event time; of several the one that arrived first. Columns of any type.
 *
 * @example
 * ```ts
 * import { first, t } from "tidemark"
 *
 * const aggregates = { opening: first("price"), by: first(t.string, (r: { user: string }) => r.user.trim()) }
 * ```
 */
export const first: ValueAggregate<"first"> = valueAggregate("first")

/**
 * The value with the latest event time; of several the one that arrived last. Columns of any type.
 *
 * @example
 * ```ts
 * import { last } from "tidemark"
 *
 * const aggregates = { closing: last("price") }
 * ```
 */
export const last: ValueAggregate<"last"> = valueAggregate("last")

/** Makes the function that describes an aggregate of a value of each row. */
export function valueAggregate<K extends ValueAggregateKind>(kind: K): ValueAggregate<K> {
  const make = (...given: readonly unknown[]) => {
    return Object.freeze({ kind, input: Object.freeze(givenInput(kind, given).input) })
  }
  return make as ValueAggregate<K>
}
