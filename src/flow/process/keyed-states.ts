/**
 * The states of all keys of an operator.
 *
 * Changes: varint how many keys follow, each: the values of its columns, uint8 0 it has nothing any more, 1 changes follow
 * (see `key-state.ts`). A key may come more than once: what comes later is behind what came before.
 *
 * A key is packed, or open. What recovery reads is packed: bytes as they were written (`packed-keys.ts`), which the next snapshot has as they
 * are. A key is opened, so that cells have its values, when a record or a timer comes to it; when a snapshot has written it, it is packed
 * again; as soon as it has changed, where keys change once an epoch as a rule (`change-pace.ts`); and where open keys take too much memory,
 * when nobody has come to it for long. What is packed may be cold, which is the business of `packed-keys.ts`.
 *
 * Invariants:
 * - KS1 A key that has neither values nor timers takes no memory once that is written.
 * - KS2 Slices have each key that was there when they were begun, once, as it was then: who changes a state preserves it before. Lists are
 *   written as what was added, which must not be added to what shows it already.
 * - KS3 What is packed has not changed since it was written.
 * - KS4 What is written before an epoch's end counts as changed again where it changes again: an epoch has each key as it is at its end.
 * - KS5 Open keys take no more than half of the memory that there is for all, about.
 * - W11 (docs/spec/windows.md) Keys compare like those of a JavaScript `Map`; −0 is +0.
 */
import { assert } from "../../base/assert.ts"
import { ByteWriter } from "../../base/bytes.ts"
import { AppliedChanges, type OnExpiry } from "./applied-changes.ts"
import { ChangePace } from "./change-pace.ts"
import { settledKey } from "./key-id.ts"
import { writeTimers, type KeyState, type KeyTimer } from "./key-state.ts"
import { OpenStates } from "./open-states.ts"
import { PackedKeys, type KeyedStatesParts } from "./packed-keys.ts"
import { GONE, THERE } from "./scanned-changes.ts"
import { RecentKeys } from "./recent-keys.ts"

/** At most so many keys are looked at for a slice: many may be in one already, as they have changed. */
const SLICE_KEYS_MAX = 4096

/** A key with more bytes stays open: it would have to be read again. */
const PACKED_BYTES_MAX = 4096

/** The same of a key that is packed as soon as it has changed. */
const FLAT_BYTES_MAX = 512

/** Slices that are being written. */
interface OpenSlices {
  /** The row that is looked at next. */
  next: number
  /** By row, of those that there were: 1 where it is in a slice, or its key came later. */
  readonly sliced: Uint8Array
  /** Chunks that were cold: they are read one after the other, before the rows are gone through. */
  readonly cold: number[]
  /** What the next slice has so far, and of how many keys. */
  readonly body: ByteWriter
  count: number
}

/** See the head of this file. */
export class KeyedStates {
  readonly #parts: KeyedStatesParts
  readonly #packed: PackedKeys
  readonly #open = new OpenStates()
  readonly #recent: RecentKeys
  readonly #changed = new Set<KeyState>()
  /** Those of the changed that have nothing any more. */
  readonly #gone = new Set<KeyState>()
  /** What of the epoch is written early, of how many keys, and those that come next. */
  readonly #early = new ByteWriter()
  #earlyKeys = 0
  #oldest: Iterator<KeyState> | undefined
  readonly #pace = new ChangePace()
  /** Whether keys have single values, so that to read and write all of one costs little more than what changes. */
  readonly #isFlat: boolean
  readonly #record = new ByteWriter()
  /** How many bytes of memory open keys may take. */
  readonly #openBytesMax: number
  #slices: OpenSlices | undefined

  constructor(parts: KeyedStatesParts) {
    this.#parts = parts
    this.#packed = new PackedKeys(parts)
    this.#recent = new RecentKeys(parts.keyTypes)
    this.#openBytesMax = (parts.spilling?.memoryBytes ?? Infinity) / 2
    this.#isFlat = parts.specs.every(({ kind }) => kind === "value" || kind === "reducing")
  }

  /** How many keys have something. */
  get size(): number {
    return this.#packed.size - this.#gone.size
  }

  /** How many bytes of keys are in memory, about, and how many are not. */
  get memoryBytes(): number {
    return this.#packed.warmBytes + this.#open.bytes
  }

  get spilledBytes(): number {
    return this.#packed.coldBytes
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0 || this.#earlyKeys > 0
  }

  /** How many keys have changed, and are not written early. */
  get changedKeys(): number {
    return this.#changed.size
  }

