/**
 * Encoded states of keys, in chunks: those that recovery has read are taken as they are, others are appended to chunks of our own. A
 * record has a place, by which it is found, and no length: who wrote it knows where it ends. Chunks of our own may be cold: then their
 * bytes are not in memory, and each record is read by itself.
 *
 * Invariants:
 * - PB1 The bytes of a record stay as they are until it is dropped, and so does its place, warm or cold; no place is 0.
 * - PB2 A chunk goes when its last record is dropped. Who walks over all records now and then and moves those that are `isSparse` holds the
 *   memory to about twice what the records need.
 * - PB3 Chunks of our own hold records and nothing else, one behind the other, so that who knows where one ends finds the next.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader } from "../../base/bytes.ts"
import type { ColdBytes } from "./cold-bytes.ts"

/** How many bytes a chunk of our own has, unless a record is longer. */
export const CHUNK_BYTES = 64 << 10

/** Most records are shorter: so many bytes are read of one that is cold, and more where that is not enough. */
export const COLD_BYTES_MIN = 512

/** A place is the number of a chunk times this, and the offset there. */
const PLACES_A_CHUNK = 2 ** 32

interface Chunk {
  /** `undefined` where it is cold. */
  bytes: Uint8Array | undefined
  /** Made when it is first asked for. */
  reader: ByteReader | undefined
  /** How many records it has had, and how many of those are left. */
  records: number
  left: number
  /** Where it is cold: its address, and how many bytes of it are written. */
  address: number
  length: number
}

/** See the head of this file. */
export class PackedBytes {
  readonly #chunkBytes: number
  readonly #cold: ColdBytes | undefined
  /** By number; those that have gone are `undefined`. There is none of number 0. */
  readonly #chunks: (Chunk | undefined)[] = [undefined]
  readonly #freeNumbers: number[] = []
  /** The chunk that was taken last. */
  #taken = 0
  /** The chunk that is appended to, and how many bytes of it are written. */
  #open = 0
  #written = 0
  /** The record that was appended last. */
  #last = 0
  /** Our own chunks that are in memory, oldest first. */
  readonly #own = new Set<number>()
  /** Cold chunks of which little is left. */
  readonly #sparse = new Set<number>()
  /** The record that was read last from a cold chunk, with what follows it: who compares a key reads all of it next. */
  #seen: { readonly place: number; readonly bytes: Uint8Array } | undefined
  #warmBytes = 0
  #coldBytes = 0

  /** @param cold where chunks go that are cold; without it all are in memory. */
  constructor(cold?: ColdBytes, chunkBytes = CHUNK_BYTES) {
    this.#cold = cold
    this.#chunkBytes = chunkBytes
  }

  /** How many bytes of chunks are in memory. */
  get warmBytes(): number {
    return this.#warmBytes
  }

  /** How many bytes of chunks are not. */
  get coldBytes(): number {
    return this.#coldBytes
  }

  /**
   * Takes bytes, of which nobody changes any more; those of one buffer, which follow each other, are one chunk.
   *
   * @returns their place, which counts as a record until it is dropped.
   */
  take(bytes: Uint8Array): number {
    let number = this.#taken
    if (this.#chunks[number]?.bytes?.buffer !== bytes.buffer) {
      assert(bytes.buffer.byteLength < PLACES_A_CHUNK, "offsets within a chunk have 32 bits")
      number = this.#freeNumbers.pop() ?? this.#chunks.length
      const all = new Uint8Array(bytes.buffer)
      this.#chunks[number] = { bytes: all, reader: undefined, records: 0, left: 0, address: -1, length: all.length }
      this.#warmBytes += all.length
      this.#taken = number
    }
    const place = this.placeIn(number, bytes.byteOffset)
    this.addedAt(place, 1)
    return place
  }

  /** So many records begin in the chunk of a place, of bytes that were taken. */
  addedAt(place: number, records: number): void {
    const chunk = this.#chunks[this.chunkOf(place)]!
    chunk.records += records
    chunk.left += records
  }

