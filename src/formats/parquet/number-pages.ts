/** Pages of numbers without a dictionary: values of words or of bytes, converted to the slots of a column. */
import type { Slots } from "../../batch/type.ts"
import {
  deltaBytes,
  DeltaLengthBytes,
  PlainBytes,
  PlainFixedBytes,
  Spans,
  splitBytes,
  type ByteValues,
} from "./byte-values.ts"
import { DeltaReader } from "./delta.ts"
import type { Faults } from "./faults.ts"
import type { FileColumn } from "./file-column.ts"
import { PlainFixed, SplitFixed, type FixedValues } from "./fixed-values.ts"
import { Malformed } from "./malformed.ts"
import { ENCODING } from "./page-header.ts"
import type { ByteConversion, Reading } from "./reading.ts"

/** The numbers of one page after the other. */
export interface NumberPages {
  readonly heldBytes: number
  /** Begins with the page `bytes[at, end)` of `count` values. */
  begin(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void
  /** Reads the next `count` values to the first slots. */
  read(count: number, slots: Slots, faults: Faults): void
  skip(count: number): void
}

/** Numbers of one to three words. */
export class WordNumbers implements NumberPages {
  readonly #reading: Reading & { lane: "words" }
  #values: FixedValues | undefined
  #scratch = new Int32Array(0)

  constructor(reading: Reading & { lane: "words" }) {
    this.#reading = reading
  }

  get heldBytes(): number {
    return this.#scratch.byteLength
  }

  begin(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void {
    const { words } = this.#reading
    if (encoding === ENCODING.plain) this.#values = new PlainFixed(bytes, at, end, words)
    else if (encoding === ENCODING.byteStreamSplit) this.#values = new SplitFixed(bytes, at, end, words, count)
    else if (encoding === ENCODING.deltaBinaryPacked && words !== 3) {
      this.#values = new DeltaReader(bytes, at, end, words === 1 ? 1 : 2)
    } else throw new Malformed(`numbers have the encoding ${encoding}, which is none of numbers`)
  }

  read(count: number, slots: Slots, faults: Faults): void {
    const { words, isDirect, convert } = this.#reading
    if (!isDirect && this.#scratch.length < count * words) this.#scratch = new Int32Array(count * words)
    const target = isDirect ? new Int32Array(slots.buffer, slots.byteOffset, count * words) : this.#scratch
    this.#values!.read(count, target)
    convert(target, count, slots, faults)
  }

  skip(count: number): void {
    this.#values!.skip(count)
  }
}

/** Numbers of so many bytes as they take. */
export class ByteNumbers implements NumberPages {
  readonly #column: FileColumn
  readonly #convert: ByteConversion
  readonly #pageBytesMax: number
  readonly #spans = new Spans()
  #values: ByteValues | undefined

  constructor(column: FileColumn, convert: ByteConversion, pageBytesMax: number) {
    this.#column = column
    this.#convert = convert
    this.#pageBytesMax = pageBytesMax
  }

  get heldBytes(): number {
    return this.#spans.starts.byteLength * 2
  }

  begin(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void {
    const page = { encoding, bytes, at, end, count }
    this.#values = byteValuesOf(page, this.#column, this.#pageBytesMax)
  }

  read(count: number, slots: Slots, faults: Faults): void {
    this.#values!.read(count, this.#spans)
    this.#convert(this.#spans, count, slots, faults)
  }

  skip(count: number): void {
    this.#values!.skip(count)
  }
}

/** A page's values of bytes. */
export interface BytePage {
  readonly encoding: number
  readonly bytes: Uint8Array
  readonly at: number
  readonly end: number
  readonly count: number
}

/** The values of a page of BYTE_ARRAY or FIXED_LEN_BYTE_ARRAY that has no dictionary. */
export function byteValuesOf(page: BytePage, { valueBytes }: FileColumn, pageBytesMax: number): ByteValues {
  const { encoding, bytes, at, end, count } = page
  const isFixed = valueBytes > 0
  if (encoding === ENCODING.plain) {
    return isFixed ? new PlainFixedBytes(bytes, at, end, valueBytes) : new PlainBytes(bytes, at, end)
  }
  if (encoding === ENCODING.deltaLengthByteArray && !isFixed) return new DeltaLengthBytes(bytes, at, end, count)
  if (encoding === ENCODING.deltaByteArray) {
    return deltaBytes(bytes, at, end, { values: count, bytes: pageBytesMax, width: valueBytes })
  }
  if (encoding === ENCODING.byteStreamSplit && isFixed) return splitBytes(bytes, at, end, valueBytes, count)
  throw new Malformed(`bytes have the encoding ${encoding}, which is none of bytes`)
}
