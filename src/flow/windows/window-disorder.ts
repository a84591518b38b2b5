/**
 * The way of batches that are not in order of time, or of which records may be late: their rows are sifted (`sift-code.ts`)
 * and added as they come (`disorder-code.ts`). Here is what kernels stop for: pieces that are not there, or not ready, and
 * records that are late for some of their windows, which are grouped by the piece that they belong to.
 *
 * Invariants:
 * - WO1 A cell names a record of the list of pieces at its address of now, or the record that no time is in.
 * - WO2 The records of a piece and key are added in order of arrival.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Batch } from "../../batch/batch.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { LinearRows } from "../linear-rows.ts"
import { DISORDER, DISORDER_BYTES, NO_WATERMARKS } from "./disorder-control.ts"
import { siftFunction, type Sift } from "./sift-code.ts"
import type { Slices } from "./slices.ts"
import type { WindowFunctions } from "./window-code.ts"
import { STOP } from "./window-control.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { PiecePlace, WindowPieces } from "./window-pieces.ts"

/** So many cells for each piece that there is room for, so that few slices share one. */
const CELLS_PER_PIECE = 2
const SMALLEST = 64
const MAX_INT64 = 2n ** 63n - 1n

/** What records are added to. */
export interface WindowDisorderParts {
  readonly arena: Arena
  readonly slices: Slices
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  readonly code: WindowFunctions
}

/** What became of the rows of a batch: lists that start with so many. They lie there until the next batch. */
export interface SiftedRows {
  /** Rows that count, and of these those that are late for some of their windows. */
  readonly kept: Int32Array
  readonly keptCount: number
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
  readonly #sift: Sift
  readonly #control: LinearArray
  readonly #cells: LinearArray
  readonly #rows: LinearRows
  /** The lists of sifted rows. */
  readonly #lists: readonly LinearArray[]
  /** Watermarks that had to be copied. */
  readonly #watermarks: LinearArray
  /** What pieces' `moves` was when cells were made. */
  #moves = -1

  constructor(parts: WindowDisorderParts) {
    const { arena, slices } = parts
    this.#parts = parts
    this.#sift = siftFunction(arena.memory)
    this.#control = new LinearArray(arena, 4, DISORDER_BYTES / 4)
    this.#cells = new LinearArray(arena, 4, SMALLEST)
    this.#rows = new LinearRows(arena)
    this.#lists = Array.from({ length: 4 }, () => new LinearArray(arena, 4, SMALLEST))
    this.#watermarks = new LinearArray(arena, 8, SMALLEST)
    const endEdge = slices.size % slices.slide
    this.#set(DISORDER.hasTwoEdges, endEdge > 0 ? 1 : 0)
    this.#setLong(DISORDER.endEdge, BigInt(endEdge))
    this.#setLong(DISORDER.maxTime, BigInt(slices.maxTime))
    this.#control.f64[DISORDER.scale >> 3] = 0.5 / slices.slide
    this.#setLong(DISORDER.nowhere, MAX_INT64)
    this.#setLong(DISORDER.nowhere + 8, -MAX_INT64)
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

  /** Sifts the rows of a batch whose times the window's memory has been told. */
  sift(batch: Batch): SiftedRows {
    const { controlAddress } = this.#parts.memory
    for (const list of this.#lists) list.reserve(batch.count)
    const [kept, some, late, outside] = this.#lists as [LinearArray, LinearArray, LinearArray, LinearArray]
    this.#set(DISORDER.kept, kept.address)
    this.#set(DISORDER.some, some.address)
    this.#set(DISORDER.late, late.address)
    this.#set(DISORDER.outside, outside.address)
    const rows = this.#rows.of(batch).byteOffset
    const watermarks = this.#watermarksOf(batch)
    const keptCount = this.#sift(controlAddress, this.#control.address, rows, batch.count, watermarks)
    return {
      kept: kept.i32,
      keptCount,
      some: some.i32,
      someCount: this.#get(DISORDER.someCount),
      late: late.i32,
      lateCount: this.#get(DISORDER.lateCount),
      outside: outside.i32.subarray(0, this.#get(DISORDER.outsideCount)),
      betweenCount: this.#get(DISORDER.betweenCount),
    }
  }

  #watermarksOf({ watermarks, length }: Batch): number {
    if (watermarks === null) return NO_WATERMARKS
    if (watermarks.buffer === this.#parts.arena.buffer) return watermarks.byteOffset
    this.#watermarks.reserve(length)
    this.#watermarks.f64.set(watermarks.subarray(0, length))
    return this.#watermarks.address
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
    for (let at = 0; at < count;) {
      if (this.#moves !== pieces.moves) this.#clearCells(slices.of(timeOf(rows[at]!)).start)
      this.#set(DISORDER.slots, pieces.slotsAddress)
      at = code.ingestAnywhere(memory.controlAddress, this.#control.address, at, count, rows.byteOffset, ids.address)
      if (memory.get("reason") === STOP.newSlice) {
        const bounds = slices.of(timeOf(rows[at]!))
        pieces.prepare(pieces.at(bounds, bounds.firstWindowEnd))
      } else at = this.#goOn(rows, at, onRefused)
    }
  }

  /** Adds the first `count` of `rows` to one piece. */
  addTo(place: PiecePlace, rows: Int32Array, count: number, ids: LinearArray, onRefused: OnRefused): void {
    const { memory, pieces, code } = this.#parts
    pieces.prepare(place)
    for (let at = 0; at < count;) {
      this.#set(DISORDER.piece, place.list.recordAddress(place.index))
      this.#set(DISORDER.slots, pieces.slotsAddress)
      at = code.ingestInto(memory.controlAddress, this.#control.address, at, count, rows.byteOffset, ids.address)
      at = this.#goOn(rows, at, onRefused)
    }
  }

  /** What is to do where a kernel has stopped for want of room or for a row to be refused; gives where it goes on. */
  #goOn(rows: Int32Array, at: number, onRefused: OnRefused): number {
    const { memory, pieces } = this.#parts
    const reason = memory.get("reason")
    if (reason === STOP.noRoom) pieces.grow(this.#get(DISORDER.piece))
    else if (reason === STOP.refused) {
      onRefused(rows[at]!, this.#get(DISORDER.entry))
      return at + 1
    } else assert(reason === STOP.done, "the kernel says why it stopped")
    return at
  }

  /** Forgets which piece a cell has: records of pieces have moved, or are no longer ready. Numbers count from `origin`. */
  #clearCells(origin: number): void {
    const { pieces } = this.#parts
    const wanted = Math.max(SMALLEST, this.#parts.memory.pieces.capacity * CELLS_PER_PIECE)
    this.#cells.reserve(wanted)
    const count = 2 ** (31 - Math.clz32(wanted))
    this.#cells.i32.fill(this.#control.address + DISORDER.nowhere, 0, count)
    this.#set(DISORDER.cells, this.#cells.address)
    this.#set(DISORDER.cellMask, count - 1)
    this.#setLong(DISORDER.origin, BigInt(origin))
    this.#setLong(DISORDER.doubleOrigin, 2n * BigInt(origin) + BigInt(this.#parts.slices.slide) - 1n)
    this.#moves = pieces.moves
  }

  release(): void {
    this.#rows.release()
    for (const array of [this.#control, this.#cells, this.#watermarks, ...this.#lists]) array.release()
  }
}
