/** Objects that stand as JSON text: they have no slots, so that whoever knows the rows writes them. */
import { Invalid } from "../../batch/type.ts"
import type { FieldReader } from "../field-reader.ts"
import { valueOfText } from "../text-codes.ts"
import { PlainBytes, Spans, type ByteValues } from "./byte-values.ts"
import { DictionaryIndexes, isDictionaryEncoding } from "./dictionary-indexes.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn } from "./file-column.ts"
import type { Lane } from "./lane.ts"
import { demand } from "./malformed.ts"
import { byteValuesOf } from "./number-pages.ts"

/** Reads objects. */
export class ObjectLane implements Lane {
  readonly #column: FileColumn
  readonly #pageBytesMax: number
  readonly #indexes = new DictionaryIndexes()
  readonly #spans = new Spans()
  /** The file's dictionary. */
  readonly #texts = new Spans()
  #size = 0
  #values: ByteValues | undefined
  #isIndexed = false
  /** What was read last. */
  readonly #read: unknown[] = []

  constructor(column: FileColumn, pageBytesMax: number) {
    this.#column = column
    this.#pageBytesMax = pageBytesMax
  }

  get heldBytes(): number {
    const { bytes, starts } = this.#texts
    return bytes.length + starts.byteLength * 2 + this.#indexes.heldBytes
  }

  beginDictionary(bytes: Uint8Array, at: number, end: number, count: number): void {
    const own = bytes.slice(at, end)
    demand(count <= own.length, "a dictionary has more values than bytes")
    new PlainBytes(own, 0, own.length).read(count, this.#texts)
    this.#size = count
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
    const isIndexed = this.#isIndexed
    const indexes = isIndexed ? this.#indexes.read(count, this.#size) : undefined
    if (!isIndexed) this.#values?.read(count, this.#spans)
    const { bytes, starts, ends } = isIndexed ? this.#texts : this.#spans
    this.#read.length = 0
    for (let index = 0; index < count; index++) {
      const at = indexes?.[index] ?? index
      const value = valueOfText(target, bytes, starts[at]!, ends[at]!)
      if (value instanceof Invalid) faults.note(index, value.reason)
      this.#read.push(value)
    }
  }

  skip(count: number): void {
    if (this.#isIndexed) this.#indexes.skip(count)
    else this.#values?.skip(count)
  }

  spread(validity: Uint8Array | undefined, first: number, count: number, target: FieldReader): void {
    let next = 0
    for (let row = 0; row < count; row++) {
      const bit = first + row
      const isValid = validity === undefined || ((validity[bit >> 3]! >> (bit & 7)) & 1) === 1
      const value = isValid ? this.#read[next++] : null
      if (value !== null && !(value instanceof Invalid)) target.write(row, value)
      else target.writeNull(row)
    }
  }
}
