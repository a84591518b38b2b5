/**
 * The parts of a point in time in UTC, as the methods of `Date` give them, without making a `Date`.
 *
 * Invariant:
 * - UP1 `UTC_PARTS[name](millis)` is `new Date(millis)[name]()` for every number.
 */
import { civilFromDays } from "./civil.ts"

const MILLIS_PER_DAY = 86_400_000
/** Beyond these milliseconds a `Date` is invalid. */
const MILLIS_MAX = 8.64e15

/** What a `Date` makes of its milliseconds: a whole number cut towards 0, or NaN. */
function timeClip(millis: number): number {
  // NaN is not within, either. Adding 0 turns −0 into 0.
  return Math.abs(millis) <= MILLIS_MAX ? Math.trunc(millis) + 0 : NaN
}

function daysOf(time: number): number {
  return Math.floor(time / MILLIS_PER_DAY)
}

function millisOfDay(time: number): number {
  return time - daysOf(time) * MILLIS_PER_DAY
}

/** The date as one number; `Math.floor` finds the year in it, also before the year 0. */
function civil(time: number): number {
  return civilFromDays(daysOf(time))
}

/** For each method of `Date` what it gives for the milliseconds that the `Date` would be made of. */
export const UTC_PARTS = {
  getTime: timeClip,
  getUTCDate(millis: number): number {
    const time = timeClip(millis)
    return time === time ? modulo(civil(time), 100) : NaN
  },
  getUTCDay(millis: number): number {
    // 1970-01-01 was a Thursday.
    return modulo(daysOf(timeClip(millis)) + 4, 7)
  },
  getUTCFullYear(millis: number): number {
    const time = timeClip(millis)
    return time === time ? Math.floor(civil(time) / 10_000) : NaN
  },
  getUTCHours(millis: number): number {
    return Math.floor(millisOfDay(timeClip(millis)) / 3_600_000)
  },
  getUTCMilliseconds(millis: number): number {
    return millisOfDay(timeClip(millis)) % 1000
  },
  getUTCMinutes(millis: number): number {
    return Math.floor(millisOfDay(timeClip(millis)) / 60_000) % 60
  },
  getUTCMonth(millis: number): number {
    const time = timeClip(millis)
    return time === time ? modulo(Math.floor(civil(time) / 100), 100) - 1 : NaN
  },
  getUTCSeconds(millis: number): number {
    return Math.floor(millisOfDay(timeClip(millis)) / 1000) % 60
  },
} as const satisfies Readonly<Record<string, (millis: number) => number>>

function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor
}
