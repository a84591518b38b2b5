/** What calls for event time and windows take, in types, and what is wrong with how they are made: in sentences. */
import type { Duration } from "../base/duration.ts"
import type { CountSpec, CumulateSpec, GlobalSpec, WindowSpec } from "../flow/plan.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { DurationText } from "./duration-text.ts"
import type { Problem } from "./problem.ts"

/** The window itself where it needs no event time. */
export type UntimedWindow<W extends WindowSpec> = [W] extends [CountSpec | GlobalSpec]
  ? W
  : Problem<"Call .eventTime(...) before .keyBy(...): windows are cut in event time.">

/** No options. */
export type NoOptions = Readonly<Record<never, never>>

/** Whether results of windows are added to those before, or take their place. */
export type Firing<W, O> = O extends { readonly purging: true }
  ? "append"
  : [W] extends [GlobalSpec]
    ? "update"
    : [Extract<keyof O, "early" | "allowedLateness">] extends [never]
      ? "append"
      : "update"

/** What is wrong with the options of a window; `unknown` where nothing is. */
export type FiringProblems<W, O> = [keyof O] extends [never]
  ? unknown
  : [W] extends [CountSpec | CumulateSpec]
    ? Problem<"countWindow(...) and cumulate(...) fire by themselves: leave the options away.">
    : [W] extends [GlobalSpec]
      ? "allowedLateness" extends keyof O
        ? Problem<"Nothing is late for globalWindow(), which has no end: leave allowedLateness away.">
        : unknown
      : unknown

/** What is wrong with names of aggregates; `unknown` where nothing is. */
export type ColumnProblems<R, A> = [Extract<keyof A, keyof R>] extends [never]
  ? unknown
  : {
      readonly [
        N in Extract<keyof A, keyof R>
      ]: Problem<`Rows have a column '${N & string}' already: give the aggregate another name.`>
    }

/** What becomes of the row with the same keys, and the same bounds where windows have some. */
export type ChangeOp = "insert" | "update" | "delete"
/** The column itself where it can be the event time. It distributes, so that editors offer the columns that can. */
export type EventTimeColumn<R, N extends keyof R & string> = N extends unknown
  ? [R[N]] extends [Timestamp]
    ? N
    : [R[N]] extends [Timestamp | null]
      ? Problem<`Event time is never null: call .notNull('${N}') before .eventTime('${N}', ...).`>
      : Problem<`The column '${N}' is not a timestamp, so it cannot be the event time.`>
  : never

/** What `.reduce(...)` takes: as a method, so that a stream of rows with more columns is still one of rows with fewer. */
export interface Combine<R, P> {
  combine(earlier: R, later: R, params: P): R
}

/** The name itself where there is no event time yet. That no column has it is checked when the plan is recorded (FT1). */
export type NewTimeColumn<T, N extends string> = [T] extends [never]
  ? N
  : Problem<"This stream has an event time already.">

/**
 * What `.eventTime(...)` may be told of partitions whose records come with time. Without it they are read as their records come, and
 * windows wait for the slowest as long as it takes.
 *
 * @example
 * ```ts
 * import type { PartitionOptions } from "tidemark"
 *
 * const sensors: PartitionOptions = { idleAfter: "30s", maxDrift: "5m" }
 * ```
 */
export interface PartitionOptions {
  /**
   * When a partition of which there has been nothing to read for so long is idle: the watermark does not wait for it, until there
   * is something again. What it brings then is late as far as the watermark has come meanwhile (rule T13).
   */
  readonly idleAfter?: Duration
  /**
   * How far in event time a partition may be read ahead of the slowest that is not idle: one that is further waits, and what has come
   * of it stays where it is (rule T14). With `"0s"` only the slowest is read. Any distance by default.
   */
  readonly maxDrift?: Duration
}

/**
 * Options of `.eventTime(...)`.
 *
 * @example
 * ```ts
 * import type { EventTimeOptions } from "tidemark"
 *
 * const options: EventTimeOptions<"5s"> = { outOfOrder: "5s", id: "pickup-time" }
 * ```
 */
export interface EventTimeOptions<D extends string> extends PartitionOptions {
  /** See `OperatorOptions`. */
  readonly id?: string
  /** How much earlier than the latest row of its partition a row may be and still be in time. */
  readonly outOfOrder: DurationText<D>
}

/**
 * Options of `.eventTime(...)` where a function says what the watermarks are.
 *
 * @example
 * ```ts
 * import type { Timestamp, WatermarkOptions } from "tidemark"
 *
 * const atMarkers: WatermarkOptions<{ at: Timestamp; isMarker: boolean }, unknown> = {
 *   watermark: (row) => (row.isMarker ? row.at : null),
 * }
 * ```
 */
export interface WatermarkOptions<in R, in P> extends PartitionOptions {
  /**
   * Gives, for a row, the time up to which its partition brings nothing more behind this row; or null, where the row does not
   * say. The partition's watermark is the greatest that it has given. A row for which it throws fails.
   */
  readonly watermark: (row: R, params: P) => Timestamp | null
  /** See `OperatorOptions`. */
  readonly id?: string
}
