/**
 * The partial results of a slice (or, while it fires, of a window) by key: an open-addressing table in order of
 * insertion. Keys are ids of the operator's key table; a key's row here is its group in the accumulators.
 *
 * Invariants:
 * - ST1 Groups are 0 … size − 1, in order of the first record of their key.
 * - ST2 `dirtyGroups` and the groups from `writtenSize` on are all that changed since `markWritten`.
 */
import { assert } from "../../base/assert.ts"
import type { Accumulator } from "../aggregates/aggregate.ts"
import { grownInt32, grownUint8 } from "../aggregates/growth.ts"

/** Partial results by key. */
export class SliceTable {
  readonly accumulators: readonly Accumulator[]
  /** The key's id of each group. */
  ids = new Int32Array(8)
  #size = 0
  /** Pairs: a key's id, and one more than its group, or 0 where free. At most half of the pairs are taken. */
  #slots = new Int32Array(32)
  #writtenSize = 0
  #dirty = new Uint8Array(8)
  #dirtyGroups: number[] = []

  constructor(accumulators: readonly Accumulator[]) {
    this.accumulators = accumulators
    for (const accumulator of accumulators) accumulator.reserve(this.ids.length)
  }

  /** How many groups it holds. */
  get size(): number {
    return this.#size
  }

  /** How many groups `markWritten` found. */
  get writtenSize(): number {
    return this.#writtenSize
  }

  /** The groups below `writtenSize` that have changed, in order of their first change. */
  get dirtyGroups(): readonly number[] {
    return this.#dirtyGroups
  }

  /** Writes the group of each key `ids[i]` to `groups[i]`, for i in [start, end). New keys get new groups. */
  resolve(ids: Int32Array, start: number, end: number, groups: Int32Array): void {
    for (let at = start; at < end; at++) {
      const id = ids[at]!
      const slots = this.#slots
      const mask = slots.length - 2
      let slot = slotOf(id) & mask
      while (slots[slot + 1] !== 0 && slots[slot] !== id) slot = (slot + 2) & mask
      const entry = slots[slot + 1]!
      groups[at] = entry === 0 ? this.#insert(id, slot) : entry - 1
    }
  }

  /** The group of a key, or -1. */
  groupOf(id: number): number {
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = slotOf(id) & mask
    while (slots[slot + 1] !== 0 && slots[slot] !== id) slot = (slot + 2) & mask
    return slots[slot + 1]! - 1
  }

  #insert(id: number, slot: number): number {
    const group = this.#size
    if (group === this.ids.length) this.#grow()
    this.ids[group] = id
    this.#size = group + 1
    this.#slots[slot] = id
    this.#slots[slot + 1] = group + 1
    if (this.#size * 4 > this.#slots.length) this.#rehash(this.#slots.length * 2)
    return group
  }

  #grow(): void {
    const capacity = this.ids.length * 2
    this.ids = grownInt32(this.ids, capacity)
    this.#dirty = grownUint8(this.#dirty, capacity)
    for (const accumulator of this.accumulators) accumulator.reserve(capacity)
  }

  #rehash(length: number): void {
    const slots = new Int32Array(length)
    const mask = length - 2
    for (let group = 0; group < this.#size; group++) {
      const id = this.ids[group]!
      let slot = slotOf(id) & mask
      while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
      slots[slot] = id
      slots[slot + 1] = group + 1
    }
    this.#slots = slots
  }

  /** Takes note that `ids` was given other ids for the same keys. */
  onIdsMoved(): void {
    this.#rehash(this.#slots.length)
  }

  /** Takes note that the groups `groups[start]` … `groups[end − 1]` change. */
  markDirty(groups: Int32Array, start: number, end: number): void {
    const written = this.#writtenSize
    if (written === 0) return
    const dirty = this.#dirty
    for (let at = start; at < end; at++) {
      const group = groups[at]!
      if (group >= written || dirty[group] === 1) continue
      dirty[group] = 1
      this.#dirtyGroups.push(group)
    }
  }

  /** Takes note that all changes were written. */
  markWritten(): void {
    for (const group of this.#dirtyGroups) this.#dirty[group] = 0
    this.#dirtyGroups = []
    this.#writtenSize = this.#size
  }

  /** Appends a group for a key that has none yet. */
  append(id: number): number {
    assert(this.groupOf(id) === -1, "a key has one group")
    const ids = Int32Array.of(id)
    this.resolve(ids, 0, 1, ids)
    return this.#size - 1
  }
}

/** Where to look for a key first, before it is masked. */
function slotOf(id: number): number {
  const hash = Math.imul(id, 0x9e3779b1)
  return (hash ^ (hash >>> 15)) << 1
}
