/**
 * Streams, as programs see them: the types of what `job` hands to its flow. What stands behind them records a plan
 * (`recorded-stream.ts`); nothing here runs.
 *
 * A call at the wrong place is a compile error that ends in a sentence: the property stands there, and is a `Problem`.
 *
 * Invariants:
 * - FT1 The row type is built by intersections written out in the return types. An alias here would make the compiler
 *   walk the whole chain of calls again at each call; see `test/type-budget.test.ts`. For the same reason, and because its messages then name the columns, `keyof R & string` is written out.
 * - FT2 Appending and updating streams are different types; what takes one does not take the other.
 */
import type { ColumnTypes } from "../batch/schema.ts"
import type { ColumnType, ValueOf } from "../batch/type.ts"
import type { StreamKind } from "../connect/sink.ts"
import type { WindowSpec } from "../flow/plan.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { AsyncCall, AsyncMapOptions } from "./async-map-options.ts"
import type { AggregateProblems, AggregatesOver, ResultValue, WindowBound } from "./aggregate-types.ts"
import type { DurationText } from "./duration-text.ts"
import type { Keyed } from "./keyed-parts.ts"
import type { Problem } from "./problem.ts"
import type { StandardValidator, Validated } from "./standard-schema.ts"
import type { FiringOptions } from "./triggers.ts"
import type {
  ChangeOp,
  ColumnProblems,
  Combine,
  EventTimeColumn,
  EventTimeOptions,
  Firing,
  FiringProblems,
  NewTimeColumn,
  NoOptions,
  UntimedWindow,
  WatermarkOptions,
} from "./window-types.ts"
import type { OperatorDefinition } from "./operator-types.ts"
import type { ProcessDefinition, SideColumns, StateDeclarations, TimerDeclarations } from "./process-types.ts"

declare const ROW: unique symbol

/**
 * Rows on their way to an output. `K` says how they come: `"append"` where rows are only ever added, `"update"` where a
 * later row may replace or withdraw an earlier one. Sinks say which kinds they take.
 *
 * @example
 * ```ts
 * import type { RowOfStream, Stream } from "tidemark"
 *
 * type Hourly = Stream<"append", { zone: string; trips: number }>
 * const row: RowOfStream<Hourly> = { zone: "JFK", trips: 12 }
 * ```
 */
export interface Stream<out K extends StreamKind, out R> {
  readonly kind: K
  /** For the compiler only: no stream has a row at hand. */
  readonly [ROW]: R
}

/**
 * A stream in which a later row may replace or withdraw an earlier one: what windows give that fire more than once. Only
 * sinks that take updates can be its output.
 *
 * @example
 * ```ts
 * import type { RowOfStream, UpdateStream } from "tidemark"
 *
 * type Totals = UpdateStream<{ zone: string; total: number }>
 * const row: RowOfStream<Totals> = { zone: "JFK", total: 12.5 }
 * ```
 */
export type UpdateStream<R> = Stream<"update", R>

/**
 * The type of a stream's rows.
 *
 * @example
 * ```ts
 * import type { AppendStream, RowOfStream } from "tidemark"
 *
 * type Row = RowOfStream<AppendStream<{ fare: number }>>
 * const row: Row = { fare: 12.5 }
 * ```
 */
export type RowOfStream<S> = S extends Stream<StreamKind, infer R> ? R : never

/**
 * Options of an operator.
 *
 * @example
 * ```ts
 * import type { OperatorOptions } from "tidemark"
 *
 * const options: OperatorOptions = { id: "hourly-revenue" }
 * ```
 */
export interface OperatorOptions {
  /**
   * Names the operator, for its state, in `explain` and in errors: letters, digits, `.`, `_` and `-`. Without it the id is
   * derived from the operator's place.
   */
  readonly id?: string
}

