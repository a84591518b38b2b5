/**
 * `tumbling`, `hopping`, `cumulate`, `calendar`, `session`, `countWindow`: how records are grouped into windows. They describe;
 * `flow/windows` cuts.
 */
import { checkDuration, type Duration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { CalendarSpec, CountSpec, CumulateSpec, GlobalSpec, TimeWindowSpec } from "../flow/plan.ts"
import { MICROS_PER_DAY } from "../time/civil.ts"
import { TimeZone } from "../time/zone.ts"
import type { DurationText } from "./duration-text.ts"

/** Windows that time cuts, and that may fire more than once. */
type FiringWindowSpec = Exclude<TimeWindowSpec, CumulateSpec>

interface OffsetOption {
  /** Windows start at whole multiples of their size from this far after 1970-01-01T00:00:00Z. Default `"0s"`. */
  readonly offset?: Duration
}

/** Options of tumbling windows. */
interface TumblingOptions extends OffsetOption {
  /** Windows of whole days start at midnight of this time zone: an IANA name, or an offset such as `"+05:30"`. */
  readonly zone?: string
}

/** Options of windows by the calendar. */
interface CalendarOptions {
  /** Whose calendar: an IANA name, `"UTC"`, or an offset such as `"+05:30"`. */
  readonly zone: string
  /** How many units a window has, counted from 1970, weeks from Monday, 1969-12-29. Default 1. */
  readonly count?: number
  /** How much later than at midnight windows start. Default `"0s"`. */
  readonly offset?: Duration
}

/** Options of sessions. */
interface SessionOptions<D extends string> {
  /** A session ends when its key brings nothing for this long. */
  readonly gap: DurationText<D>
}

/** Options of windows with steps. */
interface CumulateOptions<S extends string, E extends string> extends OffsetOption {
  /** How long windows are; the next one starts where one ends. */
  readonly size: DurationText<S>
  /** Results come this often, from a window's start on, and at its end. */
  readonly step: DurationText<E>
}

/** Options of hopping windows. */
interface HoppingOptions<D extends string> extends OffsetOption {
  /** A window starts this often. Windows overlap where it is less than their size; where it is more there are gaps. */
  readonly every: DurationText<D>
}

/**
 * Windows of one size that follow each other without gap or overlap: `[00:00, 01:00)`, `[01:00, 02:00)` and so on, UTC.
 * With a time zone they are whole days there, from midnight to midnight, also those that have 23 or 25 hours.
 *
 * @example
 * ```ts
 * import { tumbling } from "tidemark"
 *
 * const hourly = tumbling("1h")
 * const dailyFromSixUtc = tumbling("1d", { offset: "6h" })
 * const daysInBerlin = tumbling("1d", { zone: "Europe/Berlin" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where the size is zero, or is not
 * whole days although there is a time zone; `invalid-schema` where there is no such zone.
 */
export function tumbling<D extends string>(size: DurationText<D>, options: TumblingOptions = {}): FiringWindowSpec {
  const { offset = "0s", zone } = checkOptions("tumbling(...)", options, ["offset", "zone"])
  const sizeMicros = positive(size, "tumbling", "size")
  const offsetMicros = checkDuration("tumbling(...): offset", offset)
  if (zone === undefined) return Object.freeze({ kind: "tumbling", sizeMicros, offsetMicros })
  if (sizeMicros % MICROS_PER_DAY !== 0) {
    throw new TidemarkError("invalid-options", `tumbling(...) has the size ${shownValue(size)} and a time zone.`, {
      hint: 'Days depend on a zone: give a size of whole days, such as "1d". Hours are cut with an offset, if at all.',
    })
  }
  return calendarOf("tumbling", "day", sizeMicros / MICROS_PER_DAY, zone, offsetMicros)
}

const UNITS: readonly CalendarSpec["unit"][] = ["day", "week", "month", "quarter", "year"]

/**
 * Windows by the calendar of a time zone: from midnight of the first day of one `"day"`, `"week"` (from Monday), `"month"`,
 * `"quarter"` or `"year"` to that of the next.
 *
 * @example
 * ```ts
 * import { calendar } from "tidemark"
 *
 * const monthly = calendar("month", { zone: "America/New_York" })
 * const fortnights = calendar("week", { zone: "UTC", count: 2 })
 * const businessDays = calendar("day", { zone: "Europe/Berlin", offset: "6h" })
 * ```
 *
 * @throws TidemarkError `invalid-options` where there is no such unit or count; `invalid-schema` where there is no such zone.
 */
export function calendar(unit: CalendarSpec["unit"], options: CalendarOptions): FiringWindowSpec {
  const { zone, count = 1, offset = "0s" } = checkOptions("calendar(...)", options, ["zone", "count", "offset"])
  if (!UNITS.includes(unit)) {
    throw new TidemarkError("invalid-options", `calendar(...) has the unit ${shownValue(unit)}.`, {
      hint: `Give one of ${UNITS.map((each) => JSON.stringify(each)).join(", ")}.`,
    })
  }
  return calendarOf("calendar", unit, count, zone, checkDuration("calendar(...): offset", offset))
}

/** The most units of a window: a century of years. */
const COUNT_MAX = 100

function calendarOf(
  call: string,
  unit: CalendarSpec["unit"],
  count: unknown,
  zone: unknown,
  offsetMicros: number,
): FiringWindowSpec {
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > COUNT_MAX) {
    throw new TidemarkError("invalid-options", `${call}(...) has ${shownValue(count)} ${unit}s.`, {
      hint: `Give a whole number from 1 to ${COUNT_MAX}.`,
    })
  }
  if (typeof zone !== "string") {
    throw new TidemarkError("invalid-options", `${call}(...) has the zone ${shownValue(zone)}.`, {
      hint: 'Write an IANA name such as "Europe/Berlin", or "UTC".',
    })
  }
  TimeZone.of(zone)
  if (offsetMicros >= MICROS_PER_DAY) {
    throw new TidemarkError("invalid-options", `${call}(...) in a time zone has an offset of a day or more.`, {
      hint: "Give less than a day: how much later than at midnight windows start.",
    })
  }
  return Object.freeze({ kind: "calendar", unit, count, zone, offsetMicros })
}

