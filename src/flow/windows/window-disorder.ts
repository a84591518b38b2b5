/**
 * The way of batches that are not in order of time, or of which records may be late: their rows are sifted (`sift-code.ts`)
 * and added as they come (`disorder-code.ts`). Here is what kernels stop for: pieces that are not there, or not ready, and
 * records that are late for some of their windows, which are grouped by the piece that they belong to.
 *
 * Invariants:
 * - WO1 What a cell has of a piece is so, where the pieces' `moves` is what it was when cells were cleared.
 * - WO2 The records of a piece and key are added in order of arrival.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Batch } from "../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../batch/column.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { LinearRows } from "../linear-rows.ts"
import { CELL_SHIFT, DISORDER, DISORDER_BYTES, NOWHERE } from "./kernels/disorder-control.ts"
import { numberSlices, reachOf, type NumberSlices } from "./kernels/number-code.ts"
import { siftFunctions, type SiftFunctions } from "./kernels/sift-code.ts"
import type { Slices } from "./kernels/slices.ts"
import type { WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL, STOP } from "./kernels/window-control.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { PiecePlace, WindowPieces } from "./window-pieces.ts"

/** So many cells for each piece that there is room for, so that few slices share one. */
const CELLS_PER_PIECE = 2
const SMALLEST = 64
/** How many numbers may be written behind the last. */
const NUMBERS_BEHIND = 3
const ITEMS_PER_CELL = 1 << (CELL_SHIFT - 3)

/** What records are added to. */
export interface WindowDisorderParts {
  readonly arena: Arena
  readonly slices: Slices
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  readonly code: WindowFunctions
  /** What is added to the column of times to give event time. */
  readonly timeShift: number
}

/** What became of the rows of a batch: lists that start with so many. They lie there until the next batch. */
export interface SiftedRows {
  /** Rows that count, and of these those that are on time for all their windows, and those that are late for some. */
  readonly kept: Int32Array
  readonly keptCount: number
  readonly onTime: Int32Array
  readonly onTimeCount: number
  readonly some: Int32Array
  readonly someCount: number
  /** Rows that came late for all their windows. */
  readonly late: Int32Array
  readonly lateCount: number
  /** Rows whose windows would reach beyond the ends of time. */
  readonly outside: Int32Array
  /** How many rows lie between windows. */
  readonly betweenCount: number
}

/** Takes a row that would take a sum out of its range, and the entry that it was for. */
export type OnRefused = (row: number, entry: number) => void

/** See the head of this file. */
export class WindowDisorder {
  readonly #parts: WindowDisorderParts
  readonly #sifting: SiftFunctions
  readonly #control: LinearArray
  readonly #cells: LinearArray
  readonly #rows: LinearRows
  /** The lists of sifted rows. */
  readonly #lists: readonly LinearArray[]
  /** Watermarks that had to be copied. */
  readonly #watermarks: LinearArray
  /** What pieces' `moves` was when cells were cleared. */
  #moves = -1
  readonly #numberSlices: NumberSlices
  readonly #numbers: LinearArray
  /** Slices are numbered from that which starts here, for times up to `#reach` away. */
  #origin = 0
  readonly #reach: number
  /** The times of the batch at hand, and whether all of them can be numbered. */
  #times = 0
  #isNear = false

  constructor(parts: WindowDisorderParts) {
    const { arena, slices } = parts
    this.#parts = parts
    this.#sifting = siftFunctions(arena.memory)
    this.#control = new LinearArray(arena, 4, DISORDER_BYTES / 4)
    this.#cells = new LinearArray(arena, 8, SMALLEST * ITEMS_PER_CELL)
    this.#rows = new LinearRows(arena)
    this.#lists = Array.from({ length: 5 }, () => new LinearArray(arena, 4, SMALLEST))
    this.#watermarks = new LinearArray(arena, 8, SMALLEST)
    const endEdge = slices.size % slices.slide
    this.#set(DISORDER.hasTwoEdges, endEdge > 0 ? 1 : 0)
    this.#setLong(DISORDER.endEdge, BigInt(endEdge))
    this.#control.f64[DISORDER.doubleSlide >> 3] = 2 * slices.slide
    this.#control.f64[DISORDER.doubleEdge >> 3] = 2 * endEdge
    this.#numberSlices = numberSlices(arena.memory)
    this.#numbers = new LinearArray(arena, 4, SMALLEST)
    this.#reach = reachOf(slices.slide)
    this.#setOrigin(0)
    this.#setLong(DISORDER.maxTime, BigInt(slices.maxTime))
    this.#control.f64[DISORDER.scale >> 3] = 0.5 / slices.slide
  }

