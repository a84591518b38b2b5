/**
 * The state of windows of plain values as bytes (format 3 of windows, named in the operator's signature).
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the watermark: what is due at it + 1 or earlier has fired
 *     varint    rows that came late
 *     varint    how many records have counted
 *     varint    number of cells that are gone, though they have not fired, each: its key, float64 its due
 *     varint    number of cells that are new or have changed, each:
 *       its key
 *       float64   its due
 *       float64   its start
 *       float64   its end
 *       varint    the place of its first record among all that counted
 *       the partial results of each aggregate, in the form of its accumulator: those of the cell's own records
 *       uint8     whether others come before these: 0 or 1; if so, the same of those
 *
 * A key is the values of its columns, in the form of `value-bytes.ts`. A cell that is put off is gone where it was.
 *
 * Invariants:
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `applyChanges` do anything but restore or throw `state-corrupt`.
 */
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { readValue, writeValue } from "../../aggregates/value-bytes.ts"
import { Cell, type Key, type KeyedCells } from "./keyed-cells.ts"
import type { Partials } from "./partials.ts"
import { takeChanges } from "../../taken-changes.ts"

/** What the state is made of. */
export interface CellStateParts {
  readonly operator: string
  readonly keys: readonly ColumnType[]
  readonly cells: KeyedCells
  readonly partials: Partials
  /** Whether there may be such a cell. */
  isCell(due: number, start: number, end: number): boolean
}

/** See the head of this file. */
export class CellState {
  readonly #parts: CellStateParts
  #watermark = -Infinity
  #lateRows = 0
  #hasChanged = false

  constructor(parts: CellStateParts) {
    this.#parts = parts
  }

  get watermark(): number {
    return this.#watermark
  }

  set watermark(watermark: number) {
    if (watermark <= this.#watermark) return
    this.#watermark = watermark
    this.#hasChanged = true
  }

  get lateRows(): number {
    return this.#lateRows
  }

  addLateRows(count: number): void {
    this.#lateRows += count
    this.#hasChanged = true
  }

  writeChanges(out: ByteWriter): void {
    const { cells } = this.#parts
    if (!this.#hasChanged && !cells.hasChanged) return
    this.#hasChanged = false
    const { changed, removed } = cells.takeChanges()
    // Nobody needs to be told what is gone because it was due.
    const gone = [...removed, ...changed.filter(({ due, writtenDue }) => writtenDue < due)].filter(
      ({ writtenDue }) => writtenDue - 1 > this.#watermark,
    )
    this.#writeHead(out)
    out.varint(gone.length)
    for (const { key, writtenDue } of gone) {
      this.#writeKey(key, out)
      out.float64(writtenDue)
    }
    out.varint(changed.length)
    for (const cell of changed) {
      this.#writeCell(cell, out)
      cell.writtenDue = cell.due
    }
  }

  writeAll(out: ByteWriter): void {
    const cells = [...this.#parts.cells]
    if (this.#watermark === -Infinity && this.#lateRows === 0 && this.#parts.cells.ordinal === 0) return
    this.#writeHead(out)
    out.varint(0)
    out.varint(cells.length)
    for (const cell of cells) this.#writeCell(cell, out)
  }

  #writeHead(out: ByteWriter): void {
    out.float64(this.#watermark)
    out.varint(this.#lateRows)
    out.varint(this.#parts.cells.ordinal)
  }

  #writeKey({ values }: Key, out: ByteWriter): void {
    this.#parts.keys.forEach((type, index) => writeValue(type, values[index], out))
  }

  #writeCell(cell: Cell, out: ByteWriter): void {
    this.#writeKey(cell.key, out)
    out.float64(cell.due)
    out.float64(cell.start)
    out.float64(cell.end)
    out.varint(cell.ordinal)
    const { partials } = this.#parts
    partials.write(cell.partials, out)
    out.uint8(cell.earlier === undefined ? 0 : 1)
    if (cell.earlier !== undefined) partials.write(cell.earlier, out)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.#parts.operator, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(changes: ByteReader): void {
    const { cells } = this.#parts
    const watermark = changes.float64()
    if (watermark !== -Infinity && !Number.isFinite(watermark)) refuse(`${watermark} as watermark`)
    if (watermark < this.#watermark) refuse("a watermark that goes back")
    this.#watermark = watermark
    cells.passTo(watermark + 1)
    this.#lateRows = changes.varint()
    const ordinal = changes.varint()
    if (ordinal < cells.ordinal) refuse("a number of records that goes back")
    cells.ordinal = ordinal
    for (let left = changes.varint(); left > 0; left--) {
      const key = this.#readKey(changes)
      const cell = cells.find(key, changes.float64())
      if (cell === undefined) refuse("a cell gone that was not there")
      cells.remove(cell)
    }
    for (let left = changes.varint(); left > 0; left--) this.#readCell(changes)
    cells.takeChanges()
    this.#hasChanged = false
  }

  #readKey(changes: ByteReader): Key {
    return this.#parts.cells.keyOf(this.#parts.keys.map((type) => readValue(type, changes)))
  }

  #readCell(changes: ByteReader): void {
    const { cells, partials } = this.#parts
    const key = this.#readKey(changes)
    const [due, start, end, ordinal] = [changes.float64(), changes.float64(), changes.float64(), changes.varint()]
    if (!Number.isSafeInteger(due) || due - 1 <= this.#watermark) refuse(`${due} as what is due`)
    const areTimes = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start < end
    if (!areTimes || !this.#parts.isCell(due, start, end)) refuse("a window with other bounds than there are")
    if (ordinal >= cells.ordinal) refuse("a record that has not come")
    const before = cells.find(key, due)
    if (before !== undefined) cells.remove(before)
    const cell = new Cell(key, due, start, end, ordinal, partials.read(changes))
    const tag = changes.uint8()
    if (tag > 1) refuse(`${tag} for whether something comes before`)
    if (tag === 1) cell.earlier = partials.read(changes)
    cell.writtenDue = due
    cells.add(cell)
  }
}

function refuse(what: string): never {
  throw new RangeError(`there is ${what}`)
}