/**
 * A stream of rows of the type `R` that are only ever added, in a job with parameters of the type `P`. `T` is the name of
 * its event-time column, `never` where it has none.
 *
 * Pieces that jobs share are plain functions over streams: write them for rows that have at least what they read.
 *
 * @example
 * ```ts
 * import { job, schema, t, type AppendStream } from "tidemark"
 *
 * function paid<R extends { fare: number }, P>(trips: AppendStream<R, P>) {
 *   return trips.filter((r) => r.fare > 0)
 * }
 *
 * const fares = job({
 *   name: "fares",
 *   inputs: { trips: schema({ zone: t.string, fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.pipe(paid) }),
 * })
 * ```
 */
export interface AppendStream<R, out P = unknown, in out T extends string = never> extends Stream<"append", R> {
  /** Keeps the rows for which the predicate is truthy. A row for which it throws fails, by the job's `onError`. */
  filter(predicate: (row: R, params: P) => unknown, options?: OperatorOptions): AppendStream<R, P, T>

  /**
   * Adds the columns declared, with the values of the object that the lambda gives; a column of the same name is replaced,
   * and where that is the event-time column there is no event time any more. A row fails where the lambda throws, or gives a value that is not of the declared type.
   */
  derive<const C extends ColumnTypes>(
    columns: C,
    lambda: (row: R, params: P) => { readonly [N in keyof C]: ValueOf<C[N]> },
    options?: OperatorOptions,
  ): AppendStream<
    [Extract<keyof C, keyof R>] extends [never]
      ? R & { readonly [N in keyof C]: ValueOf<C[N]> }
      : { readonly [N in Extract<keyof C, keyof R>]: ValueOf<C[N]> } extends {
            readonly [N in Extract<keyof C, keyof R>]: R[N]
          }
        ? R & { readonly [N in keyof C]: ValueOf<C[N]> }
        : { readonly [N in keyof R]: N extends keyof C ? ValueOf<C[N]> : R[N] } & {
            readonly [N in keyof C]: ValueOf<C[N]>
          },
    P,
    Exclude<T, keyof C>
  >

  /**
   * Calls the function for each row, many at a time, and adds the columns declared, with the values of the object that it
   * gives or that its promise resolves to; a column of the same name is replaced, as by `.derive(...)`. Rows in flight are
   * part of the state, and are asked for again after a recovery: effects of the function happen at least once. A row
   * fails where all attempts have failed, or where a value is not of the declared type.
   *
   * Event time is declared before it: `.eventTime(...)` cannot stand behind it.
   */
  asyncMap<const C extends ColumnTypes>(
    columns: C,
    lambda: (
      row: R,
      params: P,
      call: AsyncCall,
    ) => PromiseLike<{ readonly [N in keyof C]: ValueOf<C[N]> }> | { readonly [N in keyof C]: ValueOf<C[N]> },
    options?: AsyncMapOptions,
  ): AppendStream<
    [Extract<keyof C, keyof R>] extends [never]
      ? R & { readonly [N in keyof C]: ValueOf<C[N]> }
      : { readonly [N in Extract<keyof C, keyof R>]: ValueOf<C[N]> } extends {
            readonly [N in Extract<keyof C, keyof R>]: R[N]
          }
        ? R & { readonly [N in keyof C]: ValueOf<C[N]> }
        : { readonly [N in keyof R]: N extends keyof C ? ValueOf<C[N]> : R[N] } & {
            readonly [N in keyof C]: ValueOf<C[N]>
          },
    P,
    Exclude<T, keyof C>
  >

  /** Keeps the columns named, in that order. Without the event-time column there is no event time any more. */
  select<N extends keyof R & string>(
    ...columns: readonly [N, ...N[]]
  ): AppendStream<{ readonly [M in N]: R[M] }, P, Extract<T, N>>

  /**
   * Makes each row anew: only the columns declared, with the values of the object that the lambda gives. It ends event
   * time: call `.eventTime(...)` after it, or use `.derive(...)` and `.select(...)`.
   */
  map<const C extends ColumnTypes>(
    columns: C,
    lambda: (row: R, params: P) => { readonly [N in keyof C]: ValueOf<C[N]> },
    options?: OperatorOptions,
  ): AppendStream<{ readonly [N in keyof C]: ValueOf<C[N]> }, P>

