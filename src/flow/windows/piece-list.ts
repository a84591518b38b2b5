/**
 * Records of pieces in linear memory, by place: where each lies in time, and where its entries are. Kernels work on the
 * same records; how they look stands in `window-control.ts`.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import { readInt53, writeInt53 } from "../../batch/column.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { moveBytes, type MoveBytes } from "./kernels/move-code.ts"
import type { SliceBounds } from "./kernels/slices.ts"
import { PIECE, PIECE_BYTES } from "./kernels/window-control.ts"

// Fields go by their offsets and not by their names: a name would be looked up in `PIECE` at each access.
type TimeField = (typeof PIECE)["start" | "end" | "countsFrom" | "lastWindowEnd"]
type NumberField = Exclude<(typeof PIECE)[keyof typeof PIECE], TimeField>

const SMALLEST = 16
const { size, capacity, written, dirty, oldCount, indexed, shift } = PIECE
const ZERO_AT_FIRST = [size, capacity, written, dirty, oldCount, indexed, shift]

/** A list of records, of which those before `head` are no more in use. */
export class PieceList {
  readonly #records: LinearArray
  /** What pieces have beside their entries (`piece-lanes.ts`), and how many items of the array that is for each. */
  readonly #lanes: LinearArray | undefined
  readonly #laneItems: number
  readonly #moveDown: MoveBytes

  /** @param laneBytes how many bytes lanes take for each piece, a multiple of `PIECE_BYTES`; 0 where there are none. */
  constructor(arena: Arena, laneBytes = 0) {
    this.#moveDown = moveBytes(arena.memory)
    this.#records = new LinearArray(arena, PIECE_BYTES, SMALLEST)
    this.#laneItems = laneBytes / PIECE_BYTES
    if (laneBytes > 0) this.#lanes = new LinearArray(arena, PIECE_BYTES, SMALLEST * this.#laneItems, null)
  }

  get address(): number {
    return this.#records.address
  }

  /** Where the lanes of pieces are; 0 where they have none. */
  get lanesAddress(): number {
    return this.#lanes?.address ?? 0
  }

  /** Where a record lies in memory, and which one lies there. */
  recordAddress(index: number): number {
    return this.address + index * PIECE_BYTES
  }

  indexAt(recordAddress: number): number {
    return (recordAddress - this.address) / PIECE_BYTES
  }

  /** How many records there is room for. One more can be read, as loops look at the one behind the last. */
  get capacity(): number {
    return this.#records.capacity - 1
  }

  /** Makes room, and gives whether the list has moved. */
  reserve(capacity: number): boolean {
    if (!this.#records.reserve(capacity + 1)) return false
    this.#lanes?.reserve(this.#records.capacity * this.#laneItems)
    return true
  }

  release(): void {
    this.#records.release()
    this.#lanes?.release()
  }

  /** A field of a record. */
  get(index: number, field: NumberField): number {
    return this.#records.i32[(index * PIECE_BYTES + field) >> 2]!
  }

  set(index: number, field: NumberField, value: number): void {
    this.#records.i32[(index * PIECE_BYTES + field) >> 2] = value
  }

  /** A moment of a record, in microseconds. */
  time(index: number, field: TimeField): number {
    return readInt53(this.#records.i32, (index * PIECE_BYTES + field) >> 3)
  }

  #setTime(index: number, field: TimeField, value: number): void {
    writeInt53(this.#records.i32, (index * PIECE_BYTES + field) >> 3, value)
  }

  /** Writes the record of a piece without entries, which go from entry `from` on. */
  write(index: number, bounds: SliceBounds, countsFrom: number, from: number): void {
    assert(index < this.capacity, "there is room for the record")
    this.#setTime(index, PIECE.start, bounds.start)
    this.#setTime(index, PIECE.end, bounds.end)
    this.#setTime(index, PIECE.countsFrom, countsFrom)
    this.#setTime(index, PIECE.lastWindowEnd, bounds.lastWindowEnd)
    this.set(index, PIECE.from, from)
    for (const field of ZERO_AT_FIRST) this.set(index, field, 0)
  }

  /** Copies `count` records to another place of the list. */
  move(from: number, to: number, count: number): void {
    this.#moveItems(this.#records, from, to, count)
    const items = this.#laneItems
    if (this.#lanes !== undefined) this.#moveItems(this.#lanes, from * items, to * items, count * items)
  }

  #moveItems(array: LinearArray, from: number, to: number, count: number): void {
    const [source, target, bytes] = [from * PIECE_BYTES, to * PIECE_BYTES, count * PIECE_BYTES]
    if (to < from) this.#moveDown(array.address + target, array.address + source, bytes)
    else array.u8.copyWithin(target, source, source + bytes)
  }

  /** Takes over a record of another list, where pieces are not held by lanes. */
  copyFrom(other: PieceList, from: number, to: number): void {
    const bytes = other.#records.u8.subarray(from * PIECE_BYTES, (from + 1) * PIECE_BYTES)
    this.#records.u8.set(bytes, to * PIECE_BYTES)
  }
}
