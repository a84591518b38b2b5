/** `collect` and `frequent`: aggregates of values of every type whose results are lists. */
import type { ColumnType } from "../batch/type.ts"
import { FREQUENT_ERRORS } from "../flow/aggregates/frequent.ts"
import { checkNumber, checkWhole, givenInput } from "./aggregate-input.ts"
import type { ColumnAggregate, LambdaAggregate, TypedAggregate } from "./aggregate-types.ts"

/** The most values of a list, where a number is given. */
const MOST = { least: 1, greatest: 10_000_000 } as const
const FREQUENT_LIMIT = { least: 1, greatest: 100_000, usual: 10 } as const

/**
 * Options of `collect`.
 *
 * @example
 * ```ts
 * import type { CollectOptions } from "tidemark"
 *
 * const options: CollectOptions = { limit: 100 }
 * ```
 */
export interface CollectOptions {
  /** How many values are kept at most: the first ones, by event time. Without it all are, however many come. */
  readonly limit?: number
}

/**
 * An aggregate such as `collect`, of a value of each row.
 *
 * @example
 * ```ts
 * import { collect, t } from "tidemark"
 *
 * const paths = collect(t.string, (r: { url: string }) => r.url.toLowerCase(), { limit: 100 })
 * ```
 */
export interface Collect {
  /** Of what the lambda gives: numbers (`t.float64`), or null. */
  <R, P, V>(lambda: (row: R, params: P) => V, options?: CollectOptions): LambdaAggregate<"collect", R, P, V>
  /** Of a column. */
  <N extends string>(column: N, options?: CollectOptions): ColumnAggregate<"collect", N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: CollectOptions,
  ): TypedAggregate<"collect", R, P, C>
}

/**
 * All values that are not null, as a list in order of event time; of equal times in the order in which they arrived. It is empty
 * where there was none. The window keeps them all until it fires: give a `limit` where there may be many.
 *
 * @example
 * ```ts
 * import { collect } from "tidemark"
 *
 * const aggregates = { pages: collect("url"), firstFares: collect("fare", { limit: 3 }) }
 * ```
 */
export const collect: Collect = ((...given: readonly unknown[]) => {
  const { input, options } = givenInput("collect", given, "", ["limit"])
  const { limit } = options
  const hint = 'Write collect("url", { limit: 100 }), or leave the limit out to keep all.'
  const settings = limit === undefined ? {} : { limit: checkWhole("collect", "the limit", limit, MOST, hint) }
  return Object.freeze({ kind: "collect", input: Object.freeze(input), settings: Object.freeze(settings) })
}) as Collect

/**
 * Options of `frequent`.
 *
 * @example
 * ```ts
 * import type { FrequentOptions } from "tidemark"
 *
 * const options: FrequentOptions = { limit: 20, error: 0.0001 }
 * ```
 */
export interface FrequentOptions {
  /** How many values a result has at most: 10 where it is not given. */
  readonly limit?: number
  /**
   * How many of all values a count may be short of, as a share of them: from 0.00001 to 0.5, and 0.001 where it is not given. A key
   * keeps 1/error values: 999 for 0.001.
   */
  readonly error?: number
}

/**
 * An aggregate such as `frequent`, of a value of each row.
 *
 * @example
 * ```ts
 * import { frequent, t } from "tidemark"
 *
 * const pages = frequent(t.string, (r: { url: string }) => r.url.toLowerCase(), { limit: 3 })
 * ```
 */
export interface Frequent {
  /** Of what the lambda gives: numbers (`t.float64`), or null. */
  <R, P, V>(lambda: (row: R, params: P) => V, options?: FrequentOptions): LambdaAggregate<"frequent", R, P, V>
  /** Of a column. */
  <N extends string>(column: N, options?: FrequentOptions): ColumnAggregate<"frequent", N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: FrequentOptions,
  ): TypedAggregate<"frequent", R, P, C>
}

/**
 * The values that occur most often, most frequent first, in memory that does not grow with how many there are: the algorithm of
 * J. Misra and D. Gries (1982). Of each the result has `value`, `count` and `countMost`: it occurred at least `count` and at most
 * `countMost` times, which differ by at most `error` times the number of all values, whatever they are and in whatever order they come.
 * A value with a greater share than `error` is never missed (as long as there are not more than `limit`). While there are fewer
 * different values than 1/error, all counts are exact. Null does not count.
 *
 * @example
 * ```ts
 * import { frequent } from "tidemark"
 *
 * const aggregates = { pages: frequent("url", { limit: 5 }) }
 * // pages: [{ value: "/", count: 1204, countMost: 1207 }, …]
 * ```
 */
export const frequent: Frequent = ((...given: readonly unknown[]) => {
  const { input, options } = givenInput("frequent", given, "", ["limit", "error"])
  const { limit = FREQUENT_LIMIT.usual, error = FREQUENT_ERRORS.usual } = options
  const hint = 'Write frequent("url", { limit: 10, error: 0.001 }). The error is a share of all values.'
  const settings = {
    limit: checkWhole("frequent", "the limit", limit, FREQUENT_LIMIT, hint),
    error: checkNumber("frequent", "the error", error, FREQUENT_ERRORS, hint),
  }
  return Object.freeze({ kind: "frequent", input: Object.freeze(input), settings: Object.freeze(settings) })
}) as Frequent
