/**
 * Timestamps as ISO 8601 text, the obvious way; `iso-bytes.ts` is its fast twin on bytes.
 *
 * What is read (docs/spec/types.md, TY10 to TY15): `YYYY-MM-DD` or `YYYY/MM/DD`; then nothing (midnight), or `T` or one
 * space and `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`; behind a time `Z`, `±HH:MM`, `±HHMM` or `±HH`. The offset may be
 * lacking where a zone is given.
 */
import { TidemarkError } from "../base/errors.ts"
import { civilFromDays, daysFromCivil, daysInMonth, MICROS_PER_DAY } from "./civil.ts"
import { isTimestamp, type Timestamp } from "./timestamp.ts"
import type { TimeZone } from "./zone.ts"

const DATE = /^(\d{4})([-/])(\d{2})\2(\d{2})/
const TIME = /^[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?/
const OFFSET = /^([+-])(\d{2})(?::?(\d{2}))?$/

/** The timestamp that a text stands for, or why it is none: a clause that goes on after "is". */
export function parseIso(text: string, zone: TimeZone | undefined): Timestamp | string {
  const date = DATE.exec(text)
  if (date === null) return NOT_ISO
  const [year, month, day] = [Number(date[1]), Number(date[3]), Number(date[4])]
  const behindDate = text.slice(date[0].length)
  const time = TIME.exec(behindDate)
  const [hour, minute, second] = [Number(time?.[1] ?? 0), Number(time?.[2] ?? 0), Number(time?.[3] ?? 0)]
  const fraction = Number((time?.[4] ?? "").slice(0, 6).padEnd(6, "0"))
  const offset = parseOffset(behindDate.slice(time?.[0].length ?? 0))
  if (offset === undefined || (time === null && behindDate !== "")) return NOT_ISO
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return "a date that does not exist"
  if (second === 60) return "a leap second, which timestamps do not have"
  if (hour > 23 || minute > 59 || second > 59) return "a time of day that does not exist"
  const local =
    daysFromCivil(year, month, day) * MICROS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  if (Number.isNaN(offset)) return "an offset from UTC that does not exist"
  if (offset === null && zone === undefined) return "without an offset from UTC, and the column names no zone"
  const micros = offset === null ? zone!.utcOfLocal(local) : local - offset
  return isTimestamp(micros) ? micros : "outside the years 1684 to 2255"
}

const NOT_ISO = "not a time as ISO 8601 text"

/** Microseconds east of UTC; `null` where there is no offset, NaN for an impossible one, `undefined` for other text. */
function parseOffset(text: string): number | null | undefined {
  if (text === "") return null
  if (text === "Z") return 0
  const match = OFFSET.exec(text)
  if (match === null) return undefined
  const [hours, minutes] = [Number(match[2]), Number(match[3] ?? 0)]
  if (hours > 23 || minutes > 59) return NaN
  return (match[1] === "-" ? -60_000_000 : 60_000_000) * (hours * 60 + minutes)
}

/** `2024-03-10T14:30:00Z`, with three or six digits of fraction where they are needed. */
export function formatIso(timestamp: Timestamp): string {
  const days = Math.floor(timestamp / MICROS_PER_DAY)
  const date = String(civilFromDays(days))
  const micros = timestamp - days * MICROS_PER_DAY
  const seconds = Math.floor(micros / 1_000_000)
  const two = (value: number) => String(value).padStart(2, "0")
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  const digits = String(micros % 1_000_000).padStart(6, "0")
  const fraction = digits === "000000" ? "" : `.${digits.endsWith("000") ? digits.slice(0, 3) : digits}`
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time}${fraction}Z`
}

/**
 * The timestamp that ISO 8601 text with an offset or `Z` stands for.
 *
 * @example
 * ```ts
 * import { fromIso } from "tidemark"
 *
 * const at = fromIso("2024-03-10T09:30:00-05:00")
 * ```
 *
 * @throws TidemarkError `invalid-timestamp` where the text is none, or has no offset.
 */
export function fromIso(text: string): Timestamp {
  const timestamp = parseIso(text, undefined)
  if (typeof timestamp === "number") return timestamp
  throw new TidemarkError("invalid-timestamp", `${JSON.stringify(text)} is ${timestamp}.`, {
    hint: 'Write it like "2024-03-10T14:30:00Z" or "2024-03-10T09:30:00.25-05:00".',
  })
}

/**
 * A timestamp as ISO 8601 text in UTC, with three or six digits of fraction where they are needed.
 *
 * @example
 * ```ts
 * import { formatTimestamp, fromIso } from "tidemark"
 *
 * formatTimestamp(fromIso("2024-03-10T09:30:00.25-05:00")) // "2024-03-10T14:30:00.250Z"
 * ```
 *
 * @throws TidemarkError `invalid-timestamp` where the number is no timestamp.
 */
export function formatTimestamp(timestamp: Timestamp): string {
  if (isTimestamp(timestamp)) return formatIso(timestamp)
  throw new TidemarkError("invalid-timestamp", `${String(timestamp)} is not a number of whole microseconds.`)
}
