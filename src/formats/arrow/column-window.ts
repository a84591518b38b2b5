/**
 * What is at hand of one column of a record batch: a window of its rows, read from where they lie in the file.
 *
 * Buffers of Arrow are arrays, so a window's part of each is known without the rest: validity and values at once, texts once
 * their offsets have come. A window begins at a multiple of `WINDOW_ROWS`, so bits begin with a byte.
 */
import { Invalid, type ColumnType } from "../../batch/type.ts"
import type { WantedBytes } from "../container.ts"
import type { FieldReader } from "../field-reader.ts"
import { Spans } from "../parquet/byte-values.ts"
import { Faults } from "../parquet/faults.ts"
import { demand } from "../parquet/malformed.ts"
import type { Reading } from "../parquet/reading.ts"
import type { ArrowField } from "./arrow-field.ts"
import { BodyReader, type Unzstd } from "./body.ts"
import type { BatchPlace, ByteRange, IndexedBatch } from "./messages.ts"
import { UNSEEN } from "../text-codes.ts"
import { codeOf, textEnds, valueOf, wrongOf, type Texts } from "./text-values.ts"

/** How many rows are read at a time, at most. */
export const WINDOW_ROWS = 65_536
/** Texts of so many bytes are read at a time, but one at least, which may have so many. */
const TEXT_BYTES = 16 * 1024 * 1024
const ONE_TEXT_BYTES_MAX = 512 * 1024 * 1024

const NO_BYTES = new Uint8Array(0)
const NO_TEXTS: Texts = { bytes: NO_BYTES, ends: new Float64Array(1), base: 0 }

type ColumnPlace = Pick<BatchPlace, "node" | "buffer">

/** Some rows of a column. */
export class ColumnWindow {
  readonly #field: ArrowField
  readonly #reading: Reading
  readonly #type: ColumnType
  readonly #body: BodyReader
  #start = 0
  #rows = 0
  #validity: Uint8Array | undefined
  /** Values, bits or indexes. */
  #values: Uint8Array = NO_BYTES
  /** Offsets of the window, and the texts of some of its rows. */
  #texts = NO_TEXTS
  #textsEnd = 0
  #dictionary = NO_TEXTS
  /** By text of the dictionary: its code in the dictionary that codes are of. */
  #codes = new Int32Array(0)
  #codesOf: object | undefined
  readonly #found = new Faults()
  readonly #spans = new Spans()
  #words = new Int32Array(0)

  constructor(field: ArrowField, reading: Reading, type: ColumnType, unzstd: Unzstd) {
    this.#body = new BodyReader(unzstd)
    this.#field = field
    this.#reading = reading
    this.#type = type
  }

  get heldBytes(): number {
    const { bytes, ends } = this.#texts
    const own = this.#values.length + bytes.length + ends.byteLength + this.#words.byteLength
    const { bytes: texts, ends: places } = this.#dictionary
    return own + texts.length + places.byteLength + this.#codes.byteLength + this.#body.heldBytes
  }

  /** The row of the batch behind the last one at hand. */
  get end(): number {
    return this.#field.offsetWidth > 0 && this.#field.dictionary === undefined
      ? this.#textsEnd
      : this.#start + this.#rows
  }

  /** Takes texts that values are indexes of from now on. */
  useDictionary(texts: Texts): void {
    this.#dictionary = texts
    this.#codes = new Int32Array(texts.ends.length - 1)
    this.#codesOf = undefined
  }

  /** Asks for a window of a batch. */
  *load(batch: IndexedBatch, place: ColumnPlace, start: number): Generator<WantedBytes, void> {
    demand(batch.nodes[place.node * 2] === batch.rows, "a column has another length than its record batch")
    yield* this.loadRange(batch, place, start, Math.min(WINDOW_ROWS, batch.rows - start))
  }

