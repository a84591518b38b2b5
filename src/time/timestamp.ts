/**
 * Points in time: whole microseconds since 1970-01-01T00:00:00Z, as a branded number.
 *
 * A number holds them exactly from 1684-07-28 to 2255-06-05; finer digits are cut. They compare and subtract like
 * numbers. Here are the brand and the way from and to `Date`; text is in `iso.ts`, numbers in `epoch.ts`.
 *
 * Invariant:
 * - M1 A timestamp is a safe integer, and never −0.
 */
import { TidemarkError } from "../base/errors.ts"

declare const TIMESTAMP: unique symbol

/**
 * Microseconds since 1970-01-01T00:00:00Z, UTC. Compare and subtract it as a number. In lambdas,
 * `new Date(row.at / 1000).getUTCHours()` and its like are compiled.
 *
 * @example
 * ```ts
 * import { fromIso, type Timestamp } from "tidemark"
 *
 * const opened: Timestamp = fromIso("2024-03-10T09:30:00-05:00")
 * const isFirstHour = (at: Timestamp) => at - opened < 3_600_000_000
 * ```
 */
export type Timestamp = number & { readonly [TIMESTAMP]: "Timestamp" }

/** Whether a value is a timestamp: a whole number of microseconds within ±(2⁵³ − 1). */
export function isTimestamp(value: unknown): value is Timestamp {
  return Number.isSafeInteger(value)
}

/**
 * The timestamp of a `Date`.
 *
 * @example
 * ```ts
 * import { fromDate } from "tidemark"
 *
 * const at = fromDate(new Date("2024-03-10T14:30:00Z"))
 * ```
 *
 * @throws TidemarkError `invalid-timestamp` where the date is invalid or outside the years 1684 to 2255.
 */
export function fromDate(date: Date): Timestamp {
  const micros = date.getTime() * 1000
  if (isTimestamp(micros)) return micros
  throw new TidemarkError("invalid-timestamp", "The date is invalid, or outside the years 1684 to 2255.")
}

/**
 * The `Date` of a timestamp: its microseconds below a millisecond are cut towards the past.
 *
 * @example
 * ```ts
 * import { fromIso, toDate } from "tidemark"
 *
 * const weekday = toDate(fromIso("2024-03-10T14:30:00Z")).getUTCDay()
 * ```
 */
export function toDate(timestamp: Timestamp): Date {
  // eslint-disable-next-line no-restricted-globals -- It asks no clock: a `Date` is what the caller wants.
  return new Date(Math.floor(timestamp / 1000))
}