/**
 * Sessions: the records of a key that follow each other with less than a gap between them. A session starts with its first
 * record and ends a gap after its last.
 *
 * @example
 * ```ts
 * import { session } from "tidemark"
 *
 * const visits = session({ gap: "30m" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where the gap is zero, or missing.
 */
export function session<D extends string>(options: SessionOptions<D>): FiringWindowSpec {
  const { gap } = options === undefined ? {} : checkOptions("session(...)", options, ["gap"])
  return Object.freeze({ kind: "session", gapMicros: positive(gap, "session", "gap") })
}

/**
 * Tumbling windows that give results at every step, of all records of the window so far: with a size of a day and steps of
 * an hour, the day's total each hour. `windowEnd` of a result is the end of its step.
 *
 * @example
 * ```ts
 * import { cumulate } from "tidemark"
 *
 * const dayByTheHour = cumulate({ size: "1d", step: "1h" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where one is zero, or missing, or
 * where the step is longer than the size.
 */
export function cumulate<S extends string, E extends string>(options: CumulateOptions<S, E>): CumulateSpec {
  const given = options === undefined ? {} : checkOptions("cumulate(...)", options, ["size", "step", "offset"])
  const sizeMicros = positive(given.size, "cumulate", "size")
  const stepMicros = positive(given.step, "cumulate", "step")
  if (stepMicros > sizeMicros) {
    throw new TidemarkError("invalid-options", `cumulate(...) has the step ${shownValue(given.step)}.`, {
      hint: `A window is ${shownValue(given.size)} long, and its steps are no longer.`,
    })
  }
  const offsetMicros = checkDuration("cumulate(...): offset", given.offset ?? "0s")
  return Object.freeze({ kind: "cumulate", sizeMicros, stepMicros, offsetMicros })
}

