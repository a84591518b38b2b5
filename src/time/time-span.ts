/**
 * Lengths of time: whole microseconds, as a branded number, which may be negative.
 *
 * Text is that of ISO 8601, `-P1W2DT3H4M5.006S`, without years and months, which have no fixed length; a day has 24 hours
 * (docs/spec/types.md, TY26).
 *
 * Invariants:
 * - TS1 A length is a safe integer, and never −0.
 * - TS2 `parseSpan(spanText(span))` is `span`.
 */
import { parseDuration, type Duration } from "../base/duration.ts"

declare const TIME_SPAN: unique symbol

/**
 * A length of time in microseconds. Compare, add and subtract it as a number.
 *
 * @example
 * ```ts
 * import { timeSpan, type TimeSpan } from "tidemark"
 *
 * const isLong = (ride: TimeSpan) => ride > timeSpan("1h 30m")
 * ```
 */
export type TimeSpan = number & { readonly [TIME_SPAN]: "TimeSpan" }

const SPAN = /^(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?$/
const UNITS = [604_800_000_000n, 86_400_000_000n, 3_600_000_000n, 60_000_000n, 1_000_000n] as const
const MICRO_DIGITS = 6
const SECOND = 1_000_000
/** So many digits no length within the range has. */
const DIGITS_MAX = 20

/** Whether a value is a length of time. */
export function isTimeSpan(value: unknown): value is TimeSpan {
  return Number.isSafeInteger(value)
}

/**
 * The length that a text stands for, or why it is none: a clause that goes on after "is". Digits below a microsecond are cut
 * towards the lesser, as those of timestamps are.
 */
export function parseSpan(text: string): TimeSpan | string {
  const match = SPAN.exec(text)
  if (match === null || /[PT]$/.test(text)) return "not a length of time as ISO 8601 text, such as PT1H30M"
  const [, sign, ...parts] = match
  const fraction = parts[5] ?? ""
  if (parts.some((digits, index) => index < UNITS.length && (digits ?? "").replace(/^0+/, "").length > DIGITS_MAX)) {
    return OUTSIDE_SPANS
  }
  let micros = UNITS.reduce((sum, unit, index) => sum + BigInt(parts[index] ?? "0") * unit, 0n)
  micros += BigInt(fraction.slice(0, MICRO_DIGITS).padEnd(MICRO_DIGITS, "0"))
  const isCut = /[1-9]/.test(fraction.slice(MICRO_DIGITS))
  const span = Number(sign === "-" ? -micros - (isCut ? 1n : 0n) : micros)
  return isTimeSpan(span) ? span : OUTSIDE_SPANS
}

/** What is said of a length that is too great. */
export const OUTSIDE_SPANS = "outside the range of duration (-9007199254740991 to 9007199254740991 microseconds)"

/** `PT1H30M5.250S`: hours, minutes and seconds where they are not 0, with three or six digits of fraction where needed. */
export function spanText(span: TimeSpan): string {
  if (span === 0) return "PT0S"
  const micros = Math.abs(span)
  const seconds = Math.floor(micros / SECOND)
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const digits = String(micros % SECOND).padStart(MICRO_DIGITS, "0")
  const fraction = digits === "000000" ? "" : `.${digits.endsWith("000") ? digits.slice(0, 3) : digits}`
  const parts = [hours > 0 ? `${hours}H` : "", minutes > 0 ? `${minutes}M` : ""]
  if (rest > 0 || fraction !== "") parts.push(`${rest}${fraction}S`)
  return `${span < 0 ? "-" : ""}PT${parts.join("")}`
}

/**
 * The length of time of a text such as `"1h 30m"`.
 *
 * @example
 * ```ts
 * import { timeSpan } from "tidemark"
 *
 * const limit = timeSpan("250ms")
 * ```
 *
 * @throws TidemarkError `invalid-duration` where the text is none.
 */
export function timeSpan(text: Duration): TimeSpan {
  return parseDuration(text) as TimeSpan
}
