/**
 * `countDistinct` and `approxCountDistinct`: how many different values there are, of columns of every type. −0 and 0 are one
 * value, all NaN are one, and objects are equal where their fields are.
 */
import { DISTINCT_ERRORS } from "../flow/aggregates/approx-count-distinct.ts"
import type { ColumnType } from "../batch/type.ts"
import { checkNumber, givenInput } from "./aggregate-input.ts"
import type { ColumnAggregate, LambdaAggregate, TypedAggregate } from "./aggregate-types.ts"
import { valueAggregate, type ValueAggregate } from "./aggregates.ts"

/**
 * The number of different values, exactly. It keeps them all: for many, use `approxCountDistinct`.
 *
 * @example
 * ```ts
 * import { countDistinct } from "tidemark"
 *
 * const aggregates = { users: countDistinct("user") }
 * ```
 */
export const countDistinct: ValueAggregate<"countDistinct"> = valueAggregate("countDistinct")

/**
 * Options of `approxCountDistinct`.
 *
 * @example
 * ```ts
 * import type { ApproxCountDistinctOptions } from "tidemark"
 *
 * const options: ApproxCountDistinctOptions = { error: 0.01 }
 * ```
 */
export interface ApproxCountDistinctOptions {
  /**
   * The standard error, relative to the number: from 0.0021 to 0.1, and 0.02 where it is not given. Two thirds of results are
   * within it, 95 % within twice. Half of it takes four times the memory: 4 KiB a key for 0.02, 16 KiB for 0.01.
   */
  readonly error?: number
}

/**
 * An aggregate such as `approxCountDistinct`, of a value of each row.
 *
 * @example
 * ```ts
 * import { approxCountDistinct, t } from "tidemark"
 *
 * const pages = approxCountDistinct(t.string, (r: { url: string }) => r.url.toLowerCase(), { error: 0.01 })
 * ```
 */
export interface ApproxCountDistinct {
  /** Of what the lambda gives: numbers (`t.float64`), or null. */
  <R, P, V>(
    lambda: (row: R, params: P) => V,
    options?: ApproxCountDistinctOptions,
  ): LambdaAggregate<"approxCountDistinct", R, P, V>
  /** Of a column. */
  <N extends string>(column: N, options?: ApproxCountDistinctOptions): ColumnAggregate<"approxCountDistinct", N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: ApproxCountDistinctOptions,
  ): TypedAggregate<"approxCountDistinct", R, P, C>
}

/**
 * The approximate number of different values, in memory that does not grow with them: HyperLogLog (P. Flajolet and others,
 * 2007) over 64-bit hashes, with the estimator of O. Ertl (2017). While they are few it is exact.
 *
 * @example
 * ```ts
 * import { approxCountDistinct } from "tidemark"
 *
 * const aggregates = { users: approxCountDistinct("user"), pages: approxCountDistinct("page", { error: 0.005 }) }
 * ```
 */
export const approxCountDistinct: ApproxCountDistinct = ((...given: readonly unknown[]) => {
  const { input, options } = givenInput("approxCountDistinct", given, "", ["error"])
  const { error = DISTINCT_ERRORS.usual } = options
  const hint = "The error is relative: 0.01 is one per cent."
  const settings = { error: checkNumber("approxCountDistinct", "the error", error, DISTINCT_ERRORS, hint) }
  return Object.freeze({ kind: "approxCountDistinct", input: Object.freeze(input), settings: Object.freeze(settings) })
}) as ApproxCountDistinct
