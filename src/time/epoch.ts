/** Timestamps as a decimal count of seconds, milli-, micro- or nanoseconds since 1970-01-01T00:00:00Z. */
import { isTimestamp, type Timestamp } from "./timestamp.ts"

/** What a number counts: seconds, milliseconds, microseconds or nanoseconds. */
export type EpochUnit = "s" | "ms" | "us" | "ns"

/** By how many decimal digits a count of the unit is longer than one of seconds. */
const UNIT_DIGITS: Readonly<Record<EpochUnit, number>> = { s: 0, ms: 3, us: 6, ns: 9 }

const MICRO_DIGITS = 6

const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/

/**
 * The timestamp that a decimal number stands for, or why it is none. Digits below a microsecond are cut towards the
 * past. The number's own digits count, so that no rounding of doubles comes in.
 */
export function epochFromText(text: string, unit: EpochUnit): Timestamp | string {
  const match = DECIMAL.exec(text)
  if (match === null) return "not a number"
  const [, sign, whole = "", fraction = "", exponent = "0"] = match
  const digits = whole + fraction
  // `point` digits stand before the decimal point of the number of microseconds.
  const point = whole.length + Number(exponent) + MICRO_DIGITS - UNIT_DIGITS[unit]
  const kept = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0")
  const isCut = /[1-9]/.test(point <= 0 ? digits : digits.slice(point))
  const magnitude = Number(kept)
  const micros = sign === "-" ? -magnitude - (isCut ? 1 : 0) : magnitude
  return isTimestamp(micros + 0) ? ((micros + 0) as Timestamp) : "outside the years 1684 to 2255"
}

/** A timestamp as a decimal count of the unit, with as many fraction digits as it needs. */
export function epochToText(timestamp: Timestamp, unit: EpochUnit): string {
  const digitsAfterPoint = MICRO_DIGITS - UNIT_DIGITS[unit]
  if (timestamp === 0) return "0"
  const sign = timestamp < 0 ? "-" : ""
  const digits = String(Math.abs(timestamp))
  if (digitsAfterPoint <= 0) return sign + digits + "0".repeat(-digitsAfterPoint)
  const padded = digits.padStart(digitsAfterPoint + 1, "0")
  const fraction = padded.slice(-digitsAfterPoint).replace(/0+$/, "")
  return sign + padded.slice(0, -digitsAfterPoint) + (fraction === "" ? "" : `.${fraction}`)
}
