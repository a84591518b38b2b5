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

/** Aggregates that read something of each row. */
export type ValueAggregateKind = Exclude<AggregateKind, "count">

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

/** Any aggregate of rows of the type `R`. Which columns and types it may read is for `AggregateProblems` to say. */
export type AnyAggregate<R, P> =
  | CountAggregate
  | ColumnAggregate<ValueAggregateKind, string>
  | LambdaAggregate<ValueAggregateKind, R, P, unknown>
  | TypedAggregate<ValueAggregateKind, R, P, ColumnType>

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
      : X extends LambdaAggregate<ValueAggregateKind, never, never, infer V>
        ? number | Extract<V, null>
        : number

type Aggregated<K, V> = K extends "mean" ? number | Extract<V, null> : V

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
        : never

type LambdaProblem<K extends ValueAggregateKind, V> = [V] extends [number | null]
  ? never
  : Problem<`${K}(...) takes a lambda that gives a number, and this one gives ${ValueName<NonNullable<V>>}: declare its type, as in ${K}(t.${TypeHint<NonNullable<V>>}, (row) => ...).`>

type ValueProblem<K extends ValueAggregateKind, V, Subject extends string> = K extends "first" | "last"
  ? never
  : [NonNullable<V>] extends [K extends "sum" | "mean" ? Summand<NonNullable<V>> : number | bigint]
    ? never
    : Problem<`${K}(...) takes numbers, and ${Subject} ${ValueName<NonNullable<V>>}.`>

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
            : "an object"

type TypeHint<V> = [V] extends [bigint]
  ? "int64"
  : [V] extends [string]
    ? "string"
    : [V] extends [boolean]
      ? "bool"
      : "..."
