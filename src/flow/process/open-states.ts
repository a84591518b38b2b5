/** The states of keys that are open, by row. Where no row of many that follow each other was ever open, they cost nothing. */
import type { KeyState } from "./key-state.ts"

const PAGE_BITS = 10
const PAGE_ROWS = 1 << PAGE_BITS

/** See the head of this file. */
export class OpenStates {
  readonly #pages: ((KeyState | undefined)[] | undefined)[] = []
  size = 0

  of(row: number): KeyState | undefined {
    return this.#pages[row >>> PAGE_BITS]?.[row & (PAGE_ROWS - 1)]
  }

  add(state: KeyState): void {
    const number = state.row >>> PAGE_BITS
    while (this.#pages.length <= number) this.#pages.push(undefined)
    // A page stays: keys may be opened and packed again one by one.
    const page = (this.#pages[number] ??= new Array<KeyState | undefined>(PAGE_ROWS).fill(undefined))
    page[state.row & (PAGE_ROWS - 1)] = state
    this.size++
  }

  remove({ row }: KeyState): void {
    this.#pages[row >>> PAGE_BITS]![row & (PAGE_ROWS - 1)] = undefined
    this.size--
  }

  *[Symbol.iterator](): IterableIterator<KeyState> {
    for (const page of this.#pages) {
      for (const state of page ?? []) if (state !== undefined) yield state
    }
  }
}
