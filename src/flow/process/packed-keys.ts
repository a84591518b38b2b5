/**
 * The keys of an operator, with what was written of each as bytes. A key has a row, by which it is found; most are nothing but a record in a
 * chunk of bytes, so that millions of them cost little to read and to keep.
 *
 * A record is the values of the key columns, uint8 1, changes of its cells as changes of empty ones: as `keyed-states.ts` writes them, without
 * the timers; or, of a key that is open, the values and uint8 0. Timers are no bytes, as they must be found when they are due. What came later than a record, and does not say all, is kept
 * beside it until somebody reads the key.
 *
 * Invariants:
 * - PK1 `read` gives what `apply` of all changes of a key, in order, says; values are looked at then, and before that only where they end.
 * - PK3 No more of the records is in memory than it is told; what was not asked for longest is cold. That changes nothing else.
 * - PK2 Equal keys have one row: their bytes are equal. So what is no number is written in one form, also in what was written before.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { skipOf, type Skip } from "../../batch/value-skip.ts"
import { readingState } from "../taken-changes.ts"
import type { CellSkip, SeenChanges } from "./cell.ts"
import type { Spilling } from "./cold-bytes.ts"
import { comparableKey } from "./key-id.ts"
import { hashOfBytes, KeyRows } from "./key-rows.ts"
import { cellOf, cellSkipOf, KeyState, readTimers, type KeyTimer, type KeyTimers } from "./key-state.ts"
import { COLD_BYTES_MIN, PackedBytes } from "./packed-bytes.ts"
import type { StateSpec } from "./process-spec.ts"
import { GONE, KEYS_MAX, THERE } from "./scanned-changes.ts"

const NO_TIMERS: ReadonlyMap<string, KeyTimer> = new Map()

/** What keys and their states are made of. */
export interface KeyedStatesParts {
  /** The operator's id. */
  readonly operator: string
  readonly keyTypes: readonly ColumnType[]
  readonly specs: readonly StateSpec[]
  /** How many kinds of timers a key may have. */
  readonly kinds: number
  /** Where what memory has no room for goes; without it there is room. */
  readonly spilling?: Spilling | undefined
}

/** See the head of this file. */
export class PackedKeys {
  readonly parts: KeyedStatesParts
  readonly #keySkips: readonly Skip[]
  readonly #cellSkips: readonly CellSkip[]
  readonly bytes: PackedBytes
  /** The rows of keys, and their records: also for who takes over what was written (`applied-changes.ts`). */
  readonly rows: KeyRows
  /** By row: the places of changes behind its record, oldest first. */
  readonly #later = new Map<number, number[]>()
  readonly #timers = new Map<number, KeyTimers>()
  /** The key that was looked for last, and its hash. */
  readonly #key = new ByteWriter(64)
  /** Of records that are passed over. */
  readonly #seen: SeenChanges = { isRest: false, isWhole: true, expiresMicros: Infinity }
  #hash = 0

  constructor(parts: KeyedStatesParts) {
    this.parts = parts
    const { spilling } = parts
    this.bytes = new PackedBytes(spilling?.cold, spilling?.chunkBytes)
    this.rows = new KeyRows(this.bytes, KEYS_MAX)
    this.#keySkips = parts.keyTypes.map(skipOf)
    this.#cellSkips = parts.specs.map(cellSkipOf)
  }

  /** How many keys there are. */
  get size(): number {
    return this.rows.size
  }

  /** All rows are less. */
  get end(): number {
    return this.rows.end
  }

  /** Whether a row is that of a key. */
  has(row: number): boolean {
    return this.rows.placeOf(row) !== 0
  }

