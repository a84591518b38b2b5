/**
 * The keys of a window operator: each distinct key is kept once and has a number, whatever the slice that it is in.
 * Slices and windows then compare numbers.
 *
 * Everything lies in linear memory, so that kernels can find keys and read them:
 *
 *     words     key `id` has `stride` words from `wordsAddress + 4 · stride · id` on (`key-layout.ts`)
 *     index     from hashes to ids (`key-index.ts`)
 *
 * Addresses change when the table grows, which it does in `resolve` and `readState` alone.
 *
 * Keys are never removed one by one: when most are no longer in any slice, the operator makes a new table of those
 * that are (`withOnly`), with ids of its own. Until then an id stands for the same key and its words never change, however
 * the table grows; keys that were added since a moment are those from its size then on. Snapshots that do not stop the
 * stream can build on that: here they need neither pre-images nor tombstones.
 *
 * Invariants:
 * - KT1 Ids are 0 … size − 1, in order of first appearance in this table; equal keys have one id.
 * - KT2 No result depends on an id: they differ before and after a restart.
 * - KT3 A table that was released holds no memory of the arena.
 */
import { assert } from "../../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import type { Arena, Block } from "../../../batch/arena.ts"
import type { Column, DictionaryColumn, Int32Column } from "../../../batch/column.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { CodeCache } from "./code-cache.ts"
import { codesOfFew, valuesOfFew } from "./few-keys.ts"
import { KeyCells, mayHaveCells } from "./key-cells.ts"
import { KeyColumn } from "./key-column.ts"
import { keyGrowth } from "./key-growth.ts"
import { hashOf } from "./key-hash.ts"
import { BUCKET_LANES } from "./key-buckets.ts"
import { KeyIndex } from "./key-index.ts"
import { keyLayout } from "./key-layout.ts"
import { KeyProbe, type IdTable } from "./key-probe.ts"

/** Where a text's code is not known yet, so many rows are looked at in JavaScript, then twice as many, and so on. */
const AHEAD_ROWS_MIN = 16

/** Distinct composite keys and their ids. */
export class KeyTable {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #types: readonly ColumnType[]
  /** The columns of a key. */
  readonly parts: readonly KeyColumn[]
  readonly #hasNulls: boolean
  readonly #hasTexts: boolean
  /** Words a key. */
  readonly stride: number
  #words: Block
  readonly #index: KeyIndex
  readonly #probe: KeyProbe
  /** Keys on their way in. */
  #incoming: Int32Array
  /** For keys of one text: ids by code, so that nothing is hashed once a code is known. */
  readonly #idsByCode: CodeCache | null
  /** For keys of several whole numbers. */
  readonly #cells: KeyCells | null

  constructor(types: readonly ColumnType[], arena: Arena) {
    assert(types.length > 0, "a table is for keys that have columns")
    this.#arena = arena
    const memory = new Int32Array(arena.buffer)
    this.#memory = memory
    this.#types = types
    const layout = keyLayout(types)
    this.#hasNulls = layout.hasNulls
    this.#hasTexts = types.some(({ storage }) => storage === "dictionary")
    this.stride = layout.stride
    const isOneText = types.length === 1 && types[0]!.storage === "dictionary"
    this.#idsByCode = isOneText ? new CodeCache(arena, memory) : null
    this.parts = types.map((type, index) => {
      const codes = type.storage === "dictionary" && !isOneText ? new CodeCache(arena, memory) : null
      return new KeyColumn(type, layout.parts[index]!, codes, memory)
    })
    this.#index = new KeyIndex(arena, memory)
    this.#words = arena.allocate(4 * this.stride * this.#index.capacity)
    this.#probe = new KeyProbe(arena, memory, layout, this.#index)
    this.#probe.onWords(this.#words.offset, this.capacity)
    this.#incoming = new Int32Array(this.stride)
    this.#cells = mayHaveCells(layout) ? new KeyCells(arena, memory, layout) : null
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#probe.size
  }

  /** Where the words of key 0 start, in bytes. */
  get wordsAddress(): number {
    return this.#words.offset
  }

