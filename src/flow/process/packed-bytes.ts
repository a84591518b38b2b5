/**
 * Encoded states of keys, in chunks: those that recovery has read are taken as they are, others are appended to chunks of our own. A
 * record has a place, by which it is found, and no length: who wrote it knows where it ends.
 *
 * Invariants:
 * - PB1 The bytes of a record stay as they are until it is dropped; no place is 0.
 * - PB2 A chunk goes when its last record is dropped. Who walks over all records now and then and moves those that are `isSparse` holds the
 *   memory to about twice what the records need.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader } from "../../base/bytes.ts"

/** How many bytes a chunk of our own has, unless a record is longer. */
const CHUNK_BYTES = 64 << 10

/** A place is the number of a chunk times this, and the offset there. */
const PLACES_A_CHUNK = 2 ** 32

interface Chunk {
  readonly bytes: Uint8Array
  /** Made when it is first asked for. */
  reader: ByteReader | undefined
  /** How many records it has had, and how many of those are left. */
  records: number
  left: number
}

/** See the head of this file. */
export class PackedBytes {
  /** By number; those that have gone are `undefined`. There is none of number 0. */
  readonly #chunks: (Chunk | undefined)[] = [undefined]
  readonly #freeNumbers: number[] = []
  /** The chunk that was taken last. */
  #taken = 0
  /** The chunk that is appended to, and how many bytes of it are written. */
  #open = 0
  #written = 0

  /**
   * Takes bytes, of which nobody changes any more; those of one buffer, which follow each other, are one chunk.
   *
   * @returns their place, which counts as a record until it is dropped.
   */
  take(bytes: Uint8Array): number {
    let number = this.#taken
    if (this.#chunks[number]?.bytes.buffer !== bytes.buffer) {
      assert(bytes.buffer.byteLength < PLACES_A_CHUNK, "offsets within a chunk have 32 bits")
      number = this.#freeNumbers.pop() ?? this.#chunks.length
      this.#chunks[number] = { bytes: new Uint8Array(bytes.buffer), reader: undefined, records: 0, left: 0 }
      this.#taken = number
    }
    return this.added(number * PLACES_A_CHUNK + bytes.byteOffset)
  }

  /** A record begins at a place of bytes that were taken. */
  added(place: number): number {
    const chunk = this.#chunks[Math.floor(place / PLACES_A_CHUNK)]!
    chunk.records++
    chunk.left++
    return place
  }

  /** Appends a record; gives its place. */
  append(record: Uint8Array): number {
    let chunk = this.#chunks[this.#open]
    if (chunk === undefined || chunk.bytes.length - this.#written < record.length) {
      if (chunk !== undefined) this.drop(this.#open * PLACES_A_CHUNK)
      this.#open = this.take(new Uint8Array(Math.max(CHUNK_BYTES, record.length))) / PLACES_A_CHUNK
      this.#written = 0
      chunk = this.#chunks[this.#open]!
    }
    chunk.bytes.set(record, this.#written)
    const place = this.added(this.#open * PLACES_A_CHUNK + this.#written)
    this.#written += record.length
    return place
  }

  /** A record is not needed any more. */
  drop(place: number): void {
    const number = Math.floor(place / PLACES_A_CHUNK)
    const chunk = this.#chunks[number]!
    assert(chunk.left > 0, "a record is dropped once")
    chunk.left--
    if (chunk.left > 0) return
    this.#chunks[number] = undefined
    this.#freeNumbers.push(number)
  }

  /** Whether most of what its chunk had has gone. */
  isSparse(place: number): boolean {
    const number = Math.floor(place / PLACES_A_CHUNK)
    const { records, left } = this.#chunks[number]!
    return left * 2 < records && number !== this.#open
  }

  /** The bytes of its chunk, at whose `offsetOf(place)` a record begins. */
  bytesOf(place: number): Uint8Array {
    return this.#chunks[Math.floor(place / PLACES_A_CHUNK)]!.bytes
  }

  offsetOf(place: number): number {
    return place - Math.floor(place / PLACES_A_CHUNK) * PLACES_A_CHUNK
  }

  /** A reader that stands where a record begins. It serves all records of its chunk. */
  readerAt(place: number): ByteReader {
    const chunk = this.#chunks[Math.floor(place / PLACES_A_CHUNK)]!
    const reader = (chunk.reader ??= new ByteReader(chunk.bytes))
    reader.moveTo(this.offsetOf(place))
    return reader
  }
}