  /** Asks for so many values from `start` on, a multiple of eight. The column must have them. */
  *loadRange(batch: IndexedBatch, place: ColumnPlace, start: number, rows: number): Generator<WantedBytes, void> {
    const { width, offsetWidth, dictionary } = this.#field
    const [validity, values] = [batch.buffers[place.buffer], batch.buffers[place.buffer + 1]]
    const [count, nulls] = [batch.nodes[place.node * 2], batch.nodes[place.node * 2 + 1]]
    demand(validity !== undefined && values !== undefined && nulls !== undefined, "a record batch lacks a column")
    demand(count! >= start + rows, "a column has fewer values than its lists")
    this.#start = start
    this.#rows = this.#textsEnd = 0
    this.#validity = nulls === 0 ? undefined : yield* this.#bits(batch, validity, start, rows)
    if (offsetWidth !== 0 && dictionary === undefined) {
      const offsets = yield* this.#body.part(batch, values, start * offsetWidth, (rows + 1) * offsetWidth)
      const data = batch.buffers[place.buffer + 2]
      demand(data !== undefined, "a record batch lacks a column")
      const dataBytes = yield* this.#body.sizeOf(batch, data)
      this.#texts = { bytes: NO_BYTES, ends: textEnds(offsets, offsetWidth, dataBytes), base: 0 }
      this.#textsEnd = start
    } else if (width > 0) this.#values = yield* this.#body.part(batch, values, start * width, rows * width)
    else this.#values = yield* this.#bits(batch, values, start, rows)
    this.#rows = rows
  }

