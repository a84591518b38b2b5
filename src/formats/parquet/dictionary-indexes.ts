/** Pages of indexes into a dictionary: a byte with their width in bits, then the hybrid of runs and packed values. */
import { HybridReader } from "./hybrid.ts"
import { CutShort, demand } from "./malformed.ts"
import { ENCODING } from "./page-header.ts"

/** Whether a data page of the encoding has indexes. */
export function isDictionaryEncoding(encoding: number): boolean {
  return encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary
}

/** Reads the indexes of one page after the other. */
export class DictionaryIndexes {
  #values: HybridReader | undefined
  #scratch = new Int32Array(0)

  get heldBytes(): number {
    return this.#scratch.byteLength
  }

  begin(bytes: Uint8Array, at: number, end: number, count: number): void {
    if (at >= end) throw new CutShort("a page's indexes")
    this.#values = new HybridReader(bytes, at + 1, end, bytes[at]!, count)
  }

  /** Reads `count` indexes, each below `size`: they are at the start of what is returned until the next read. */
  read(count: number, size: number): Int32Array {
    if (this.#scratch.length < count) this.#scratch = new Int32Array(count)
    const indexes = this.#scratch
    this.#values!.read(count, indexes)
    let greatest = 0
    for (let index = 0; index < count; index++) if (indexes[index]! >>> 0 > greatest) greatest = indexes[index]! >>> 0
    demand(greatest < size, `a page has the index ${greatest}, and its dictionary ${size} values`)
    return indexes
  }

  skip(count: number): void {
    this.#values!.skip(count)
  }
}
