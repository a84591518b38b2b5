/**
 * The states of all keys of an operator.
 *
 * Changes: varint how many keys follow, each: the values of its columns, uint8 0 it has nothing any more, 1 changes follow
 * (see `key-state.ts`).
 *
 * Invariants:
 * - KS1 A key that has neither values nor timers takes no memory once that is written.
 * - W11 (docs/spec/windows.md) Keys compare like those of a JavaScript `Map`; −0 is +0.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readTyped, writeTyped } from "../../batch/value-codec.ts"
import { keyIdOf, settledKey } from "./key-id.ts"
import { cellOf, KeyState } from "./key-state.ts"
import type { StateSpec } from "./process-spec.ts"

const GONE = 0
const THERE = 1

/** See the head of this file. */
export class KeyedStates {
  readonly #keyTypes: readonly ColumnType[]
  readonly #specs: readonly StateSpec[]
  readonly #kinds: number
  readonly #states = new Map<unknown, KeyState>()
  readonly #changed = new Set<KeyState>()
  /** Those of the changed that have nothing any more. */
  readonly #gone = new Set<KeyState>()

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
    let state = this.#states.get(id)
    if (state === undefined) {
      this.#states.set(id, (state = new KeyState(id, settledKey(this.#keyTypes, values), this.#specs.map(cellOf))))
    }
    return state
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
      const state = this.of(this.#keyTypes.map((type) => readTyped(from, type)))
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
