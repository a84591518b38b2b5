/**
 * Changes of keys that were written, taken over as they are: by recovery, before anything else. They wait until all are there (`waiting-changes.ts`), but for
 * those that are copied, as half of the memory is taken.
 *
 * Invariants:
 * - AC1 When `end` has returned, keys, values and timers are what all changes say, in order, however they were cut into calls.
 * - PK2 (see `packed-keys.ts`) What is no number is brought to one form.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { readTyped } from "../../batch/value-codec.ts"
import { settledKey } from "./key-id.ts"
import type { PackedKeys } from "./packed-keys.ts"
import { GONE, ScannedChanges, THERE } from "./scanned-changes.ts"
import { OTHER, WaitingChanges, WHOLE, type WaitingVisitor } from "./waiting-changes.ts"

/** Where keys may be no numbers, so many bytes are copied into one buffer. */
const COPY_BYTES = 1 << 20

/** Told of each key of which a value expires, when the first of those does that came. */
export type OnExpiry = (row: number, expiresMicros: number) => void

/** See the head of this file. */
export class AppliedChanges implements WaitingVisitor {
  readonly #keys: PackedKeys
  readonly #onExpiry: OnExpiry
  /** Whether a key may be no number. */
  readonly #mayBeNaN: boolean
  readonly #scanned: ScannedChanges
  readonly #key = new ByteWriter(64)
  readonly #waiting = new WaitingChanges()
  /** What is left of the buffer that was copied into last. */
  #room = new Uint8Array(0)
  /** Whether what is applied is copied, from some time on: so what is cold has no changes behind it. */
  #copies = false

  constructor(keys: PackedKeys, onExpiry: OnExpiry) {
    this.#keys = keys
    this.#onExpiry = onExpiry
    const { keyTypes, specs } = keys.parts
    this.#mayBeNaN = keyTypes.some(({ definition }) => definition.storage === "float64")
    const settle = (bytes: Uint8Array, start: number, end: number) => {
      this.#settleKey(bytes, start, end)
    }
    this.#scanned = new ScannedChanges(keyTypes, specs, this.#mayBeNaN ? settle : undefined)
  }

  /** Takes over all of the reader's bytes, of which views are kept. */
  apply(changes: ByteReader): void {
    const given = changes.raw(changes.remaining)
    // Chunks that are taken cannot get cold, so most of the memory is for those that can.
    if (!this.#copies && this.#keys.isHalfFull(this.#waiting.bytes)) {
      this.end()
      this.#copies = true
    }
    // What is no number may have been written in another form: then the bytes are made to have it (PK2).
    const bytes = this.#mayBeNaN ? this.#copyOf(given) : given
    const first = this.#copies ? 0 : this.#keys.bytes.take(bytes)
    const from = new ByteReader(bytes)
    for (let left = from.varint(); left > 0;) {
      const count = this.#scanned.scan(from, bytes, left)
      const next = from.position
      if (this.#copies) this.#copyScanned(count, from, bytes)
      else this.#letWait(count, bytes, first)
      from.moveTo(next)
      left -= count
    }
    if (from.remaining > 0) throw new RangeError(`there are ${from.remaining} bytes too many`)
    if (first !== 0) this.#keys.bytes.drop(first)
  }

  /** Copies that follow each other lie in one buffer, as there are as many calls as epochs, and a buffer is a chunk. */
  #copyOf(given: Uint8Array): Uint8Array {
    if (this.#room.length < given.length) this.#room = new Uint8Array(Math.max(COPY_BYTES, given.length))
    const copy = this.#room.subarray(0, given.length)
    copy.set(given)
    this.#room = this.#room.subarray(given.length)
    return copy
  }

  /** To be called behind the last `apply`. */
  end(): void {
    this.#waiting.drain(this)
  }

  #copyScanned(count: number, from: ByteReader, bytes: Uint8Array): void {
    this.#keys.rows.fetch(this.#scanned.hashes, count)
    for (let index = 0; index < count; index++) {
      this.#take(index, from, bytes, 0)
      this.#keys.makeRoom(0)
    }
  }

