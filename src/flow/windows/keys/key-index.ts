/**
 * The index of a key table: from the hash of a key to its id. An open-addressing table in linear memory (how it lies there
 * is said in `key-buckets.ts`), where kernels probe it.
 *
 * Four hashes are compared at once, so that a key is nearly always found in the bucket that its hash names, without a
 * branch that is hard to foretell.
 *
 * A small index is one segment, which is made anew with twice the size when it is full. A large one grows segment by
 * segment (extendible hashing: Fagin, Nievergelt, Pippenger, Strong, 1979): one that is full is split in two by the next
 * bit of its keys' hashes, and places of the directory name the halves. So no growth stops the stream for longer than it
 * takes to move a segment's keys. Segments are full at different sizes, so that they are not split all at once.
 *
 * Invariants:
 * - KI1 A key lies in the bucket that its hash names, or in the first one behind it in the segment, around its end, that
 *   had a free lane when it came. Lanes are taken from the first on and never become free.
 * - KI2 At most half of the lanes of a small index are taken, and at most 5/8 of those of a segment of a large one.
 */
import { assert } from "../../../base/assert.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Arena, Block } from "../../../batch/arena.ts"
import { BUCKET_BYTES, BUCKET_LANES, DIRECTORY_BITS_MAX, DIRECTORY_SHIFT, SEGMENT_SHIFT } from "./key-buckets.ts"
import { keyGrowth } from "./key-growth.ts"

const SEGMENT_BYTES_MAX = 1 << SEGMENT_SHIFT
const SEGMENT_LANES_MAX = SEGMENT_BYTES_MAX / 8

/** A part of the index: the keys whose hashes have the same bits from `DIRECTORY_SHIFT` on, `bits` of them. */
interface Segment {
  readonly block: Block
  readonly bits: number
}

/** Hashes and ids by hash. */
export class KeyIndex {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  #directory: Block
  /** By place of the directory. */
  #segments: Segment[]
  /** By MiB of the memory, where the index is large: how many keys the segment there may still take. */
  #rooms: Block | undefined
  /** How many keys are in it. Kernels add some, too. */
  size = 0

  constructor(arena: Arena, memory: Int32Array) {
    this.#arena = arena
    this.#memory = memory
    this.#directory = arena.allocate(4)
    const block = arena.allocate(BUCKET_BYTES)
    memory.fill(0, block.offset >>> 2, (block.offset + block.bytes) >>> 2)
    this.#segments = []
    this.#point(0, { block, bits: 0 })
  }

  /** Whether there are several segments. */
  get isLarge(): boolean {
    return this.#rooms !== undefined
  }

  /** Where the segment of a small index starts, in bytes. */
  get address(): number {
    return this.#segments[0]!.block.offset
  }

  /** The bits of a hash that are the place of a bucket within its segment, in bytes. */
  get mask(): number {
    return this.#segments[0]!.block.bytes - BUCKET_BYTES
  }

  /** Where the directory starts, in bytes. */
  get directoryAddress(): number {
    return this.#directory.offset
  }

  /** The bits of a hash, shifted to the right by `DIRECTORY_SHIFT`, that are a place of the directory. */
  get directoryMask(): number {
    return this.#segments.length - 1
  }

  /** Where it is said how much room segments have, in bytes, where the index is large. */
  get roomsAddress(): number {
    return this.#rooms?.offset ?? 0
  }

  /** How many keys a small index has room for; a large one looks at the room of segments. */
  get capacity(): number {
    return this.isLarge ? Infinity : this.#segments[0]!.block.bytes / 8 / 2
  }

  /** Whether a small index must grow before a kernel can add a key. */
  get isFull(): boolean {
    return this.size >= this.capacity
  }

