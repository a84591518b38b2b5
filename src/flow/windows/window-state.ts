/**
 * The state of a window operator, and its bytes (format 1, named in the operator's signature).
 *
 * One call of `writeChanges` or `writeAll` writes nothing where nothing has changed, else:
 *
 *     float64   the watermark: windows that end at it + 1 or earlier have fired, and slices without others are gone
 *     varint    rows that came late for all their windows
 *     varint    number of slices that follow, each:
 *       float64   start
 *       float64   the end of the first window in which its records count
 *       varint    number of groups that were written before
 *       varint    number of those that have changed, each: varint group, the state of each accumulator
 *       varint    number of new groups, each: its key, the state of each accumulator
 *
 * Groups are numbered in order of first appearance, so their place says which they are. Keys are written as values,
 * not as ids (KT2). How keys and accumulators look is said where they are written.
 *
 * Invariants:
 * - F3 Applying all that was written since the beginning, in order, gives the same state.
 * - WS1 No bytes make `applyChanges` do anything but restore or throw `state-corrupt`.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { KeyTable } from "./key-table.ts"
import type { OpenSlices } from "./open-slices.ts"
import type { Slice } from "./slice.ts"
import type { Slices } from "./slices.ts"

/** Below this many keys it is not worth finding out which are still in use. */
const KEYS_WORTH_COLLECTING = 1024

/** See the head of this file. */
export class WindowState {
  readonly #operator: string
  readonly #slices: Slices
  readonly open: OpenSlices
  keys: KeyTable
  /** Windows with ends up to this + 1 have fired. */
  #watermark = -Infinity
  #lateRows = 0
  #dirtySlices: Slice[] = []
  #hasChanged = false

  constructor(operator: string, slices: Slices, open: OpenSlices, keys: KeyTable) {
    this.#operator = operator
    this.#slices = slices
    this.open = open
    this.keys = keys
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

  /** Takes note that groups of a slice have changed. */
  touch(slice: Slice): void {
    this.#hasChanged = true
    if (slice.isDirty) return
    slice.isDirty = true
    this.#dirtySlices.push(slice)
  }

  /** Lets go of slices all of whose windows have fired: an epoch may be long, and they hold all their groups. */
  dropClosed(): void {
    this.#dirtySlices = this.#dirtySlices.filter(({ isOpen }) => isOpen)
  }

  /**
   * Drops the keys that are in no slice any more, when they are many: `groups` is how many groups there were before
   * windows fired, so that keys that come again in each window are not lost and found each time.
   */
  collectKeys(groups: number): void {
    if (this.keys.size < KEYS_WORTH_COLLECTING || this.keys.size <= groups * 2) return
    const tables = this.open.all.map(({ table }) => table)
    const old = this.keys
    this.keys = old.withOnly(tables)
    old.release()
    for (const table of tables) table.onIdsMoved()
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasChanged) return
    const slices = this.#dirtySlices.filter((slice) => slice.isOpen)
    this.#writeHead(out, slices.length)
    for (const slice of slices) {
      this.#writeSlice(slice, slice.table.writtenSize, slice.table.dirtyGroups, out)
      slice.table.markWritten()
    }
    for (const slice of this.#dirtySlices) slice.isDirty = false
    this.#dirtySlices = []
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    const { all } = this.open
    if (this.#watermark === -Infinity && this.#lateRows === 0 && all.length === 0) return
    this.#writeHead(out, all.length)
    for (const slice of all) this.#writeSlice(slice, 0, [], out)
  }

  #writeHead(out: ByteWriter, sliceCount: number): void {
    out.float64(this.#watermark)
    out.varint(this.#lateRows)
    out.varint(sliceCount)
  }

  #writeSlice({ bounds, countsFrom, table }: Slice, before: number, changed: readonly number[], out: ByteWriter): void {
    out.float64(bounds.start)
    out.float64(countsFrom)
    out.varint(before)
    out.varint(changed.length)
    for (const group of changed) {
      out.varint(group)
      for (const accumulator of table.accumulators) accumulator.writeState(group, out)
    }
    out.varint(table.size - before)
    for (let group = before; group < table.size; group++) {
      this.keys.writeState(table.ids[group]!, out)
      for (const accumulator of table.accumulators) accumulator.writeState(group, out)
    }
  }

  applyChanges(changes: ByteReader): void {
    if (changes.remaining === 0) return
    try {
      this.#apply(changes)
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error
      throw new TidemarkError("state-corrupt", `The state of the operator ${this.#operator} cannot be read.`, {
        hint: "Restore the directory from a backup, or start anew with --reset.",
        cause: error,
      })
    }
  }

  #apply(changes: ByteReader): void {
    const watermark = changes.float64()
    if (watermark !== -Infinity && !Number.isFinite(watermark)) refuse(`${watermark} as watermark`)
    if (watermark < this.#watermark) refuse("a watermark that goes back")
    if (watermark > this.#watermark) this.open.passAllUntil(watermark + 1)
    this.#watermark = watermark
    this.#lateRows = changes.varint()
    const sliceCount = changes.varint()
    for (let index = 0; index < sliceCount; index++) this.#readSlice(changes)
    if (changes.remaining > 0) refuse(`${changes.remaining} bytes too many`)
  }

  #readSlice(changes: ByteReader): void {
    const slice = this.#sliceAt(changes.float64(), changes.float64())
    const { table } = slice
    if (changes.varint() !== table.size) refuse("a slice of another size")
    const changedCount = changes.varint()
    for (let index = 0; index < changedCount; index++) {
      const group = changes.varint()
      if (group >= table.size) refuse("a group that is not there")
      for (const accumulator of table.accumulators) accumulator.readState(group, changes)
    }
    const newCount = changes.varint()
    for (let index = 0; index < newCount; index++) {
      const id = this.keys.readState(changes)
      if (table.groupOf(id) !== -1) refuse("a key twice in a slice")
      const group = table.append(id)
      for (const accumulator of table.accumulators) accumulator.readState(group, changes)
    }
    if (table.size === 0) refuse("a slice without records")
    table.markWritten()
    this.open.settle(slice)
  }

  /** The slice with that start, checked to be one. */
  #sliceAt(start: number, countsFrom: number): Slice {
    if (!Number.isSafeInteger(start)) refuse(`${start} as a slice's start`)
    const bounds = this.#slices.of(start)
    const { firstWindowEnd, lastWindowEnd } = bounds
    const isCounted = countsFrom >= firstWindowEnd && countsFrom <= lastWindowEnd
    if (bounds.start !== start || !isCounted || (lastWindowEnd - countsFrom) % this.#slices.slide !== 0) {
      refuse("a slice with other edges than its windows")
    }
    if (lastWindowEnd - 1 <= this.#watermark) refuse("a slice whose windows have all fired")
    const slice = this.open.at(bounds, countsFrom)
    if (!slice.isOpen && this.#watermark !== -Infinity) {
      slice.nextEnd = Math.max(countsFrom, this.#slices.firstWindowEndBehind(this.#watermark + 1))
    }
    return slice
  }
}

function refuse(what: string): never {
  throw new RangeError(`there is ${what}`)
}
