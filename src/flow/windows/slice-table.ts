/**
 * The partial results of a slice (or, while it fires, of a window) by key, in order of insertion. Keys are ids of the
 * operator's key table; a key's place here is its group in the accumulators.
 *
 * Invariants:
 * - ST1 Groups are 0 … size − 1, in order of the first record of their key.
 * - ST2 `dirtyGroups` and the groups from `writtenSize` on are all that changed since `markWritten`.
 */
import { assert } from "../../base/assert.ts"
import type { Accumulator } from "../aggregates/aggregate.ts"
import { grownInt32, grownUint8 } from "../aggregates/growth.ts"
import { GroupIndex } from "./group-index.ts"

/** Partial results by key. */
export class SliceTable {
  readonly accumulators: readonly Accumulator[]
  /** The key's id of each group. */
  ids = new Int32Array(8)
  #size = 0
  #index = new GroupIndex()
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
    this.#index.find(ids, start, end, groups)
    for (let at = start; at < end; at++) {
      const entry = groups[at]!
      // A new key may stand several times among those that were not found.
      groups[at] = entry === 0 ? this.#groupOrNew(ids[at]!) : entry - 1
    }
  }

  /** The group of a key, or -1. */
  groupOf(id: number): number {
    return this.#index.groupOf(id)
  }

  /** Appends a group for a key that has none yet, and gives it. */
  append(id: number): number {
    const group = this.#size
    assert(this.#index.groupOf(id) === -1, "a key has one group")
    if (group === this.ids.length) this.#grow()
    this.ids[group] = id
    this.#index.add(id, group)
    this.#size = group + 1
    return group
  }

  #groupOrNew(id: number): number {
    const group = this.#index.groupOf(id)
    return group === -1 ? this.append(id) : group
  }

  #grow(): void {
    const capacity = this.ids.length * 2
    this.ids = grownInt32(this.ids, capacity)
    this.#dirty = grownUint8(this.#dirty, capacity)
    for (const accumulator of this.accumulators) accumulator.reserve(capacity)
  }

  /** Takes note that `ids` was given other ids for the same keys. */
  onIdsMoved(): void {
    this.#index = new GroupIndex()
    for (let group = 0; group < this.#size; group++) this.#index.add(this.ids[group]!, group)
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
}
