/**
 * The keys of an operator, with what was written of each as bytes. A key has a row, by which it is found; most are nothing but a record in a
 * chunk of bytes, so that millions of them cost little to read and to keep.
 *
 * A record is the values of the key columns, uint8 1, changes of its cells as changes of empty ones: as `keyed-states.ts` writes them, without
 * the timers. Timers are no bytes, as they must be found when they are due. What came later than a record, and does not say all, is kept
 * beside it until somebody reads the key.
 *
 * Invariants:
 * - PK1 `read` gives what `apply` of all changes of a key, in order, says; values are looked at then, and before that only where they end.
 * - PK2 Equal keys have one row: their bytes are equal. So what is no number is written in one form, also in what was written before.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { skipOf, type Skip } from "../../batch/value-skip.ts"
import { readingState } from "../taken-changes.ts"
import type { CellSkip } from "./cell.ts"
import { comparableKey, settledKey } from "./key-id.ts"
import { hashOfBytes, KeyRows } from "./key-rows.ts"
import { cellOf, cellSkipOf, KeyState, readTimers, type KeyTimer, type KeyTimers } from "./key-state.ts"
import { PackedBytes } from "./packed-bytes.ts"
import type { StateSpec } from "./process-spec.ts"
import { GONE, KEYS_MAX, ScannedChanges, THERE } from "./scanned-changes.ts"

const NO_TIMERS: ReadonlyMap<string, KeyTimer> = new Map()

/** What keys and their states are made of. */
export interface KeyedStatesParts {
  /** The operator's id. */
  readonly operator: string
  readonly keyTypes: readonly ColumnType[]
  readonly specs: readonly StateSpec[]
  /** How many kinds of timers a key may have. */
  readonly kinds: number
}

/** See the head of this file. */
export class PackedKeys {
  readonly #parts: KeyedStatesParts
  readonly #keySkips: readonly Skip[]
  readonly #cellSkips: readonly CellSkip[]
  /** Whether a key may be no number. */
  readonly #mayBeNaN: boolean
  readonly #bytes = new PackedBytes()
  readonly #rows = new KeyRows(this.#bytes, KEYS_MAX)
  readonly #scanned: ScannedChanges
  /** By row: the places of changes behind its record, oldest first. */
  readonly #later = new Map<number, number[]>()
  readonly #timers = new Map<number, KeyTimers>()
  /** The key that was looked for last, and its hash. */
  readonly #key = new ByteWriter(64)
  #hash = 0

  constructor(parts: KeyedStatesParts) {
    this.#parts = parts
    this.#keySkips = parts.keyTypes.map(skipOf)
    this.#cellSkips = parts.specs.map(cellSkipOf)
    this.#mayBeNaN = parts.keyTypes.some(({ definition }) => definition.storage === "float64")
    const settle = (bytes: Uint8Array, start: number, end: number) => {
      this.#settleKey(bytes, start, end)
    }
    this.#scanned = new ScannedChanges(parts.keyTypes, parts.specs, this.#mayBeNaN ? settle : undefined)
  }

  /** How many keys there are. */
  get size(): number {
    return this.#rows.size
  }

  /** All rows are less. */
  get end(): number {
    return this.#rows.end
  }

  /** Whether a row is that of a key. */
  has(row: number): boolean {
    return this.#rows.placeOf(row) !== 0
  }

  /** All timers that are packed. */
  *timers(): IterableIterator<KeyTimer> {
    for (const timers of this.#timers.values()) yield* timers.values()
  }

  /** The row of a key; −1 where it has none. */
  find(values: readonly unknown[]): number {
    const { keyTypes } = this.#parts
    this.#key.clear()
    for (let index = 0; index < keyTypes.length; index++) {
      writeTyped(this.#key, keyTypes[index]!, comparableKey(values[index]))
    }
    const { buffer, length } = this.#key
    this.#hash = hashOfBytes(buffer, 0, length)
    return this.#rows.find(this.#hash, buffer, 0, length)
  }

  /** A row for the key that was looked for last, and not found. */
  add(): number {
    return this.#rows.add(this.#hash, this.#bytes.append(this.#key.view()))
  }

  writeKey(out: ByteWriter, key: readonly unknown[]): void {
    this.#parts.keyTypes.forEach((type, index) => {
      writeTyped(out, type, key[index])
    })
  }

