/**
 * The keys of a window operator: each distinct key is kept once and has a number, whatever the slice that it is in.
 * Slices and windows then compare numbers. An open-addressing table in order of insertion.
 *
 * Keys are never removed one by one: when most are no longer in any slice, the operator makes a new table of those
 * that are.
 *
 * Invariants:
 * - KT1 Ids are 0 … size − 1, in order of first appearance in this table; equal keys have one id.
 * - KT2 No result depends on an id: they differ before and after a restart.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column, DictionaryColumn } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { grownInt32 } from "../aggregates/growth.ts"
import { CodeCache } from "./code-cache.ts"
import { KeyColumn } from "./key-column.ts"

/** Distinct composite keys and their ids. */
export class KeyTable {
  readonly #types: readonly ColumnType[]
  readonly #columns: readonly KeyColumn[]
  readonly #hasNulls: boolean
  /** Words a key: the null bits, where there are any, then each column's. */
  readonly #stride: number
  /** Key `id` has the words from `id * stride` on. */
  #words: Int32Array
  #hashes = new Int32Array(16)
  /** Open addressing: id + 1, or 0 where free. Its length is a power of two, at most half full. */
  #slots = new Int32Array(32)
  #size = 0
  /** Keys on their way in. */
  #incoming: Int32Array
  /** For keys of one dictionary column: ids by code, so that nothing is hashed once a code is known. */
  readonly #idsByCode = new CodeCache()

  constructor(types: readonly ColumnType[]) {
    assert(types.length >= 1 && types.length <= 32, "a key has between 1 and 32 columns")
    this.#types = types
    this.#hasNulls = types.some((type) => type.isNullable)
    let at = this.#hasNulls ? 1 : 0
    this.#columns = types.map((type, index) => {
      const column = new KeyColumn(type, at, type.isNullable ? 1 << index : 0)
      at += column.width
      return column
    })
    this.#stride = at
    this.#words = new Int32Array(16 * at)
    this.#incoming = new Int32Array(at)
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size
  }

  /** Finds the ids of the keys of rows `rows[start]` … `rows[end − 1]`; new keys are added. Writes them to `ids[start]` …. */
  resolve(columns: readonly Column[], rows: Int32Array, start: number, end: number, ids: Int32Array): void {
    assert(columns.length === this.#columns.length, "one column for each part of the key")
    const only = columns.length === 1 ? columns[0]! : undefined
    if (only?.storage === "dictionary") this.#resolveCodes(only, rows, start, end, ids)
    else this.#resolveWords(columns, rows, start, end, ids)
  }

  #resolveCodes(column: DictionaryColumn, rows: Int32Array, start: number, end: number, ids: Int32Array): void {
    const { values, validity } = column
    const known = this.#idsByCode.of(column.dictionary)
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      const isNull = validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0
      const id = isNull ? 0 : known[values[row]!]!
      if (id !== 0) {
        ids[at] = id - 1
        continue
      }
      this.#resolveWords([column], rows, at, at + 1, ids)
      if (!isNull) known[values[row]!] = ids[at]! + 1
    }
  }

  #resolveWords(columns: readonly Column[], rows: Int32Array, start: number, end: number, ids: Int32Array): void {
    const stride = this.#stride
    const needed = (end - start) * stride
    if (this.#incoming.length < needed) this.#incoming = new Int32Array(needed)
    const words = this.#incoming
    if (this.#hasNulls) for (let at = 0; at < needed; at += stride) words[at] = 0
    columns.forEach((column, index) => this.#columns[index]!.encode(column, rows, start, end, { words, stride }))
    for (let at = start, from = 0; at < end; at++, from += stride) ids[at] = this.#intern(words, from)
  }

  /** The id of the key with the words at `from`. */
  #intern(words: Int32Array, from: number): number {
    const stride = this.#stride
    let hash = 0
    for (let at = from; at < from + stride; at++) {
      hash = Math.imul(hash ^ words[at]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x85ebca6b)
    hash ^= hash >>> 13
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, words, from)) return entry - 1
      slot = (slot + 1) & mask
    }
    return this.#insert(words, from, hash, slot)
  }

  #equals(id: number, words: Int32Array, from: number): boolean {
    const stride = this.#stride
    const own = this.#words
    for (let word = 0; word < stride; word++) if (own[id * stride + word] !== words[from + word]) return false
    return true
  }

  #insert(words: Int32Array, from: number, hash: number, slot: number): number {
    const id = this.#size
    const stride = this.#stride
    if (id === this.#hashes.length) {
      this.#hashes = grownInt32(this.#hashes, id * 2)
      this.#words = grownInt32(this.#words, id * 2 * stride)
    }
    for (let word = 0; word < stride; word++) this.#words[id * stride + word] = words[from + word]!
    this.#hashes[id] = hash
    this.#slots[slot] = id + 1
    this.#size = id + 1
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    return id
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let slot = this.#hashes[id]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
    this.#slots = slots
  }

  /** Writes part `part` of the keys `ids[from]` … `ids[from + count − 1]` to rows `at` … of a column of its type. */
  write(part: number, ids: Int32Array, from: number, count: number, column: Column, at: number): void {
    this.#columns[part]!.decode({ words: this.#words, stride: this.#stride }, ids, from, count, column, at)
  }

  /** A table of those keys only; `ids` becomes, key by key, the ids that they have there. */
  withOnly(idLists: readonly { readonly ids: Int32Array; readonly size: number }[]): KeyTable {
    const table = new KeyTable(this.#types)
    /** By id here: one more than the id there. */
    const moved = new Int32Array(this.#size)
    for (const { ids, size } of idLists) {
      for (let index = 0; index < size; index++) {
        const id = ids[index]!
        if (moved[id] === 0) moved[id] = table.#adopt(this, id) + 1
        ids[index] = moved[id]! - 1
      }
    }
    return table
  }

  #adopt(other: KeyTable, id: number): number {
    const stride = this.#stride
    const words = this.#incoming
    for (let word = 0; word < stride; word++) words[word] = other.#words[id * stride + word]!
    this.#columns.forEach((column, index) => {
      const isNull = column.nullBit !== 0 && (words[0]! & column.nullBit) !== 0
      if (!isNull) column.adopt(other.#columns[index]!, words, 0)
    })
    return this.#intern(words, 0)
  }

  /** Writes a key: its null bits as a uint32, where any part may be null, then each part that is not null. */
  writeState(id: number, out: ByteWriter): void {
    const from = id * this.#stride
    const nulls = this.#hasNulls ? this.#words[from]! : 0
    if (this.#hasNulls) out.uint32(nulls)
    for (const column of this.#columns) {
      if (column.nullBit === 0 || (nulls & column.nullBit) === 0) column.writeState(this.#words, from, out)
    }
  }

  /**
   * Reads a key and gives its id.
   *
   * @throws RangeError or TypeError where the bytes are no key.
   */
  readState(from: ByteReader): number {
    const words = this.#incoming.fill(0, 0, this.#stride)
    const nulls = this.#hasNulls ? from.uint32() | 0 : 0
    if (this.#hasNulls) words[0] = nulls
    let known = 0
    for (const column of this.#columns) {
      known |= column.nullBit
      if (column.nullBit === 0 || (nulls & column.nullBit) === 0) column.readState(words, 0, from)
    }
    if ((nulls & ~known) !== 0) throw new RangeError("null bits of columns that are never null are set")
    return this.#intern(words, 0)
  }
}
