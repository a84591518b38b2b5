/**
 * The texts of a column that its kernel knows by their bytes (`text-code.ts`), between two calls of a decoder: a copy of
 * the table that lies in the arena during a call. It holds a dictionary's first short texts, and is empty for another.
 *
 * It starts small, as it is copied for each call, and is four times as large in the call after it was full. Once the
 * largest one finds less than half of the fields it is not used for that dictionary any more.
 */
import type { Dictionary } from "../batch/dictionary.ts"
import { ENTRY, TABLE_TEXT_BYTES } from "./text-code.ts"

const [ENTRIES_MIN, ENTRIES_MAX, GROWTH] = [256, 4096, 4] as const

const NO_BYTES = new Uint8Array(0)

/** Adds a text to the table at hand, and gives 1 where it was not yet there. */
export type AddText = (table: number, entries: number, start: number, length: number, code: number) => number

/** A column's table. */
export class TextTable {
  #kept: Uint8Array = NO_BYTES
  #dictionary: Dictionary | undefined
  #entries: number = ENTRIES_MIN
  #size = 0
  #keptSize = 0
  #bytes: Uint8Array = NO_BYTES
  #isUseless = false
  /** Fields of the call, and those of them that were found. */
  #fields = 0
  #found = 0

  /** Where the table lies in the memory during a call. */
  get address(): number {
    return this.#bytes.byteOffset
  }

  /** How many entries it has: a power of two. Half of them are used at most. */
  get entries(): number {
    return this.#entries
  }

  /** How much memory it takes in the next call: none where it is of no use. */
  get byteLength(): number {
    return this.#isUseless ? 0 : this.#entries * ENTRY.bytes
  }

  /** Whether there is a table in the call, to look for texts in. */
  get isUsed(): boolean {
    return this.#bytes.length > 0
  }

  /** Begins a call: the table lies in `bytes`. What `staging` holds is lost. */
  begin(bytes: Uint8Array, dictionary: Dictionary, staging: Uint8Array, add: AddText): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary
      this.#size = this.#keptSize = 0
      this.#isUseless = false
    }
    this.#bytes = bytes
    this.#fields = this.#found = 0
    if (bytes.length === 0) return
    if (this.#size > 0 && this.#kept.length === bytes.length) {
      bytes.set(this.#kept)
      return
    }
    bytes.fill(0)
    if (this.#size > 0) this.#addKept(staging, add)
  }

  /** Adds the texts of the smaller table that was kept. */
  #addKept(staging: Uint8Array, add: AddText): void {
    staging.set(this.#kept)
    const words = new Int32Array(this.#kept.buffer)
    for (let at = 0; at < this.#kept.length; at += ENTRY.bytes) {
      const length = words[(at + ENTRY.length) >> 2]! - 1
      const code = words[(at + ENTRY.code) >> 2]!
      if (length >= 0) add(this.address, this.#entries, staging.byteOffset + at, length, code)
    }
    this.#keptSize = 0
  }

  /** Whether a text of so many bytes may be added. */
  admits(length: number): boolean {
    return this.isUsed && length >= 0 && length <= TABLE_TEXT_BYTES && this.#size < this.#entries / 2
  }

  /** A text has been added. */
  count(): void {
    this.#size++
  }

  /** So many fields were looked for, and so many of them found. */
  note(fields: number, found: number): void {
    this.#fields += fields
    this.#found += found
  }

  /** Ends the call. */
  end(): void {
    if (this.#size !== this.#keptSize) {
      if (this.#kept.length !== this.#bytes.length) this.#kept = new Uint8Array(this.#bytes.length)
      this.#kept.set(this.#bytes)
      this.#keptSize = this.#size
    }
    if (!this.isUsed || this.#size < this.#entries / 2) return
    if (this.#entries < ENTRIES_MAX) this.#entries *= GROWTH
    else this.#isUseless ||= this.#found * 2 < this.#fields
  }
}