  #letWait(count: number, bytes: Uint8Array, first: number): void {
    const { bytes: packed } = this.#keys
    packed.addedAt(first, count)
    this.#waiting.add(this.#scanned, count, bytes, packed.chunkOf(first), packed.offsetOf(first))
  }

  table(table: number, keys: number): void {
    this.#keys.rows.reserve(table, keys)
  }

  change(hash: number, chunk: number, offset: number, keyBytes: number, form: number): void {
    const { bytes: packed } = this.#keys
    const place = packed.placeIn(chunk, offset)
    const from = packed.readerAt(place)
    const bytes = packed.bytesOf(place)
    if (form === OTHER) this.#scanned.scanAgain(from, bytes)
    else this.#scanned.takePlain(0, hash, offset, offset + keyBytes, form === WHOLE ? 1 : 0)
    this.#take(0, from, bytes, place)
  }

  leftOut(chunk: number): void {
    this.#keys.bytes.drop(this.#keys.bytes.placeIn(chunk, 0))
  }

  /** Takes over what was looked over as `index`, and counts as a record of that place; of place 0 a copy. */
  #take(index: number, from: ByteReader, bytes: Uint8Array, place: number): void {
    const { rows } = this.#keys
    const scanned = this.#scanned
    const hash = scanned.hashes[index]!
    const row = rows.find(hash, bytes, scanned.starts[index]!, scanned.keyEnds[index]!)
    if (scanned.tags[index] === GONE) {
      if (row >= 0) this.#keys.remove(row)
      if (place !== 0) this.#keys.bytes.drop(place)
      return
    }
    if (row < 0 && scanned.areRests[index] === 1) throw new RangeError("a list has fewer values than are gone")
    const now =
      place === 0 ? this.#copy(row, index, from, bytes) : this.#adopt(row, hash, place, scanned.areWhole[index] === 1)
    const timersAt = scanned.timers[index]!
    if (timersAt !== 0) {
      from.moveTo(timersAt)
      this.#keys.applyTimers(now, from)
    }
    const expiresMicros = scanned.expiresMicros[index]!
    if (expiresMicros !== Infinity) this.#onExpiry(now, expiresMicros)
  }

  /** Takes over a record, or changes behind one, where it lies; gives the row. */
  #adopt(row: number, hash: number, place: number, isWhole: boolean): number {
    if (row < 0) return this.#keys.rows.add(hash, place)
    if (isWhole) this.#keys.replace(row, place)
    else this.#keys.addLater(row, place)
    return row
  }

  /** The same with a copy of what was looked over as `index`. */
  #copy(row: number, index: number, from: ByteReader, bytes: Uint8Array): number {
    const { starts, keyEnds, hashes, areWhole } = this.#scanned
    from.moveTo(starts[index]!)
    this.#keys.skipRecord(from)
    const record = bytes.subarray(starts[index], from.position)
    if (row < 0) return this.#keys.rows.add(hashes[index]!, this.#keys.bytes.append(record))
    if (areWhole[index] === 1) {
      this.#keys.pack(row, record, undefined)
      return row
    }
    const state = this.#keys.read(row)
    from.moveTo(keyEnds[index]! + 1)
    state.applyCells(from)
    const merged = new ByteWriter()
    this.#keys.writeKey(merged, state.key)
    merged.uint8(THERE)
    state.writeCells(merged)
    this.#keys.pack(row, merged.view(), undefined)
    return row
  }

  /** Writes a key in its place as it is written now. */
  #settleKey(bytes: Uint8Array, start: number, end: number): void {
    const from = new ByteReader(bytes.subarray(start, end))
    const { keyTypes } = this.#keys.parts
    const key = settledKey(
      keyTypes,
      keyTypes.map((type) => readTyped(from, type)),
    )
    this.#key.clear()
    this.#keys.writeKey(this.#key, key)
    bytes.set(this.#key.view(), start)
  }
}
