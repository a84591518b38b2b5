/**
 * Cells: what windows of plain values keep, each the partial results of one key for one window or part of a window; by
 * key, and by when they are due.
 *
 * A key is there as long as it has cells. Keys compare like those of a JavaScript `Map` (W11).
 *
 * Invariants:
 * - KC1 The cells of a key are in ascending order of `due`, which no two of them share.
 * - KC2 `takeDue` gives every cell once it is due, and no other; what it costs does not depend on how many others there are.
 */
import { assert } from "../../../base/assert.ts"
import { DueQueue } from "./due-queue.ts"

/** The key of a group of records. */
export interface Key {
  readonly values: readonly unknown[]
  /** What tells it from others, as a key of a `Map`. */
  readonly id: unknown
  readonly cells: Cell[]
  /** Unset where it is sure that no two of the cells meet or overlap. */
  overlaps: boolean
}

/** Partial results, and what for. */
export class Cell {
  readonly key: Key
  /** The cell fires when the watermark is at least this − 1. */
  due: number
  start: number
  end: number
  /** The place of its first record among all records that count, in order of arrival. */
  ordinal: number
  /** Of its own records. */
  partials: unknown[]
  /** Of the records that were part of it from the beginning; they are added up before its own. */
  earlier: unknown[] | undefined = undefined
  isGone = false
  /** Since it was last written. */
  hasChanged = false
  /** Under which moment it was last written; NaN where it was not. */
  writtenDue = NaN

  constructor(key: Key, due: number, start: number, end: number, ordinal: number, partials: unknown[]) {
    this.key = key
    this.due = due
    this.start = start
    this.end = end
    this.ordinal = ordinal
    this.partials = partials
  }
}

/** See the head of this file. */
export class KeyedCells {
  readonly #keys = new Map<unknown, Key>()
  readonly #queue = new DueQueue<Cell>()
  #changed: Cell[] = []
  #removed: Cell[] = []
  /** Cells that wait for the watermark. */
  waiting = 0
  /** How many records have counted. */
  ordinal = 0

  /** Whether anything has changed since `takeChanges`. */
  get hasChanged(): boolean {
    return this.#changed.length > 0 || this.#removed.length > 0
  }

  /** The key of these values: the one that is there, or one that is there from its first cell on. */
  keyOf(values: readonly unknown[]): Key {
    const id = keyId(values)
    return (
      this.#keys.get(id) ?? { values: values.map((value) => (value === 0 ? 0 : value)), id, cells: [], overlaps: false }
    )
  }

  *[Symbol.iterator](): Generator<Cell> {
    for (const { cells } of this.#keys.values()) yield* cells
  }

  add(cell: Cell): void {
    const { key } = cell
    if (key.cells.length === 0) this.#keys.set(key.id, key)
    place(key.cells, cell)
    this.noteOverlap(cell)
    this.waiting++
    this.#queue.put(cell.due, cell)
    this.touch(cell)
  }

  /** Takes note that a cell has changed. */
  touch(cell: Cell): void {
    if (cell.hasChanged) return
    cell.hasChanged = true
    this.#changed.push(cell)
  }

  /** Takes note where a cell whose bounds have changed meets another. Of those that overlap, two are neighbours. */
  noteOverlap({ key, due, start, end }: Cell): void {
    if (key.overlaps || key.cells.length < 2) return
    const at = firstFrom(key.cells, due)
    const [before, behind] = [key.cells[at - 1], key.cells[at + 1]]
    key.overlaps = (before !== undefined && before.end >= start) || (behind !== undefined && behind.start <= end)
  }

  /** Puts a cell off: to a later due. */
  moveTo(cell: Cell, due: number): void {
    assert(due >= cell.due, "a cell's due never comes nearer")
    if (due === cell.due) return
    const { cells } = cell.key
    cells.splice(cells.indexOf(cell), 1)
    cell.due = due
    place(cells, cell)
  }

  /** Puts a cell off that `takeDue` has given. */
  moveOn(cell: Cell, due: number): void {
    this.moveTo(cell, due)
    this.waiting++
    this.#queue.put(due, cell)
    this.touch(cell)
  }

  /** Takes a cell away, as if it had not been there. */
  remove(cell: Cell): void {
    this.waiting--
    this.forget(cell)
    if (!Number.isNaN(cell.writtenDue)) this.#removed.push(cell)
  }

  /** Takes a cell away that nobody needs behind the watermark. */
  forget(cell: Cell): void {
    cell.isGone = true
    const { key } = cell
    key.cells.splice(key.cells.indexOf(cell), 1)
    if (key.cells.length === 0) this.#keys.delete(key.id)
  }

  /**
   * Takes out the cells with the next due up to `limit`, in order of their starts, and then of their first records; none
   * where there are none. They do not wait any more.
   */
  takeDue(limit: number): Cell[] {
    const queue = this.#queue
    const taken: Cell[] = []
    let due = limit
    while (this.waiting > 0 && this.nextDue() <= due) {
      const cell = queue.take()
      due = cell.due
      this.waiting--
      taken.push(cell)
    }
    return taken.length > 1 ? taken.sort((one, other) => one.start - other.start || one.ordinal - other.ordinal) : taken
  }

  /** When the next cell is due; +∞ where none waits. */
  nextDue(): number {
    const queue = this.#queue
    for (;;) {
      const { first, next } = queue
      if (next === undefined) return Infinity
      if (!next.isGone && next.due === first) return first
      queue.take()
      if (!next.isGone) queue.put(next.due, next)
    }
  }

  /** Forgets the cells that are due by `limit`, as if they had fired. */
  passTo(limit: number): void {
    while (this.nextDue() <= limit) for (const cell of this.takeDue(limit)) this.forget(cell)
  }

  /** The cell of a key with that due. */
  find(key: Key, due: number): Cell | undefined {
    const at = firstFrom(key.cells, due)
    const cell = key.cells[at]
    return cell?.due === due ? cell : undefined
  }

  /** What has changed, and what was removed, since this was last asked. */
  takeChanges(): { readonly changed: readonly Cell[]; readonly removed: readonly Cell[] } {
    const changed = this.#changed.filter(({ isGone }) => !isGone)
    const removed = this.#removed
    for (const cell of this.#changed) cell.hasChanged = false
    this.#changed = []
    this.#removed = []
    return { changed, removed }
  }
}

/** The place of the first of a key's cells whose due is not before `due`. */
export function firstFrom(cells: readonly Cell[], due: number): number {
  let [low, high] = [0, cells.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cells[middle]!.due < due) low = middle + 1
    else high = middle
  }
  return low
}

function place(cells: Cell[], cell: Cell): void {
  const last = cells.at(-1)
  if (last === undefined || last.due < cell.due) cells.push(cell)
  else cells.splice(firstFrom(cells, cell.due), 0, cell)
}

/** What tells a key from others, as a key of a `Map`. */
export function keyId(values: readonly unknown[]): unknown {
  return values.length === 1 ? values[0] : keyText(values)
}

/** A text that tells lists of values apart. */
function keyText(values: readonly unknown[]): string {
  let text = ""
  for (const value of values) {
    if (typeof value === "string") text += `s${value.length}:${value}`
    else text += `${typeof value === "bigint" ? "i" : "v"}${String(value)};`
  }
  return text
}
