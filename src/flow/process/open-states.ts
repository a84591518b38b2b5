/**
 * The states of keys that are open, by row. Where no row of many that follow each other was ever open, they cost nothing. Those to whom nobody
 * has come for long are found by a hand that goes round and round (the "clock" of Corbató, 1968).
 */
import type { KeyState } from "./key-state.ts"

const PAGE_BITS = 10
const PAGE_ROWS = 1 << PAGE_BITS

/** What an open key takes, and each byte of its values when they are objects: measured, about. */
const KEY_BYTES = 400
const BYTES_A_BYTE = 4

interface Page {
  readonly states: (KeyState | undefined)[]
  size: number
}

/** See the head of this file. */
export class OpenStates {
  readonly #pages: (Page | undefined)[] = []
  size = 0
  /** About how many bytes of memory they take. */
  bytes = 0
  /** The row that is looked at next. */
  #hand = 0

  of(row: number): KeyState | undefined {
    return this.#pages[row >>> PAGE_BITS]?.states[row & (PAGE_ROWS - 1)]
  }

  add(state: KeyState): void {
    const number = state.row >>> PAGE_BITS
    while (this.#pages.length <= number) this.#pages.push(undefined)
    // A page stays: keys may be opened and packed again one by one.
    const page = (this.#pages[number] ??= {
      states: new Array<KeyState | undefined>(PAGE_ROWS).fill(undefined),
      size: 0,
    })
    page.states[state.row & (PAGE_ROWS - 1)] = state
    page.size++
    this.size++
    this.bytes += KEY_BYTES + BYTES_A_BYTE * state.bytes
  }

  remove(state: KeyState): void {
    const page = this.#pages[state.row >>> PAGE_BITS]!
    page.states[state.row & (PAGE_ROWS - 1)] = undefined
    page.size--
    this.size--
    this.bytes -= KEY_BYTES + BYTES_A_BYTE * state.bytes
  }

  /** Takes note that a state takes so many bytes when it is written. */
  resize(state: KeyState, bytes: number): void {
    this.bytes += BYTES_A_BYTE * (bytes - state.bytes)
    state.bytes = bytes
  }

  /** One to whom nobody has come since the hand was there last; there is one. */
  nextIdle(): KeyState {
    for (;;) {
      const page = this.#pages[this.#hand >>> PAGE_BITS]
      if (page === undefined || page.size === 0) {
        const next = (this.#hand >>> PAGE_BITS) + 1
        this.#hand = next < this.#pages.length ? next << PAGE_BITS : 0
        continue
      }
      const state = page.states[this.#hand & (PAGE_ROWS - 1)]
      this.#hand++
      if (state === undefined) continue
      if (!state.isRecent) return state
      state.isRecent = false
    }
  }

  *[Symbol.iterator](): IterableIterator<KeyState> {
    for (const page of this.#pages) {
      for (const state of page?.states ?? []) if (state !== undefined) yield state
    }
  }
}
