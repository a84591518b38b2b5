/**
 * The keys that came of late, found by their values and not by their bytes: where few keys have most records, that is quicker. Where it does not
 * help it is left alone, and tried again now and then.
 */
import type { ColumnType } from "../../batch/type.ts"
import { keyIdOf } from "./key-id.ts"
import type { KeyState } from "./key-state.ts"

const KEYS_MAX = 1 << 14

/** It is judged by so many lookups; where less than half of them have found something, so many pass it by. */
const JUDGED = 1 << 12
const PASSING = 1 << 16

/** See the head of this file. */
export class RecentKeys {
  readonly #keyTypes: readonly ColumnType[]
  readonly #states = new Map<unknown, KeyState>()
  #lookups = 0
  #found = 0
  /** How many lookups are to pass. */
  #passing = 0
  /** Of the key that was looked for last. */
  #id: unknown

  constructor(keyTypes: readonly ColumnType[]) {
    this.#keyTypes = keyTypes
  }

  /** A state that the key had; it may have another, or none, by now. */
  get(values: readonly unknown[]): KeyState | undefined {
    if (this.#passing > 0) return void this.#passing--
    this.#id = keyIdOf(this.#keyTypes, values)
    const state = this.#states.get(this.#id)
    if (state !== undefined) this.#found++
    if (++this.#lookups === JUDGED) this.#judge()
    return state
  }

  /** Takes note of the state of the key that was looked for last. */
  put(state: KeyState): void {
    if (this.#passing > 0) return
    if (this.#states.size >= KEYS_MAX) this.#states.clear()
    this.#states.set(this.#id, state)
  }

  #judge(): void {
    if (this.#found * 2 < this.#lookups) {
      this.#passing = PASSING
      this.#states.clear()
    }
    this.#lookups = 0
    this.#found = 0
  }
}