  #set(offset: number, value: number): void {
    this.#control.i32[offset >> 2] = value
  }

  #get(offset: number): number {
    return this.#control.i32[offset >> 2]!
  }

  #setLong(offset: number, value: bigint): void {
    this.#control.i64[offset >> 3] = value
  }

  /** Takes note of a batch whose rows come now. */
  begin({ columns, length, selection }: Batch, timeIndex: number): void {
    const times = columns[timeIndex] as Int64Column
    this.#times = times.values.byteOffset
    this.#isNear = this.#areNear(length)
    if (this.#isNear) return
    const first = readInt53(times.halves, selection?.[0] ?? 0) + this.#parts.timeShift
    if (Math.abs(first) > this.#parts.slices.maxTime) return
    this.#setOrigin(first)
    this.#isNear = this.#areNear(length)
  }

  /** Whether all times of the batch can be numbered, and so are within representable time. */
  #areNear(length: number): boolean {
    const { maxTime } = this.#parts.slices
    const [from, to] = [this.#origin - this.#reach, this.#origin + this.#reach]
    return this.#areWithin(length, Math.max(from, -maxTime), Math.min(to, maxTime))
  }

  #areWithin(length: number, from: number, to: number): boolean {
    const { timeShift } = this.#parts
    return this.#sifting.areWithin(this.#times, length, from - timeShift, to - timeShift) === 1
  }

  #setOrigin(time: number): void {
    const { slices, timeShift } = this.#parts
    this.#origin = slices.of(time).lastWindowEnd - slices.size
    this.#setLong(DISORDER.doubleOrigin, 2n * BigInt(this.#origin - timeShift) - 1n)
    this.#moves = -1
  }

  /** Whether all rows of the batch count, and none is late. */
  isOnTime({ watermarks, length }: Batch): boolean {
    const { slide, size, maxTime } = this.#parts.slices
    if (watermarks !== null || slide > size) return false
    return this.#isNear || this.#areWithin(length, -maxTime, maxTime)
  }

  /** Sifts the rows of the batch, whose times the window's memory has been told, too. */
  sift(batch: Batch): SiftedRows {
    const { controlAddress } = this.#parts.memory
    for (const list of this.#lists) list.reserve(batch.count)
    const [kept, onTime, some, late, outside] = this.#lists as readonly [
      LinearArray,
      LinearArray,
      LinearArray,
      LinearArray,
      LinearArray,
    ]
    this.#set(DISORDER.onTime, onTime.address)
    this.#set(DISORDER.kept, kept.address)
    this.#set(DISORDER.some, some.address)
    this.#set(DISORDER.late, late.address)
    this.#set(DISORDER.outside, outside.address)
    const rows = this.#rows.of(batch).byteOffset
    const watermarks = this.#watermarksOf(batch)
    const keptCount = this.#sifting.sift(controlAddress, this.#control.address, rows, batch.count, watermarks)
    return {
      kept: kept.i32,
      keptCount,
      onTime: onTime.i32,
      onTimeCount: this.#get(DISORDER.onTimeCount),
      some: some.i32,
      someCount: this.#get(DISORDER.someCount),
      late: late.i32,
      lateCount: this.#get(DISORDER.lateCount),
      outside: outside.i32.subarray(0, this.#get(DISORDER.outsideCount)),
      betweenCount: this.#get(DISORDER.betweenCount),
    }
  }

  #watermarksOf({ watermarks, length }: Batch): number {
    if (watermarks === null) return NOWHERE
    if (watermarks.buffer === this.#parts.arena.buffer) return watermarks.byteOffset
    this.#watermarks.reserve(length)
    this.#watermarks.f64.set(watermarks.subarray(0, length))
    return this.#watermarks.address
  }

  /** The rows of a batch that count, as a list in linear memory, which lies there until the next batch. */
  rowsOf(batch: Batch): Int32Array {
    return this.#rows.of(batch)
  }

  /** Adds the first `count` of `rows`, which are late for no window; `timeOf` gives the event time of one. */
  addOnTime(
    rows: Int32Array,
    count: number,
    ids: LinearArray,
    timeOf: (row: number) => number,
    onRefused: OnRefused,
  ): void {
    const { memory, pieces, slices, code } = this.#parts
    this.#numbers.reserve(count + NUMBERS_BEHIND)
    this.#set(DISORDER.numbers, this.#numbers.address)
    for (let [at, end] = [0, 0]; at < count;) {
      if (at === end) end = this.#numberFrom(rows, at, count, timeOf)
      if (this.#moves !== pieces.moves) this.#clearCells()
      this.#bindSlots()
      const { controlAddress } = memory
      at = code.ingestAnywhere(controlAddress, this.#control.address, at, end, rows.byteOffset, ids.address)
      if (memory.get(CONTROL.reason) === STOP.newSlice) {
        const bounds = slices.of(timeOf(rows[at]!))
        pieces.prepare(pieces.at(bounds, bounds.firstWindowEnd))
      } else at = this.#goOn(rows, at, onRefused)
    }
  }

  /** Numbers the slices of rows from a place on, as far as their times are near each other, and gives how far that is. */
  #numberFrom(rows: Int32Array, from: number, count: number, timeOf: (row: number) => number): number {
    let end = count
    if (!this.#isNear) {
      this.#setOrigin(timeOf(rows[from]!))
      const isNear = (row: number) => Math.abs(timeOf(row) - this.#origin) <= this.#reach
      for (end = from + 1; end < count && isNear(rows[end]!);) end++
    }
    const [address, to] = [rows.byteOffset + 4 * from, this.#numbers.address + 4 * from]
    this.#numberSlices(this.#control.address, this.#times, address, end - from, to)
    return end
  }

  #bindSlots(): void {
    const { address, capacity } = this.#parts.pieces.slots
    this.#set(DISORDER.slots, address)
    this.#set(DISORDER.slotsCapacity, capacity)
  }

  /** Adds the first `count` of `rows` to one piece. */
  addTo(place: PiecePlace, rows: Int32Array, count: number, ids: LinearArray, onRefused: OnRefused): void {
    const { memory, pieces, code } = this.#parts
    pieces.prepare(place)
    for (let at = 0; at < count;) {
      this.#set(DISORDER.piece, place.list.recordAddress(place.index))
      this.#bindSlots()
      at = code.ingestInto(memory.controlAddress, this.#control.address, at, count, rows.byteOffset, ids.address)
      at = this.#goOn(rows, at, onRefused)
    }
  }

  /** What is to do where a kernel has stopped for want of room or for a row to be refused; gives where it goes on. */
  #goOn(rows: Int32Array, at: number, onRefused: OnRefused): number {
    const { memory, pieces } = this.#parts
    const reason = memory.get(CONTROL.reason)
    if (reason === STOP.noRoom) pieces.grow(this.#get(DISORDER.piece))
    else if (reason === STOP.refused) {
      onRefused(rows[at]!, this.#get(DISORDER.entry))
      return at + 1
    } else assert(reason === STOP.done, "the kernel says why it stopped")
    return at
  }

  /** Forgets what cells have. */
  #clearCells(): void {
    const { memory, pieces } = this.#parts
    const wanted = Math.max(SMALLEST, memory.pieces.capacity * CELLS_PER_PIECE)
    const count = 2 ** (32 - Math.clz32(wanted - 1))
    this.#cells.reserve(count * ITEMS_PER_CELL)
    this.#cells.u8.fill(0, 0, count << CELL_SHIFT)
    this.#set(DISORDER.cells, this.#cells.address)
    this.#set(DISORDER.cellMask, count - 1)
    this.#moves = pieces.moves
  }

  release(): void {
    this.#rows.release()
    const arrays = [this.#control, this.#cells, this.#watermarks, this.#numbers, ...this.#lists]
    for (const array of arrays) array.release()
  }
}
