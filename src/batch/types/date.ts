/** `date`: a date of the calendar, in lambdas a number of days since 1970-01-01. As text and in JSON `2024-03-10`. */
import { dateText, DATE_RANGE, isCalendarDate, parseDate, type CalendarDate } from "../../time/calendar-date.ts"
import { civilFromDays, MICROS_PER_DAY } from "../../time/civil.ts"
import { parseIsoBytes } from "../../time/iso-bytes.ts"
import { TimeZone } from "../../time/zone.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { paddedToBytes } from "./decimal-to-bytes.ts"

const MINUS = 45
const TEXT_BYTES = 10
const UTC = TimeZone.of("UTC")

/** Midnight of a date on its way from text. */
const midnight = new Float64Array(1)

const definition: TypeDefinition<CalendarDate> = {
  kind: "date",
  label: "date",
  storage: "int32",
  typeOf: "number",
  range: DATE_RANGE,
  isDate: true,
  check: (value) => (isCalendarDate(value) ? undefined : "not a date: whole days within the years 0000 to 9999"),
  fromText,
  fromJson: (value) => (typeof value === "string" ? fromText(value) : new Invalid("not a date as ISO 8601 text")),
  fromBytes(bytes, start, end, days, row) {
    if (end - start !== TEXT_BYTES || !parseIsoBytes(bytes, start, end, UTC, midnight, 0)) return false
    days[row] = midnight[0]! / MICROS_PER_DAY
    return true
  },
  toBytes(days, row, bytes, at) {
    const date = civilFromDays(days[row]!)
    paddedToBytes((date / 10_000) | 0, 4, bytes, at)
    paddedToBytes(((date / 100) | 0) % 100, 2, bytes, at + 5)
    paddedToBytes(date % 100, 2, bytes, at + 8)
    bytes[at + 4] = bytes[at + 7] = MINUS
    return at + TEXT_BYTES
  },
  isQuotedInJson: true,
  toText: dateText,
  toJson: (value) => `"${dateText(value)}"`,
}

function fromText(text: string): CalendarDate | Invalid {
  const date = parseDate(text)
  return typeof date === "string" ? new Invalid(date) : date
}

/** See `t.date`. */
export const dateType = new ColumnType<CalendarDate, "date">(definition)
