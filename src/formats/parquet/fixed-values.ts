/**
 * Values of a fixed number of bytes, as a page has them: PLAIN, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT; and bits.
 *
 * Values come as words of 32 bits, low word first: one for INT32 and FLOAT, two for INT64 and DOUBLE, three for INT96.
 */
import { HybridReader, orBits } from "./hybrid.ts"
import { CutShort, demand } from "./malformed.ts"

/** Reads the values of a page that are not null, one after the other. */
export interface FixedValues {
  /** Reads `count` values to `words[0, …)`. */
  read(count: number, words: Int32Array): void
  skip(count: number): void
}

/** Reads the booleans of a page that are not null, one after the other. */
export interface BitValues {
  /** Reads `count` values to bits [0, count) of `bits`, which are clear. */
  readBits(count: number, bits: Uint8Array): void
  skip(count: number): void
}

/** PLAIN: the values as they are. */
export class PlainFixed implements FixedValues {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #width: number
  #at: number

  constructor(bytes: Uint8Array, at: number, end: number, words: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#width = 4 * words
  }

  read(count: number, words: Int32Array): void {
    const from = this.#at
    this.skip(count)
    // JavaScript's arrays and Parquet are both little-endian (on all platforms that Node runs on, at least).
    new Uint8Array(words.buffer, words.byteOffset, words.byteLength).set(this.#bytes.subarray(from, this.#at))
  }

  skip(count: number): void {
    this.#at += count * this.#width
    if (this.#at > this.#end) throw new CutShort("a page's values")
  }
}

/** BYTE_STREAM_SPLIT: all first bytes, all second bytes, and so on. */
export class SplitFixed implements FixedValues {
  readonly #bytes: Uint8Array
  readonly #start: number
  /** How many values there are: the distance of two bytes of a value. */
  readonly #stride: number
  readonly #width: number
  #at = 0

  /** @param count how many values the page has, which cannot be told from its bytes. */
  constructor(bytes: Uint8Array, at: number, end: number, words: number, count: number) {
    demand(end - at === 4 * words * count, "a page has another number of bytes than its values take")
    this.#bytes = bytes
    this.#start = at
    this.#width = 4 * words
    this.#stride = count
  }

  read(count: number, words: Int32Array): void {
    const from = this.#start + this.#at
    this.skip(count)
    const target = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    const bytes = this.#bytes
    for (let byte = 0, width = this.#width; byte < width; byte++) {
      let source = from + byte * this.#stride
      for (let at = byte, end = count * width; at < end; at += width) target[at] = bytes[source++]!
    }
  }

  skip(count: number): void {
    this.#at += count
    if (this.#at > this.#stride) throw new CutShort("a page's values")
  }
}

/** PLAIN: a bit a value. */
export class PlainBits implements BitValues {
  readonly #bytes: Uint8Array
  readonly #end: number
  #bit: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#bit = at * 8
    this.#end = end * 8
  }

  readBits(count: number, bits: Uint8Array): void {
    const from = this.#bit
    this.skip(count)
    orBits(this.#bytes, from, bits, 0, count)
  }

  skip(count: number): void {
    this.#bit += count
    if (this.#bit > this.#end) throw new CutShort("a page's values")
  }
}

/** RLE: the length of what follows in four bytes, then runs of bits. */
export function rleBits(bytes: Uint8Array, at: number, end: number, count: number): BitValues {
  return new HybridReader(bytes, at + 4, prefixedEnd(bytes, at, end), 1, count)
}

/** Where ends what starts with its length in four bytes. */
export function prefixedEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) throw new CutShort("a length")
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
  if (length > end - at - 4) throw new CutShort("what a length stands before")
  return at + 4 + length
}