  /** All of them. Those that are packed are read for this, and stay packed. */
  *[Symbol.iterator](): IterableIterator<KeyState> {
    for (let row = 0; row < this.#packed.end; row++) {
      if (this.#packed.has(row)) yield this.#open.of(row) ?? this.#packed.read(row)
    }
  }

  /** All timers that are set. */
  *timers(): IterableIterator<KeyTimer> {
    yield* this.#packed.timers()
    for (const state of this.#open) yield* state.timers.values()
  }

  /** The state of a key; an empty one where it has none. */
  of(values: readonly unknown[]): KeyState {
    const recent = this.#recent.get(values)
    if (recent !== undefined && this.#open.of(recent.row) === recent) {
      recent.isRecent = true
      return recent
    }
    const row = this.#packed.find(values)
    // Also that of one that is open: by its record it is found.
    if (row >= 0) this.#packed.warm(row)
    const state = row < 0 ? this.#add(settledKey(this.#parts.keyTypes, values)) : this.#opened(row)
    this.#recent.put(state)
    return state
  }

  /** The state of a row; `undefined` where that is no key's any more. */
  at(row: number): KeyState | undefined {
    return this.#packed.has(row) ? this.#opened(row) : undefined
  }

  #add(key: readonly unknown[]): KeyState {
    const row = this.#packed.add()
    const slices = this.#slices
    if (slices !== undefined && row < slices.sliced.length) slices.sliced[row] = 1
    const state = this.#packed.emptyState(row, key)
    this.#open.add(state)
    return state
  }

  #opened(row: number): KeyState {
    const open = this.#open.of(row)
    if (open !== undefined) {
      open.isRecent = true
      return open
    }
    this.#packed.warm(row)
    const state = this.#packed.read(row)
    this.#packed.release(row)
    this.#open.add(state)
    return state
  }