  /** The place in the memory of the first bucket in which to look for a key. */
  homeOf(hash: number): number {
    const place = (hash >>> DIRECTORY_SHIFT) & this.directoryMask
    return (this.#memory[(this.#directory.offset >>> 2) + place]! + (hash & this.mask)) >>> 2
  }

  /** The place of the bucket behind another one of its segment, the first being behind the last. */
  behind(bucket: number): number {
    // A block starts at a multiple of its size.
    const within = this.mask >>> 2
    return bucket - (bucket & within) + ((bucket + BUCKET_BYTES / 4) & within)
  }

  /** Adds a key that is not there. */
  add(hash: number, id: number): void {
    this.#makeRoom(hash)
    this.size++
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

  /** Grows where there is no room for one more key with the hash, and takes the room. */
  #makeRoom(hash: number): void {
    if (this.#rooms === undefined) {
      if (!this.isFull) return
      this.grow()
      if (this.#rooms === undefined) return
    }
    for (;;) {
      const room = this.#roomOf(this.#segments[(hash >>> DIRECTORY_SHIFT) & this.directoryMask]!)
      if (this.#memory[room]! > 0) {
        this.#memory[room]!--
        return
      }
      this.#split((hash >>> DIRECTORY_SHIFT) & this.directoryMask)
    }
  }

  /** Makes room for twice as many keys in a small index. */
  grow(): void {
    assert(!this.isLarge, "a large index grows where its segments are full")
    const { block } = this.#segments[0]!
    if (block.bytes < SEGMENT_BYTES_MAX) {
      this.#point(0, { block: this.#makeBlock(block.bytes * 2), bits: 0 })
      this.#moveKeys(block)
      return
    }
    this.#rooms = this.#arena.allocate(4 * Math.ceil(this.#arena.buffer.byteLength / SEGMENT_BYTES_MAX))
    this.#split(0)
  }

  /** Makes two segments of the one that a place of the directory names. */
  #split(place: number): void {
    const { block, bits } = this.#segments[place]!
    if (bits === DIRECTORY_BITS_MAX) {
      throw new TidemarkError("arena-exhausted", "A window has more keys than its index can hold.", {
        hint: "Use shorter windows, or keys with fewer different values.",
      })
    }
    if (this.#segments.length === 1 << bits) this.#doubleDirectory()
    const halves = [0, 1].map(() => ({ block: this.#makeBlock(SEGMENT_BYTES_MAX), bits: bits + 1 }))
    const step = 1 << bits
    for (let each = place & (step - 1); each < this.#segments.length; each += step) {
      this.#point(each, halves[(each >>> bits) & 1]!)
    }
    this.#moveKeys(block)
    halves.forEach((half, index) => {
      const prefix = (place & (step - 1)) + index * step
      const keysMax = (SEGMENT_LANES_MAX * (32 + (prefix & 7))) / 64
      const count = keyGrowth(this.#arena).count(half.block.offset, half.block.offset + SEGMENT_BYTES_MAX)
      this.#memory[this.#roomOf(half)] = Math.max(0, keysMax - count)
    })
  }

  /** The place in the memory of a segment's room. */
  #roomOf({ block }: Segment): number {
    return (this.roomsAddress >>> 2) + (block.offset >>> SEGMENT_SHIFT)
  }

  /** Twice as many places, of which each of the new ones names the segment of an old one. */
  #doubleDirectory(): void {
    const old = this.#directory
    const count = this.#segments.length
    if (old.bytes < 8 * count) {
      this.#directory = this.#arena.allocate(8 * count)
      this.#arena.free(old)
    }
    const segments = this.#segments
    this.#segments = []
    for (let place = 0; place < 2 * count; place++) this.#point(place, segments[place % count]!)
  }

  #makeBlock(bytes: number): Block {
    const block = this.#arena.allocate(bytes)
    assert(block.bytes === bytes, "a block of a power of two is as large as was asked for")
    keyGrowth(this.#arena).clear(block.offset, bytes)
    return block
  }

  #point(place: number, segment: Segment): void {
    this.#segments[place] = segment
    this.#memory[(this.#directory.offset >>> 2) + place] = segment.block.offset
  }

  /** Adds the keys of a segment that was to those that the directory names, and frees it. */
  #moveKeys(old: Block): void {
    const { directoryAddress, directoryMask, mask } = this
    keyGrowth(this.#arena).spread(old.offset, old.offset + old.bytes, directoryAddress, directoryMask, mask)
    this.#arena.free(old)
  }

  /** Gives its memory back. It cannot be used any more. */
  release(): void {
    for (const { block } of new Set(this.#segments)) this.#arena.free(block)
    this.#arena.free(this.#directory)
    if (this.#rooms !== undefined) this.#arena.free(this.#rooms)
  }
}
