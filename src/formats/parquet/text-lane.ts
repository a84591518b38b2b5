/**
 * Texts: they become codes of the column's dictionary. What a page has as indexes into the file's dictionary stays so: each
 * of its texts is looked up once, when it is first seen.
 */
import type { Dictionary } from "../../batch/dictionary.ts"
import type { FieldReader } from "../field-reader.ts"
import { codeOfText, UNSEEN, wrongText } from "../text-codes.ts"
import { PlainBytes, PlainFixedBytes, Spans, type ByteValues } from "./byte-values.ts"
import { DictionaryIndexes, isDictionaryEncoding } from "./dictionary-indexes.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn } from "./file-column.ts"
import type { Lane } from "./lane.ts"
import { demand } from "./malformed.ts"
import { byteValuesOf } from "./number-pages.ts"

/** Reads texts. */
export class TextLane implements Lane {
  readonly #column: FileColumn
  readonly #pageBytesMax: number
  readonly #indexes = new DictionaryIndexes()
  readonly #spans = new Spans()
  /** The file's dictionary. */
  readonly #texts = new Spans()
  #size = 0
  /** The code of each text of the file's dictionary, of the dictionary that they are codes of. */
  #codes = new Int32Array(0)
  #codesOf: Dictionary | undefined
  #values: ByteValues | undefined
  #isIndexed = false

  constructor(column: FileColumn, pageBytesMax: number) {
    this.#column = column
    this.#pageBytesMax = pageBytesMax
  }

  get heldBytes(): number {
    const { bytes, starts } = this.#texts
    return bytes.length + starts.byteLength * 2 + this.#codes.byteLength + this.#indexes.heldBytes
  }

  beginDictionary(bytes: Uint8Array, at: number, end: number, count: number): void {
    // The bytes are the page's, which the next page takes: a dictionary lasts longer.
    const own = bytes.slice(at, end)
    const { valueBytes } = this.#column
    demand(count <= own.length, "a dictionary has more values than bytes")
    const values =
      valueBytes > 0 ? new PlainFixedBytes(own, 0, own.length, valueBytes) : new PlainBytes(own, 0, own.length)
    values.read(count, this.#texts)
    this.#size = count
    this.#codes = new Int32Array(count)
    this.#codesOf = undefined
  }

  dropDictionary(): void {
    this.#size = 0
    this.#values = undefined
  }

  beginPage(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void {
    this.#isIndexed = isDictionaryEncoding(encoding) && count > 0
    this.#values = undefined
    if (this.#isIndexed) this.#indexes.begin(bytes, at, end, count)
    else if (count > 0) {
      this.#values = byteValuesOf({ encoding, bytes, at, end, count }, this.#column, this.#pageBytesMax)
    }
  }

  read(count: number, target: FieldReader, faults: Faults): void {
    if (this.#isIndexed) this.#readIndexed(count, target, faults)
    else if (this.#values !== undefined) this.#readTexts(this.#values, count, target, faults)
  }

  skip(count: number): void {
    if (this.#isIndexed) this.#indexes.skip(count)
    else this.#values?.skip(count)
  }

  #readTexts(values: ByteValues, count: number, target: FieldReader, faults: Faults): void {
    values.read(count, this.#spans)
    const { words } = target
    for (let index = 0; index < count; index++) {
      const code = codeOf(this.#spans, index, target)
      words[index] = code < 0 ? 0 : code
      if (code < 0) faults.note(index, wrongOf(this.#spans, index, target, code))
    }
  }

  #readIndexed(count: number, target: FieldReader, faults: Faults): void {
    const indexes = this.#indexes.read(count, this.#size)
    const { words, dictionary } = target
    if (this.#codesOf !== dictionary) {
      this.#codes.fill(UNSEEN)
      this.#codesOf = dictionary
    }
    const codes = this.#codes
    for (let index = 0; index < count; index++) {
      const text = indexes[index]!
      let code = codes[text]!
      if (code === UNSEEN) code = codes[text] = codeOf(this.#texts, text, target)
      words[index] = code < 0 ? 0 : code
      if (code < 0) faults.note(index, wrongOf(this.#texts, text, target, code))
    }
  }
}

/** The code of a text, or what is wrong with it. */
function codeOf({ bytes, starts, ends }: Spans, index: number, target: FieldReader): number {
  return codeOfText(target, bytes, starts[index]!, ends[index]!)
}

function wrongOf({ bytes, starts, ends }: Spans, index: number, target: FieldReader, code: number): string {
  return wrongText(target, code, bytes, starts[index]!, ends[index]!)
}
