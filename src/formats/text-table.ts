/**
 * The texts of a column that its kernel knows by their bytes (`text-code.ts`), between two calls of a decoder: a copy of
 * the table that lies in the arena during a call. It holds a dictionary's first short texts, and is empty for another.
 */
import type { Dictionary } from "../batch/dictionary.ts"
import { TABLE_BYTES, TABLE_TEXT_BYTES, TABLE_TEXTS_MAX } from "./text-code.ts"

/** A column's table. */
export class TextTable {
  #kept: Uint8Array | undefined
  #dictionary: Dictionary | undefined
  #size = 0
  #keptSize = 0
  #bytes: Uint8Array = new Uint8Array(0)

  /** Where the table lies in the memory during a call. */
  get address(): number {
    return this.#bytes.byteOffset
  }

  /** Begins a call: the table lies in `bytes`. */
  begin(bytes: Uint8Array, dictionary: Dictionary): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary
      this.#size = this.#keptSize = 0
    }
    this.#bytes = bytes
    if (this.#size === 0) bytes.fill(0)
    else bytes.set(this.#kept!)
  }

  /** Whether a text of so many bytes may be added. */
  admits(length: number): boolean {
    return length >= 0 && length <= TABLE_TEXT_BYTES && this.#size < TABLE_TEXTS_MAX
  }

  /** A text has been added. */
  count(): void {
    this.#size++
  }

  /** Ends the call. */
  end(): void {
    if (this.#size === this.#keptSize) return
    this.#kept ??= new Uint8Array(TABLE_BYTES)
    this.#kept.set(this.#bytes)
    this.#keptSize = this.#size
  }
}
