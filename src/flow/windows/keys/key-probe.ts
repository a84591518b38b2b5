/** The kernel of a key table at work: tells it by its control block where everything is, and calls it. */
import { assert } from "../../../base/assert.ts"
import type { Arena, Block } from "../../../batch/arena.ts"
import type { Column } from "../../../batch/column.ts"
import { IdsByValue, isOneWord } from "./ids-by-value.ts"
import { AHEAD_ROWS, AHEAD_SHIFT, CONTROL, CONTROL_PART_WORDS, NO_BITMAP } from "./key-control.ts"
import { keyGrowth } from "./key-growth.ts"
import type { KeyIndex } from "./key-index.ts"
import { keyKernel, type KeyKernel } from "./key-kernel.ts"
import type { KeyLayout } from "./key-layout.ts"

/** Ids by value, code or cell: what kernels are told of the table. */
export interface IdTable {
  /** Where the values, or codes, of a batch lie, part by part. */
  readonly columns: readonly number[]
  readonly address: number
  /** How many values, codes or cells it has. */
  readonly count: number
  /** Of cells, how many bits each part has (`key-cells.ts`). */
  readonly bits: readonly number[]
  /** Where kernels may add keys themselves, which they then note in the table. */
  readonly newKeys?: NewKeys
  /** Where keys are few: what columns hold for each, by id (`few-keys.ts`). */
  readonly fewKeys?: readonly number[]
}

/** How kernels add keys of one word: addresses, in bytes. */
export interface NewKeys {
  /** How many keys there are; it is for the kernel to count up. */
  readonly sizeAddress: number
  /** The words of key 0. */
  readonly wordsAddress: number
  /** How many keys there may be. */
  readonly capacity: number
}

/** Calls the kernel of a table. */
export class KeyProbe {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #layout: KeyLayout
  readonly #index: KeyIndex
  readonly #control: Block
  /** For keys of one word. */
  readonly #byValue: IdsByValue | undefined
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
    this.#byValue = isOneWord(layout) ? new IdsByValue(arena, memory, layout) : undefined
    this.size = 0
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

  #told(place: number): number {
    return this.#memory[(this.#control.offset >>> 2) + place]!
  }

  /** How many keys there are: kernels count them up. */
  get size(): number {
    return this.#told(CONTROL.size)
  }

  set size(size: number) {
    this.#tell(CONTROL.size, size)
  }

  /** Takes note of where the words of keys lie, and for how many keys there is room. */
  onWords(address: number, capacity: number): void {
    this.#tell(CONTROL.words, address)
    this.#tell(CONTROL.capacity, capacity)
    if (this.#byValue === undefined) return
    this.#byValue.grow(address, this.size, capacity)
    this.#tell(CONTROL.byValue, this.#byValue.address)
    this.#tell(CONTROL.valueCount, this.#byValue.count)
  }

  /**
   * Finds ids for the rows at places `start` … `end − 1`, and adds keys. Gives the place at which it stopped: there
   * is no room for the key, or a text's code is not known yet; or `end`.
   */
  run(start: number, end: number): number {
    const index = this.#index
    if (index.isLarge) this.#ahead ??= this.#allocateZeros(AHEAD_ROWS << AHEAD_SHIFT)
    this.#tell(CONTROL.ahead, this.#ahead?.offset ?? 0)
    this.#tell(CONTROL.index, index.isLarge ? index.directoryAddress : index.address)
    this.#tell(CONTROL.directoryMask, index.directoryMask)
    this.#tell(CONTROL.mask, index.mask)
    this.#tell(CONTROL.rooms, index.roomsAddress)
    this.#tell(CONTROL.indexSize, index.size)
    this.#tell(CONTROL.indexCapacity, index.isLarge ? 0 : index.capacity)
    const at = this.#kernel()(this.#control.offset, start, end)
    index.size = this.#told(CONTROL.indexSize)
    return at
  }

  #kernel(): KeyKernel {
    const { isLarge } = this.#index
    const place = (isLarge ? 2 : 0) + (this.#hasList ? 0 : 1)
    this.#kernels[place] ??= keyKernel(this.#arena, { layout: this.#layout, hasList: this.#hasList, isLarge })
    return this.#kernels[place]
  }

  /** The place in the memory of what is noted by value of the key with the words at `from`; else `undefined`. */
  placeByValue(words: Int32Array, from: number): number | undefined {
    return this.#byValue?.placeOf(words, from)
  }

  /** Where ids by value lie, and of how many values, for keys of one word. */
  get idsByValue(): Pick<IdTable, "address" | "count"> {
    const { address, count } = this.#byValue!
    return { address, count }
  }

  /** How other kernels add keys. */
  get newKeys(): NewKeys {
    const sizeAddress = this.#control.offset + 4 * CONTROL.size
    return { sizeAddress, wordsAddress: this.#told(CONTROL.words), capacity: this.#told(CONTROL.capacity) }
  }

  #allocateZeros(bytes: number): Block {
    const block = this.#arena.allocate(bytes)
    keyGrowth(this.#arena).clear(block.offset, block.bytes)
    return block
  }

  /** Gives its memory back. */
  release(): void {
    this.#arena.free(this.#control)
    this.#byValue?.release()
    if (this.#ahead !== undefined) this.#arena.free(this.#ahead)
  }
}
