/**
 * Changes of keys that wait to be taken over until all are there. Then they are gone through table by table (`key-rows.ts`), and those that later
 * ones replace are left out before anybody looks for their key. What one table needs is near then; in the order of the log each would
 * have to be fetched from far away, and the record that it replaces, too.
 *
 * An entry is words: the hash of the key; the offset of its place; what else is known of it (see `INFO_AT`); the key, padded with zeroes.
 *
 * Invariants:
 * - WC1 Of each key comes what was added, in order, but for what later changes replace.
 */
import { assert } from "../../base/assert.ts"
import type { ScannedChanges } from "./scanned-changes.ts"
import { tableOf, TABLES } from "./key-rows.ts"

/** What changes are: all of the key's single values and nothing else; some of them; what has to be looked at again. */
export const WHOLE = 0
export const PARTIAL = 1
export const OTHER = 2
/** What was replaced. */
const REPLACED = 3

/** Longer keys are not kept in entries: what is said of them is never left out. */
const KEY_BYTES_MAX = 256

/** Words in front of the key, and those by number. */
const HEAD_WORDS = 3
const OFFSET_AT = 1
const INFO_AT = 2

/** Of the word at `INFO_AT` the form is in so many bits, the bytes of the key in so many above, and the chunk in the rest. */
const FORM_BITS = 2
const KEY_BITS = 9
const FORM_MASK = (1 << FORM_BITS) - 1
const KEY_MASK = (1 << KEY_BITS) - 1
const CHUNKS_MAX = 1 << (32 - KEY_BITS - FORM_BITS)

/** Words of a table's first page; each one has twice as many as the one before, up to that. */
const PAGE_WORDS_MIN = 256
const PAGE_WORDS_MAX = 32 << 10

/** A share of a map's slots that are taken at most, as one over this. */
const SLOTS_AN_ENTRY = 1.5

interface Page {
  readonly words: Int32Array
  length: number
}

const NO_PAGE: Page = { words: new Int32Array(0), length: 0 }

/** Who takes over what has waited. */
export interface WaitingVisitor {
  /** Called first for each table, with the number of keys of which changes come, or more where keys are long. */
  table(table: number, keys: number): void
  /** Changes at a place; their key has so many bytes, and that hash. */
  change(hash: number, chunk: number, offset: number, keyBytes: number, form: number): void
  /** Changes in a chunk are left out. */
  leftOut(chunk: number): void
}

/** See the head of this file. */
export class WaitingChanges {
  readonly #tables: readonly Page[][] = Array.from({ length: TABLES }, () => [])
  /** The page of each table that is written to. */
  readonly #last: Page[] = Array.from({ length: TABLES }, () => NO_PAGE)
  /** A table's entries, and a map of the last one of each key: from a slot to where it begins and 1 more. */
  #words = new Int32Array(0)
  #slots = new Int32Array(0)
  #bytes = 0

  /** How much memory what waits takes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Lets wait what was looked over last: `count` changes in a chunk, whose bytes begin at `offset` there. */
  add(scanned: ScannedChanges, count: number, bytes: Uint8Array, chunk: number, offset: number): void {
    const { hashes, starts, keyEnds, areWhole, arePlain } = scanned
    assert(chunk < CHUNKS_MAX, "a chunk is about a mebibyte, and all have room in memory")
    for (let index = 0; index < count; index++) {
      const hash = hashes[index]!
      const start = starts[index]!
      const end = keyEnds[index]!
      const isLong = end - start > KEY_BYTES_MAX
      const keyBytes = isLong ? KEY_BYTES_MAX + 1 : end - start
      const form = arePlain[index] === 0 || isLong ? OTHER : areWhole[index] === 1 ? WHOLE : PARTIAL
      const length = wordsOf(keyBytes)
      const page = this.#pageFor(tableOf(hash), length)
      const { words } = page
      const at = page.length
      page.length = at + length
      words[at] = hash
      words[at + OFFSET_AT] = offset + start
      words[at + INFO_AT] = (chunk << (KEY_BITS + FORM_BITS)) | (keyBytes << FORM_BITS) | form
      let byte = start
      for (let word = at + HEAD_WORDS; word < page.length; word++, byte += 4) words[word] = wordAt(bytes, byte, end)
    }
  }