  /**
   * Makes of each row as many as the lambda gives, none or several: only the columns declared. It ends event time, as `map`
   * does: call `.eventTime(...)` behind it. A row fails as a whole where the lambda throws, or one of its rows is wrong.
   */
  flatMap<const C extends ColumnTypes>(
    columns: C,
    lambda: (row: R, params: P) => readonly { readonly [N in keyof C]: ValueOf<C[N]> }[],
    options?: OperatorOptions,
  ): AppendStream<{ readonly [N in keyof C]: ValueOf<C[N]> }, P>

  /**
   * Holds each row against a validator of zod, valibot, arktype or any other library that speaks Standard Schema: where it is read, or
   * anywhere. What the validator gives replaces the columns that it names, and must be of their types; other columns stay, and what
   * is no column is left out. A row that it refuses fails, with its issues: it goes to the dead letters, or stops the job. It ends event time, as `map`
   * does: call `.eventTime(...)` behind it. Validators that answer with promises are refused.
   */
  validate<V extends StandardValidator>(validator: V, options?: OperatorOptions): AppendStream<Validated<R, V>, P>

  /** Drops the rows in which one of the columns is null; behind it they are not nullable. */
  notNull<N extends keyof R & string>(
    ...columns: readonly [N, ...N[]]
  ): AppendStream<R & { readonly [M in N]: NonNullable<unknown> }, P, T>

  /**
   * The rows of this stream and of others with the same columns, as they come: each is of inputs of its own, and none has
   * waited in a window. Event time is declared on all of them, or behind.
   */
  union(...others: readonly [AppendStream<R, P, T>, ...AppendStream<R, P, T>[]]): AppendStream<R, P, T>

  /** Gives what the function makes of this stream: `trips.pipe(paid)` is `paid(trips)`, where the call is read in order. */
  pipe<O>(piece: (stream: this) => O): O

  /**
   * Declares event time: a timestamp column that is never null, and how far out of order its partitions are. A partition's
   * watermark is its latest event time less `outOfOrder`, less one microsecond.
   */
  readonly eventTime: [T] extends [never]
    ? DeclareEventTime<R, P>
    : Problem<`This stream has an event time already: '${T}'.`>

  /**
   * Adds a column of what the clock says when a row comes, which is the event time from there on: windows behind it are cut
   * by the clock, and fire as it goes on, also while nothing comes. No row is late. After a crash rows that were not committed
   * are read again, and get new times.
   */
  processingTime<N extends string>(
    column: NewTimeColumn<T, N>,
    options?: OperatorOptions,
  ): AppendStream<R & { readonly [M in N]: Timestamp }, P, N>

  /** Groups by the values of these columns, for `.window(...)`; without columns all rows are one group. Objects are no keys. */
  keyBy<N extends keyof R & string = never>(...columns: readonly [] | readonly [N, ...N[]]): KeyedStream<R, N, P, T>

  readonly window: Problem<"Call .keyBy(...) before .window(...), or .keyBy() for the whole stream.">
  readonly aggregate: Problem<"Call .keyBy(...) and .window(...) before .aggregate(...).">
  readonly reduce: Problem<"Call .keyBy(...) and .window(...) before .reduce(...).">
}

/** The call `.eventTime(...)` of a stream that has no event time yet. */
export interface DeclareEventTime<R, P> {
  <N extends keyof R & string>(column: EventTimeColumn<R, N>, options: WatermarkOptions<R, P>): AppendStream<R, P, N>
  <N extends keyof R & string, D extends string>(
    column: EventTimeColumn<R, N>,
    options: EventTimeOptions<D>,
  ): AppendStream<R, P, N>
}

/**
 * A stream grouped by the columns `K`, on its way to a window.
 *
 * @example
 * ```ts
 * import { count, tumbling, type KeyedStream, type Timestamp } from "tidemark"
 *
 * function perMinute<P>(clicks: KeyedStream<{ at: Timestamp; page: string }, "page", P, "at">) {
 *   return clicks.window(tumbling("1m")).aggregate({ clicks: count() })
 * }
 * ```
 */
