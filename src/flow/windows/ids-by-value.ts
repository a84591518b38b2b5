/**
 * Ids of keys of one whole number, or of one flag, by the value itself: nothing is hashed where values lie close together.
 *
 *     item 0          one more than the id of null, or 0 where it has none
 *     item v + 1      the same for the value v; values from `count` on, and negative ones, are not covered
 *
 * A covered key is here and nowhere else, unless it came before it was covered: so what is 0 here is a new key.
 *
 * The table grows when the words of keys do, so by factors of two and ever less often. It covers the values that keys have
 * where these are dense, and as many again, as values often go up; so keys far apart do not make it larger.
 *
 * Invariants:
 * - BV1 A covered key of the table has its id here.
 * - BV2 It takes no more than 64 bytes for each key in the range that it covers, or than 32 for each key that there is room
 *   for where that is less than 256 KiB.
 */
import { assert } from "../../base/assert.ts"
import type { Arena, Block } from "../../batch/arena.ts"
import { keyGrowth } from "./key-growth.ts"
import type { KeyLayout, KeyPartLayout } from "./key-layout.ts"

/** So many items there are for each key that there is room for, whatever the values are, but no more than these. */
const ITEMS_PER_KEY = 8
const ANY_ITEMS_MAX = 1 << 16
/** Values are dense where one of so many is a key. */
const DENSE = 8
/** 64 MiB: what a single growth copies and clears is bounded. */
const ITEMS_BITS_MAX = 24
/** So many keys are looked at to see where they are dense. */
const SAMPLE_KEYS = 1 << 16

/** Whether ids are found by value: a key is one word. */
export function isOneWord({ parts }: KeyLayout): boolean {
  return parts.length === 1 && (parts[0]!.storage === "int32" || parts[0]!.storage === "bit")
}

/** See the head of this file. */
export class IdsByValue {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #part: KeyPartLayout
  readonly #stride: number
  #block: Block | undefined

  constructor(arena: Arena, memory: Int32Array, layout: KeyLayout) {
    assert(isOneWord(layout), "ids go by a value of one word")
    this.#arena = arena
    this.#memory = memory
    this.#part = layout.parts[0]!
    this.#stride = layout.stride
  }

  get #items(): number {
    return (this.#block?.bytes ?? 0) / 4
  }

  /** Where the item of the value 0 lies, in bytes. */
  get address(): number {
    return this.#block!.offset + 4
  }

  /** How many values are covered. */
  get count(): number {
    return this.#items - 1
  }

  /** The place in the memory of the item of the key with the words at `from`; `undefined` where it is not covered. */
  placeOf(words: Int32Array, from: number): number | undefined {
    const { at, nullBit } = this.#part
    const isNull = nullBit !== 0 && (words[from]! & nullBit) !== 0
    const value = words[from + at]!
    if (value >>> 0 >= this.count) return undefined
    return (this.address >>> 2) + (isNull ? -1 : value)
  }

  /** Covers more where that is worth it: there are `size` keys with words from an address on, and room for `capacity`. */
  grow(wordsAddress: number, size: number, capacity: number): void {
    const old = this.#block
    const before = this.#items
    const least = Math.min(ANY_ITEMS_MAX, ITEMS_PER_KEY * capacity)
    const items = Math.max(before, least, this.#denseItems(wordsAddress >>> 2, size))
    if (items === before) return
    // Where there is no room for more, keys that are not covered are in the index.
    const block = old === undefined ? this.#arena.allocate(4 * items) : this.#arena.tryAllocate(4 * items)
    if (block === undefined) return
    const growth = keyGrowth(this.#arena)
    if (old !== undefined) {
      growth.copy(block.offset, old.offset, old.bytes)
      this.#arena.free(old)
    }
    growth.clear(block.offset + 4 * before, block.bytes - 4 * before)
    this.#block = block
    if (before === 0) return
    const values = { from: wordsAddress + 4 * this.#part.at, end: wordsAddress + 4 * this.#stride * size }
    growth.noteIds(values.from, values.end, 4 * this.#stride, this.address, before - 1, items - before)
  }

  /** A power of two of items that covers the largest range of values in which keys are dense, and as many again. */
  #denseItems(words: number, size: number): number {
    /** By number of bits. */
    const counts = new Int32Array(33)
    const step = Math.max(1, Math.floor(size / SAMPLE_KEYS))
    for (let id = 0; id < size; id += step) {
      counts[32 - Math.clz32(this.#memory[words + id * this.#stride + this.#part.at]!)]! += step
    }
    let [keys, items] = [0, 0]
    for (let bits = 0; bits <= ITEMS_BITS_MAX; bits++) {
      keys += counts[bits]!
      if (counts[bits]! > 0 && keys * DENSE >= 2 ** bits) items = 2 ** Math.min(ITEMS_BITS_MAX, bits + 1)
    }
    return items
  }

  /** Gives its memory back. */
  release(): void {
    if (this.#block !== undefined) this.#arena.free(this.#block)
  }
}
