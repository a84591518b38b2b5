/**
 * Aggregates in types: what `.aggregate({ ... })` takes, what it gives, and its mistakes in words.
 *
 * Invariant:
 * - FT3 A result's type is the one that the runtime gives: of a column it follows the column's type, of a lambda it is a
 *   number (or null, where the lambda may give null), unless the aggregate declares another type.
 */
import type { ColumnType, ValueOf } from "../batch/type.ts"
import type { AggregateKind } from "../flow/plan.ts"
import type { CalendarDate } from "../time/calendar-date.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { Problem } from "./problem.ts"

/** Aggregates that a kernel computes, and that read something of each row. */
export type KernelValueKind = Exclude<AggregateKind, "count">

/** Aggregates that accumulate plain values, each over one column or lambda. */
export type AccumulatedValueKind =
  | "variance"
  | "stddev"
  | "populationVariance"
  | "populationStddev"
  | "countDistinct"
  | "approxCountDistinct"
  | "quantile"
  | "percentiles"
  | "collect"
  | "frequent"

/** Aggregates that read one value of each row. */
export type ValueAggregateKind = KernelValueKind | AccumulatedValueKind

declare const PERCENTS: unique symbol

/** The kind of `percentiles`, with the ones that it was asked for. */
export type PercentilesKind<N extends number> = "percentiles" & { readonly [PERCENTS]: N }

/** `count()`: it reads nothing of a row. */
export interface CountAggregate {
  readonly kind: "count"
  readonly input: { readonly kind: "none" }
}

/** An aggregate of a column: `sum("fare")`. */
export interface ColumnAggregate<K extends ValueAggregateKind, N extends string> {
  readonly kind: K
  readonly input: { readonly kind: "column"; readonly name: N }
}

/** An aggregate of what a lambda gives: `sum(r => r.fare - r.tip)`. */
export interface LambdaAggregate<K extends ValueAggregateKind, in R, in P, out V> {
  readonly kind: K
  readonly input: { readonly kind: "lambda"; readonly lambda: (row: R, params: P) => V }
}

/** An aggregate of what a lambda gives, of a declared type: `sum(t.int64, r => r.units)`. */
export interface TypedAggregate<K extends ValueAggregateKind, in R, in P, out C extends ColumnType> {
  readonly kind: K
  readonly input: { readonly kind: "typed"; readonly type: C; readonly lambda: (row: R, params: P) => unknown }
}

/** `minBy` and `maxBy`: what the columns `M` hold in the row in which the column `N` is least or greatest. */
export interface ExtremeByAggregate<N extends string, M extends string | readonly string[]> {
  readonly kind: "minBy" | "maxBy"
  readonly by: N
  readonly of: M
}

/** `topK`: what the columns `M` hold in the rows in which the column `N` is greatest. */
export interface TopKAggregate<N extends string, M extends string | readonly string[]> {
  readonly kind: "topK"
  readonly by: N
  readonly of: M
  readonly limit: number
}

/** An aggregate of a program's own, over rows of the type `R`, with results of the type `V`. */
export interface CustomAggregate<in R, in P, out V> {
  readonly kind: "custom"
  readonly type: ColumnType<V>
  /** Its functions, by name. */
  readonly functions: Readonly<Record<string, unknown>> & { readonly add: (state: never, row: R, params: P) => unknown }
}

/** Any aggregate of rows of the type `R`. Which columns and types it may read is for `AggregateProblems` to say. */
export type AnyAggregate<R, P> =
  | CountAggregate
  | ColumnAggregate<ValueAggregateKind, string>
  | LambdaAggregate<ValueAggregateKind, R, P, unknown>
  | TypedAggregate<ValueAggregateKind, R, P, ColumnType>
  | ExtremeByAggregate<string, string | readonly string[]>
  | TopKAggregate<string, string | readonly string[]>
  | CustomAggregate<R, P, unknown>

/** What `.aggregate(...)` takes: aggregates by the names of their result columns. */
export type AggregatesOver<R, P> = Readonly<Record<string, AnyAggregate<R, P>>>

/** The columns that every window result has besides its keys. */
export type WindowBound = "windowStart" | "windowEnd"

/** What an aggregate of rows of the type `R` gives. */
export type ResultValue<R, X> =
  X extends ColumnAggregate<infer K, infer N>
    ? N extends keyof R
      ? Aggregated<K, R[N]>
      : never
    : X extends TypedAggregate<infer K, never, never, infer C>
      ? Aggregated<K, ValueOf<C>>
      : X extends LambdaAggregate<infer K, never, never, infer V>
        ? Aggregated<K, number | Extract<V, null>>
        : X extends ExtremeByAggregate<infer N, infer M>
          ? Extract<R[N & keyof R], null> | ColumnsOf<R, M>
          : X extends TopKAggregate<string, infer M>
            ? readonly ColumnsOf<R, M>[]
            : X extends CustomAggregate<never, never, infer V>
              ? V
              : number

