/**
 * From the ids of keys to the groups of a slice's table.
 *
 * Where most keys of the operator are in the slice, an array by id is smallest and fastest. Where a slice has only a few
 * of many keys, an open-addressing table serves. Which one it is follows from memory alone: the array may take as many
 * bytes as the table would at its largest.
 *
 * Invariant:
 * - GI1 Exactly one of the two forms holds all entries; the other is empty.
 */

/** An array by id may have so many places for each group. */
const PLACES_PER_GROUP = 8
const SMALLEST = 16

/** One group for each key id. */
export class GroupIndex {
  /** One more than the group, by id; 0 where there is none. Empty while the table is in use. */
  #byId = new Int32Array(SMALLEST)
  /** Pairs of an id and one more than its group, which is 0 where free. At most half of the pairs are taken. */
  #pairs = new Int32Array(0)
  #size = 0

  /** How many entries it has. */
  get size(): number {
    return this.#size
  }

  /** Writes one more than the group of each id `ids[i]` to `entries[i]`, for i in [start, end): 0 where there is none. */
  find(ids: Int32Array, start: number, end: number, entries: Int32Array): void {
    const byId = this.#byId
    if (byId.length === 0) {
      for (let at = start; at < end; at++) entries[at] = this.#pairs[this.#slotOf(ids[at]!) + 1]!
      return
    }
    for (let at = start; at < end; at++) {
      const id = ids[at]!
      entries[at] = id < byId.length ? byId[id]! : 0
    }
  }

  /** The group of a key, or -1. */
  groupOf(id: number): number {
    const byId = this.#byId
    if (byId.length === 0) return this.#pairs[this.#slotOf(id) + 1]! - 1
    return id < byId.length ? byId[id]! - 1 : -1
  }

  /** Adds a key that is not there, with its group. */
  add(id: number, group: number): void {
    this.#size++
    if (this.#byId.length > 0) {
      if (id >= this.#byId.length) this.#makeRoomById(id)
      if (this.#byId.length > 0) this.#byId[id] = group + 1
      else this.#addPair(id, group)
      return
    }
    this.#addPair(id, group)
    if (this.#size * 4 > this.#pairs.length) this.#growPairs()
  }

  #addPair(id: number, group: number): void {
    const slot = this.#slotOf(id)
    this.#pairs[slot] = id
    this.#pairs[slot + 1] = group + 1
  }

  /** Where the id's pair is, or where it would go. */
  #slotOf(id: number): number {
    const pairs = this.#pairs
    const mask = pairs.length - 2
    const hash = Math.imul(id, 0x9e3779b1)
    let slot = ((hash ^ (hash >>> 15)) << 1) & mask
    while (pairs[slot + 1] !== 0 && pairs[slot] !== id) slot = (slot + 2) & mask
    return slot
  }

  /** Makes the array long enough for an id, or turns it into a table where it would become too long. */
  #makeRoomById(id: number): void {
    const old = this.#byId
    const needed = id + 1
    if (needed <= Math.max(SMALLEST, this.#size * PLACES_PER_GROUP)) {
      this.#byId = new Int32Array(Math.max(needed, old.length * 2))
      this.#byId.set(old)
      return
    }
    this.#byId = new Int32Array(0)
    let length = 4 * SMALLEST
    while (length < this.#size * 4) length *= 2
    this.#pairs = new Int32Array(length)
    for (let each = 0; each < old.length; each++) if (old[each] !== 0) this.#addPair(each, old[each]! - 1)
  }

  /** Doubles the table, or turns it into an array where that is no longer. */
  #growPairs(): void {
    const old = this.#pairs
    let greatest = 0
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) greatest = Math.max(greatest, old[at]!)
    if (greatest < this.#size * PLACES_PER_GROUP) {
      this.#byId = new Int32Array(greatest + 1)
      this.#pairs = new Int32Array(0)
      for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#byId[old[at]!] = old[at + 1]!
      return
    }
    this.#pairs = new Int32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#addPair(old[at]!, old[at + 1]! - 1)
  }
}