  /**
   * Finds the ids of the keys of rows `rows[start]` … `rows[end − 1]`, or of rows `start` … `end − 1` where there is no
   * list; new keys are added. Writes them to `ids[start]` ….
   */
  resolve(columns: readonly Column[], rows: Int32Array | null, start: number, end: number, ids: Int32Array): void {
    assert(columns.length === this.parts.length, "one column for each part of the key")
    if (this.#probe.canReach(columns, rows, ids)) this.#resolveByKernel(columns, rows, start, end, ids)
    else this.resolveSlowly(columns, rows, start, end, ids)
  }

  #resolveByKernel(
    columns: readonly Column[],
    rows: Int32Array | null,
    start: number,
    end: number,
    ids: Int32Array,
  ): void {
    const probe = this.#probe
    probe.begin(columns, this.#codesOf(columns), rows, ids)
    let ahead = AHEAD_ROWS_MIN
    for (let at = start; at < end;) {
      at = probe.run(at, end)
      if (at === end) return
      if (this.size === this.capacity) {
        this.#grow()
        continue
      }
      if (this.#index.isFull) {
        this.#index.grow()
        continue
      }
      // A text's code is not known yet, and where there is one there are often more; or a segment of the index is full.
      const to = Math.min(end, at + ahead)
      this.resolveSlowly(columns, rows, at, to, ids)
      at = to
      ahead *= 2
    }
  }

  /** By part: the place of what is known of the codes of its column. */
  #codesOf(columns: readonly Column[]): number[] {
    return columns.map((column, index) => {
      if (column.storage !== "dictionary") return 0
      return this.#idsByCode?.of(column.dictionary) ?? this.parts[index]!.codesOf(column.dictionary)
    })
  }