type Aggregated<K, V> = K extends "min" | "max" | "sum" | "first" | "last"
  ? V
  : K extends "mean" | "quantile" | "populationVariance" | "populationStddev"
    ? number | Extract<V, null>
    : K extends "variance" | "stddev"
      ? number | null
      : K extends PercentilesKind<infer N>
        ? { readonly [M in N as `p${M}`]: number } | Extract<V, null>
        : K extends "collect"
          ? readonly NonNullable<V>[]
          : K extends "frequent"
            ? readonly FrequentValue<NonNullable<V>>[]
            : number

/**
 * A value, and how often it has occurred: from `count` to `countMost` times. See `frequent`.
 *
 * @example
 * ```ts
 * import type { FrequentValue } from "tidemark"
 *
 * const page: FrequentValue<string> = { value: "/", count: 1204, countMost: 1207 }
 * ```
 */
export interface FrequentValue<V> {
  readonly value: V
  readonly count: number
  readonly countMost: number
}

/** A column's value, or an object of several. */
type ColumnsOf<R, M> = M extends readonly string[]
  ? { readonly [N in Extract<M[number], keyof R>]: R[N] }
  : R[M & keyof R]

/**
 * What is wrong with these aggregates, by name; `unknown` where nothing is. The condition stands in front so that the
 * compiler infers the lambdas' rows before it looks for problems.
 */
export type AggregateProblems<R, K, A> = [ProblemIn<R, K, A>] extends [never]
  ? unknown
  : { readonly [N in keyof A]: [ProblemOf<R, K, N, A[N]>] extends [never] ? unknown : ProblemOf<R, K, N, A[N]> }

type ProblemIn<R, K, A> = { readonly [N in keyof A]: ProblemOf<R, K, N, A[N]> }[keyof A]

type ProblemOf<R, K, N, X> = N extends K
  ? Problem<`'${N & string}' is a key already: give the aggregate another name.`>
  : N extends WindowBound
    ? Problem<`Results have '${N}' already: give the aggregate another name.`>
    : InputProblem<R, X>

type InputProblem<R, X> =
  X extends ColumnAggregate<infer K, infer N>
    ? N extends keyof R
      ? ValueProblem<K, R[N], `the column '${N}' is`>
      : Problem<`There is no column '${N}' to aggregate.`>
    : X extends TypedAggregate<infer K, never, never, infer C>
      ? ValueProblem<K, ValueOf<C>, "its declared type is">
      : X extends LambdaAggregate<infer K, never, never, infer V>
        ? LambdaProblem<K, V>
        : X extends ExtremeByAggregate<infer N, infer M> | TopKAggregate<infer N, infer M>
          ? ExtremeByProblem<R, N, M>
          : never

type ExtremeByProblem<R, N extends string, M> = N extends keyof R
  ? [NonNullable<R[N]>] extends [number | bigint]
    ? [Exclude<M extends readonly string[] ? M[number] : M, keyof R>] extends [never]
      ? never
      : Problem<`There is no column '${Exclude<M extends readonly string[] ? M[number] : M, keyof R> & string}' to take from the row.`>
    : Problem<`minBy(...), maxBy(...) and topK(...) compare numbers, and the column '${N}' is ${ValueName<NonNullable<R[N]>>}.`>
  : Problem<`There is no column '${N}' to compare.`>

type LambdaProblem<K extends ValueAggregateKind, V> = [V] extends [number | null]
  ? never
  : Problem<`${KindName<K>}(...) takes a lambda that gives a number, and this one gives ${ValueName<NonNullable<V>>}: declare its type, as in ${KindName<K>}(t.${TypeHint<NonNullable<V>>}, (row) => ...).`>

type ValueProblem<K extends ValueAggregateKind, V, Subject extends string> = K extends
  "first" | "last" | "countDistinct" | "approxCountDistinct" | "collect" | "frequent"
  ? never
  : [NonNullable<V>] extends [K extends "min" | "max" ? number | bigint : Summand<NonNullable<V>>]
    ? never
    : Problem<`${KindName<K>}(...) takes numbers, and ${Subject} ${ValueName<NonNullable<V>>}.`>

/** A kind as text: that of `percentiles` carries more. */
type KindName<K extends string> = K extends "percentiles" ? "percentiles" : K

/** Timestamps and dates are numbers, but a sum of them means nothing. */
type Summand<V> = [V] extends [Timestamp | CalendarDate] ? never : number | bigint

type ValueName<V> = [V] extends [Timestamp]
  ? "a timestamp"
  : [V] extends [CalendarDate]
    ? "a date"
    : [V] extends [number]
      ? "a number"
      : [V] extends [string]
        ? "a string"
        : [V] extends [boolean]
          ? "a boolean"
          : [V] extends [bigint]
            ? "a bigint"
            : [V] extends [readonly unknown[]]
              ? "a list"
              : "an object"

type TypeHint<V> = [V] extends [bigint]
  ? "int64"
  : [V] extends [string]
    ? "string"
    : [V] extends [boolean]
      ? "bool"
      : "..."