export interface KeyedStream<R, K extends keyof R, out P, in out T extends string> extends Keyed<R, K, P, T> {
  /** For the compiler only. */
  readonly [ROW]: R
  readonly kind: Problem<"Call .window(...) and .aggregate(...) behind .keyBy(...): groups are not an output.">

  /**
   * Cuts the event time of each key into windows, or its records where windows hold so many of them. Options make windows
   * fire more than once; see `FiringOptions`.
   */
  window<W extends WindowSpec, const O extends FiringOptions<R, P> = NoOptions>(
    window: [T] extends [never] ? UntimedWindow<W> : W,
    options?: O & FiringProblems<W, O>,
  ): Firing<W, O> extends "update" ? UpdatedWindows<R, K, P, T> : WindowedStream<R, K, P, T>

  /**
   * Each row with aggregates over the rows of its key from this long before it up to itself, both ends included: what SQL
   * calls `OVER (PARTITION BY … ORDER BY … RANGE BETWEEN … PRECEDING AND CURRENT ROW)`. Call `.aggregate(...)` behind it.
   */
  readonly over: [T] extends [never]
    ? Problem<"Call .eventTime(...) before .keyBy(...): ranges are of event time.">
    : <D extends string>(range: DurationText<D>) => OverStream<R, P, T>

  /**
   * Keeps state by key: handlers of your own see each record of a key, in the order of arrival, and each of its timers that
   * is due, and emit rows. See `ProcessDefinition`.
   */
  process<
    const C extends ColumnTypes,
    const S extends StateDeclarations = NoOptions,
    const M extends TimerDeclarations = NoOptions,
    const D extends SideColumns = NoOptions,
    E extends keyof C & string = never,
  >(
    definition: ProcessDefinition<R, K, P, T, C, S, M, D, E>,
    options?: OperatorOptions,
  ): ProcessResult<{ readonly [N in keyof C]: ValueOf<C[N]> }, P, E, D>

  /** An operator of your own, one level below `process`: each key has an instance. See `OperatorDefinition`. */
  operator<
    const C extends ColumnTypes,
    const Y extends ColumnType,
    const D extends SideColumns = NoOptions,
    E extends keyof C & string = never,
  >(
    definition: OperatorDefinition<R, K, P, T, C, D, E, Y>,
    options?: OperatorOptions,
  ): ProcessResult<{ readonly [N in keyof C]: ValueOf<C[N]> }, P, E, D>

  readonly eventTime: Problem<"Call .eventTime(...) before .keyBy(...).">
  readonly aggregate: Problem<"Call .window(...) before .aggregate(...).">
  readonly reduce: Problem<"Call .window(...) before .reduce(...).">
}

/**
 * What `.process(...)` gives: a stream of rows of the type `Q`, and the outputs that are its own.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 *
 * const parted = job({
 *   name: "parted",
 *   inputs: { trips: schema({ zone: t.string, fare: t.float64 }) },
 *   flow: ({ trips }) => {
 *     const good = trips.keyBy("zone").process({
 *       emits: { fare: t.float64 },
 *       sides: { free: { zone: t.string } },
 *       onRecord(trip, { key, emit, side }) {
 *         if (trip.fare > 0) emit({ fare: trip.fare })
 *         else side.free({ zone: key.zone })
 *       },
 *     }, { id: "parted" })
 *     return { good, free: good.sides.free }
 *   },
 * })
 * void parted
 * ```
 */
export interface ProcessResult<Q, out P, in out T extends string, D extends SideColumns> extends AppendStream<Q, P, T> {
  /** The outputs that are its own, by name. */
  readonly sides: { readonly [N in keyof D]: AppendStream<{ readonly [M in keyof D[N]]: ValueOf<D[N][M]> }, P> }
}

/**
 * A stream grouped by keys and windows, on its way to aggregates.
 *
 * @example
 * ```ts
 * import { count, sum, type WindowedStream } from "tidemark"
 *
 * function totals<P>(trips: WindowedStream<{ zone: string; fare: number }, "zone", P, "pickup">) {
 *   return trips.aggregate({ trips: count(), fares: sum("fare") })
 * }
 * ```
 */
