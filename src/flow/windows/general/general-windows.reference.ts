/**
 * The slow twin of windows of plain values: it keeps every record, finds windows by trying them one after the other, and
 * computes results from the records when they are due. See docs/spec/windows.md for the rules.
 */
import { unreachable } from "../../../base/assert.ts"
import { civilFromDays, daysFromCivil, MICROS_PER_DAY } from "../../../time/civil.ts"
import { TimeZone } from "../../../time/zone.ts"
import type { Accumulator } from "../../aggregates/accumulator.ts"
import { FAILED, referenceResult, type TimedValue } from "../../aggregates/aggregate.reference.ts"
import type { CalendarSpec, SessionSpec, TimeWindowSpec } from "../../plan.ts"
import type { Outcome, ReferenceAggregate, Row } from "../window-aggregate.reference.ts"

/** A result column of an aggregate that has no kernel. */
export interface ReferenceAccumulated extends Pick<ReferenceAggregate, "name" | "read"> {
  readonly kind: "accumulated"
  readonly accumulator: Accumulator
}

/** A result column. */
export type GeneralAggregate = ReferenceAggregate | ReferenceAccumulated

/** A record, and what the aggregates read of it. */
export interface Kept {
  readonly row: Row
  readonly time: number
  readonly key: string
  /** Its place among all records that counted. */
  readonly ordinal: number
  readonly values: readonly unknown[]
}

/** Records and parts of windows, in the order in which they are added up: a part by itself first. */
export type Items = readonly (Kept | Items)[]

/** What a result row is made of. */
interface DueResult {
  readonly start: number
  readonly end: number
  readonly items: Items
}

/** Windows of a kind, record by record. */
interface Kind {
  /** Whether a record's windows can be named. */
  isWithinTime(time: number): boolean
  /** What becomes of a record; where it counts, `add` adds it. */
  look(time: number, watermark: number, key: string): Outcome
  add(record: Kept, watermark: number): void
  /** The next moment at which something is due: +∞ where nothing is. */
  nextDue(): number
  /** What is due then. */
  fire(due: number): DueResult[]
}

/** See the head of this file. */
export class ReferenceGeneralWindows {
  readonly #kind: Kind
  readonly #keys: readonly string[]
  readonly #aggregates: readonly GeneralAggregate[]
  #ordinal = 0
  watermark = -Infinity

  constructor(window: TimeWindowSpec, keys: readonly string[], aggregates: readonly GeneralAggregate[]) {
    this.#kind = window.kind === "session" ? new SessionTwin(window) : new TimeTwin(window)
    this.#keys = keys
    this.#aggregates = aggregates
  }

