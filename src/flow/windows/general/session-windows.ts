/**
 * Sessions: the records of a key that follow each other with no gap as long as `gap` between them.
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W31 A record is a session of its own, from its time for the length of the gap; sessions that meet or overlap are one.
 * - W32 A record does not join a session that is behind its watermark, also where that has not fired yet. It is late where
 *   what it would be, or join, is behind its watermark.
 * - SW3 No two sessions of a key have the same end: where one is behind the watermark of a record that does not join it,
 *   the record's ends later, and whoever could lengthen the first to there would join both.
 */
import { Cell, firstFrom, type KeyedCells } from "./keyed-cells.ts"
import type { Partials } from "./partials.ts"
import type { ArrivedRecord, Outcome, ResultTaker, Windowing } from "./windowing.ts"

/** See the head of this file. */
export class SessionWindows implements Windowing {
  readonly #cells: KeyedCells
  readonly #partials: Partials
  readonly #gap: number
  readonly maxTime: number

  constructor(cells: KeyedCells, partials: Partials, gapMicros: number) {
    this.#cells = cells
    this.#partials = partials
    this.#gap = gapMicros
    this.maxTime = Number.MAX_SAFE_INTEGER - 3 * gapMicros
  }

  isCell(due: number, start: number, end: number): boolean {
    return due === end && end - start >= this.#gap
  }

  look(record: ArrivedRecord): Outcome {
    const isLate = record.watermark >= record.time + this.#gap - 1 && this.#joinedBy(record).length === 0
    return isLate ? "late" : "counted"
  }

  check(record: ArrivedRecord): void {
    if (this.look(record) === "late") return
    const [first] = this.#joinedBy(record)
    this.#partials.check(first?.partials ?? this.#partials.none(), record.values, record.time)
  }

  /** The sessions that a record joins, in order of their ends. */
  #joinedBy({ key, time, watermark }: ArrivedRecord): Cell[] {
    const { cells } = key
    const joined: Cell[] = []
    for (let at = firstFrom(cells, Math.max(time, watermark + 2)); at < cells.length; at++) {
      const cell = cells[at]!
      if (cell.start <= time + this.#gap) joined.push(cell)
      // Sessions that do not overlap are in order of their starts, too.
      else if (!key.overlaps) break
    }
    return joined
  }

  add(record: ArrivedRecord): Outcome {
    const { key, time, watermark, values } = record
    const joined = this.#joinedBy(record)
    const end = time + this.#gap
    const [first, ...others] = joined
    if (first === undefined) {
      if (watermark >= end - 1) return "late"
      const cell = new Cell(key, end, time, end, this.#cells.ordinal, this.#partials.none())
      this.#partials.add(cell.partials, values, time)
      this.#cells.add(cell)
      return "counted"
    }
    this.#partials.add(first.partials, values, time)
    this.#cells.touch(first)
    let last = Math.max(first.end, end)
    first.start = Math.min(first.start, time)
    for (const other of others) {
      this.#partials.merge(first.partials, other.partials)
      first.start = Math.min(first.start, other.start)
      first.ordinal = Math.min(first.ordinal, other.ordinal)
      last = Math.max(last, other.end)
      this.#cells.remove(other)
    }
    first.end = last
    this.#cells.moveTo(first, last)
    this.#cells.noteOverlap(first)
    return "counted"
  }

  fire(cells: readonly Cell[], results: ResultTaker): void {
    for (const cell of cells) {
      results.take(cell.key, [cell.start, cell.end], cell.partials)
      this.#cells.forget(cell)
    }
  }

  countOpenWindows(): number {
    return this.#cells.waiting
  }
}
