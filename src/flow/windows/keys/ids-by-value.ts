/**
 * Ids of keys of one whole number, or of one flag, by the value itself: nothing is hashed where values lie close together.
 *
 *     item 0          one more than the id of null, or 0 where it has none
 *     item v + 1      the same for the value v; values from `count` on, and negative ones, are not covered
 *
 * A covered key is here and nowhere else, unless it came before it was covered: so what is 0 here is a new key.
 *
 * The table grows when the words of keys do, so ever less often. It covers the values that keys have where these are dense,
 * and where they go up, those behind them, too; so keys far apart do not make it larger.
 *
 * Invariants:
 * - BV1 A covered key of the table has its id here.
 * - BV2 It takes no more than 80 bytes for each key in the range that it covers, or than 32 for each key that there is room
 *   for where that is less than 256 KiB.
 */
import { assert } from "../../../base/assert.ts"
import type { Arena, Block } from "../../../batch/arena.ts"
import { keyGrowth } from "./key-growth.ts"
import type { KeyLayout, KeyPartLayout } from "./key-layout.ts"

/** So many items there are for each key that there is room for, whatever the values are, but no more than these. */
const ITEMS_PER_KEY = 8
const ANY_ITEMS_MAX = 1 << 16
/** Values are dense where one of so many is a key. */
const DENSE = 8
/** 64 MiB: what a single growth copies and clears is bounded. */
const ITEMS_BITS_MAX = 24
/** The greatest value among these may not be the greatest of all: there is such a share more. */
const UNSEEN_SHARE = 1 / 64
/** Values go up where the first half of the keys has none beyond such a share of the greatest. */
const FIRST_HALF = 3 / 4
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
  #items = 0

  constructor(arena: Arena, memory: Int32Array, layout: KeyLayout) {
    assert(isOneWord(layout), "ids go by a value of one word")
    this.#arena = arena
    this.#memory = memory
    this.#part = layout.parts[0]!
    this.#stride = layout.stride
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
    const before = this.#items
    const least = Math.min(ANY_ITEMS_MAX, ITEMS_PER_KEY * capacity)
    const items = Math.max(before, least, this.#denseItems(wordsAddress >>> 2, size, capacity - size))
    if (items === before || !this.#makeRoom(items)) return
    keyGrowth(this.#arena).clear(this.#block!.offset + 4 * before, 4 * (items - before))
    this.#items = items
    if (before === 0) return
    const values = { from: wordsAddress + 4 * this.#part.at, end: wordsAddress + 4 * this.#stride * size }
    const stride = 4 * this.#stride
    keyGrowth(this.#arena).noteIds(values.from, values.end, stride, this.address, before - 1, items - before)
  }

  /** Makes room for so many items; gives whether there is some. */
  #makeRoom(items: number): boolean {
    const old = this.#block
    if (old !== undefined && 4 * items <= old.bytes) return true
    // Where there is no room for more, keys that are not covered are in the index.
    const block = old === undefined ? this.#arena.allocate(4 * items) : this.#arena.tryAllocate(4 * items)
    if (block === undefined) return false
    this.#block = block
    if (old === undefined) return true
    keyGrowth(this.#arena).copy(block.offset, old.offset, 4 * this.#items)
    this.#arena.free(old)
    return true
  }

  /** How many items cover the largest range of values in which keys are dense, where `more` keys come until the next time. */
  #denseItems(words: number, size: number, more: number): number {
    /** By number of bits: how many keys, the greatest of them, and the greatest of the first half. */
    const [counts, greatest, earlier] = [new Int32Array(33), new Int32Array(33), new Int32Array(33)]
    const step = Math.max(1, Math.floor(size / SAMPLE_KEYS))
    for (let id = 0; id < size; id += step) {
      const value = this.#memory[words + id * this.#stride + this.#part.at]!
      const bits = 32 - Math.clz32(value)
      counts[bits]! += step
      if (value > greatest[bits]!) greatest[bits] = value
      if (2 * id < size) earlier[bits] = greatest[bits]!
    }
    let [keys, values, before, items] = [0, 0, 0, 0]
    for (let bits = 0; bits <= ITEMS_BITS_MAX; bits++) {
      keys += counts[bits]!
      if (counts[bits]! === 0) continue
      values = greatest[bits]! + 1
      before = Math.max(before, earlier[bits]!)
      const share = before < values * FIRST_HALF ? more / size : UNSEEN_SHARE
      if (keys * DENSE >= 2 ** bits) items = 1 + values + Math.ceil(values * share)
    }
    // A little more than a block has room for would take one twice as large.
    const block = 2 ** Math.floor(Math.log2(Math.max(1, items)))
    return Math.min(2 ** ITEMS_BITS_MAX, items - block <= items * UNSEEN_SHARE ? block : items)
  }

  /** Gives its memory back. */
  release(): void {
    if (this.#block !== undefined) this.#arena.free(this.#block)
  }
}