export interface WindowedStream<R, K extends keyof R, out P, in out T extends string> {
  /** For the compiler only. */
  readonly [ROW]: R
  readonly kind: Problem<"Call .aggregate(...) behind .window(...): windows without aggregates are not an output.">

  /**
   * One row for each key and window, when the watermark has passed the window's end: the keys, `windowStart`, `windowEnd`
   * and the aggregates. Its event time is `windowEnd` less one microsecond. Its `late` stream has the rows that came too
   * late for all their windows.
   */
  aggregate<A extends AggregatesOver<R, P>>(
    aggregates: A & AggregateProblems<R, K, A>,
    options?: OperatorOptions,
  ): WindowResult<
    R,
    {
      readonly [N in K | ([T] extends [never] ? never : WindowBound) | keyof A]: N extends keyof A
        ? ResultValue<R, A[N]>
        : N extends WindowBound
          ? Timestamp
          : N extends keyof R
            ? R[N]
            : never
    },
    P,
    T
  >

  /**
   * One row for each key and window, which the function makes of all its rows, two at a time: it gives one of an earlier and
   * a later row. It must give the same in whatever order pairs are made one, as rows are combined in parts. The result has
   * the keys, `windowStart`, `windowEnd` and the other columns of the rows. A row fails where the function throws.
   */
  reduce(
    combine: Combine<R, P>["combine"],
    options?: OperatorOptions,
  ): WindowResult<
    R,
    R & ([T] extends [never] ? unknown : { readonly windowStart: Timestamp; readonly windowEnd: Timestamp }),
    P,
    T
  >
}

/**
 * A stream grouped by keys and windows that fire more than once, on its way to aggregates: their results are updates.
 *
 * @example
 * ```ts
 * import { count, type UpdatedWindows } from "tidemark"
 *
 * function totals<P>(trips: UpdatedWindows<{ zone: string; fare: number }, "zone", P, "pickup">) {
 *   return trips.aggregate({ trips: count() })
 * }
 * ```
 */
export interface UpdatedWindows<R, K extends keyof R, out P, in out T extends string> {
  /** For the compiler only. */
  readonly [ROW]: R
  readonly kind: Problem<"Call .aggregate(...) behind .window(...): windows without aggregates are not an output.">

  /**
   * A row for each firing of a key and window: what becomes of the row before (`op`), the keys, `windowStart`, `windowEnd`
   * and the aggregates of all records so far.
   */
  aggregate<A extends AggregatesOver<R, P>>(
    aggregates: A & AggregateProblems<R, K, A>,
    options?: OperatorOptions,
  ): UpdatedResult<
    R,
    {
      readonly [N in "op" | K | ([T] extends [never] ? never : WindowBound) | keyof A]: N extends keyof A
        ? ResultValue<R, A[N]>
        : N extends WindowBound
          ? Timestamp
          : N extends keyof R
            ? R[N]
            : N extends "op"
              ? ChangeOp
              : never
    },
    P,
    T
  >

  /** A row for each firing of a key and window, which the function makes of all its rows; see `WindowedStream`. */
  reduce(
    combine: Combine<R, P>["combine"],
    options?: OperatorOptions,
  ): UpdatedResult<
    R,
    R & { readonly op: ChangeOp } & ([T] extends [never]
        ? unknown
        : { readonly windowStart: Timestamp; readonly windowEnd: Timestamp }),
    P,
    T
  >
}

/**
 * A stream grouped by keys, each row with those in a range before it, on its way to aggregates.
 *
 * @example
 * ```ts
 * import { count, sum, type OverStream } from "tidemark"
 *
 * function spending<P>(payments: OverStream<{ card: string; cents: number }, P, "at">) {
 *   return payments.aggregate({ payments: count(), spent: sum("cents") })
 * }
 * ```
 */
export interface OverStream<R, out P, in out T extends string> {
  /** For the compiler only. */
  readonly [ROW]: R
  readonly kind: Problem<"Call .aggregate(...) behind .over(...): ranges without aggregates are not an output.">

