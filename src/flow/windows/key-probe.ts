/**
 * The kernel of a key table at work: tells it by its control block where everything is, and calls it.
 *
 * Ids by value (`key-kernel.ts`) take at most twice the room of the index, and never more than 64 Ki values' room.
 */
import { assert } from "../../base/assert.ts"
import type { Arena, Block } from "../../batch/arena.ts"
import type { Column, Int32Column } from "../../batch/column.ts"
import { AHEAD_ROWS, AHEAD_SHIFT, CONTROL, CONTROL_PART_WORDS, NO_BITMAP } from "./key-control.ts"
import { keyGrowth } from "./key-growth.ts"
import type { KeyIndex } from "./key-index.ts"
import { isOneWord, keyKernel, type KeyKernel } from "./key-kernel.ts"
import type { KeyLayout } from "./key-layout.ts"

const VALUES_MAX = 65_536
/** Ids by value for each key that there is room for. */
const VALUES_PER_KEY = 8

/** What a kernel is told of its table. */
export interface ProbedTable {
  readonly wordsAddress: number
  readonly size: number
  /** How many keys there may be before it grows. */
  readonly capacity: number
}

/** Ids by value, code or cell: what kernels are told of the table. */
export interface IdTable {
  /** Where the values, or codes, of a batch lie, part by part. */
  readonly columns: readonly number[]
  readonly address: number
  /** How many values or codes it has. */
  readonly count: number
  /** Of cells, how many bits each part has (`key-cells.ts`). */
  readonly bits: readonly number[]
}

/** Calls the kernel of a table. */
export class KeyProbe {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #layout: KeyLayout
  readonly #index: KeyIndex
  readonly #control: Block
  /** Ids by value, where the kernel has them. */
  #values: Block | undefined
  #valueCount = 0
  /** Where the index is large: hashes and buckets of rows. */
  #ahead: Block | undefined
  /** Kernels by what they are for: those for lists of rows, for all rows, and the same for a large index. */
  readonly #kernels: KeyKernel[] = []
  #hasList = false

  constructor(arena: Arena, memory: Int32Array, layout: KeyLayout, index: KeyIndex) {
    this.#arena = arena
    this.#memory = memory
    this.#layout = layout
    this.#index = index
    this.#control = arena.allocate(4 * (CONTROL.parts + CONTROL_PART_WORDS * layout.parts.length))
  }

  /** Whether the kernel can read and write these: they lie in the arena. */
  canReach(columns: readonly Column[], rows: Int32Array | null, ids: Int32Array): boolean {
    const { buffer } = this.#arena
    const isThere = (array: ArrayBufferView | null) => array === null || array.buffer === buffer
    return (
      isThere(ids) &&
      isThere(rows) &&
      columns.every((column) => column.storage !== "struct" && isThere(column.values) && isThere(column.validity))
    )
  }

  /**
   * Says which columns, rows and ids the next calls are about.
   *
   * @param codes for parts that are texts, the place of what is known of the codes of their columns.
   */
  begin(columns: readonly Column[], codes: readonly number[], rows: Int32Array | null, ids: Int32Array): void {
    this.#hasList = rows !== null
    this.#tell(CONTROL.rows, rows?.byteOffset ?? 0)
    this.#tell(CONTROL.ids, ids.byteOffset)
    columns.forEach((column, index) => {
      assert(column.storage !== "struct", "objects are no keys")
      const place = CONTROL.parts + index * CONTROL_PART_WORDS
      this.#tell(place, column.values.byteOffset)
      this.#tell(place + 1, column.validity?.byteOffset ?? NO_BITMAP)
      this.#tell(place + 2, codes[index]! * 4)
    })
  }

  #tell(place: number, value: number): void {
    this.#memory[(this.#control.offset >>> 2) + place] = value
  }

  /** How many keys there are after a call. */
  get size(): number {
    return this.#memory[(this.#control.offset >>> 2) + CONTROL.size]!
  }

  /**
   * Finds ids for the rows at places `start` … `end − 1`, and adds keys. Gives the place at which it stopped: there
   * is no room for the key, or a text's code is not known yet; or `end`.
   */
  run(table: ProbedTable, start: number, end: number): number {
    const index = this.#index
    if (index.isLarge) this.#ahead ??= this.#allocateZeros(AHEAD_ROWS << AHEAD_SHIFT)
    this.#tell(CONTROL.ahead, this.#ahead?.offset ?? 0)
    this.#tell(CONTROL.index, index.isLarge ? index.directoryAddress : index.address)
    this.#tell(CONTROL.directoryMask, index.directoryMask)
    this.#tell(CONTROL.mask, index.mask)
    this.#tell(CONTROL.capacity, table.capacity)
    this.#tell(CONTROL.rooms, index.roomsAddress)
    this.#tell(CONTROL.words, table.wordsAddress)
    this.#tell(CONTROL.size, table.size)
    this.#makeRoomForValues(table.capacity)
    return this.#kernel()(this.#control.offset, start, end)
  }

  #kernel(): KeyKernel {
    const { isLarge } = this.#index
    const place = (isLarge ? 2 : 0) + (this.#hasList ? 0 : 1)
    this.#kernels[place] ??= keyKernel(this.#arena, { layout: this.#layout, hasList: this.#hasList, isLarge })
    return this.#kernels[place]
  }

  #makeRoomForValues(capacity: number): void {
    if (!isOneWord(this.#layout)) return
    const count = 1 + Math.min(VALUES_MAX, VALUES_PER_KEY * capacity)
    if (count === this.#valueCount) return
    const values = this.#allocateZeros(4 * count)
    if (this.#values !== undefined) this.#arena.free(this.#values)
    this.#values = values
    this.#valueCount = count
    this.#tell(CONTROL.byValue, values.offset + 4)
    this.#tell(CONTROL.valueCount, count - 1)
  }

  /** Ids by value for a column, once there are some. */
  idsByValue({ values }: Int32Column): IdTable | undefined {
    if (this.#values === undefined) return undefined
    return { columns: [values.byteOffset], address: this.#values.offset + 4, count: this.#valueCount - 1, bits: [] }
  }

  #allocateZeros(bytes: number): Block {
    const block = this.#arena.allocate(bytes)
    keyGrowth(this.#arena).clear(block.offset, block.bytes)
    return block
  }

  /** Gives its memory back. */
  release(): void {
    for (const block of [this.#control, this.#values, this.#ahead]) if (block !== undefined) this.#arena.free(block)
  }
}
