/**
 * In which panes a record goes, by kind of windows.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W71 A window is closed to a record when the record's own watermark is at least the window's end − 1 and the allowed
 *   lateness further.
 * - W6 A record for which some of its windows are closed counts in the others.
 * - W31 W32 Sessions are as those that fire once, with that rule of what is closed.
 */
import type { WindowCutter } from "../general/window-cutter.ts"
import type { Partials } from "../general/partials.ts"
import { firstEnding, Pane, type PaneKey, type Panes } from "./panes.ts"

/** A record that may count. */
export interface PaneRecord {
  readonly key: PaneKey
  readonly time: number
  /** Its partition's watermark before it. */
  readonly watermark: number
}

/** The windows of a kind. */
export interface PaneWindows {
  /** How far from 1970 a record may be at most, in microseconds. */
  readonly maxTime: number
  /** Whether windows grow, so that what was given of one may have other bounds than it has now. */
  readonly canGrow: boolean
  /** Whether there may be a pane with these bounds. */
  isPane(start: number, end: number): boolean
  /** What would become of a record. */
  look(record: PaneRecord): "counted" | "late" | "between"
  /** The partial results that a record which counts would be added to. */
  partialsOf(record: PaneRecord): readonly (readonly unknown[])[]
  /** The panes that a record which counts is added to, made where there are none, in order of their ends; it is added. */
  add(record: PaneRecord, values: readonly unknown[]): readonly Pane[]
}

/** What they work with. */
interface Parts {
  readonly panes: Panes
  readonly partials: Partials
  readonly lateness: number
}

/** Windows that the clock or the calendar cuts. */
export class TimePanes implements PaneWindows {
  readonly canGrow = false
  readonly #parts: Parts
  readonly #cutter: WindowCutter

  constructor(parts: Parts, cutter: WindowCutter) {
    this.#parts = parts
    this.#cutter = cutter
  }

  get maxTime(): number {
    return this.#cutter.maxTime
  }

  isPane(start: number, end: number): boolean {
    const moment = Math.max(start, -this.maxTime)
    if (moment > this.maxTime || moment >= end) return false
    let isWindow = false
    this.#cutter.windowsOf(moment, (from, to) => (isWindow ||= from === start && to === end))
    return isWindow
  }

  look(record: PaneRecord): "counted" | "late" | "between" {
    let held = 0
    let counted = 0
    this.#cutter.windowsOf(record.time, (_start, end) => {
      held++
      if (this.#isOpen(record, end)) counted++
    })
    return held === 0 ? "between" : counted === 0 ? "late" : "counted"
  }

  #isOpen({ watermark }: PaneRecord, end: number): boolean {
    return watermark < end - 1 + this.#parts.lateness
  }

  partialsOf(record: PaneRecord): (readonly unknown[])[] {
    const found: (readonly unknown[])[] = []
    const { panes, partials } = this.#parts
    this.#cutter.windowsOf(record.time, (_start, end) => {
      if (this.#isOpen(record, end)) found.push(panes.find(record.key, end)?.partials ?? partials.none())
    })
    return found
  }

  add(record: PaneRecord, values: readonly unknown[]): Pane[] {
    const { panes, partials } = this.#parts
    const { key, time } = record
    const added: Pane[] = []
    this.#cutter.windowsOf(time, (start, end) => {
      if (!this.#isOpen(record, end)) return
      let pane = panes.find(key, end)
      if (pane === undefined) panes.add((pane = new Pane(key, start, end, panes.ordinal, partials.none())))
      partials.add(pane.partials, values, time)
      added.push(pane)
    })
    return added
  }
}

/** Sessions. */
export class SessionPanes implements PaneWindows {
  readonly canGrow = true
  readonly maxTime: number
  readonly #parts: Parts
  readonly #gap: number

  constructor(parts: Parts, gapMicros: number) {
    this.#parts = parts
    this.#gap = gapMicros
    this.maxTime = Number.MAX_SAFE_INTEGER - 3 * gapMicros
  }

  isPane(start: number, end: number): boolean {
    return end - start >= this.#gap
  }

  look(record: PaneRecord): "counted" | "late" {
    const isClosed = record.watermark >= record.time + this.#gap - 1 + this.#parts.lateness
    return isClosed && this.#joinedBy(record).length === 0 ? "late" : "counted"
  }

  /** The sessions that a record joins, in order of their ends. */
  #joinedBy({ key, time, watermark }: PaneRecord): Pane[] {
    const { panes } = key
    const leastEnd = Math.max(time, watermark + 2 - this.#parts.lateness)
    return panes.slice(firstEnding(panes, leastEnd)).filter(({ start }) => start <= time + this.#gap)
  }

  partialsOf(record: PaneRecord): (readonly unknown[])[] {
    return [this.#joinedBy(record)[0]?.partials ?? this.#parts.partials.none()]
  }

  add(record: PaneRecord, values: readonly unknown[]): Pane[] {
    const { panes, partials } = this.#parts
    const { key, time } = record
    const [first, ...others] = this.#joinedBy(record)
    const end = time + this.#gap
    if (first === undefined) {
      const pane = new Pane(key, time, end, panes.ordinal, partials.none())
      partials.add(pane.partials, values, time)
      panes.add(pane)
      return [pane]
    }
    partials.add(first.partials, values, time)
    let [start, last] = [Math.min(first.start, time), Math.max(first.end, end)]
    for (const other of others) {
      partials.merge(first.partials, other.partials)
      start = Math.min(start, other.start)
      last = Math.max(last, other.end)
      first.ordinal = Math.min(first.ordinal, other.ordinal)
      first.news += other.news
      first.tick = Math.min(first.tick, other.tick)
      if (other.clockDue < first.clockDue) panes.scheduleClock(first, other.clockDue)
      first.given = [...first.given, ...other.given]
      panes.remove(other)
    }
    panes.stretch(first, start, last)
    return [first]
  }
}

/** One window for all time. */
export class GlobalPanes implements PaneWindows {
  readonly canGrow = false
  readonly maxTime = Number.MAX_SAFE_INTEGER - 1
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  isPane(start: number, end: number): boolean {
    return start === -Infinity && end === Infinity
  }

  look(): "counted" {
    return "counted"
  }

  partialsOf({ key }: PaneRecord): (readonly unknown[])[] {
    return [this.#parts.panes.find(key, Infinity)?.partials ?? this.#parts.partials.none()]
  }

  add({ key, time }: PaneRecord, values: readonly unknown[]): Pane[] {
    const { panes, partials } = this.#parts
    let pane = panes.find(key, Infinity)
    if (pane === undefined) panes.add((pane = new Pane(key, -Infinity, Infinity, panes.ordinal, partials.none())))
    partials.add(pane.partials, values, time)
    return [pane]
  }
}