/**
 * Windows of one size that start every so often, so that a row may be in several:
 * `hopping("1h", { every: "10m" })` puts each row into six windows.
 *
 * @example
 * ```ts
 * import { hopping } from "tidemark"
 *
 * const lastHourEveryTenMinutes = hopping("1h", { every: "10m" })
 * ```
 *
 * @throws TidemarkError `invalid-duration` where a text is no duration; `invalid-options` where one is zero, or missing.
 */
export function hopping<S extends string, E extends string>(
  size: DurationText<S>,
  options: HoppingOptions<E>,
): FiringWindowSpec {
  const { every, offset = "0s" } =
    options === undefined ? {} : checkOptions("hopping(...)", options, ["every", "offset"])
  const sizeMicros = positive(size, "hopping", "size")
  const slideMicros = positive(every, "hopping", "every")
  const offsetMicros = checkDuration("hopping(...): offset", offset)
  return Object.freeze({ kind: "hopping", sizeMicros, slideMicros, offsetMicros })
}

const GLOBAL: GlobalSpec = Object.freeze({ kind: "global" })

/**
 * One window for all records of a key, which has no end: it fires where triggers say so, and when the input ends. It needs
 * no event time. Where there is one, `windowStart` is that of the earliest record in it, and `windowEnd` one microsecond
 * behind that of the latest.
 *
 * Unless it is purged it is kept for ever, and results are updates: one row a key that a later one replaces.
 *
 * @example
 * ```ts
 * import { globalWindow, onCount } from "tidemark"
 *
 * const everyHundred = [globalWindow(), { early: onCount(100), purging: true }] as const
 * void everyHundred
 * ```
 */
export function globalWindow(): GlobalSpec {
  return GLOBAL
}

/** Options of windows of so many records. */
interface CountWindowOptions {
  /** A window ends behind every so many records of a key. Default: as many as it holds. */
  readonly every?: number
}

/** The most records of a window. */
const RECORDS_MAX = 1_000_000

/**
 * Windows of so many records of a key, in the order in which they come: `countWindow(100)` has those from the first to the
 * 100th, from the 101st to the 200th, and so on. `countWindow(100, { every: 10 })` has the last 100 at every 10th, and fewer
 * at first. A result comes with the last record of its window; a window that is not full when the input ends waits for more.
 *
 * They need no event time. Where there is one, `windowStart` is that of the earliest record in the window, and `windowEnd`
 * one microsecond behind that of the latest; without one results have neither.
 *
 * @example
 * ```ts
 * import { countWindow } from "tidemark"
 *
 * const hundreds = countWindow(100)
 * const lastTenAtEach = countWindow(10, { every: 1 })
 * ```
 *
 * @throws TidemarkError `invalid-options` where a number is not a whole one from 1 to a million.
 */
export function countWindow(count: number, options: CountWindowOptions = {}): CountSpec {
  const { every = count } = checkOptions("countWindow(...)", options, ["every"])
  return Object.freeze({ kind: "count", count: recordCount("count", count), every: recordCount("every", every) })
}

function recordCount(what: string, given: unknown): number {
  if (typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= RECORDS_MAX) return given
  throw new TidemarkError("invalid-options", `countWindow(...) has the ${what} ${shownValue(given)}.`, {
    hint: "Give a whole number of records, from 1 to 1,000,000.",
  })
}

const EXAMPLES: Readonly<Record<string, string>> = {
  tumbling: 'Write tumbling("1h").',
  hopping: 'Write hopping("1h", { every: "10m" }).',
  session: 'Write session({ gap: "30m" }).',
  cumulate: 'Write cumulate({ size: "1d", step: "1h" }).',
}

function positive(text: unknown, window: string, option: string): number {
  if (text === undefined) {
    throw new TidemarkError("invalid-options", `${window}(...) has no ${option}.`, {
      hint: EXAMPLES[window]!,
    })
  }
  const micros = checkDuration(`${window}(...): ${option}`, text)
  if (micros > 0) return micros
  throw new TidemarkError("invalid-options", `${window}(...) has the ${option} ${shownValue(text)}.`, {
    hint: "Give a duration greater than zero.",
  })
}
