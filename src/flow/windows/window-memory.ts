/**
 * The arrays of a window operator in linear memory, and the control block that tells kernels where they lie.
 *
 * Three families grow by themselves: by entry, by key (the lists of keys among them), and the list of pieces. After any of them has grown the control
 * block is written anew, before a kernel runs.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import { readInt53, writeInt53 } from "../../batch/column.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { FEW_KEYS } from "./keys/few-keys.ts"
import { KeyList } from "./keys/key-list.ts"
import { PieceList } from "./piece-list.ts"
import { NO_START } from "./kernels/advance-code.ts"
import { moveBytes, type MoveBytes } from "./kernels/move-code.ts"
import { laneLayout } from "./kernels/piece-lanes.ts"
import { CONTROL, type ListName } from "./kernels/window-control.ts"
import type { WindowShape } from "./kernels/window-shape.ts"

/** The most result rows of a batch. */
export const MAX_RESULT_ROWS = 8192

const SMALLEST = 64

/** A field of the control block that counts or names something. */
type ControlNumber = (typeof CONTROL)[
  | "head"
  | "sealed"
  | "tail"
  | "edge"
  | "entryTail"
  | "oldLength"
  | "newLength"
  | "acrossCount"
  | "position"
  | "straightFrom"
  | "straightCount"
  | "stateEnd"
  | "reason"
  | "failureCount"]

/** See the head of this file. */
export class WindowMemory {
  readonly #shape: WindowShape
  readonly #control: LinearArray
  readonly pieces: PieceList
  /** By entry: the key's id, whether it has changed since it was written, and the fields. */
  readonly entryIds: LinearArray
  readonly entryDirty: LinearArray
  readonly entryFields: readonly LinearArray[]
  /** By entry, for fields that are not totals: what its key has in later pieces of the old list. */
  readonly #after: readonly (LinearArray | undefined)[]
  /** By key: its entry in the last piece. */
  readonly entryOf: LinearArray
  readonly #lists: Readonly<Record<ListName, KeyList>>
  /** By key: its place in each list, 0 where it is not in it. */
  readonly #places: Readonly<Record<ListName, LinearArray>>
  /** The arrays of 8 bytes by entry, and all arrays by key. */
  readonly #entryArrays: readonly LinearArray[]
  readonly #keyArrays: readonly LinearArray[]
  /** The places of the new list that a window's rows are made of. */
  readonly #chosen: LinearArray
  /** Pairs of a result row and the aggregate that failed. */
  readonly failures: LinearArray
  readonly #move: MoveBytes
  #keyCapacity = SMALLEST
  #entryCapacity = SMALLEST

  constructor(arena: Arena, shape: WindowShape) {
    this.#shape = shape
    this.#move = moveBytes(arena.memory)
    this.#control = new LinearArray(arena, 4, shape.control.bytes / 4)
    this.pieces = new PieceList(arena, laneLayout(shape)?.bytes)
    this.entryIds = new LinearArray(arena, 4, SMALLEST, null)
    this.entryDirty = new LinearArray(arena, 1, SMALLEST)
    this.entryFields = shape.entryFields.map(() => new LinearArray(arena, 8, SMALLEST, null))
    this.entryOf = new LinearArray(arena, 4, SMALLEST, 255n)
    const areFolds = shape.windowFields.map((_, field) => !shape.isTotal(field))
    this.#after = areFolds.map((isFold) => (isFold ? new LinearArray(arena, 8, SMALLEST) : undefined))
    const list = (hasLater: readonly boolean[]) =>
      new KeyList(arena, shape.keys, shape.windowFields, hasLater, SMALLEST)
    this.#lists = { old: list(areFolds), new: list([]) }
    this.#places = { old: new LinearArray(arena, 4, SMALLEST), new: new LinearArray(arena, 4, SMALLEST) }
    this.#entryArrays = [...this.entryFields, ...this.#after.flatMap((array) => array ?? [])]
    this.#keyArrays = [this.entryOf, this.#places.old, this.#places.new]
    this.#chosen = new LinearArray(arena, 4, MAX_RESULT_ROWS, null)
    const canFail = shape.kernels.filter(({ kernel }) => kernel.mayFail === true).length
    this.failures = new LinearArray(arena, 8, canFail * MAX_RESULT_ROWS)
    this.#writeNewStart()
    this.#writeWindow()
    this.sync()
  }

