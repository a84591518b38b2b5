/**
 * `quantile`, `median`, `percentiles`: the value below which a share of the values lies, to within a relative error that is
 * proven and holds for any values in any order.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { QUANTILE_ERRORS } from "../flow/aggregates/quantiles.ts"
import type { ColumnType } from "../batch/type.ts"
import { checkNumber, givenInput } from "./aggregate-input.ts"
import type { ColumnAggregate, LambdaAggregate, PercentilesKind, TypedAggregate } from "./aggregate-types.ts"

/**
 * Options of `quantile`, `median` and `percentiles`.
 *
 * @example
 * ```ts
 * import type { QuantileOptions } from "tidemark"
 *
 * const options: QuantileOptions = { error: 0.001 }
 * ```
 */
export interface QuantileOptions {
  /** How far a result may be from the exact one, relative to it: from 0.000001 to 0.5, and 0.01 where it is not given. */
  readonly error?: number
}

/**
 * The median of a value of each row; see `median`.
 *
 * @example
 * ```ts
 * import { median } from "tidemark"
 *
 * const aggregates = { typical: median("fare") }
 * ```
 */
export interface Median {
  /** Of what the lambda gives: numbers, or null. */
  <R, P, V>(lambda: (row: R, params: P) => V, options?: QuantileOptions): LambdaAggregate<"quantile", R, P, V>
  /** Of a column. */
  <N extends string>(column: N, options?: QuantileOptions): ColumnAggregate<"quantile", N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: QuantileOptions,
  ): TypedAggregate<"quantile", R, P, C>
}

/**
 * A quantile of a value of each row; see `quantile`.
 *
 * @example
 * ```ts
 * import { quantile } from "tidemark"
 *
 * const aggregates = { slowest: quantile(0.99, "ms") }
 * ```
 */
export interface Quantile {
  /** Of what the lambda gives: numbers, or null. */
  <R, P, V>(
    quantile: number,
    lambda: (row: R, params: P) => V,
    options?: QuantileOptions,
  ): LambdaAggregate<"quantile", R, P, V>
  /** Of a column. */
  <N extends string>(quantile: number, column: N, options?: QuantileOptions): ColumnAggregate<"quantile", N>
  /** Of what the lambda gives, as values of a type. */
  <R, P, C extends ColumnType>(
    quantile: number,
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: QuantileOptions,
  ): TypedAggregate<"quantile", R, P, C>
}

/**
 * Several percentiles of a value of each row; see `percentiles`.
 *
 * @example
 * ```ts
 * import { percentiles } from "tidemark"
 *
 * const aggregates = { latency: percentiles([50, 99], "ms") }
 * ```
 */
export interface Percentiles {
  /** Of what the lambda gives: numbers, or null. */
  <const N extends number, R, P, V>(
    percents: readonly N[],
    lambda: (row: R, params: P) => V,
    options?: QuantileOptions,
  ): LambdaAggregate<PercentilesKind<N>, R, P, V>
  /** Of a column. */
  <const N extends number, C extends string>(
    percents: readonly N[],
    column: C,
    options?: QuantileOptions,
  ): ColumnAggregate<PercentilesKind<N>, C>
  /** Of what the lambda gives, as values of a type. */
  <const N extends number, R, P, C extends ColumnType>(
    percents: readonly N[],
    type: C,
    lambda: (row: R, params: P) => C extends ColumnType<infer V> ? V : never,
    options?: QuantileOptions,
  ): TypedAggregate<PercentilesKind<N>, R, P, C>
}

const ERROR_HINT = "The error is relative: 0.01 is one per cent."

/**
 * The quantile q: of n values the ⌈q · n⌉-th least, and for 0 the least. NaN is greater than every number.
 *
 * It is given to within the relative error: `Math.abs(given - exact) <= error * Math.abs(exact)`, whatever the values and their
 * order. Whole numbers are exact up to twice the reciprocal of the error. It keeps counts in buckets, after DDSketch
 * (C. Masson, J. E. Rim and H. K. Lee, 2019): for the usual error at most 128 for each power of two that occurs.
 *
 * @example
 * ```ts
 * import { quantile } from "tidemark"
 *
 * const aggregates = { p99: quantile(0.99, "ms"), p999: quantile(0.999, (r: { ms: number }) => r.ms, { error: 0.001 }) }
 * ```
 */
export const quantile: Quantile = ((given: unknown, ...read: readonly unknown[]) => {
  const hint = "For the 99th percentile write quantile(0.99, ...)."
  const quantiles = checkNumber("quantile", "the quantile", given, { least: 0, greatest: 1 }, hint)
  return described("quantile", quantiles, read, `${quantiles}, `)
}) as Quantile

/**
 * The median: `quantile(0.5, ...)`. Of an even number of values it is the lower one of the two in the middle.
 *
 * @example
 * ```ts
 * import { median } from "tidemark"
 *
 * const aggregates = { typical: median("fare") }
 * ```
 */
export const median: Median = ((...read: readonly unknown[]) => described("median", 0.5, read, "")) as Median

/**
 * Several percentiles at once, as an object: `{ p50, p99 }` for `[50, 99]`. They cost what one of them costs. See `quantile`.
 *
 * @example
 * ```ts
 * import { percentiles } from "tidemark"
 *
 * const aggregates = { latency: percentiles([50, 90, 99.9], "ms", { error: 0.005 }) }
 * ```
 */
export const percentiles: Percentiles = ((percents: unknown, ...read: readonly unknown[]) => {
  const example = "Write percentiles([50, 99], ...)."
  if (!Array.isArray(percents) || percents.length === 0) {
    const message = `percentiles(...) takes a list of percentiles, not ${shownValue(percents)}.`
    throw new TidemarkError("invalid-options", message, { hint: example })
  }
  const quantiles = percents.map((percent: unknown) => {
    const number = checkNumber("percentiles", "a percentile", percent, { least: 0, greatest: 100 }, example)
    return Object.freeze({ name: `p${number}`, quantile: number / 100 })
  })
  const twice = quantiles.find(({ name }, index) => quantiles.findIndex((other) => other.name === name) !== index)
  if (twice === undefined) return described("percentiles", Object.freeze(quantiles), read, "[50, 99], ")
  throw new TidemarkError("invalid-options", `percentiles(...): ${twice.name} is named twice.`, { hint: example })
}) as Percentiles

function described(call: string, quantiles: unknown, read: readonly unknown[], example: string): object {
  const { input, options } = givenInput(call, read, example, ["error"])
  const error = checkNumber(call, "the error", options["error"] ?? QUANTILE_ERRORS.usual, QUANTILE_ERRORS, ERROR_HINT)
  const kind = call === "percentiles" ? "percentiles" : "quantile"
  return Object.freeze({ kind, input: Object.freeze(input), settings: Object.freeze({ quantiles, error }) })
}
