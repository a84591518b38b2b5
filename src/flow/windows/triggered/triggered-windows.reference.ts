/**
 * The slow twin of windows that fire more than once: it keeps all records of a window, looks through all windows for what is
 * due next, and computes each result from the records. See docs/spec/windows.md for the rules.
 */
import { FAILED } from "../../aggregates/aggregate.reference.ts"
import type { FiringSpec, WindowAggregateNode } from "../../plan.ts"
import {
  addAggregates,
  reachOf,
  recordsOf,
  windowsOf,
  type GeneralAggregate,
  type Items,
  type Kept,
} from "../general/general-windows.reference.ts"
import type { Outcome, Row } from "../window-aggregate.reference.ts"

/** A result that was given out, or `FAILED`, and the watermark before it. */
export interface FiredResult {
  readonly row: Row | typeof FAILED
  readonly watermark: number
}

interface Window {
  readonly key: string
  readonly keyRow: Row
  start: number
  end: number
  ordinal: number
  /** Of all records, or of those since it was purged. */
  items: Items
  /** When each record that is new asks for a firing, in event time, and by the clock. */
  news: { readonly tick: number; readonly clock: number }[]
  /** Rows that stand. */
  given: Row[]
}

/** What it is made of. */
interface TwinOptions {
  readonly node: WindowAggregateNode
  readonly firing: FiringSpec
  readonly aggregates: readonly GeneralAggregate[]
  readonly params: Row
}

/** See the head of this file. */
export class ReferenceTriggeredWindows {
  readonly #options: TwinOptions
  #windows: Window[] = []
  #ordinal = 0
  #now = 0
  watermark = -Infinity

  constructor(options: TwinOptions) {
    this.#options = options
  }

