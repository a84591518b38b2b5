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
  readonly #moveDown: MoveBytes

  constructor(arena: Arena) {
    this.#moveDown = moveBytes(arena.memory)
    this.#records = new LinearArray(arena, PIECE_BYTES, SMALLEST)
  }

  get address(): number {
    return this.#records.address
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
    return this.#records.reserve(capacity + 1)
  }

  release(): void {
    this.#records.release()
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
    if (to < from) this.#moveDown(this.recordAddress(to), this.recordAddress(from), count * PIECE_BYTES)
    else this.#records.u8.copyWithin(to * PIECE_BYTES, from * PIECE_BYTES, (from + count) * PIECE_BYTES)
  }

  /** Takes over a record of another list. */
  copyFrom(other: PieceList, from: number, to: number): void {
    const bytes = other.#records.u8.subarray(from * PIECE_BYTES, (from + 1) * PIECE_BYTES)
    this.#records.u8.set(bytes, to * PIECE_BYTES)
  }
}
