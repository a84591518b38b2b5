/**
 * Ids of keys of several small whole numbers: a key's bits, one part behind the other, are the number of a cell that has one
 * more than its id, or 0. So nothing is hashed or compared, where keys have few bits together: a house, a household, a plug.
 *
 * Each part has as many bits as the greatest value so far asks for, while all have no more than `BITS_MAX`. A key with a
 * negative part, or one with more bits, has no cell; kernels that look for it find nothing and have to be told its id.
 *
 * Invariant:
 * - KC1 A cell has the id of its key, or nothing.
 */
import type { Arena, Block } from "../../../batch/arena.ts"
import { keyGrowth } from "./key-growth.ts"
import type { KeyLayout } from "./key-layout.ts"

/** 256 KiB of cells: they do not push much else out of a cache. */
const BITS_MAX = 16
/** More parts are more work than a hash. */
const PARTS_MAX = 4

/** Whether keys may have cells. */
export function mayHaveCells({ parts, hasNulls }: KeyLayout): boolean {
  const areWords = parts.every(({ storage }) => storage === "int32")
  return areWords && !hasNulls && parts.length > 1 && parts.length <= PARTS_MAX
}

/** See the head of this file. */
export class KeyCells {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #layout: KeyLayout
  /** How many bits each part has. */
  #bits: readonly number[]
  #cells: Block | undefined
  /** Keys below this id have their cells. */
  #size = 0

  constructor(arena: Arena, memory: Int32Array, layout: KeyLayout) {
    this.#arena = arena
    this.#memory = memory
    this.#layout = layout
    this.#bits = layout.parts.map(() => 0)
  }

  /** How many bits each part has, the first one at the top. */
  get bits(): readonly number[] {
    return this.#bits
  }

  /** How many cells there are. */
  get count(): number {
    return 1 << sum(this.#bits)
  }

  /** Where the cells lie, in bytes; `undefined` where no key has one. */
  get address(): number | undefined {
    return this.#cells?.offset
  }

  /** Gives the keys that have come their cells: there are `size`, with words from a place in the memory on. */
  update(words: number, size: number): void {
    for (; this.#size < size; this.#size++) {
      const key = words + this.#size * this.#layout.stride
      const bits = this.#layout.parts.map(({ at }, part) =>
        Math.max(this.#bits[part]!, bitsOf(this.#memory[key + at]!)),
      )
      if (sum(bits) > BITS_MAX) continue
      if (this.#cells === undefined || sum(bits) > sum(this.#bits)) this.#spread(bits, words)
      this.#set(key, this.#size)
    }
  }

  /** Makes the parts' bits more. */
  #spread(bits: readonly number[], words: number): void {
    if (this.#cells !== undefined) this.#arena.free(this.#cells)
    // One more is nobody's: that of keys that have none.
    this.#cells = this.#arena.allocate((4 << sum(bits)) + 4)
    keyGrowth(this.#arena).clear(this.#cells.offset, this.#cells.bytes)
    this.#bits = bits
    for (let id = 0; id < this.#size; id++) {
      const key = words + id * this.#layout.stride
      if (this.#layout.parts.every(({ at }, part) => bitsOf(this.#memory[key + at]!) <= bits[part]!)) this.#set(key, id)
    }
  }

  #set(key: number, id: number): void {
    let cell = 0
    this.#layout.parts.forEach(({ at }, part) => (cell = (cell << this.#bits[part]!) | this.#memory[key + at]!))
    this.#memory[(this.#cells!.offset >>> 2) + cell] = id + 1
  }

  /** Gives its memory back. */
  release(): void {
    if (this.#cells !== undefined) this.#arena.free(this.#cells)
  }
}

/** How many bits a whole number has: all of them where it is negative. */
function bitsOf(value: number): number {
  return 32 - Math.clz32(value)
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