  /** Asks for the bits of some rows, of which the first is a multiple of eight. */
  #bits(batch: IndexedBatch, buffer: ByteRange, start: number, rows: number): Generator<WantedBytes, Uint8Array> {
    return this.#body.part(batch, buffer, start >> 3, (rows + 7) >> 3)
  }

  /** Asks for the texts of rows from `row` on, where they are not at hand. */
  *loadTexts(batch: IndexedBatch, place: ColumnPlace, row: number): Generator<WantedBytes, void> {
    if (this.#field.offsetWidth === 0 || this.#field.dictionary !== undefined || row < this.#textsEnd) return
    const { ends } = this.#texts
    const first = row - this.#start
    const base = ends[first]!
    let last = first + 1
    demand(ends[last]! - base <= ONE_TEXT_BYTES_MAX, `a text has more than ${ONE_TEXT_BYTES_MAX} bytes`)
    while (last < this.#rows && ends[last + 1]! - base <= TEXT_BYTES) last++
    const bytes = yield* this.#body.part(batch, batch.buffers[place.buffer + 2]!, base, ends[last]! - base)
    this.#texts = { bytes, ends, base }
    this.#textsEnd = this.#start + last
  }

  /** How many bytes the texts have that `loadTexts` would bring, whatever their number; 0 where there are none. */
  get textBytes(): number {
    const { ends } = this.#texts
    return this.#field.offsetWidth === 0 || this.#field.dictionary !== undefined ? 0 : ends.at(-1)! - ends[0]!
  }

  /** Whether a row at hand is not null. */
  isThere(row: number): boolean {
    return this.#isValid(row - this.#start)
  }

  /** Reads rows of the batch, `row` and those behind it, into the first places of a reader's column. */
  read(row: number, count: number, target: FieldReader, faults: Faults): void {
    const first = row - this.#start
    const { lane } = this.#reading
    const found = this.#found
    found.clear()
    if (lane === "bits") copyBits(this.#values, first, count, target.bits)
    else if (lane === "text") this.#readTexts(first, count, target, found)
    else if (lane === "objects") this.#readObjects(first, count, target, found)
    else this.#readNumbers(first, count, target, found)
    this.#readNulls(first, count, target, faults)
    for (let index = 0; index < found.places.length; index++) {
      const place = found.places[index]!
      if (this.#isValid(first + place)) faults.note(place, found.reasons[index]!)
    }
  }

  #isValid(row: number): boolean {
    return this.#validity === undefined || ((this.#validity[row >> 3]! >> (row & 7)) & 1) === 1
  }

  #readNulls(first: number, count: number, target: FieldReader, faults: Faults): void {
    if (this.#validity === undefined) return
    for (let index = 0; index < count; index++) {
      if (this.#isValid(first + index)) continue
      if (this.#type.isNullable) target.writeNull(index)
      else faults.note(index, "null, and the column is not nullable")
    }
  }

  #readNumbers(first: number, count: number, { slots }: FieldReader, faults: Faults): void {
    const reading = this.#reading
    if (reading.lane === "bytes") {
      reading.convert(this.#spansOf(first, count), count, slots, faults)
      return
    }
    if (reading.lane !== "words") return
    const words = this.#wordsOf(first, count)
    if (!reading.isDirect) {
      reading.convert(words, count, slots, faults)
      return
    }
    const target = new Int32Array(slots.buffer, slots.byteOffset, count * reading.words)
    target.set(words)
    reading.convert(target, count, slots, faults)
  }

  /** Where texts are: of nulls the empty one, which stands for nothing that is asked. */
  #spansOf(first: number, count: number): Spans {
    const indexes = this.#field.dictionary === undefined ? undefined : this.#wordsOf(first, count)
    const { bytes, ends, base } = indexes === undefined ? this.#texts : this.#dictionary
    const spans = this.#spans
    spans.reserve(count)
    spans.bytes = bytes
    for (let index = 0; index < count; index++) {
      const isThere = this.#isValid(first + index)
      const text = indexes === undefined || !isThere ? first + index : this.#textAt(indexes, index)
      spans.starts[index] = isThere ? ends[text]! - base : 0
      spans.ends[index] = isThere ? ends[text + 1]! - base : 0
    }
    return spans
  }

  /** Values as words: where they lie, unless they have fewer bytes. */
  #wordsOf(first: number, count: number): Int32Array {
    const { width, isSigned } = this.#field
    const values = this.#values
    if (width >= 4) return new Int32Array(values.buffer, values.byteOffset + first * width, (count * width) / 4)
    if (this.#words.length < count) this.#words = new Int32Array(count)
    for (let index = 0; index < count; index++) this.#words[index] = smallNumber(values, first + index, width, isSigned)
    return this.#words.subarray(0, count)
  }

  #readTexts(first: number, count: number, target: FieldReader, faults: Faults): void {
    if (this.#field.dictionary !== undefined) {
      this.#readIndexed(first, count, target, faults)
      return
    }
    const { words } = target
    for (let index = 0; index < count; index++) {
      const isValid = this.#isValid(first + index)
      const code = isValid ? codeOf(this.#texts, first + index, target) : 0
      words[index] = code < 0 ? 0 : code
      if (code < 0) faults.note(index, wrongOf(this.#texts, first + index, target, code))
    }
  }

  /** Objects that stand as JSON text. */
  #readObjects(first: number, count: number, target: FieldReader, faults: Faults): void {
    const indexes = this.#field.dictionary === undefined ? undefined : this.#wordsOf(first, count)
    for (let index = 0; index < count; index++) {
      if (!this.#isValid(first + index)) {
        target.writeNull(index)
        continue
      }
      const texts = indexes === undefined ? this.#texts : this.#dictionary
      const value = valueOf(texts, indexes === undefined ? first + index : this.#textAt(indexes, index), target)
      if (!(value instanceof Invalid)) target.write(index, value)
      else {
        target.writeNull(index)
        faults.note(index, value.reason)
      }
    }
  }

  /** Which text of the dictionary index `index` means. */
  #textAt(indexes: Int32Array, index: number): number {
    const step = this.#field.width === 8 ? 2 : 1
    const text = indexes[index * step]!
    const isWithin = text >= 0 && text < this.#codes.length && (step === 1 || indexes[2 * index + 1] === 0)
    demand(isWithin, "an index is outside of its dictionary")
    return text
  }

  #readIndexed(first: number, count: number, target: FieldReader, faults: Faults): void {
    const { words, dictionary } = target
    const codes = this.#codes
    if (this.#codesOf !== dictionary) {
      codes.fill(UNSEEN)
      this.#codesOf = dictionary
    }
    const indexes = this.#wordsOf(first, count)
    for (let index = 0; index < count; index++) {
      words[index] = 0
      if (!this.#isValid(first + index)) continue
      const text = this.#textAt(indexes, index)
      let code = codes[text]!
      if (code === UNSEEN) code = codes[text] = codeOf(this.#dictionary, text, target)
      if (code < 0) faults.note(index, wrongOf(this.#dictionary, text, target, code))
      else words[index] = code
    }
  }
}

function smallNumber(bytes: Uint8Array, index: number, width: number, isSigned: boolean): number {
  if (width === 1) return isSigned ? (bytes[index]! << 24) >> 24 : bytes[index]!
  const number = bytes[2 * index]! | (bytes[2 * index + 1]! << 8)
  return isSigned ? (number << 16) >> 16 : number
}

/** Copies bits to the start of others, and zeros behind them to the end of a byte. */
function copyBits(source: Uint8Array, first: number, count: number, target: Uint8Array): void {
  const shift = first & 7
  const bytes = (count + 7) >> 3
  for (let index = 0; index < bytes; index++) {
    const low = source[(first >> 3) + index]! >> shift
    const high = shift === 0 ? 0 : (source[(first >> 3) + index + 1] ?? 0) << (8 - shift)
    target[index] = low | high
  }
  if ((count & 7) !== 0) target[bytes - 1]! &= (1 << (count & 7)) - 1
}
