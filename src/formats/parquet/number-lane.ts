/** Numbers: pages of them, and pages of indexes into a dictionary, which is converted once. */
import type { Slots, Storage } from "../../batch/type.ts"
import type { FieldReader } from "../field-reader.ts"
import { Faults } from "./faults.ts"
import { DictionaryIndexes, isDictionaryEncoding } from "./dictionary-indexes.ts"
import type { Lane } from "./lane.ts"
import { demand } from "./malformed.ts"
import type { NumberPages } from "./number-pages.ts"
import { ENCODING } from "./page-header.ts"

/** Reads numbers. */
export class NumberLane implements Lane {
  readonly #pages: NumberPages
  readonly #storage: Storage
  readonly #indexes = new DictionaryIndexes()
  #dictionary: Slots = new Int32Array(0)
  #dictionarySize = 0
  /** What is wrong with values of the dictionary, by index. */
  #wrong = new Map<number, string>()
  /** Whether the page has indexes. */
  #isIndexed = false
  #isEmpty = true

  constructor(pages: NumberPages, storage: Storage) {
    this.#pages = pages
    this.#storage = storage
  }

  get heldBytes(): number {
    return this.#dictionary.byteLength + this.#indexes.heldBytes + this.#pages.heldBytes
  }

  beginDictionary(bytes: Uint8Array, at: number, end: number, count: number): void {
    demand(count <= end - at, "a dictionary has more values than bytes")
    this.#dictionary =
      this.#storage === "float64"
        ? new Float64Array(count)
        : new Int32Array(this.#storage === "int64" ? 2 * count : count)
    this.#dictionarySize = count
    const faults = new Faults()
    this.#pages.begin(ENCODING.plain, bytes, at, end, count)
    this.#pages.read(count, this.#dictionary, faults)
    this.#wrong = new Map(faults.places.map((place, index) => [place, faults.reasons[index]!]))
  }

  dropDictionary(): void {
    this.#dictionarySize = 0
    this.#isEmpty = true
  }

  beginPage(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void {
    this.#isEmpty = count === 0
    this.#isIndexed = isDictionaryEncoding(encoding)
    if (this.#isEmpty) return
    if (this.#isIndexed) this.#indexes.begin(bytes, at, end, count)
    else this.#pages.begin(encoding, bytes, at, end, count)
  }

  read(count: number, { slots }: FieldReader, faults: Faults): void {
    if (this.#isEmpty) return
    if (!this.#isIndexed) {
      this.#pages.read(count, slots, faults)
      return
    }
    const indexes = this.#indexes.read(count, this.#dictionarySize)
    const dictionary = this.#dictionary
    if (this.#storage === "int64") {
      for (let index = 0; index < count; index++) {
        const at = 2 * indexes[index]!
        slots[2 * index] = dictionary[at]!
        slots[2 * index + 1] = dictionary[at + 1]!
      }
    } else for (let index = 0; index < count; index++) slots[index] = dictionary[indexes[index]!]!
    if (this.#wrong.size > 0) this.#noteWrong(indexes, count, faults)
  }

  skip(count: number): void {
    if (this.#isEmpty) return
    if (this.#isIndexed) this.#indexes.skip(count)
    else this.#pages.skip(count)
  }

  #noteWrong(indexes: Int32Array, count: number, faults: Faults): void {
    for (let index = 0; index < count; index++) {
      const reason = this.#wrong.get(indexes[index]!)
      if (reason !== undefined) faults.note(index, reason)
    }
  }
}
