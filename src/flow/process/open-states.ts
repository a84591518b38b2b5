/** The states of keys that are open, by row. Rows without any cost next to nothing. */
import type { KeyState } from "./key-state.ts"

const PAGE_BITS = 10
const PAGE_ROWS = 1 << PAGE_BITS

interface Page {
  readonly states: (KeyState | undefined)[]
  count: number
}

/** See the head of this file. */
export class OpenStates {
  readonly #pages: (Page | undefined)[] = []
  size = 0

  of(row: number): KeyState | undefined {
    return this.#pages[row >>> PAGE_BITS]?.states[row & (PAGE_ROWS - 1)]
  }

  add(state: KeyState): void {
    const number = state.row >>> PAGE_BITS
    while (this.#pages.length <= number) this.#pages.push(undefined)
    const page = (this.#pages[number] ??= { states: new Array<KeyState | undefined>(PAGE_ROWS), count: 0 })
    page.states[state.row & (PAGE_ROWS - 1)] = state
    page.count++
    this.size++
  }

  remove({ row }: KeyState): void {
    const number = row >>> PAGE_BITS
    const page = this.#pages[number]!
    page.states[row & (PAGE_ROWS - 1)] = undefined
    page.count--
    this.size--
    if (page.count === 0) this.#pages[number] = undefined
  }

  *[Symbol.iterator](): IterableIterator<KeyState> {
    for (const page of this.#pages) {
      for (const state of page?.states ?? []) if (state !== undefined) yield state
    }
  }
}
