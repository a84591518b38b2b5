/**
 * Triggers: what makes windows fire before they end, and the options that say how windows fire more than once. They
 * describe; `flow/windows/triggered` fires.
 */
import { checkDuration, type Duration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { TriggerSpec } from "../flow/plan.ts"

/** Options of triggers by time. */
interface EveryOption {
  /** Windows fire at whole multiples of this length since 1970-01-01T00:00:00Z. */
  readonly every: Duration
}

declare const ROW: unique symbol

/**
 * What makes windows of rows of the type `R` fire early, in a job with parameters of the type `P`.
 *
 * @example
 * ```ts
 * import { onCount, type Trigger } from "tidemark"
 *
 * const hundreds: Trigger = onCount(100)
 * ```
 */
export interface Trigger<in R = never, in P = never> {
  /** For the compiler only. */
  readonly [ROW]?: (row: R, params: P) => void
  readonly kind: TriggerSpec["kind"]
}

const specs = new WeakMap<object, TriggerSpec>()

function declared(spec: TriggerSpec): Trigger<unknown, unknown> {
  const trigger = Object.freeze({ kind: spec.kind })
  specs.set(trigger, Object.freeze(spec))
  return trigger
}

/** What stands behind a trigger; `undefined` where it is none. */
export function triggerSpecOf(trigger: unknown): TriggerSpec | undefined {
  return typeof trigger === "object" && trigger !== null ? specs.get(trigger) : undefined
}

/** The most records that a window waits for. */
const RECORDS_MAX = 1_000_000_000

/**
 * A window of a key fires when so many records have counted in it since it fired last.
 *
 * @example
 * ```ts
 * import { onCount, tumbling, type KeyedStream, type Timestamp } from "tidemark"
 *
 * const often = { early: onCount(100) }
 * void often
 * ```
 *
 * @throws TidemarkError `invalid-options` where it is no whole number from 1.
 */
export function onCount(records: number): Trigger<unknown, unknown> {
  if (Number.isInteger(records) && records >= 1 && records <= RECORDS_MAX)
    return declared({ kind: "count", count: records })
  throw new TidemarkError("invalid-options", `onCount(...) is given ${shownValue(records)}.`, {
    hint: "Give a whole number of records, from 1 to 1,000,000,000.",
  })
}

/**
 * Windows in which something is new fire every so often by the clock of the machine, also while nothing comes. What a result
 * has by then depends on when the clock says so; nothing is lost or repeated after a crash.
 *
 * @example
 * ```ts
 * import { onClock } from "tidemark"
 *
 * const everyTenSeconds = { early: onClock({ every: "10s" }) }
 * void everyTenSeconds
 * ```
 *
 * @throws TidemarkError `invalid-duration`; `invalid-options` where the length is zero.
 */
export function onClock(options: EveryOption): Trigger<unknown, unknown> {
  return declared({ kind: "clock", everyMicros: everyOf("onClock", options) })
}

/**
 * Windows in which something is new fire every so often by event time: when the watermark has come to the next whole multiple
 * of the length behind a record, or behind the watermark that was there before it where that is later.
 *
 * @example
 * ```ts
 * import { onEventTime } from "tidemark"
 *
 * const everyFiveMinutes = { early: onEventTime({ every: "5m" }) }
 * void everyFiveMinutes
 * ```
 *
 * @throws TidemarkError `invalid-duration`; `invalid-options` where the length is zero.
 */
export function onEventTime(options: EveryOption): Trigger<unknown, unknown> {
  return declared({ kind: "eventTime", everyMicros: everyOf("onEventTime", options) })
}

/**
 * A record for which the predicate is true fires the windows that it counts in, with itself. A row fails where the predicate
 * throws, or gives what is neither `true` nor `false`.
 *
 * @example
 * ```ts
 * import { count, globalWindow, job, onPunctuation, schema, t } from "tidemark"
 *
 * export const orders = job({
 *   name: "orders",
 *   inputs: { lines: schema({ order: t.string, isLast: t.bool }) },
 *   flow: ({ lines }) => ({
 *     whole: lines
 *       .keyBy("order")
 *       .window(globalWindow(), { early: onPunctuation((line) => line.isLast), purging: true })
 *       .aggregate({ lines: count() }, { id: "whole" }),
 *   }),
 * })
 * ```
 *
 * @throws TidemarkError `invalid-options` where there is no function.
 */
export function onPunctuation<R, P>(predicate: (row: R, params: P) => boolean): Trigger<R, P> {
  if (typeof predicate === "function") return declared({ kind: "punctuation", lambda: predicate as never })
  throw new TidemarkError("invalid-options", `onPunctuation(...) is given ${shownValue(predicate)}.`, {
    hint: "Write onPunctuation((row) => row.isLast).",
  })
}

function everyOf(call: string, options: unknown): number {
  const { every } = checkOptions(`${call}(...)`, options ?? {}, ["every"])
  const micros = checkDuration(`${call}(...): every`, every)
  if (micros > 0) return micros
  throw new TidemarkError("invalid-options", `${call}(...) has the every ${shownValue(every)}.`, {
    hint: "Give a duration greater than zero.",
  })
}

/**
 * How windows fire more than once: what `.window(...)` takes behind the window.
 *
 * Unless `purging` is given, each result is of all records of its window so far, and takes the place of the one before: the
 * results are a stream of updates, whose column `op` says `insert`, `update` or `delete`.
 *
 * @example
 * ```ts
 * import { onClock, type FiringOptions } from "tidemark"
 *
 * const live = { early: onClock({ every: "1s" }), allowedLateness: "1h" } satisfies FiringOptions
 * ```
 */
export interface FiringOptions<R = unknown, P = unknown> {
  /** What makes windows fire before they end, where something in them is new. Of several, whichever comes first. */
  readonly early?: Trigger<R, P> | readonly Trigger<R, P>[]
  /** For how long after its end a window is kept: a record that comes late by less fires it again. Default: not at all. */
  readonly allowedLateness?: Duration
  /** Each result is of the records since the last one, which are then forgotten: parts that a reader adds up. */
  readonly purging?: true
}
