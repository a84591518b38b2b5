/**
 * Windows by the clock or the calendar. Where they have steps, results are given at each: a record goes into the cell of
 * the first step in which it counts, and what that holds becomes part of the next step when it has fired. So a record is
 * added once, however many steps hold it.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W5 W6 A record that is late for some windows, or steps, counts in the others.
 * - W30 A step holds the records of the steps before it in the same window.
 */
import { Cell, type KeyedCells } from "./keyed-cells.ts"
import type { Partials } from "./partials.ts"
import type { WindowCutter } from "./window-cutter.ts"
import type { ArrivedRecord, Outcome, ResultTaker, Windowing } from "./windowing.ts"

/** See the head of this file. */
export class TimeWindows implements Windowing {
  readonly #cells: KeyedCells
  readonly #partials: Partials
  readonly #cutter: WindowCutter
  readonly #stepMicros: number | undefined
  /** The record at hand. */
  #record: ArrivedRecord | undefined
  #use: "look" | "check" | "add" = "look"
  #held = 0
  #counted = 0

  /** @param stepMicros how long steps are, where there are any; the last of a window may be shorter. */
  constructor(cells: KeyedCells, partials: Partials, cutter: WindowCutter, stepMicros: number | undefined) {
    this.#cells = cells
    this.#partials = partials
    this.#cutter = cutter
    this.#stepMicros = stepMicros
  }

  get maxTime(): number {
    return this.#cutter.maxTime
  }

  isCell(due: number, start: number, end: number): boolean {
    // A window may start before the first moment that counts.
    const moment = Math.max(start, -this.maxTime)
    if (moment > this.maxTime || moment >= end) return false
    let isWindow = false
    this.#cutter.windowsOf(moment, (from, to) => (isWindow ||= from === start && to === end))
    return isWindow && (this.#stepMicros === undefined ? due === end : due > start && due <= end)
  }

  look(record: ArrivedRecord): Outcome {
    return this.#visit(record, "look")
  }

  check(record: ArrivedRecord): void {
    this.#visit(record, "check")
  }

  add(record: ArrivedRecord): Outcome {
    return this.#visit(record, "add")
  }

  #visit(record: ArrivedRecord, use: "look" | "check" | "add"): Outcome {
    this.#record = record
    this.#use = use
    this.#held = this.#counted = 0
    this.#cutter.windowsOf(record.time, this.#onWindow)
    if (this.#held === 0) return "between"
    return this.#counted === 0 ? "late" : "counted"
  }

  readonly #onWindow = (start: number, end: number): void => {
    const { time, watermark, key, values } = this.#record!
    this.#held++
    if (watermark >= end - 1) return
    this.#counted++
    if (this.#use === "look") return
    const due = this.#dueOf(start, end, Math.max(time + 1, watermark + 2))
    let cell = this.#cells.find(key, due)
    if (this.#use === "check") {
      this.#partials.check(cell?.partials ?? this.#partials.none(), values, time)
      return
    }
    if (cell === undefined) {
      cell = new Cell(key, due, start, end, this.#cells.ordinal, this.#partials.none())
      this.#cells.add(cell)
    } else this.#cells.touch(cell)
    this.#partials.add(cell.partials, values, time)
  }

  /** The first end of a step that is not before `least`. */
  #dueOf(start: number, end: number, least: number): number {
    const step = this.#stepMicros
    return step === undefined ? end : Math.min(end, start + Math.ceil((least - start) / step) * step)
  }

  fire(cells: readonly Cell[], results: ResultTaker): void {
    for (const cell of cells) {
      const { key, due, start, end } = cell
      const whole = cell.earlier ?? cell.partials
      if (cell.earlier !== undefined) this.#partials.merge(whole, cell.partials)
      results.take(key, [start, due], whole)
      if (due === end) this.#cells.forget(cell)
      else this.#goOn(cell, whole, Math.min(end, due + this.#stepMicros!))
    }
  }

  /**
   * Puts what a step holds before the records of the next. They are kept apart until that fires: whether some of them have
   * come by now depends on when steps are asked to fire.
   */
  #goOn(cell: Cell, whole: unknown[], due: number): void {
    const next = this.#cells.find(cell.key, due)
    if (next === undefined) {
      cell.partials = this.#partials.none()
      cell.earlier = whole
      this.#cells.moveOn(cell, due)
      return
    }
    next.earlier = whole
    next.ordinal = Math.min(cell.ordinal, next.ordinal)
    this.#cells.touch(next)
    this.#cells.forget(cell)
  }

  countOpenWindows(): number {
    const ends = new Set<number>()
    for (const { end } of this.#cells) ends.add(end)
    return ends.size
  }
}
