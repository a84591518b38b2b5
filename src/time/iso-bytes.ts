/**
 * Timestamps as ISO 8601 text in bytes, without allocation: the fast twin of `iso.ts`, for decoders and encoders.
 *
 * Microseconds come and go in arrays of doubles: one that a function hands to another would lie on the heap.
 *
 * Invariants:
 * - IB1 `parseIsoBytes` stores what `parseIso` gives for the same ASCII text, and refuses it where that gives words.
 * - IB2 `writeIsoBytes` writes what `formatIso` gives.
 */
import { civilFromDays, daysFromCivil, daysInMonth, MICROS_PER_DAY } from "./civil.ts"
import type { TimeZone } from "./zone.ts"

/** The most bytes that `writeIsoBytes` writes. */
export const ISO_BYTES_MAX = 27

/** What `twoDigits` gives for anything else: out of the range of every field of a time. */
const NO_DIGITS = 255
/** What `minutesOfOffset` gives for anything else. */
const NO_OFFSET = 10_000

const [ZERO, PLUS, MINUS, DOT, SLASH, COLON, SPACE, T, Z] = [48, 43, 45, 46, 47, 58, 32, 84, 90] as const

/** The date that was read last, and its day: neighbouring records mostly have the same one. */
let lastDate = -1
let lastDays = 0

/**
 * Stores the microseconds that the ISO 8601 text `bytes[start, end)` stands for as `micros[index]`. Gives whether it has:
 * not where the text is none, or lacks an offset and no zone is given; what is stored then is unspecified.
 */
export function parseIsoBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  zone: TimeZone | undefined,
  micros: Float64Array,
  index: number,
): boolean {
  if (end - start < 10) return false
  const separator = bytes[start + 4]!
  if ((separator !== MINUS && separator !== SLASH) || bytes[start + 7] !== separator) return false
  const century = twoDigits(bytes, start)
  const yearOfCentury = twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  const year = century * 100 + yearOfCentury
  if (century === NO_DIGITS || yearOfCentury === NO_DIGITS || month < 1 || month > 12 || day < 1) return false
  if (day > 28 && day > daysInMonth(year, month)) return false
  const date = (year * 16 + month) * 32 + day
  if (date !== lastDate) {
    lastDate = date
    lastDays = daysFromCivil(year, month, day)
  }
  let local = lastDays * MICROS_PER_DAY
  let at = start + 10
  if (at < end) {
    if ((bytes[at] !== T && bytes[at] !== SPACE) || end - at < 6 || bytes[at + 3] !== COLON) return false
    const hour = twoDigits(bytes, at + 1)
    const minute = twoDigits(bytes, at + 4)
    if (hour > 23 || minute > 59) return false
    local += (hour * 60 + minute) * 60_000_000
    at += 6
    if (at < end && bytes[at] === COLON) {
      const second = end - at < 3 ? NO_DIGITS : twoDigits(bytes, at + 1)
      if (second > 59) return false
      local += second * 1_000_000
      at += 3
      if (at < end && bytes[at] === DOT) {
        const fractionStart = ++at
        for (let scale = 100_000; at < end && isDigit(bytes[at]!); at++) {
          local += (bytes[at]! - ZERO) * scale
          // The seventh digit and those behind it are cut.
          scale = (scale / 10) | 0
        }
        if (at === fractionStart) return false
      }
    }
  }
  if (at < end && (bytes[at] !== Z || at + 1 !== end)) {
    const offset = minutesOfOffset(bytes, at, end)
    if (offset === NO_OFFSET) return false
    local -= offset * 60_000_000
  }
  micros[index] = local
  if (at === end) {
    if (zone === undefined) return false
    zone.localToUtc(micros, index)
  }
  return Number.isSafeInteger(micros[index])
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO
  const ones = bytes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NO_DIGITS
}

/** `±HH`, `±HHMM` or `±HH:MM` in minutes, else `NO_OFFSET`. */
function minutesOfOffset(bytes: Uint8Array, at: number, end: number): number {
  const length = end - at
  const isNegative = bytes[at] === MINUS
  if (!isNegative && bytes[at] !== PLUS) return NO_OFFSET
  if (length !== 3 && length !== 5 && !(length === 6 && bytes[at + 3] === COLON)) return NO_OFFSET
  const hours = twoDigits(bytes, at + 1)
  const minutes = length === 3 ? 0 : twoDigits(bytes, end - 2)
  if (hours > 23 || minutes > 59) return NO_OFFSET
  return isNegative ? 0 - (hours * 60 + minutes) : hours * 60 + minutes
}

/** The day that was written last, and its date. */
let lastWrittenDays = NaN
let lastWrittenDate = 0

/** Writes the timestamp `micros[index]` as `formatIso` does, at `bytes[at]`, and gives where it ends: at most 27 bytes further. */
export function writeIsoBytes(micros: Float64Array, index: number, bytes: Uint8Array, at: number): number {
  const timestamp = micros[index]!
  const days = Math.floor(timestamp / MICROS_PER_DAY)
  if (days !== lastWrittenDays) {
    lastWrittenDays = days
    lastWrittenDate = civilFromDays(days)
  }
  const date = lastWrittenDate
  const ofDay = timestamp - days * MICROS_PER_DAY
  const seconds = Math.floor(ofDay / 1_000_000)
  const fraction = ofDay - seconds * 1_000_000
  const minutes = (seconds / 60) | 0
  const hours = (minutes / 60) | 0
  const year = (date / 10_000) | 0
  writeTwoDigits(bytes, at, (year / 100) | 0)
  writeTwoDigits(bytes, at + 2, year % 100)
  bytes[at + 4] = MINUS
  writeTwoDigits(bytes, at + 5, ((date / 100) | 0) % 100)
  bytes[at + 7] = MINUS
  writeTwoDigits(bytes, at + 8, date % 100)
  bytes[at + 10] = T
  writeTwoDigits(bytes, at + 11, hours)
  bytes[at + 13] = COLON
  writeTwoDigits(bytes, at + 14, minutes % 60)
  bytes[at + 16] = COLON
  writeTwoDigits(bytes, at + 17, seconds % 60)
  let to = at + 19
  if (fraction !== 0) {
    const millis = (fraction / 1000) | 0
    const rest = fraction - millis * 1000
    bytes[to] = DOT
    writeThreeDigits(bytes, to + 1, millis)
    to += 4
    if (rest !== 0) {
      writeThreeDigits(bytes, to, rest)
      to += 3
    }
  }
  bytes[to] = Z
  return to + 1
}

function writeTwoDigits(bytes: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0
  bytes[at] = ZERO + tens
  bytes[at + 1] = ZERO + value - tens * 10
}

function writeThreeDigits(bytes: Uint8Array, at: number, value: number): void {
  const hundreds = (value / 100) | 0
  bytes[at] = ZERO + hundreds
  writeTwoDigits(bytes, at + 1, value - hundreds * 100)
}
