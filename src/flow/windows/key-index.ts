/**
 * The index of a key table: from the hash of a key to its id. An open-addressing table in linear memory, where kernels
 * probe it.
 *
 *     bucket    32 bytes: the hashes of up to four keys, then for each one more than its id, 0 where the lane is free
 *
 * Four hashes are compared at once, so that a key is nearly always found in the bucket that its hash names, without a
 * branch that is hard to foretell.
 *
 * Invariants:
 * - KI1 A key lies in the bucket that its hash names, by the bits above the lowest five, or in the first one behind that had a free lane when
 *   it came. Lanes are taken from the first on and never become free.
 * - KI2 At most half of the lanes are taken.
 */
import { assert } from "../../base/assert.ts"
import type { Arena, Block } from "../../batch/arena.ts"

/** Hashes, and as many ids, of a bucket. */
export const BUCKET_LANES = 4
/** Words of 32 bits of a bucket. */
const BUCKET_WORDS = 2 * BUCKET_LANES
export const BUCKET_BYTES = 4 * BUCKET_WORDS

/** Hashes and ids by hash. */
export class KeyIndex {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  #block: Block
  #buckets: number

  constructor(arena: Arena, memory: Int32Array) {
    this.#arena = arena
    this.#memory = memory
    this.#block = arena.allocate(BUCKET_BYTES)
    this.#buckets = this.#block.bytes / BUCKET_BYTES
    this.#clear()
  }

  /** Where the first bucket starts, in bytes. */
  get address(): number {
    return this.#block.offset
  }

  /** The bits of a hash that are the place of a bucket behind the first, in bytes. */
  get mask(): number {
    return (this.#buckets - 1) * BUCKET_BYTES
  }

  /** How many keys it has room for. */
  get capacity(): number {
    return (this.#buckets * BUCKET_LANES) / 2
  }

  /** The place in the memory of the first bucket in which to look for a key. */
  homeOf(hash: number): number {
    return (this.#block.offset + (hash & this.mask)) >>> 2
  }

  /** The place of the bucket behind another one, the first being behind the last. */
  behind(bucket: number): number {
    const first = this.#block.offset >>> 2
    const next = bucket + BUCKET_WORDS
    return next === first + this.#buckets * BUCKET_WORDS ? first : next
  }

  /** Adds a key that is not there. */
  add(hash: number, id: number): void {
    const memory = this.#memory
    for (let bucket = this.homeOf(hash); ; bucket = this.behind(bucket)) {
      for (let lane = bucket; lane < bucket + BUCKET_LANES; lane++) {
        if (memory[lane + BUCKET_LANES] !== 0) continue
        memory[lane] = hash
        memory[lane + BUCKET_LANES] = id + 1
        return
      }
    }
  }

  /** Makes room for twice as many keys. */
  grow(): void {
    const memory = this.#memory
    const old = this.#block
    this.#block = this.#arena.allocate(old.bytes * 2)
    this.#buckets *= 2
    assert(this.#block.bytes === this.#buckets * BUCKET_BYTES, "a block of a power of two is as large as was asked for")
    this.#clear()
    const end = (old.offset + old.bytes) >>> 2
    for (let bucket = old.offset >>> 2; bucket < end; bucket += BUCKET_WORDS) {
      for (let lane = bucket; lane < bucket + BUCKET_LANES; lane++) {
        const entry = memory[lane + BUCKET_LANES]!
        if (entry === 0) break
        this.add(memory[lane]!, entry - 1)
      }
    }
    this.#arena.free(old)
  }

  #clear(): void {
    const { offset, bytes } = this.#block
    this.#memory.fill(0, offset >>> 2, (offset + bytes) >>> 2)
  }

  /** Gives its memory back. It cannot be used any more. */
  release(): void {
    this.#arena.free(this.#block)
  }
}