  #pageFor(table: number, words: number): Page {
    const last = this.#last[table]!
    if (last.length + words <= last.words.length) return last
    const size = Math.min(PAGE_WORDS_MAX, Math.max(PAGE_WORDS_MIN, last.words.length * 2))
    const page = { words: new Int32Array(size), length: 0 }
    this.#tables[table]!.push(page)
    this.#bytes += size * 4
    this.#last[table] = page
    return page
  }

  /** Shows what waits, table by table. Nothing waits any more then. */
  drain(visitor: WaitingVisitor): void {
    this.#bytes = 0
    this.#tables.forEach((pages, table) => {
      if (pages.length === 0) return
      const end = this.#gather(pages)
      pages.length = 0
      this.#last[table] = NO_PAGE
      visitor.table(table, this.#leaveOut(end, visitor))
      this.#show(end, visitor)
    })
  }

  /** Puts the entries of a table side by side; gives where they end. */
  #gather(pages: readonly Page[]): number {
    const end = pages.reduce((sum, { length }) => sum + length, 0)
    if (this.#words.length < end) this.#words = new Int32Array(end + (end >> 2))
    let at = 0
    for (const { words, length } of pages) {
      this.#words.set(words.subarray(0, length), at)
      at += length
    }
    return end
  }

  /** Marks those that later ones replace; gives of how many keys there are some. */
  #leaveOut(end: number, visitor: WaitingVisitor): number {
    const words = this.#words
    const slots = this.#emptySlots((end / HEAD_WORDS) * SLOTS_AN_ENTRY)
    const mask = slots.length - 1
    let count = 0
    for (let at = 0, next = 0; at < end; at = next) {
      const keyBytes = keyBytesOf(words[at + INFO_AT]!)
      next = at + wordsOf(keyBytes)
      if (keyBytes > KEY_BYTES_MAX) {
        count++
        continue
      }
      let slot = words[at]! & mask
      while (slots[slot] !== 0 && !this.#isSameKey(slots[slot]! - 1, at, next)) slot = (slot + 1) & mask
      const before = slots[slot]! - 1
      slots[slot] = at + 1
      if (before < 0) count++
      if (before < 0 || (words[at + INFO_AT]! & FORM_MASK) !== WHOLE) continue
      if ((words[before + INFO_AT]! & FORM_MASK) === OTHER) continue
      words[before + INFO_AT]! |= REPLACED
      visitor.leftOut(chunkOf(words[before + INFO_AT]!))
    }
    return count
  }

  #emptySlots(least: number): Int32Array {
    let size = 1
    while (size < least) size *= 2
    if (this.#slots.length === size) return this.#slots.fill(0)
    this.#slots = new Int32Array(size)
    return this.#slots
  }

  /** Whether two entries, of which the second ends there, are of one key. */
  #isSameKey(one: number, other: number, end: number): boolean {
    const words = this.#words
    if (words[one] !== words[other]) return false
    if (keyBytesOf(words[one + INFO_AT]!) !== keyBytesOf(words[other + INFO_AT]!)) return false
    let at = one + HEAD_WORDS
    for (let word = other + HEAD_WORDS; word < end; word++) if (words[at++] !== words[word]) return false
    return true
  }

  #show(end: number, visitor: WaitingVisitor): void {
    const words = this.#words
    for (let at = 0; at < end;) {
      const info = words[at + INFO_AT]!
      const keyBytes = keyBytesOf(info)
      const form = info & FORM_MASK
      if (form !== REPLACED) visitor.change(words[at]!, chunkOf(info), words[at + OFFSET_AT]! >>> 0, keyBytes, form)
      at += wordsOf(keyBytes)
    }
  }
}

function chunkOf(info: number): number {
  return info >>> (KEY_BITS + FORM_BITS)
}

function keyBytesOf(info: number): number {
  return (info >>> FORM_BITS) & KEY_MASK
}

/** Four bytes as a word, with zeroes for those that are not before `end`. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  let word = 0
  for (let shift = 0; at < end; at++, shift += 8) word |= bytes[at]! << shift
  return word
}

/** How many words an entry has. */
function wordsOf(keyBytes: number): number {
  return keyBytes > KEY_BYTES_MAX ? HEAD_WORDS : HEAD_WORDS + ((keyBytes + 3) >> 2)
}