  /**
   * Where a kernel finds ids of keys that are never null, without asking for more: one more than the id of each value, of
   * each code, or of each cell, or 0 where nothing is known. Valid until the table is asked for more, or others add keys.
   */
  idTable(columns: readonly Column[]): IdTable | undefined {
    if (this.#hasNulls || !this.#probe.canReach(columns, null, this.#memory)) return undefined
    if (this.#cells !== null) return this.#idsByCell(this.#cells, columns)
    if (columns.length !== 1) return undefined
    const column = columns[0]!
    if (column.storage === "int32") {
      const { idsByValue, newKeys } = this.#probe
      const { address, count } = idsByValue
      const fewKeys = valuesOfFew(this.#memory, this.#placeOf(0), this.size)
      return { columns: [column.values.byteOffset], address, count, bits: [], newKeys, fewKeys }
    }
    if (column.storage !== "dictionary") return undefined
    const codes = this.#codesOf(columns)[0]! + CodeCache.placeOf(0)
    const count = column.dictionary.size
    const fewKeys = codesOfFew(this.#memory, codes, count, this.size)
    return { columns: [column.values.byteOffset], address: 4 * codes, count, bits: [], fewKeys }
  }

  #idsByCell(cells: KeyCells, columns: readonly Column[]): IdTable | undefined {
    cells.update(this.#placeOf(0), this.size)
    const { address, bits, count } = cells
    if (address === undefined) return undefined
    const addresses = columns.map((column) => (column as Int32Column).values.byteOffset)
    return { columns: addresses, address, count, bits }
  }

  /** Does the same as `resolve`, in JavaScript: its slow twin, and the way for what does not lie in the arena. */
  resolveSlowly(
    columns: readonly Column[],
    rows: Int32Array | null,
    start: number,
    end: number,
    ids: Int32Array,
  ): void {
    if (this.#idsByCode === null) this.#resolveWords(columns, rows, start, end, ids)
    else this.#resolveCodes(columns[0] as DictionaryColumn, rows, start, end, ids)
  }

  #resolveCodes(column: DictionaryColumn, rows: Int32Array | null, start: number, end: number, ids: Int32Array): void {
    const { values, validity } = column
    const memory = this.#memory
    const known = this.#idsByCode!.of(column.dictionary)
    for (let at = start; at < end; at++) {
      const row = rows === null ? at : rows[at]!
      const isNull = validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0
      const place = known + (isNull ? 0 : CodeCache.placeOf(values[row]!))
      if (memory[place] === 0) {
        this.#resolveWords([column], rows, at, at + 1, ids)
        memory[place] = ids[at]! + 1
      } else ids[at] = memory[place]! - 1
    }
  }

  #resolveWords(
    columns: readonly Column[],
    rows: Int32Array | null,
    start: number,
    end: number,
    ids: Int32Array,
  ): void {
    const { stride } = this
    const needed = (end - start) * stride
    if (this.#incoming.length < needed) this.#incoming = new Int32Array(needed)
    const words = this.#incoming
    if (this.#hasNulls) for (let at = 0; at < needed; at += stride) words[at] = 0
    const layout = { words, start: 0, stride }
    columns.forEach((column, index) => this.parts[index]!.encode(column, rows, start, end, layout))
    for (let at = start, from = 0; at < end; at++, from += stride) ids[at] = this.#intern(words, from)
  }

  /** The id of the key with the words at `from`. */
  #intern(words: Int32Array, from: number): number {
    const memory = this.#memory
    const place = this.#probe.placeByValue(words, from)
    if (place !== undefined) return memory[place] === 0 ? this.#insert(words, from) : memory[place]! - 1
    const hash = hashOf(words, from, this.stride)
    for (let bucket = this.#index.homeOf(hash); ; bucket = this.#index.behind(bucket)) {
      for (let lane = bucket; lane < bucket + BUCKET_LANES; lane++) {
        const entry = memory[lane + BUCKET_LANES]!
        if (entry === 0) return this.#insert(words, from)
        if (memory[lane] === hash && this.#equals(entry - 1, words, from)) return entry - 1
      }
    }
  }

  #equals(id: number, words: Int32Array, from: number): boolean {
    const { stride } = this
    const own = this.#placeOf(id)
    for (let word = 0; word < stride; word++) if (this.#memory[own + word] !== words[from + word]) return false
    return true
  }

  /** The place of a key's words in the memory. */
  #placeOf(id: number): number {
    return (this.#words.offset >>> 2) + id * this.stride
  }

  #insert(words: Int32Array, from: number): number {
    if (this.size === this.capacity) this.#grow()
    const id = this.size
    this.#probe.size = id + 1
    const own = this.#placeOf(id)
    for (let word = 0; word < this.stride; word++) this.#memory[own + word] = words[from + word]!
    const place = this.#probe.placeByValue(words, from)
    if (place === undefined) this.#index.add(hashOf(words, from, this.stride), id)
    else this.#memory[place] = id + 1
    return id
  }

  /** How many keys there may be before it grows. */
  get capacity(): number {
    return Math.floor(this.#words.bytes / (4 * this.stride))
  }

  /** Makes room for more keys. */
  #grow(): void {
    const old = this.#words
    this.#words = this.#arena.allocate(old.bytes * 2)
    keyGrowth(this.#arena).copy(this.#words.offset, old.offset, 4 * this.stride * this.size)
    this.#arena.free(old)
    this.#probe.onWords(this.#words.offset, this.capacity)
  }

  /** Writes part `part` of the keys `ids[from]` … `ids[from + count − 1]` to rows `at` … of a column of its type. */
  write(part: number, ids: Int32Array, from: number, count: number, column: Column, at: number): void {
    const layout = { words: this.#memory, start: this.#placeOf(0), stride: this.stride }
    this.parts[part]!.decode(layout, ids, from, count, column, at)
  }

  /** A table of those keys only; `ids` becomes, key by key, the ids that they have there. This one stays as it is. */
  withOnly(idLists: readonly { readonly ids: Int32Array; readonly size: number }[]): KeyTable {
    const table = new KeyTable(this.#types, this.#arena)
    /** By id here: one more than the id there. */
    const moved = new Int32Array(this.size)
    for (const { ids, size } of idLists) {
      for (let index = 0; index < size; index++) {
        const id = ids[index]!
        if (moved[id] === 0) moved[id] = table.#adopt(this, id) + 1
        ids[index] = moved[id]! - 1
      }
    }
    return table
  }

  /** Adds a key of another table that is not here yet. */
  #adopt(other: KeyTable, id: number): number {
    const words = this.#incoming
    const { stride } = this
    const place = other.#placeOf(id)
    for (let word = 0; word < stride; word++) words[word] = this.#memory[place + word]!
    if (this.#hasTexts) {
      this.parts.forEach((part, index) => {
        const isNull = part.nullBit !== 0 && (words[0]! & part.nullBit) !== 0
        if (!isNull) part.adopt(other.parts[index]!, words, 0)
      })
    }
    return this.#insert(words, 0)
  }

  /** Writes a key: its null bits as a uint32, where any part may be null, then each part that is not null. */
  writeState(id: number, out: ByteWriter): void {
    const from = this.#placeOf(id)
    const nulls = this.#hasNulls ? this.#memory[from]! : 0
    if (this.#hasNulls) out.uint32(nulls)
    for (const part of this.parts) {
      if (part.nullBit === 0 || (nulls & part.nullBit) === 0) part.writeState(this.#memory, from, out)
    }
  }

  /**
   * Reads a key and gives its id.
   *
   * @throws RangeError or TypeError where the bytes are no key.
   */
  readState(from: ByteReader): number {
    const words = this.#incoming.fill(0, 0, this.stride)
    const nulls = this.#hasNulls ? from.uint32() | 0 : 0
    if (this.#hasNulls) words[0] = nulls
    let known = 0
    for (const part of this.parts) {
      known |= part.nullBit
      if (part.nullBit === 0 || (nulls & part.nullBit) === 0) part.readState(words, 0, from)
    }
    if ((nulls & ~known) !== 0) throw new RangeError("null bits of columns that are never null are set")
    return this.#intern(words, 0)
  }

  /** Gives its memory back. It cannot be used any more. */
  release(): void {
    this.#arena.free(this.#words)
    this.#index.release()
    this.#probe.release()
    this.#idsByCode?.release()
    this.#cells?.release()
    for (const part of this.parts) part.release()
  }
}