  #remove(state: KeyState): void {
    this.#open.remove(state)
    this.#packed.remove(state.row)
  }

  /** To be called before a state is changed (KS2). */
  preserve({ row }: KeyState): void {
    const slices = this.#slices
    if (slices === undefined || slices.sliced[row] !== 0) return
    this.#slice(slices, row)
  }

  /** Takes note of what a handler, or time, has left of a key. */
  settle(state: KeyState, hasChanged: boolean): void {
    if (this.#open.of(state.row) !== state) return
    if (state.isEmpty && !state.isWritten) {
      this.#remove(state)
      this.#changed.delete(state)
      return
    }
    if (hasChanged && this.#pace.isFirst(state.row) && this.#pace.isSlow) this.#writeAndPack(state)
    else {
      if (hasChanged) this.#changed.add(state)
      if (state.isEmpty) this.#gone.add(state)
      else this.#gone.delete(state)
    }
    this.#makeRoom()
  }

  /** KS5, PK3. */
  #makeRoom(): void {
    while (this.#open.bytes > this.#openBytesMax) this.#close(this.#open.nextIdle())
    this.#packed.makeRoom(this.#open.bytes)
  }

  /** Packs a key to whom nobody has come for long. */
  #close(state: KeyState): void {
    if (this.#changed.delete(state)) this.#writeNow(state)
    if (this.#open.of(state.row) !== state) return
    assert(!state.isEmpty, "a key that has nothing has changed, or a handler is at it")
    this.#pack(state, Infinity)
  }

  /** Packs a key all of whose changes are written, where it has no more bytes than that. */
  #pack(state: KeyState, bytesMax: number): void {
    const record = this.#record
    record.recycle()
    this.#packed.writeKey(record, state.key)
    record.uint8(THERE)
    state.writeCells(record)
    if (record.length > bytesMax) return
    this.#open.remove(state)
    this.#packed.pack(state.row, record.view(), state.takeTimers())
  }

  /** A key that has changed for the first time in the epoch, and probably for the last. Its objects die young, which costs next to nothing. */
  #writeAndPack(state: KeyState): void {
    this.#writeNow(state)
    if (this.#isFlat && !state.isEmpty) this.#pack(state, FLAT_BYTES_MAX)
  }

  #writeNow(state: KeyState): void {
    this.#writeChanged(this.#early, state)
    this.#earlyKeys++
  }

  /** Writes so many of the keys that have changed for longest, before the epoch's end (KS4). */
  writeEarly(keys: number): void {
    for (let left = keys; left > 0; left--) {
      this.#oldest ??= this.#changed.values()
      const next = this.#oldest.next()
      if (next.done === true) {
        this.#oldest = undefined
        return
      }
      this.#changed.delete(next.value)
      this.#writeNow(next.value)
    }
  }

  writeChanges(out: ByteWriter): void {
    out.varint(this.#earlyKeys + this.#changed.size)
    out.raw(this.#early.view())
    for (const state of this.#changed) this.#writeChanged(out, state)
    this.#changed.clear()
    this.#oldest = undefined
    this.#early.recycle()
    this.#earlyKeys = 0
    this.#pace.endEpoch()
    this.#makeRoom()
  }

  #writeChanged(out: ByteWriter, state: KeyState): void {
    this.#packed.writeKey(out, state.key)
    if (state.isEmpty) {
      out.uint8(GONE)
      this.#gone.delete(state)
      this.#remove(state)
    } else {
      const start = out.length
      out.uint8(THERE)
      state.writeChanges(out)
      state.isWritten = true
      const written = out.length - start
      this.#open.resize(state, this.#isFlat ? Math.max(state.bytes, written) : state.bytes + written)
    }
  }

  /** Begins slices of the states as they are now. To be called when all changes are written. */
  beginSlices(): void {
    assert(!this.hasChanges, "slices are begun when all changes are written")
    const sliced = new Uint8Array(this.#packed.end)
    this.#slices = { next: 0, sliced, cold: this.#packed.coldChunks, body: new ByteWriter(), count: 0 }
  }

  /** Appends the next slice, as changes; gives whether more are to come. */
  writeSlice(out: ByteWriter, bytes: number): boolean {
    const slices = this.#slices
    assert(slices !== undefined, "slices were begun before they are written")
    const { sliced, body } = slices
    while (body.length < bytes && slices.cold.length > 0) this.#sliceCold(slices, slices.cold.pop()!)
    for (let looks = 0; looks < SLICE_KEYS_MAX && body.length < bytes && slices.next < sliced.length; looks++) {
      const row = slices.next++
      if (sliced[row] === 0 && this.#packed.has(row)) this.#sliceInTurn(slices, row)
    }
    out.varint(slices.count)
    out.raw(body.view())
    body.recycle()
    slices.count = 0
    this.#makeRoom()
    const isDone = slices.next === sliced.length && slices.cold.length === 0
    if (isDone) this.#slices = undefined
    return !isDone
  }

  /** The keys of a cold chunk, in the order in which they lie there, but for those that are open. */
  #sliceCold(slices: OpenSlices, chunk: number): void {
    const { sliced, body } = slices
    this.#packed.forEachIn(chunk, (row, record) => {
      if (sliced[row] !== 0 || this.#open.of(row) !== undefined) return
      sliced[row] = 1
      slices.count++
      body.raw(record)
      const timers = this.#packed.timersOf(row)
      writeTimers(body, timers, timers)
    })
  }

  /** A key that has not changed since the slices were begun, as they have come to it: from here on it is packed (KS3). */
  #sliceInTurn(slices: OpenSlices, row: number): void {
    const { body } = slices
    const start = body.length
    const end = this.#slice(slices, row)
    const record = body.view().subarray(start, end)
    const state = this.#open.of(row)
    if (state === undefined) {
      if (this.#packed.isLoose(row)) this.#packed.pack(row, record, undefined)
    } else if (record.length > 0 && record.length <= PACKED_BYTES_MAX) {
      this.#open.remove(state)
      this.#packed.pack(row, record, state.takeTimers())
    }
  }

  /** Appends all of a key to the next slice; gives where its record ends there. */
  #slice(slices: OpenSlices, row: number): number {
    const { body, sliced } = slices
    sliced[row] = 1
    const state = this.#open.of(row)
    // One that has gone may still be asked whether something of it expires.
    if (state?.isEmpty === true) return body.length
    slices.count++
    return this.#writeWhole(body, row, state)
  }

  /** Appends all of a key; gives where its record ends, in front of the timers. */
  #writeWhole(out: ByteWriter, row: number, state: KeyState | undefined): number {
    let timers
    if (state === undefined) timers = this.#packed.writeRecord(out, row)
    else {
      this.#packed.writeKey(out, state.key)
      out.uint8(THERE)
      state.writeCells(out)
      timers = state.timers
    }
    const end = out.length
    writeTimers(out, timers, timers)
    return end
  }

  writeAll(out: ByteWriter): void {
    out.varint(this.size)
    for (let row = 0; row < this.#packed.end; row++) {
      const state = this.#open.of(row)
      if (this.#packed.has(row) && state?.isEmpty !== true) this.#writeWhole(out, row, state)
    }
  }

  /** The states of the same keys, as a program with other specs keeps them; `migrate` makes that of a row there. */
  migrated(
    parts: Pick<KeyedStatesParts, "specs" | "kinds">,
    migrate: (state: KeyState, row: number) => KeyState,
  ): KeyedStates {
    const states = new KeyedStates({ ...this.#parts, ...parts })
    for (const state of this) {
      states.#packed.find(state.key)
      states.#open.add(migrate(state, states.#packed.add()))
    }
    return states
  }

  /** Takes over changes, before any record; `end` is to be called behind the last of them. */
  restoring(onExpiry: OnExpiry): AppliedChanges {
    assert(this.#open.size === 0, "changes are taken over before records come")
    return new AppliedChanges(this.#packed, onExpiry)
  }
}