  /** The state of a row, without values. */
  emptyState(row: number, key: readonly unknown[], timers?: KeyTimers): KeyState {
    return new KeyState(row, key, this.#parts.specs.map(cellOf), timers)
  }

  /**
   * What is packed of a row. The timers are those that are kept here.
   *
   * @throws TidemarkError `state-corrupt`.
   */
  read(row: number): KeyState {
    return readingState(this.#parts.operator, () => {
      const from = this.#bytes.readerAt(this.#rows.placeOf(row))
      const key = this.#parts.keyTypes.map((type) => readTyped(from, type))
      const state = this.emptyState(row, key, this.#timers.get(row))
      from.skip(1)
      state.applyCells(from)
      for (const place of this.#later.get(row) ?? []) {
        const later = this.#bytes.readerAt(place)
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
    const before = this.#rows.placeOf(row)
    this.#rows.setPlace(row, this.#bytes.append(record))
    this.#bytes.drop(before)
    this.#dropLater(row)
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
    const place = this.#rows.placeOf(row)
    const from = this.#bytes.readerAt(place)
    const start = from.position
    this.#skipKey(from)
    from.skip(1)
    const seen = { isRest: false, isWhole: true, expiresMicros: Infinity }
    for (const skip of this.#cellSkips) skip(from, seen)
    out.raw(this.#bytes.bytesOf(place).subarray(start, from.position))
    return timers
  }

  /** Whether the record of a row had better be packed anew: it says not all, or keeps much that nobody needs. */
  isLoose(row: number): boolean {
    return this.#later.has(row) || this.#bytes.isSparse(this.#rows.placeOf(row))
  }

  remove(row: number): void {
    const place = this.#rows.placeOf(row)
    const from = this.#bytes.readerAt(place)
    const start = from.position
    this.#skipKey(from)
    this.#rows.remove(hashOfBytes(this.#bytes.bytesOf(place), start, from.position), row)
    this.#bytes.drop(place)
    this.release(row)
  }

  #dropLater(row: number): void {
    const places = this.#later.get(row)
    if (places === undefined) return
    for (const place of places) this.#bytes.drop(place)
    this.#later.delete(row)
  }

  #skipKey(from: ByteReader): void {
    for (const skip of this.#keySkips) skip(from)
  }

  /**
   * Takes over changes: all of the reader's bytes, of which views are kept.
   *
   * @param onExpiry told of each key of which a value expires, when the first of those does that came.
   */
  apply(changes: ByteReader, onExpiry: (row: number, expiresMicros: number) => void): void {
    const given = changes.raw(changes.remaining)
    // What is no number may have been written in another form: then the bytes are made to have it (PK2).
    const bytes = this.#mayBeNaN ? given.slice() : given
    const first = this.#bytes.take(bytes)
    const from = new ByteReader(bytes)
    for (let left = from.varint(); left > 0;) {
      const count = this.#scanned.scan(from, bytes, left)
      const next = from.position
      this.#rows.fetch(this.#scanned.hashes, count)
      for (let index = 0; index < count; index++) {
        const row = this.#applyKey(index, from, bytes, first)
        const expiresMicros = this.#scanned.expiresMicros[index]!
        if (expiresMicros !== Infinity) onExpiry(row, expiresMicros)
      }
      from.moveTo(next)
      left -= count
    }
    if (from.remaining > 0) throw new RangeError(`there are ${from.remaining} bytes too many`)
    this.#bytes.drop(first)
  }

  /** Takes over what was looked over as `index`: gives the key's row. */
  #applyKey(index: number, from: ByteReader, bytes: Uint8Array, first: number): number {
    const scanned = this.#scanned
    const start = scanned.starts[index]!
    const hash = scanned.hashes[index]!
    const row = this.#rows.find(hash, bytes, start, scanned.keyEnds[index]!)
    if (scanned.tags[index] === GONE) {
      if (row >= 0) this.remove(row)
      return row
    }
    if (row < 0 && scanned.areRests[index] === 1) throw new RangeError("a list has fewer values than are gone")
    const place = this.#bytes.added(first + start)
    const now = row < 0 ? this.#rows.add(hash, place) : row
    if (row >= 0) this.#addLater(row, place, scanned.areWhole[index] === 1)
    const timersAt = scanned.timers[index]!
    if (timersAt !== 0) this.#applyTimers(now, from, timersAt)
    return now
  }

  #applyTimers(row: number, from: ByteReader, at: number): void {
    from.moveTo(at)
    const timers = this.#timers.get(row)
    const set = readTimers(from, row, this.#parts.kinds, timers)
    if (set === undefined) this.#timers.delete(row)
    else if (set !== timers) this.#timers.set(row, set)
  }

  #addLater(row: number, place: number, isWhole: boolean): void {
    if (isWhole) {
      this.#bytes.drop(this.#rows.placeOf(row))
      this.#rows.setPlace(row, place)
      this.#dropLater(row)
      return
    }
    const places = this.#later.get(row)
    if (places === undefined) this.#later.set(row, [place])
    else places.push(place)
  }

  /** Writes a key in its place as it is written now. */
  #settleKey(bytes: Uint8Array, start: number, end: number): void {
    const from = new ByteReader(bytes.subarray(start, end))
    const { keyTypes } = this.#parts
    const key = settledKey(
      keyTypes,
      keyTypes.map((type) => readTyped(from, type)),
    )
    this.#key.clear()
    this.writeKey(this.#key, key)
    bytes.set(this.#key.view(), start)
  }
}