  /** Appends a record; gives its place. */
  append(record: Uint8Array): number {
    let chunk = this.#chunks[this.#open]
    if (chunk === undefined || chunk.bytes!.length - this.#written < record.length) {
      if (chunk !== undefined) this.#closeOpen(chunk)
      this.#open = this.take(new Uint8Array(Math.max(this.#chunkBytes, record.length))) / PLACES_A_CHUNK
      this.#own.add(this.#open)
      this.#written = 0
      chunk = this.#chunks[this.#open]!
    }
    chunk.bytes!.set(record, this.#written)
    const place = this.placeIn(this.#open, this.#written)
    chunk.records++
    chunk.left++
    this.#written += record.length
    this.#last = place
    return place
  }

  #closeOpen(chunk: Chunk): void {
    chunk.length = this.#written
    this.#last = 0
    this.drop(this.#open * PLACES_A_CHUNK)
  }

  /** A record is not needed any more. */
  drop(place: number): void {
    const number = this.chunkOf(place)
    const chunk = this.#chunks[number]!
    assert(chunk.left > 0, "a record is dropped once")
    chunk.left--
    if (chunk.left === 0) return this.#remove(number, chunk)
    if (chunk.bytes === undefined) {
      if (chunk.left * 4 < chunk.records) this.#sparse.add(number)
    } else if (place === this.#last && number === this.#open) {
      // As if it had never been: what is read from a cold chunk is often written anew at once.
      chunk.records--
      this.#written = this.offsetOf(place)
      this.#last = 0
    }
  }

  #remove(number: number, chunk: Chunk): void {
    if (chunk.bytes === undefined) {
      this.#cold!.free(chunk.address)
      this.#seen = undefined
      this.#coldBytes -= chunk.length
      this.#sparse.delete(number)
    } else {
      this.#warmBytes -= chunk.bytes.length
      this.#own.delete(number)
    }
    this.#chunks[number] = undefined
    this.#freeNumbers.push(number)
  }

  /** Whether most of what its chunk had has gone. */
  isSparse(place: number): boolean {
    const number = this.chunkOf(place)
    const { bytes, records, left } = this.#chunks[number]!
    return bytes !== undefined && left * 2 < records && number !== this.#open
  }

  /** Whether its chunk is none of our own, and cannot get cold. */
  isTaken(place: number): boolean {
    const number = this.chunkOf(place)
    return this.#chunks[number]!.bytes !== undefined && !this.#own.has(number)
  }

  /** Whether its chunk is not in memory. */
  isCold(place: number): boolean {
    return this.#chunks[this.chunkOf(place)]!.bytes === undefined
  }

  /** The bytes of its chunk, which is in memory; at `offsetOf(place)` there a record begins. */
  bytesOf(place: number): Uint8Array {
    return this.#chunks[this.chunkOf(place)]!.bytes!
  }

  /** The number of its chunk. */
  chunkOf(place: number): number {
    return Math.floor(place / PLACES_A_CHUNK)
  }

  offsetOf(place: number): number {
    return place - Math.floor(place / PLACES_A_CHUNK) * PLACES_A_CHUNK
  }

  /** A reader that stands where a record begins, whose chunk is in memory. It serves all records of its chunk. */
  readerAt(place: number): ByteReader {
    const chunk = this.#chunks[this.chunkOf(place)]!
    const reader = (chunk.reader ??= new ByteReader(chunk.bytes!))
    reader.moveTo(this.offsetOf(place))
    return reader
  }

  /** So many bytes from where a record of a cold chunk begins, or more; fewer where the chunk ends. */
  coldBytesAt(place: number, count: number): Uint8Array {
    const { address, length } = this.#chunks[this.chunkOf(place)]!
    const from = this.offsetOf(place)
    const to = Math.min(length, from + Math.max(count, COLD_BYTES_MIN))
    if (this.#seen?.place === place && this.#seen.bytes.length >= to - from) return this.#seen.bytes
    const bytes = this.#cold!.read(address, from, to)
    this.#seen = { place, bytes }
    return bytes
  }

  /** The oldest of our own chunks that is in memory and not appended to, if there is one. */
  get oldest(): number | undefined {
    for (const number of this.#own) if (number !== this.#open) return number
    return undefined
  }

  /** Cold chunks, most of whose records have gone. */
  get sparse(): Iterable<number> {
    return this.#sparse
  }

  /** The cold chunks. */
  get coldNumbers(): number[] {
    const numbers: number[] = []
    this.#chunks.forEach((chunk, number) => {
      if (chunk !== undefined && chunk.bytes === undefined) numbers.push(number)
    })
    return numbers
  }

  /** Makes one of our own chunks cold. */
  spill(number: number): void {
    const chunk = this.#chunks[number]!
    assert(chunk.bytes !== undefined && number !== this.#open, "what is appended to is in memory")
    this.#warmBytes -= chunk.bytes.length
    this.#own.delete(number)
    chunk.address = this.#cold!.write(chunk.bytes.subarray(0, chunk.length))
    chunk.bytes = undefined
    chunk.reader = undefined
    this.#coldBytes += chunk.length
  }

  /** What is written of one of our own chunks, warm or cold; `undefined` where there is none of that number. */
  chunk(number: number): Uint8Array | undefined {
    const chunk = this.#chunks[number]
    if (chunk === undefined) return undefined
    return (
      chunk.bytes?.subarray(0, number === this.#open ? this.#written : chunk.length) ??
      this.#cold!.read(chunk.address, 0, chunk.length)
    )
  }

  /** The place of what begins at an offset of a chunk. */
  placeIn(number: number, offset: number): number {
    return number * PLACES_A_CHUNK + offset
  }
}