  /** @param watermark that of the row's partition before the row. */
  onRow(row: Row, time: number, watermark: number): Outcome {
    if (!this.#kind.isWithinTime(time)) return "failed"
    const key = this.#keys.map((name) => `${typeof row[name]} ${String(row[name])}`).join("\u0000")
    const outcome = this.#kind.look(time, watermark, key)
    if (outcome !== "counted") return outcome
    try {
      const values = this.#aggregates.map(({ read }) => read(row))
      this.#kind.add({ row, time, key, ordinal: this.#ordinal++, values }, watermark)
      return "counted"
    } catch {
      return "failed"
    }
  }

  /** Fires what is due; the result rows, or `FAILED` in the place of one with a sum out of range. */
  onWatermark(watermark: number): (Row | typeof FAILED)[] {
    const rows: (Row | typeof FAILED)[] = []
    let last = this.watermark
    for (;;) {
      const due = this.#kind.nextDue()
      if (due === Infinity || due - 1 > watermark) break
      last = due - 1
      const results = this.#kind.fire(due)
      results.sort((one, other) => one.start - other.start || firstOrdinal(one.items) - firstOrdinal(other.items))
      rows.push(...results.map((result) => this.#resultRow(result)))
    }
    this.watermark = Math.max(this.watermark, watermark === Infinity ? last : watermark)
    return rows
  }

  #resultRow({ start, end, items }: DueResult): Row | typeof FAILED {
    const records = recordsOf(items)
    const result: Record<string, unknown> = {}
    for (const key of this.#keys) result[key] = records[0]!.row[key] === 0 ? 0 : records[0]!.row[key]
    result["windowStart"] = start
    result["windowEnd"] = end
    return addAggregates(this.#aggregates, items, result) ? result : FAILED
  }
}

/** Adds the results of aggregates to a row; whether they all have one. */
export function addAggregates(
  aggregates: readonly GeneralAggregate[],
  items: Items,
  result: Record<string, unknown>,
): boolean {
  const records = recordsOf(items)
  let hasFailed = false
  aggregates.forEach((aggregate, index) => {
    const values = records.map(({ time, values }) => ({ time, value: values[index] }))
    const { name, kind } = aggregate
    if (kind === "accumulated") {
      result[name] = accumulated(aggregate, values)
      return
    }
    const { type } = aggregate
    const isFloatSum = type?.definition.adds === "float" && (kind === "sum" || kind === "mean")
    const sum = isFloatSum ? floatSum(items, index) : null
    if (sum === null) result[name] = referenceResult(kind, type, [[], [values]])
    else result[name] = kind === "sum" ? sum : sum / values.filter(({ value }) => value !== null).length
    if (result[name] === FAILED) hasFailed = true
  })
  return !hasFailed
}

/** The result of an aggregate that accumulates, over values in their order. */
export function accumulated({ accumulator }: ReferenceAccumulated, values: readonly TimedValue[]): unknown {
  let partial = accumulator.init()
  for (const { time, value } of values) if (value !== null) partial = accumulator.add(partial, value, time)
  return accumulator.result(partial)
}

/** The records of windows, in the order in which they are added up. */
export function recordsOf(items: Items): Kept[] {
  return items.flatMap((item) => (isPart(item) ? recordsOf(item) : [item]))
}

function isPart(item: Kept | Items): item is Items {
  return Array.isArray(item)
}

function firstOrdinal(items: Items): number {
  return Math.min(...recordsOf(items).map(({ ordinal }) => ordinal))
}

function floatSum(items: Items, index: number): number | null {
  let sum: number | null = null
  for (const item of items) {
    const value = isPart(item) ? floatSum(item, index) : (item.values[index] as number | null)
    if (value !== null) sum = sum === null ? value : sum + value
  }
  return sum
}

type TimeSpec = Exclude<TimeWindowSpec, SessionSpec>

/** A window that a record is in, and the first end of one of its steps for which it was not late. */
interface Place {
  readonly start: number
  readonly end: number
  readonly from: number
}

class TimeTwin implements Kind {
  readonly #window: TimeSpec
  readonly #records: { readonly record: Kept; readonly places: readonly Place[] }[] = []
  #firedDue = -Infinity

  constructor(window: TimeSpec) {
    this.#window = window
  }

  isWithinTime(time: number): boolean {
    return Math.abs(time) <= Number.MAX_SAFE_INTEGER - reachOf(this.#window)
  }

  look(time: number, watermark: number): Outcome {
    const windows = windowsOf(this.#window, time)
    if (windows.length === 0) return "between"
    return windows.every(({ end }) => watermark >= end - 1) ? "late" : "counted"
  }

  #stepsOf({ start, end }: { readonly start: number; readonly end: number }): number[] {
    if (this.#window.kind !== "cumulate") return [end]
    const steps: number[] = []
    for (let step = start + this.#window.stepMicros; step < end; step += this.#window.stepMicros) steps.push(step)
    return [...steps, end]
  }

  add(record: Kept, watermark: number): void {
    const places = windowsOf(this.#window, record.time).flatMap((window) => {
      const from = this.#stepsOf(window).find((step) => record.time < step && watermark < step - 1)
      return from === undefined ? [] : [{ ...window, from }]
    })
    this.#records.push({ record, places })
  }

  nextDue(): number {
    let next = Infinity
    for (const { places } of this.#records) {
      for (const place of places) {
        for (const step of this.#stepsOf(place)) {
          if (step >= place.from && step > this.#firedDue && step < next) next = step
        }
      }
    }
    return next
  }

  fire(due: number): DueResult[] {
    this.#firedDue = due
    /** By key and window: the records that counted from a step on, by that step. */
    const results = new Map<string, { readonly start: number; readonly slices: Map<number, Kept[]> }>()
    for (const { record, places } of this.#records) {
      for (const place of places) {
        if (place.from > due || !this.#stepsOf(place).includes(due)) continue
        const id = `${place.start} ${place.end} ${record.key}`
        const result = results.get(id) ?? { start: place.start, slices: new Map<number, Kept[]>() }
        results.set(id, result)
        result.slices.set(place.from, [...(result.slices.get(place.from) ?? []), record])
      }
    }
    return [...results.values()].map(({ start, slices }) => {
      const inOrder = [...slices].sort(([one], [other]) => one - other).map(([, records]) => records)
      const [first = [], ...others] = inOrder
      return { start, end: due, items: [...first, ...others] }
    })
  }
}

/** How near to the ends of time windows cannot be named. */
export function reachOf(window: TimeSpec): number {
  switch (window.kind) {
    case "tumbling":
    case "cumulate":
      return 3 * window.sizeMicros
    case "hopping":
      return window.sizeMicros + 2 * window.slideMicros
    case "calendar":
      return (window.count * 366 + 4) * MICROS_PER_DAY + Math.abs(window.offsetMicros)
    default:
      return unreachable(window, "a kind of windows")
  }
}

/** The windows that hold a moment, in bigints, so that nothing is rounded at the ends of time. */
export function windowsOf(window: TimeSpec, time: number): { start: number; end: number }[] {
  if (window.kind === "calendar") return [calendarWindowOf(window, time)]
  const [size, offset] = [BigInt(window.sizeMicros), BigInt(window.offsetMicros)]
  const slide = window.kind === "hopping" ? BigInt(window.slideMicros) : size
  const windows: { start: number; end: number }[] = []
  const firstIndex = (BigInt(time) - offset - size) / slide - 2n
  for (let start = offset + firstIndex * slide; start <= time; start += slide) {
    if (time < start + size) windows.push({ start: Number(start), end: Number(start + size) })
  }
  return windows
}

const zones = new Map<string, TimeZone>()

/** What a zone has found out about its offsets takes long to find. */
function zoneOf(name: string): TimeZone {
  const zone = zones.get(name) ?? TimeZone.of(name)
  zones.set(name, zone)
  return zone
}

const LONGEST_DAYS = { day: 1, week: 7, month: 31, quarter: 92, year: 366 } as const

/** Goes from day to day of the calendar, from well before the moment on. */
function calendarWindowOf({ unit, count, zone, offsetMicros }: CalendarSpec, time: number) {
  const clock = zoneOf(zone)
  let start = -Infinity
  const before = Math.floor((time - offsetMicros) / MICROS_PER_DAY) - 2
  for (let day = before - LONGEST_DAYS[unit] * count; ; day++) {
    const date = civilFromDays(day)
    const year = Math.floor(date / 10_000)
    const months = (year - 1970) * 12 + (Math.floor(date / 100) % 100) - 1
    const isFirstOfMonth = daysFromCivil(year, (Math.floor(date / 100) % 100) as 1, 1) === day
    const isStart =
      unit === "day" || unit === "week"
        ? (day - (unit === "week" ? -3 : 0)) % (count * (unit === "week" ? 7 : 1)) === 0
        : isFirstOfMonth && months % (count * { month: 1, quarter: 3, year: 12 }[unit]) === 0
    if (!isStart) continue
    const bound = clock.utcOfLocal(day * MICROS_PER_DAY + offsetMicros)
    if (bound > time) return { start, end: bound }
    start = bound
  }
}

interface Session {
  start: number
  end: number
  items: (Kept | Items)[]
  readonly key: string
}

class SessionTwin implements Kind {
  readonly #gap: number
  #sessions: Session[] = []

  constructor({ gapMicros }: SessionSpec) {
    this.#gap = gapMicros
  }

  isWithinTime(time: number): boolean {
    return Math.abs(time) <= Number.MAX_SAFE_INTEGER - 3 * this.#gap
  }

  #joined(time: number, watermark: number, key: string): Session[] {
    return this.#sessions
      .filter((session) => session.key === key && watermark < session.end - 1)
      .filter(({ start, end }) => time <= end && start <= time + this.#gap)
      .sort((one, other) => one.end - other.end)
  }

  look(time: number, watermark: number, key: string): Outcome {
    const isBehind = watermark >= time + this.#gap - 1
    return isBehind && this.#joined(time, watermark, key).length === 0 ? "late" : "counted"
  }

  add(record: Kept, watermark: number): void {
    const { time, key } = record
    const joined = this.#joined(time, watermark, key)
    const [first, ...others] = joined
    this.#sessions = this.#sessions.filter((session) => !joined.includes(session))
    this.#sessions.push({
      key,
      start: Math.min(time, ...joined.map(({ start }) => start)),
      end: Math.max(time + this.#gap, ...joined.map(({ end }) => end)),
      items: [...(first?.items ?? []), record, ...others.map(({ items }) => items)],
    })
  }

  nextDue(): number {
    return Math.min(Infinity, ...this.#sessions.map(({ end }) => end))
  }

  fire(due: number): DueResult[] {
    const fired = this.#sessions.filter(({ end }) => end === due)
    this.#sessions = this.#sessions.filter(({ end }) => end !== due)
    return fired
  }
}
