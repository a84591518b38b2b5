/**
 * How event time is cut into windows by the clock or the calendar: the windows that hold a moment.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W1 A window holds its start and not its end.
 * - W2 Windows start at whole multiples of the slide from the offset, before 1970 too.
 * - W40 Windows in a time zone start at midnight there, however long the day is.
 */
import { assert, unreachable } from "../../../base/assert.ts"
import { civilFromDays, daysFromCivil, MICROS_PER_DAY } from "../../../time/civil.ts"
import { TimeZone } from "../../../time/zone.ts"
import type { CalendarSpec, CumulateSpec, SlicedWindowSpec } from "../../plan.ts"

/** Takes the bounds of a window. */
export type OnWindow = (start: number, end: number) => void

/** Cuts time into windows. */
export interface WindowCutter {
  /** How far from 1970 windows have exact bounds. */
  readonly maxTime: number
  /** Tells the windows that hold a moment, the first to end first. */
  windowsOf(time: number, onWindow: OnWindow): void
}

/** The one that cuts windows of one length. */
export function evenCutter(spec: SlicedWindowSpec | CumulateSpec): WindowCutter {
  const size = spec.sizeMicros
  const slide = spec.kind === "hopping" ? spec.slideMicros : size
  const offset = remainder(spec.offsetMicros, slide)
  return {
    maxTime: Number.MAX_SAFE_INTEGER - size - 2 * slide,
    windowsOf(time, onWindow) {
      let last = offset + Math.floor((time - offset) / slide) * slide
      // The quotient is rounded: next to a boundary of long ago it may be one too high or too low.
      if (last > time) last -= slide
      else if (time - last >= slide) last += slide
      let start = last - Math.floor((size - 1) / slide) * slide
      if (time - start >= size) start += slide
      for (; start <= last; start += slide) onWindow(start, start + size)
    },
  }
}

/** The calendar's longest unit. */
const YEAR_DAYS = 366

/** The one that cuts by the calendar of a time zone. */
export function calendarCutter({ unit, count, zone: name, offsetMicros }: CalendarSpec): WindowCutter {
  const zone = TimeZone.of(name)
  const daysOf = firstDays(unit, count)
  // An offset is part of a unit: what is more than that leads to the same bounds.
  const startOf = (index: number) => zone.utcOfLocal(daysOf.first(index) * MICROS_PER_DAY + offsetMicros)
  let [start, end] = [0, 0]
  return {
    maxTime: Number.MAX_SAFE_INTEGER - (count * YEAR_DAYS + 4) * MICROS_PER_DAY - Math.abs(offsetMicros),
    windowsOf(time, onWindow) {
      if (time < start || time >= end) {
        const local = time + zone.offsetAt(time) - offsetMicros
        // Clocks that were changed in between may say a day more or less.
        let index = daysOf.index(Math.floor(local / MICROS_PER_DAY)) - 1
        while (startOf(index + 1) <= time) index++
        start = startOf(index)
        end = startOf(index + 1)
        assert(start <= time && time < end, "a window of the calendar holds the moment that it was asked for")
      }
      onWindow(start, end)
    },
  }
}

interface CalendarUnit {
  /** Which window of a row of windows holds a day, counted from 1970. */
  index(day: number): number
  /** The first day of a window. */
  first(index: number): number
}

/** 1970 began on a Thursday: the Monday before. */
const MONDAY = -3

function firstDays(unit: CalendarSpec["unit"], count: number): CalendarUnit {
  switch (unit) {
    case "day":
      return everyDays(count, 0)
    case "week":
      return everyDays(7 * count, MONDAY)
    case "month":
      return everyMonths(count)
    case "quarter":
      return everyMonths(3 * count)
    case "year":
      return everyMonths(12 * count)
    default:
      return unreachable(unit, "a unit of the calendar")
  }
}

function everyDays(count: number, from: number): CalendarUnit {
  return { index: (day) => Math.floor((day - from) / count), first: (index) => from + index * count }
}

function everyMonths(count: number): CalendarUnit {
  return {
    index(day) {
      const date = civilFromDays(day)
      const year = Math.floor(date / 10_000)
      const month = Math.floor((date - year * 10_000) / 100)
      return Math.floor(((year - 1970) * 12 + month - 1) / count)
    },
    first(index) {
      const month = index * count
      const year = Math.floor(month / 12)
      return daysFromCivil(1970 + year, month - year * 12 + 1, 1)
    },
  }
}

function remainder(value: number, by: number): number {
  return ((value % by) + by) % by
}