  /**
   * Each row, with the aggregates over its range, when the watermark has come to its event time: in order of event time, which
   * goes on as it is. Its `late` stream has the rows that came behind the watermark; they are in no range.
   */
  aggregate<A extends AggregatesOver<R, P>>(
    aggregates: A & AggregateProblems<R, never, A> & ColumnProblems<R, A>,
    options?: OperatorOptions,
  ): OverResult<R, R & { readonly [N in keyof A]: ResultValue<R, A[N]> }, P, T>
}

/**
 * Rows of the type `Q` with aggregates over a range, and the rows of the type `R` that came too late.
 *
 * @example
 * ```ts
 * import { count, job, schema, sum, t } from "tidemark"
 *
 * const risky = job({
 *   name: "risky",
 *   inputs: { payments: schema({ at: t.timestamp(), card: t.string, cents: t.int53 }) },
 *   flow: ({ payments }) => {
 *     const withHistory = payments
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("card")
 *       .over("1h")
 *       .aggregate({ payments: count(), spent: sum("cents") }, { id: "last-hour" })
 *     return { risky: withHistory.filter((row) => row.payments > 10 || row.spent > 100_000), late: withHistory.late }
 *   },
 * })
 * void risky
 * ```
 */
export interface OverResult<R, Q, out P, in out T extends string> extends AppendStream<Q, P, T> {
  /** The rows that came too late, as they came. */
  readonly late: AppendStream<R, P, T>
}

/**
 * What windows give that fire more than once: updates of the type `Q`, and the rows of the type `R` that came too late. In
 * each row `op` says what becomes of the row with the same keys and bounds (the same keys, for windows without an end):
 * `"insert"` where there is none yet, `"update"` where this row takes its place, `"delete"` where it is withdrawn, as its
 * session has become part of a longer one.
 *
 * @example
 * ```ts
 * import { count, job, onClock, schema, t, tumbling } from "tidemark"
 * import { jsonl } from "tidemark/files"
 *
 * const clicks = job({
 *   name: "clicks",
 *   inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
 *   flow: ({ clicks }) => {
 *     const perHour = clicks
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("page")
 *       .window(tumbling("1h"), { early: onClock({ every: "10s" }), allowedLateness: "1d" })
 *       .aggregate({ clicks: count() }, { id: "per-hour" })
 *     return { perHour, late: perHour.late }
 *   },
 * })
 * export default clicks.with({
 *   inputs: { clicks: jsonl("clicks/*.jsonl") },
 *   outputs: { perHour: jsonl("out/per-hour", { changelog: true }), late: jsonl("out/late") },
 * })
 * ```
 */
export interface UpdatedResult<R, Q, out P, in out T extends string> extends Stream<"update", Q> {
  /** The rows that were late for all their windows, as they came; `T` is still their event time. */
  readonly late: AppendStream<R, P, T>
  /** The same rows as a stream that appends, for all operators and sinks: what they mean is then for the program to say. */
  changes(): AppendStream<Q, P>

  readonly filter: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly derive: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly asyncMap: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly select: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly map: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly flatMap: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly notNull: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly union: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly eventTime: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly processingTime: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
  readonly keyBy: Problem<"A stream of updates is an output: return it, or call .changes() to go on with its rows.">
}

/**
 * What windows give: a stream of results of the type `Q`, and the rows of the type `R` that came too late.
 *
 * @example
 * ```ts
 * import { count, job, schema, t, tumbling } from "tidemark"
 *
 * const clicks = job({
 *   name: "clicks",
 *   inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
 *   flow: ({ clicks }) => {
 *     const perMinute = clicks
 *       .eventTime("at", { outOfOrder: "5s" })
 *       .keyBy("page")
 *       .window(tumbling("1m"))
 *       .aggregate({ clicks: count() })
 *     return { perMinute, late: perMinute.late }
 *   },
 * })
 * ```
 */
export interface WindowResult<R, Q, out P, in out T extends string> extends AppendStream<
  Q,
  P,
  [T] extends [never] ? never : "windowEnd"
> {
  /** The rows that were late for all their windows, as they came; `T` is still their event time. */
  readonly late: AppendStream<R, P, T>
}
