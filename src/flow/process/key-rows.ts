/**
 * The keys of an operator: each has a row, which is a small whole number, found by the bytes of the key. What is kept of a row is the place
 * of its record (`packed-bytes.ts`), which begins with those bytes. So millions of keys are no objects.
 *
 * Rows are found by open addressing with linear probing, in many small tables, told apart by the top bits of the hash: one that grows
 * does not stop the stream.
 *
 * Invariants:
 * - KR1 Keys have one row as long as they have one: equal bytes are equal keys, and no key's bytes begin with another's (which holds for values of
 *   the same types that are written one behind the other).
 * - KR2 A row that was removed is free, and may be that of another key then.
 */
import type { PackedBytes } from "./packed-bytes.ts"

/** So many tables, by the top bits of the hash. */
const TABLE_BITS = 8
/** The number of the tables. */
export const TABLES = 1 << TABLE_BITS
/** Slots of a table at first. A slot has two words: the hash, and the row and 1 more; 0 where it is free. */
const SLOTS_MIN = 8
/** A table grows when more than this share of its slots is taken. */
const LOAD_MAX = 0.7

/** Rows that are kept together. */
const PAGE_BITS = 12
const PAGE_ROWS = 1 << PAGE_BITS

interface Table {
  words: Int32Array
  size: number
}

/** See the head of this file. */
export class KeyRows {
  readonly #packed: PackedBytes
  readonly #tables: Table[] = Array.from({ length: TABLES }, () => ({
    words: new Int32Array(2 * SLOTS_MIN),
    size: 0,
  }))
  /** The places of records by row; 0 where a row is free. */
  readonly #pages: Float64Array[] = []
  readonly #free: number[] = []
  /** Rows from here on were never taken. */
  #end = 0

  /** What `fetch` has met; long enough for its calls. */
  readonly #fetched: Float64Array

  /** @param fetchedMax how many keys are fetched at once at most. */
  constructor(packed: PackedBytes, fetchedMax: number) {
    this.#fetched = new Float64Array(fetchedMax)
    this.#packed = packed
  }

  /** How many keys there are. */
  get size(): number {
    return this.#end - this.#free.length
  }

  /** All rows are less. */
  get end(): number {
    return this.#end
  }

  /** Where a row's record is; 0 where it is free, or none. */
  placeOf(row: number): number {
    return this.#pages[row >>> PAGE_BITS]?.[row & (PAGE_ROWS - 1)] ?? 0
  }

  /** Takes note that a row's record is elsewhere now. */
  setPlace(row: number, place: number): void {
    this.#pages[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = place
  }

  /**
   * Asks the memory for what `find` will look at for keys with the first `count` of these hashes. Each loop asks for many keys at once, as none
   * waits for another.
   */
  fetch(hashes: Int32Array, count: number): void {
    const places = this.#fetched
    for (let index = 0; index < count; index++) {
      const hash = hashes[index]!
      const { words } = this.#tables[tableOf(hash)]!
      const slot = (hash << 1) & (words.length - 2)
      places[index] = words[slot] === hash ? words[slot + 1]! : 0
    }
    for (let index = 0; index < count; index++)
      places[index] = places[index] === 0 ? 0 : this.placeOf(places[index]! - 1)
    let sum = 0
    for (let index = 0; index < count; index++) {
      const place = places[index]!
      if (place !== 0 && !this.#packed.isCold(place)) sum ^= this.#packed.bytesOf(place)[this.#packed.offsetOf(place)]!
    }
    places[0] = sum
  }

  /** The row of a key with that hash: bytes `from` up to `to`; −1 where there is none. */
  find(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const { words } = this.#tables[tableOf(hash)]!
    const mask = words.length - 2
    for (let slot = (hash << 1) & mask; words[slot + 1] !== 0; slot = (slot + 2) & mask) {
      if (words[slot] === hash && this.#isKeyOf(words[slot + 1]! - 1, bytes, from, to)) return words[slot + 1]! - 1
    }
    return -1
  }

  /** The row whose record is at that place, by the hash of its key; −1 where there is none. */
  rowAt(hash: number, place: number): number {
    const { words } = this.#tables[tableOf(hash)]!
    const mask = words.length - 2
    for (let slot = (hash << 1) & mask; words[slot + 1] !== 0; slot = (slot + 2) & mask) {
      if (words[slot] === hash && this.placeOf(words[slot + 1]! - 1) === place) return words[slot + 1]! - 1
    }
    return -1
  }

  #isKeyOf(row: number, bytes: Uint8Array, from: number, to: number): boolean {
    const place = this.placeOf(row)
    const isCold = this.#packed.isCold(place)
    const own = isCold ? this.#packed.coldBytesAt(place, to - from) : this.#packed.bytesOf(place)
    let at = isCold ? 0 : this.#packed.offsetOf(place)
    for (let index = from; index < to; index++) if (own[at++] !== bytes[index]) return false
    return true
  }

  /** Makes room in a table for so many keys more. */
  reserve(number: number, keys: number): void {
    const table = this.#tables[number]!
    while ((table.size + keys) * 2 > table.words.length * LOAD_MAX) grow(table)
  }

  /** A row for a key that has none, whose record is at that place. */
  add(hash: number, place: number): number {
    const table = this.#tables[tableOf(hash)]!
    if ((table.size + 1) * 2 > table.words.length * LOAD_MAX) grow(table)
    const row = this.#free.pop() ?? this.#end++
    put(table.words, hash, row + 1)
    table.size++
    if (row >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Float64Array(PAGE_ROWS))
    this.setPlace(row, place)
    return row
  }

  /** Removes the key of a row; `hash` is that of the key. */
  remove(hash: number, row: number): void {
    const table = this.#tables[tableOf(hash)]!
    const { words } = table
    const mask = words.length - 2
    let slot = (hash << 1) & mask
    while (words[slot + 1] !== row + 1) slot = (slot + 2) & mask
    // What stands behind it moves up, so that nothing is looked for beyond a free slot.
    for (let next = (slot + 2) & mask; words[next + 1] !== 0; next = (next + 2) & mask) {
      const home = (words[next]! << 1) & mask
      if (((next - home) & mask) < ((next - slot) & mask)) continue
      words[slot] = words[next]!
      words[slot + 1] = words[next + 1]!
      slot = next
    }
    words[slot + 1] = 0
    table.size--
    this.setPlace(row, 0)
    this.#free.push(row)
  }
}

/** The number of the table where keys with a hash are. */
export function tableOf(hash: number): number {
  return hash >>> (32 - TABLE_BITS)
}

function put(words: Int32Array, hash: number, entry: number): void {
  const mask = words.length - 2
  let slot = (hash << 1) & mask
  while (words[slot + 1] !== 0) slot = (slot + 2) & mask
  words[slot] = hash
  words[slot + 1] = entry
}

function grow(table: Table): void {
  const before = table.words
  table.words = new Int32Array(before.length * 2)
  for (let slot = 0; slot < before.length; slot += 2) {
    if (before[slot + 1] !== 0) put(table.words, before[slot]!, before[slot + 1]!)
  }
}

/** The hash of bytes, as an int32: FNV-1a, and the finaliser of MurmurHash3, as doubles that are whole numbers differ in few bits. */
export function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
