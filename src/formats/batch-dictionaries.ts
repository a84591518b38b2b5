/**
 * The dictionaries of a column, batch after batch. One serves as long as it is small and of use: one that is large is
 * closed, and so is one in which most rows did not find their text, as it costs memory and saves nothing.
 */
import { Dictionary } from "../batch/dictionary.ts"

/** A dictionary beyond either of these is closed. */
const SIZE_MAX = 65_536
const BYTES_MAX = 4 * 1024 * 1024
/** So is one of at least so many texts that is of no use. */
const USELESS_SIZE_MIN = 8192

/** See the head of this file. */
export class BatchDictionaries {
  #dictionary = new Dictionary()
  /** Rows of the batches that it was made for. */
  #rows = 0

  /** The dictionary of the next batch. */
  next(): Dictionary {
    const { size, byteLength } = this.#dictionary
    const isUseless = size >= USELESS_SIZE_MIN && size * 2 > this.#rows
    if (isUseless || size > SIZE_MAX || byteLength > BYTES_MAX) {
      this.#dictionary = new Dictionary()
      this.#rows = 0
    }
    return this.#dictionary
  }

  /** The batch has come out with so many rows. */
  countRows(rows: number): void {
    this.#rows += rows
  }
}
