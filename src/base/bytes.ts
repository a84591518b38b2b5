/**
 * Reading and writing binary records: little-endian numbers, unsigned LEB128 varints, length-prefixed text and bytes.
 *
 * Invariants:
 * - B1 What a `ByteWriter` wrote, a `ByteReader` reads back in the same order, bit for bit (NaN payloads aside).
 * - B2 A `ByteReader` never reads outside its bytes and takes no other number or text for one of these: it throws
 *   `RangeError`, which callers turn into a named error.
 */
import { assert } from "./assert.ts"
import { RecentNeed } from "./recent-need.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Texts of fewer units have a length of one byte as a varint, if they are ASCII. */
const SHORT_TEXT = 64
/** The most bytes of a varint below 2⁵³, seven bits each. */
const VARINT_BYTES_MAX = 8

/** What a buffer begins with that takes the place of one that was let go. */
const SHORT_BUFFER_BYTES = 4096

/** A growing buffer of bytes that is written from front to back. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView<ArrayBuffer>
  #length = 0
  #need: RecentNeed | undefined

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(16, capacity))
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length
  }

  #reserve(count: number): number {
    const at = this.#length
    const needed = at + count
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = needed
    return at
  }

  uint8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
  }

  uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
  }

  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value, true)
  }

  /** Eight bytes by their halves of 32 bits, the lower one first. */
  halves(low: number, high: number): void {
    const at = this.#reserve(8)
    this.#view.setUint32(at, low, true)
    this.#view.setUint32(at + 4, high, true)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, true)
  }

  /** A whole number in [0, 2⁵³) as an unsigned LEB128 varint: 1 byte below 128, 8 bytes at most. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a varint is a whole number in [0, 2⁵³)")
    let rest = value
    while (rest >= 0x80) {
      this.uint8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.uint8(rest)
  }

  /** Makes room for so many more bytes at once. */
  makeRoom(count: number): void {
    const { length } = this
    this.#reserve(count)
    this.#length = length
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Bytes behind their length as a varint. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  /** Text as UTF-8 behind its length in bytes as a varint. A lone surrogate becomes U+FFFD. */
  text(text: string): void {
    const { length } = text
    if (length < SHORT_TEXT) {
      // Short ASCII is written unit by unit: calling the encoder costs more than that.
      const at = this.#reserve(1 + length)
      const bytes = this.#bytes
      let index = 0
      for (let unit = 0; index < length && (unit = text.charCodeAt(index)) < 0x80; index++) bytes[at + 1 + index] = unit
      bytes[at] = length
      if (index === length) return
      this.#length = at
    }
    this.bytes(encoder.encode(text))
  }

  /** Overwrites four bytes written earlier, for lengths and checksums known only at the end. */
  setUint32(at: number, value: number): void {
    assert(at >= 0 && at + 4 <= this.#length, "only bytes that were written are overwritten")
    this.#view.setUint32(at, value, true)
  }

  /** The bytes written so far: a view that the next write may invalidate. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** The same without making a view: its first `length` bytes are those written. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  /** A copy of the bytes written so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  /** Forgets what was written and keeps the buffer. */
  clear(): void {
    this.#length = 0
  }

  /** The same where it is used for as long as the process lives: a buffer much larger than uses of late have needed is let go. */
  recycle(): void {
    this.#need ??= new RecentNeed()
    if (!this.#need.keeps(this.#bytes.length, this.#length)) {
      this.#bytes = new Uint8Array(SHORT_BUFFER_BYTES)
      this.#view = new DataView(this.#bytes.buffer)
    }
    this.#length = 0
  }
}

/** Reads what a `ByteWriter` wrote. Every method throws `RangeError` at the end of the bytes. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = 0
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#at
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#bytes.length - at) throw new RangeError(`${count} bytes wanted at ${at}, ${this.remaining} left`)
    this.#at = at + count
    return at
  }

  /** Goes on at another place of the same bytes. */
  moveTo(position: number): void {
    assert(position >= 0 && position <= this.#bytes.length, "a reader stays within its bytes")
    this.#at = position
  }

  /** Leaves bytes out. */
  skip(count: number): void {
    this.#take(count)
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  /** An int64 as a number: it is exact where it is safe. */
  int53(): number {
    const at = this.#take(8)
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 1; count <= VARINT_BYTES_MAX; count++, scale *= 0x80) {
      const byte = this.uint8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80 && value <= Number.MAX_SAFE_INTEGER) return value
    }
    throw new RangeError("a varint is greater than 2⁵³ − 1")
  }

  raw(count: number): Uint8Array {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }

  bytes(): Uint8Array {
    return this.raw(this.varint())
  }

  text(): string {
    const bytes = this.bytes()
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new RangeError("a text is not UTF-8", { cause })
    }
  }
}
