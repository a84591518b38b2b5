/**
 * Dates of the calendar, without a time of day and without a zone: whole days since 1970-01-01, as a branded number.
 *
 * Text is `YYYY-MM-DD` or `YYYY/MM/DD`, in the years 0000 to 9999 of the Gregorian calendar (docs/spec/types.md, TY25).
 *
 * Invariant:
 * - CD1 A date is a whole number within `DATE_RANGE`, and never −0.
 */
import { TidemarkError } from "../base/errors.ts"
import { civilFromDays, daysFromCivil, daysInMonth } from "./civil.ts"

declare const CALENDAR_DATE: unique symbol

/**
 * Days since 1970-01-01. Compare and subtract it as a number: the difference is a number of days.
 *
 * @example
 * ```ts
 * import { dateFromIso, type CalendarDate } from "tidemark"
 *
 * const opened: CalendarDate = dateFromIso("2024-03-10")
 * const isFirstWeek = (date: CalendarDate) => date - opened < 7
 * ```
 */
export type CalendarDate = number & { readonly [CALENDAR_DATE]: "CalendarDate" }

/** The first day of the year 0000, and the last of the year 9999. */
export const DATE_RANGE = { least: -719_528, greatest: 2_932_896 } as const

const DATE = /^(\d{4})([-/])(\d{2})\2(\d{2})$/

/** Whether a value is a date. */
export function isCalendarDate(value: unknown): value is CalendarDate {
  return Number.isInteger(value) && Number(value) >= DATE_RANGE.least && Number(value) <= DATE_RANGE.greatest
}

/** The date that a text stands for, or why it is none: a clause that goes on after "is". */
export function parseDate(text: string): CalendarDate | string {
  const match = DATE.exec(text)
  if (match === null) return "not a date as ISO 8601 text (YYYY-MM-DD)"
  const [year, month, day] = [Number(match[1]), Number(match[3]), Number(match[4])]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return "a date that does not exist"
  return daysFromCivil(year, month, day) as CalendarDate
}

/** `2024-03-10`. */
export function dateText(date: CalendarDate): string {
  const digits = String(civilFromDays(date)).padStart(8, "0")
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`
}

/**
 * The date that ISO 8601 text stands for.
 *
 * @example
 * ```ts
 * import { dateFromIso } from "tidemark"
 *
 * const day = dateFromIso("2024-03-10")
 * ```
 *
 * @throws TidemarkError `invalid-timestamp` where the text is none.
 */
export function dateFromIso(text: string): CalendarDate {
  const date = parseDate(text)
  if (typeof date === "number") return date
  throw new TidemarkError("invalid-timestamp", `${JSON.stringify(text)} is ${date}.`, {
    hint: 'Write it like "2024-03-10".',
  })
}

/**
 * A date as ISO 8601 text.
 *
 * @example
 * ```ts
 * import { dateFromIso, formatDate } from "tidemark"
 *
 * formatDate(dateFromIso("2024/03/10")) // "2024-03-10"
 * ```
 *
 * @throws TidemarkError `invalid-timestamp` where the number is no date.
 */
export function formatDate(date: CalendarDate): string {
  if (isCalendarDate(date)) return dateText(date)
  throw new TidemarkError("invalid-timestamp", `${String(date)} is not a number of days within the years 0000 to 9999.`)
}