  /** @param watermark that of the row's partition before the row; that of all has been passed on. */
  onRow(row: Row, time: number, watermark: number): { readonly outcome: Outcome; readonly fired: FiredResult[] } {
    const none = (outcome: Outcome) => ({ outcome, fired: [] })
    const { node, firing, aggregates, params } = this.#options
    const { window } = node
    const reach =
      window.kind === "global" ? 1 : window.kind === "session" ? 3 * window.gapMicros : reachOf(window as never)
    if (Math.abs(time) > Number.MAX_SAFE_INTEGER - reach) return none("failed")
    const key = node.keys.map((name) => `${typeof row[name]} ${String(row[name])}`).join("\u0000")
    const bounds = this.#boundsOf(time, watermark, key)
    if (bounds === "late" || bounds === "between") return none(bounds)
    let values: unknown[]
    let isPunctuation = false
    try {
      values = aggregates.map(({ read }) => read(row))
      for (const each of firing.early) {
        if (each.kind !== "punctuation") continue
        const said = (each.lambda as (row: Row, params: Row) => unknown)(row, params)
        if (typeof said !== "boolean") throw new TypeError("it is no boolean")
        isPunctuation ||= said
      }
    } catch {
      return none("failed")
    }
    const kept = { row, time, key, ordinal: this.#ordinal++, values }
    const fired: FiredResult[] = []
    for (const [start, end] of bounds) {
      const held = this.#held(kept, start, end, watermark)
      held.news.push({
        tick: this.#next("eventTime", Math.max(time, this.watermark + 1)),
        clock: this.#next("clock", this.#now),
      })
      const isFull = firing.early.some((each) => each.kind === "count" && held.news.length >= each.count)
      if (isFull || isPunctuation || this.watermark >= held.end - 1) fired.push(...this.#fire(held, this.watermark))
    }
    return { outcome: "counted", fired }
  }

  #next(kind: "eventTime" | "clock", after: number): number {
    const moments = this.#options.firing.early.flatMap((each) => {
      if (each.kind !== kind) return []
      const length = BigInt(each.everyMicros)
      let moment = (BigInt(after) / length - 2n) * length
      while (moment <= BigInt(after)) moment += length
      return Number(moment)
    })
    return Math.min(Infinity, ...moments)
  }

  /** The bounds of the windows in which a record counts, in order of their ends. */
  #boundsOf(time: number, watermark: number, key: string): (readonly [number, number])[] | "late" | "between" {
    const { node, firing } = this.#options
    const { window } = node
    if (window.kind === "global") return [[-Infinity, Infinity]]
    const isOpen = (end: number) => watermark < end - 1 + firing.latenessMicros
    if (window.kind === "session") {
      const own = [time, time + window.gapMicros] as const
      return isOpen(own[1]) || this.#joined(own, key, watermark).length > 0 ? [own] : "late"
    }
    const windows = windowsOf(window as never, time)
    if (windows.length === 0) return "between"
    const open = windows.filter(({ end }) => isOpen(end)).map(({ start, end }) => [start, end] as const)
    return open.length === 0 ? "late" : open
  }

  #joined([from, to]: readonly [number, number], key: string, watermark: number): Window[] {
    return this.#windows
      .filter((each) => each.key === key && watermark < each.end - 1 + this.#options.firing.latenessMicros)
      .filter(({ start, end }) => from <= end && start <= to)
      .sort((one, other) => one.end - other.end)
  }

  /** The window that a record is added to. */
  #held(kept: Kept, start: number, end: number, watermark: number): Window {
    const { key } = kept
    const isSession = this.#options.node.window.kind === "session"
    const joined = isSession
      ? this.#joined([start, end], key, watermark)
      : this.#windows.filter((each) => each.key === key && each.start === start && each.end === end)
    const [first, ...others] = joined
    const held = first ?? { key, keyRow: kept.row, start, end, ordinal: kept.ordinal, items: [], news: [], given: [] }
    held.items = [...held.items, kept, ...others.flatMap(({ items }) => (items.length > 0 ? [items] : []))]
    held.news.push(...others.flatMap(({ news }) => news))
    held.given.push(...others.flatMap(({ given }) => given))
    held.start = Math.min(start, ...joined.map((each) => each.start))
    held.end = Math.max(end, ...joined.map((each) => each.end))
    held.ordinal = Math.min(kept.ordinal, ...joined.map((each) => each.ordinal))
    this.#windows = [...this.#windows.filter((each) => !joined.includes(each)), held]
    return held
  }

  #fire(window: Window, watermark: number): FiredResult[] {
    if (window.news.length === 0) return []
    window.news = []
    const { node, firing, aggregates } = this.#options
    const { start, end, items, keyRow } = window
    const times = recordsOf(items).map(({ time }) => time)
    const bounds: Record<string, unknown> = {}
    if (node.timeColumn !== undefined) {
      bounds["windowStart"] = node.window.kind === "global" ? Math.min(...times) : start
      bounds["windowEnd"] = node.window.kind === "global" ? Math.max(...times) + 1 : end
    }
    const keys = Object.fromEntries(node.keys.map((name) => [name, keyRow[name] === 0 ? 0 : keyRow[name]]))
    const result: Record<string, unknown> = { ...keys, ...bounds }
    const row = addAggregates(aggregates, items, result) ? result : FAILED
    if (firing.isPurging) {
      window.items = []
      if (node.window.kind === "global") this.#windows = this.#windows.filter((each) => each !== window)
      return [{ row, watermark }]
    }
    // Only sessions can have given what is not theirs any more.
    const isOwn = (given: Row) =>
      node.window.kind !== "session" || (given["windowStart"] === start && given["windowEnd"] === end)
    const withdrawn = window.given.filter((given) => !isOwn(given))
    const isKnown = window.given.some(isOwn)
    window.given = row === FAILED ? window.given.filter(isOwn) : [row]
    return [
      ...withdrawn.map((given) => ({ row: { op: "delete", ...given }, watermark })),
      { row: row === FAILED ? row : { op: isKnown ? "update" : "insert", ...row }, watermark },
    ]
  }

  onWatermark(watermark: number): FiredResult[] {
    if (watermark === Infinity) return this.#drain()
    const fired: FiredResult[] = []
    for (;;) {
      const moment = Math.min(Infinity, ...this.#windows.map((each) => this.#momentOf(each)))
      if (moment > watermark) break
      const before = Math.max(this.watermark, moment - 1)
      const due = this.#inOrder().filter((each) => this.#momentOf(each) === moment)
      this.watermark = moment
      for (const each of due) fired.push(...this.#fire(each, before))
    }
    this.watermark = Math.max(this.watermark, watermark)
    const { latenessMicros } = this.#options.firing
    this.#windows = this.#windows.filter(({ end }) => end - 1 + latenessMicros > this.watermark)
    return fired
  }

  #momentOf({ end, news }: Window): number {
    const onTime = this.watermark < end - 1 ? end - 1 : Infinity
    return Math.min(onTime, ...news.map(({ tick }) => tick - 1))
  }

  #inOrder(): Window[] {
    return [...this.#windows].sort((one, other) =>
      one.start === other.start ? one.ordinal - other.ordinal : one.start < other.start ? -1 : 1,
    )
  }

  #drain(): FiredResult[] {
    const ends = this.#windows.map(({ end }) => end - 1).filter((end) => end < Infinity)
    const fired = this.onWatermark(Math.max(this.watermark, ...ends))
    for (const each of this.#inOrder()) if (each.end === Infinity) fired.push(...this.#fire(each, this.watermark))
    return fired
  }

  onProcessingTime(now: number): FiredResult[] {
    this.#now = Math.max(0, now)
    const fired: FiredResult[] = []
    for (;;) {
      const dueOf = ({ news }: Window) => Math.min(Infinity, ...news.map(({ clock }) => clock))
      const first = Math.min(Infinity, ...this.#windows.map(dueOf))
      if (first > now) return fired
      for (const each of this.#inOrder().filter((one) => dueOf(one) === first)) {
        fired.push(...this.#fire(each, this.watermark))
      }
    }
  }
}
