/**
 * The states of all keys of an operator.
 *
 * Changes: varint how many keys follow, each: the values of its columns, uint8 0 it has nothing any more, 1 changes follow
 * (see `key-state.ts`).
 *
 * Invariants:
 * - KS1 A key that has neither values nor timers takes no memory once that is written.
 * - KS2 Slices have each key that was there when they were begun, once, as it was then: who changes a state preserves it before. Lists are
 *   written as what was added, which must not be added to what shows it already.
 * - W11 (docs/spec/windows.md) Keys compare like those of a JavaScript `Map`; −0 is +0.
 */
import { assert } from "../../base/assert.ts"
import { ByteWriter, type ByteReader } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { keyIdOf, settledKey } from "./key-id.ts"
import { cellOf, KeyState } from "./key-state.ts"
import type { StateSpec } from "./process-spec.ts"

const GONE = 0
const THERE = 1

/** At most so many keys are looked at for a slice: many may be in one already, as they have changed. */
const SLICE_KEYS_MAX = 4096

/** Slices that are being written. */
interface OpenSlices {
  readonly left: Iterator<KeyState>
  /** What the next slice has so far, and of how many keys. */
  readonly body: ByteWriter
  count: number
}

/** See the head of this file. */
export class KeyedStates {
  readonly #keyTypes: readonly ColumnType[]
  readonly #specs: readonly StateSpec[]
  readonly #kinds: number
  readonly #states = new Map<unknown, KeyState>()
  readonly #changed = new Set<KeyState>()
  /** Those of the changed that have nothing any more. */
  readonly #gone = new Set<KeyState>()
  /** How often slices were begun: states that are in those, or came later, have this number. */
  #slicesBegun = 0
  #slices: OpenSlices | undefined

  /** @param kinds how many kinds of timers a key may have. */
  constructor(keyTypes: readonly ColumnType[], specs: readonly StateSpec[], kinds: number) {
    this.#keyTypes = keyTypes
    this.#specs = specs
    this.#kinds = kinds
  }

  /** How many keys have something. */
  get size(): number {
    return this.#states.size - this.#gone.size
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0
  }

  [Symbol.iterator](): IterableIterator<KeyState> {
    return this.#states.values()
  }

  /** The state of a key; an empty one where it has none. */
  of(values: readonly unknown[]): KeyState {
    const id = keyIdOf(this.#keyTypes, values)
    return this.#states.get(id) ?? this.#add(id, settledKey(this.#keyTypes, values))
  }

  #add(id: unknown, key: readonly unknown[]): KeyState {
    const state = new KeyState(id, key, this.#specs.map(cellOf))
    state.slicedIn = this.#slicesBegun
    this.#states.set(id, state)
    return state
  }

  /** To be called before a state is changed (KS2). */
  preserve(state: KeyState): void {
    if (this.#slices !== undefined && state.slicedIn !== this.#slicesBegun) this.#slice(this.#slices, state)
  }

  /** Takes note of what a handler, or time, has left of a key. */
  settle(state: KeyState, hasChanged: boolean): void {
    if (this.#states.get(state.id) !== state) return
    if (state.isEmpty && !state.isWritten) {
      this.#states.delete(state.id)
      this.#changed.delete(state)
      return
    }
    if (hasChanged) this.#changed.add(state)
    if (state.isEmpty) this.#gone.add(state)
    else this.#gone.delete(state)
  }

  writeChanges(out: ByteWriter): void {
    out.varint(this.#changed.size)
    for (const state of this.#changed) {
      this.#writeKey(out, state)
      if (state.isEmpty) {
        out.uint8(GONE)
        this.#states.delete(state.id)
      } else {
        out.uint8(THERE)
        state.writeChanges(out)
        state.isWritten = true
      }
    }
    this.#changed.clear()
    this.#gone.clear()
  }

  /** Begins slices of the states as they are now. To be called when all changes are written. */
  beginSlices(): void {
    this.#slicesBegun++
    this.#slices = { left: this.#states.values(), body: new ByteWriter(), count: 0 }
  }

  /** Appends the next slice, as changes; gives whether more are to come. */
  writeSlice(out: ByteWriter, bytes: number): boolean {
    const slices = this.#slices
    assert(slices !== undefined, "slices were begun before they are written")
    const { left, body } = slices
    let isDone = false
    for (let looks = 0; looks < SLICE_KEYS_MAX && body.length < bytes && !isDone; looks++) {
      const next = left.next()
      if (next.done === true) isDone = true
      else if (next.value.slicedIn !== this.#slicesBegun) this.#slice(slices, next.value)
    }
    out.varint(slices.count)
    out.raw(body.view())
    body.recycle()
    slices.count = 0
    if (isDone) this.#slices = undefined
    return !isDone
  }

  #slice(slices: OpenSlices, state: KeyState): void {
    state.slicedIn = this.#slicesBegun
    // One that has gone may still be asked whether something of it expires.
    if (state.isEmpty) return
    slices.count++
    this.#writeKey(slices.body, state)
    slices.body.uint8(THERE)
    state.writeAll(slices.body)
  }

  writeAll(out: ByteWriter): void {
    const left = [...this.#states.values()].filter(({ isEmpty }) => !isEmpty)
    out.varint(left.length)
    for (const state of left) {
      this.#writeKey(out, state)
      out.uint8(THERE)
      state.writeAll(out)
    }
  }

  #writeKey(out: ByteWriter, { key }: KeyState): void {
    this.#keyTypes.forEach((type, index) => {
      writeTyped(out, type, key[index])
    })
  }

  /** The states of the same keys, as a program with other specs keeps them. */
  migrated(specs: readonly StateSpec[], kinds: number, migrate: (state: KeyState) => KeyState): KeyedStates {
    const states = new KeyedStates(this.#keyTypes, specs, kinds)
    for (const [id, state] of this.#states) states.#states.set(id, migrate(state))
    return states
  }

  /** Takes over changes. */
  apply(from: ByteReader): void {
    for (let left = from.varint(); left > 0; left--) {
      const key = this.#keyTypes.map((type) => readTyped(from, type))
      const id = keyIdOf(this.#keyTypes, key)
      // What was written is settled.
      const state = this.#states.get(id) ?? this.#add(id, key)
      this.preserve(state)
      const tag = from.uint8()
      if (tag > THERE) throw new RangeError(`${tag} stands for what became of a key`)
      if (tag === GONE) this.#states.delete(state.id)
      else {
        state.apply(from, this.#kinds)
        state.isWritten = true
      }
    }
  }
}