  /** All timers that are packed. */
  *timers(): IterableIterator<KeyTimer> {
    for (const timers of this.#timers.values()) yield* timers.values()
  }

  /** The row of a key; −1 where it has none. */
  find(values: readonly unknown[]): number {
    const { keyTypes } = this.parts
    this.#key.clear()
    for (let index = 0; index < keyTypes.length; index++) {
      writeTyped(this.#key, keyTypes[index]!, comparableKey(values[index]))
    }
    const { buffer, length } = this.#key
    this.#hash = hashOfBytes(buffer, 0, length)
    return this.rows.find(this.#hash, buffer, 0, length)
  }

  /** A row for the key that was looked for last, and not found. */
  add(): number {
    this.#key.uint8(GONE)
    return this.rows.add(this.#hash, this.bytes.append(this.#key.view()))
  }

  writeKey(out: ByteWriter, key: readonly unknown[]): void {
    this.parts.keyTypes.forEach((type, index) => {
      writeTyped(out, type, key[index])
    })
  }

  /** The state of a row, without values. */
  emptyState(row: number, key: readonly unknown[], timers?: KeyTimers): KeyState {
    return new KeyState(row, key, this.parts.specs.map(cellOf), timers)
  }

  /**
   * What is packed of a row. The timers are those that are kept here.
   *
   * @throws TidemarkError `state-corrupt`.
   */
  read(row: number): KeyState {
    return readingState(this.parts.operator, () => {
      const from = this.#readerOf(row)
      const start = from.position
      const key = this.parts.keyTypes.map((type) => readTyped(from, type))
      const state = this.emptyState(row, key, this.#timers.get(row))
      from.skip(1)
      state.applyCells(from)
      state.bytes = from.position - start
      for (const place of this.#later.get(row) ?? []) {
        const later = this.bytes.readerAt(place)
        this.#skipKey(later)
        later.skip(1)
        state.applyCells(later)
      }
      state.isWritten = true
      return state
    })
  }

  /** Gives up all but the key of a row, as its state was read and is kept elsewhere now. */
  release(row: number): void {
    this.#timers.delete(row)
    this.#dropLater(row)
  }

  /** Takes the record of a row, and its timers. */
  pack(row: number, record: Uint8Array, timers: KeyTimers | undefined): void {
    if (timers !== undefined) this.#timers.set(row, timers)
    this.#move(row, record)
    this.#dropLater(row)
  }

  /** Keeps a record in the place of that which a row had. */
  #move(row: number, record: Uint8Array): void {
    this.bytes.drop(this.rows.placeOf(row))
    this.rows.setPlace(row, this.bytes.append(record))
  }

  /** Appends the record of a row; gives its timers. */
  writeRecord(out: ByteWriter, row: number): ReadonlyMap<string, KeyTimer> {
    const timers = this.#timers.get(row) ?? NO_TIMERS
    if (this.#later.has(row)) {
      const state = this.read(row)
      this.writeKey(out, state.key)
      out.uint8(THERE)
      state.writeCells(out)
      return timers
    }
    const place = this.rows.placeOf(row)
    if (this.bytes.isCold(place)) out.raw(this.#coldRecord(place))
    else {
      const from = this.bytes.readerAt(place)
      const start = from.position
      this.skipRecord(from)
      out.raw(this.bytes.bytesOf(place).subarray(start, from.position))
    }
    return timers
  }

  /** Whether the record of a row had better be packed anew: it says not all, or keeps much that nobody needs. */
  isLoose(row: number): boolean {
    const place = this.rows.placeOf(row)
    return this.#later.has(row) || this.bytes.isSparse(place) || (this.isHalfFull() && this.bytes.isTaken(place))
  }

  remove(row: number): void {
    const place = this.rows.placeOf(row)
    const from = this.#readerOf(row)
    const start = from.position
    this.#skipKey(from)
    const bytes = this.bytes.isCold(place) ? this.bytes.coldBytesAt(place, 0) : this.bytes.bytesOf(place)
    this.rows.remove(hashOfBytes(bytes, start, from.position), row)
    this.bytes.drop(place)
    this.release(row)
  }

  #dropLater(row: number): void {
    const places = this.#later.get(row)
    if (places === undefined) return
    for (const place of places) this.bytes.drop(place)
    this.#later.delete(row)
  }

  #skipKey(from: ByteReader): void {
    for (const skip of this.#keySkips) skip(from)
  }

  skipRecord(from: ByteReader): void {
    this.#skipKey(from)
    if (from.uint8() === GONE) return
    for (const skip of this.#cellSkips) skip(from, this.#seen)
  }

  /** A reader that stands where the record of a row begins, wherever that is. */
  #readerOf(row: number): ByteReader {
    const place = this.rows.placeOf(row)
    return this.bytes.isCold(place) ? new ByteReader(this.#coldRecord(place)) : this.bytes.readerAt(place)
  }

  /** A record of a cold chunk. Where it ends shows when it has been read. */
  #coldRecord(place: number): Uint8Array {
    for (let count = COLD_BYTES_MIN; ; count *= 8) {
      const bytes = this.bytes.coldBytesAt(place, count)
      const from = new ByteReader(bytes)
      try {
        this.skipRecord(from)
        return bytes.subarray(0, from.position)
      } catch (error) {
        if (!(error instanceof RangeError) || bytes.length < count) throw error
      }
    }
  }

  /** Brings the record of a row into memory, as one that was asked for just now. */
  warm(row: number): void {
    const place = this.rows.placeOf(row)
    if (this.bytes.isCold(place)) this.#move(row, this.#coldRecord(place))
  }

  /** How many bytes of records are in memory, and how many are not. */
  get warmBytes(): number {
    return this.bytes.warmBytes
  }

  get coldBytes(): number {
    return this.bytes.coldBytes
  }

  /** Whether half of the memory that there is for records is taken, with what is kept elsewhere. */
  isHalfFull(elsewhereBytes = 0): boolean {
    const { spilling } = this.parts
    return spilling !== undefined && this.bytes.warmBytes + elsewhereBytes > spilling.memoryBytes / 2
  }

  /** Makes chunks cold until there is room for `elsewhereBytes`, which others keep, too (PK3). */
  makeRoom(elsewhereBytes: number): void {
    const { spilling } = this.parts
    if (spilling === undefined || this.bytes.warmBytes + elsewhereBytes <= spilling.memoryBytes) return
    for (const number of [...this.bytes.sparse]) this.#empty(number)
    while (this.bytes.warmBytes + elsewhereBytes > spilling.memoryBytes) {
      const { oldest } = this.bytes
      if (oldest === undefined) return
      if (this.bytes.isSparse(this.bytes.placeIn(oldest, 0))) this.#empty(oldest)
      else this.bytes.spill(oldest)
    }
  }

  /** Moves what is left in a chunk of which little is. */
  #empty(number: number): void {
    this.forEachIn(number, (row, record) => {
      this.#move(row, record)
    })
  }

  /** The chunks that are cold now. */
  get coldChunks(): number[] {
    return this.bytes.coldNumbers
  }

  /** Shows the records of one of our own chunks, where there is still one of that number: those that rows have. */
  forEachIn(chunk: number, visit: (row: number, record: Uint8Array) => void): void {
    const bytes = this.bytes.chunk(chunk)
    if (bytes === undefined) return
    const from = new ByteReader(bytes)
    while (from.remaining > 0) {
      const start = from.position
      this.#skipKey(from)
      const hash = hashOfBytes(bytes, start, from.position)
      from.moveTo(start)
      this.skipRecord(from)
      const row = this.rows.rowAt(hash, this.bytes.placeIn(chunk, start))
      if (row >= 0) visit(row, bytes.subarray(start, from.position))
    }
  }

  timersOf(row: number): ReadonlyMap<string, KeyTimer> {
    return this.#timers.get(row) ?? NO_TIMERS
  }

  /** Takes over changes of the timers of a row. */
  applyTimers(row: number, from: ByteReader): void {
    const timers = this.#timers.get(row)
    const set = readTimers(from, row, this.parts.kinds, timers)
    if (set === undefined) this.#timers.delete(row)
    else if (set !== timers) this.#timers.set(row, set)
  }

  /** What lies at a place is the record of a row from now on. */
  replace(row: number, place: number): void {
    this.bytes.drop(this.rows.placeOf(row))
    this.rows.setPlace(row, place)
    this.#dropLater(row)
  }

  /** At a place lies what changed behind the record of a row. */
  addLater(row: number, place: number): void {
    const places = this.#later.get(row)
    if (places === undefined) this.#later.set(row, [place])
    else places.push(place)
  }
}