  #writeWindow(): void {
    const { slices, timeShift } = this.#shape
    const lengths = {
      size: slices.size,
      slide: slices.slide,
      offset: slices.offset,
      blockLength: slices.blockLength,
      timeShift,
    }
    for (const [field, micros] of Object.entries(lengths)) {
      this.#control.i64[CONTROL[field as keyof typeof lengths] >> 3] = BigInt(micros)
    }
    this.setAt(CONTROL.hasOneEdge, slices.hasOneEdge ? 1 : 0)
  }

  get controlAddress(): number {
    return this.#control.address
  }

  /** The first piece that is left, and the place behind the last: they are asked for all the time. */
  get head(): number {
    return this.#control.i32[CONTROL.head >> 2]!
  }

  get tail(): number {
    return this.#control.i32[CONTROL.tail >> 2]!
  }

  get(field: ControlNumber): number {
    return this.#control.i32[field >> 2]!
  }

  set(field: ControlNumber, value: number): void {
    this.#control.i32[field >> 2] = value
  }

  /** Writes a field by its offset in the control block. */
  setAt(offset: number, value: number): void {
    this.#control.i32[offset >> 2] = value
  }

  #writeNewStart(): void {
    this.#control.i64[CONTROL.newStart >> 3] = NO_START
  }

  /** How many entries there is room for. */
  get entryCapacity(): number {
    return this.#entryCapacity
  }

  /** Where the newer block of the last window starts; far before all times where nothing is shared. */
  get newStart(): number {
    return Number(this.#control.i64[CONTROL.newStart >> 3]!)
  }

  /** The end of the first window that has not fired, as kernels see it; they move it on. */
  get floorEnd(): number {
    return readInt53(this.#control.i32, CONTROL.floorEnd >> 3)
  }

  set floorEnd(end: number) {
    writeInt53(this.#control.i32, CONTROL.floorEnd >> 3, end)
  }

  /** How long windows are: another length than the shape's, where one memory serves several. */
  set windowSize(size: number) {
    writeInt53(this.#control.i32, CONTROL.size >> 3, size)
  }

  /** Tells kernels what columns hold for few keys, by id; none where keys are not few. */
  setFewKeys(values: readonly number[]): void {
    this.setAt(CONTROL.laneCount, values.length)
    let other = -1
    for (let lane = 0; lane < FEW_KEYS; lane++) {
      // What is not there must not look like what is.
      while (lane >= values.length && values.includes(other)) other--
      this.setAt(CONTROL.laneKeys + 4 * lane, values[lane] ?? other)
    }
  }

  reserveEntries(capacity: number): void {
    const arrays = [this.entryIds, this.entryDirty, ...this.#entryArrays]
    for (const array of arrays) array.reserve(capacity)
    this.#entryCapacity = Math.min(...arrays.map((array) => array.capacity))
    this.sync()
  }

  reservePieces(capacity: number): void {
    if (this.pieces.reserve(capacity)) this.sync()
  }

  /** Makes room for key ids below `capacity`. */
  reserveKeys(capacity: number): void {
    if (capacity <= this.#keyCapacity) return
    for (const array of this.#keyArrays) array.reserve(capacity)
    this.#keyCapacity = Math.min(...this.#keyArrays.map((array) => array.capacity))
    // Windows that do not overlap share nothing.
    if (this.#shape.slices.areOverlapping)
      for (const list of Object.values(this.#lists)) list.reserve(this.#keyCapacity)
    this.sync()
  }

  /** Forgets all that is by key, as ids have got another meaning. */
  forgetKeys(): void {
    for (const array of this.#keyArrays) array.fill(0, array.capacity)
    for (const field of [CONTROL.oldLength, CONTROL.newLength, CONTROL.acrossCount]) this.set(field, 0)
    this.set(CONTROL.sealed, this.head)
    this.set(CONTROL.edge, this.head)
    this.#writeNewStart()
  }

  /** Copies entries to a lower place, or one where none of them is, from which they are read on. */
  moveEntries(from: number, to: number, count: number): void {
    assert(to + count <= this.entryCapacity, "there is room for the entries")
    assert(to <= from || to >= from + count, "no entry is written over before it is read")
    this.set(CONTROL.straightCount, 0)
    const move = ({ address }: LinearArray, bytes: number) =>
      this.#move(address + to * bytes, address + from * bytes, count * bytes)
    move(this.entryIds, 4)
    move(this.entryDirty, 1)
    for (const array of this.#entryArrays) move(array, 8)
  }

  /** Tells kernels where everything lies. */
  sync(): void {
    const { control } = this.#shape
    const addresses: [number, LinearArray | undefined][] = [
      [CONTROL.entryIds, this.entryIds],
      [CONTROL.entryDirty, this.entryDirty],
      [CONTROL.entryOf, this.entryOf],
      [CONTROL.oldIds, this.#lists.old.ids],
      [CONTROL.newIds, this.#lists.new.ids],
      [CONTROL.oldAcross, this.#lists.old.across],
      [CONTROL.newAcross, this.#lists.new.across],
      [CONTROL.oldPlaces, this.#places.old],
      [CONTROL.newPlaces, this.#places.new],
      [CONTROL.chosen, this.#chosen],
      [CONTROL.failures, this.failures],
    ]
    this.entryFields.forEach((array, index) => addresses.push([control.entryField(index), array]))
    this.#after.forEach((array, index) => addresses.push([control.after(index), array]))
    for (const name of ["old", "new"] as const) {
      const { fields, later, columns } = this.#lists[name]
      fields.forEach((array, index) => addresses.push([control.atPlaces(name, index), array]))
      later.forEach((array, index) => addresses.push([control.later(index), array]))
      columns.forEach((array, index) => addresses.push([control.listed(name, index), array]))
    }
    for (const [offset, array] of addresses) if (array !== undefined) this.setAt(offset, array.address)
    this.setAt(CONTROL.pieces, this.pieces.address)
    this.setAt(CONTROL.pieceLanes, this.pieces.lanesAddress)
    this.setAt(CONTROL.pieceCapacity, this.pieces.capacity)
    this.setAt(CONTROL.entryCapacity, this.entryCapacity)
  }

  release(): void {
    this.pieces.release()
    for (const list of Object.values(this.#lists)) list.release()
    const arrays = [this.#control, this.entryIds, this.entryDirty, this.#chosen, this.failures]
    for (const array of [...arrays, ...this.#entryArrays, ...this.#keyArrays]) array.release()
  }
}
