/**
 * An array in linear memory that grows: state that generated kernels and JavaScript both work on.
 *
 * It lies in one block of the arena, whose size doubles. Kernels are given `address`; JavaScript takes a view. Both
 * change when the array grows, so nobody keeps them past a `reserve`.
 *
 * Invariants:
 * - LA1 Growing keeps all items, and fills new ones with the filler, where there is one.
 */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "./arena.ts"

/** Bytes of an item. */
export type ItemBytes = 1 | 4 | 8 | 64

/** See the head of this file. */
export class LinearArray {
  readonly #arena: Arena
  readonly #itemBytes: ItemBytes
  readonly #filler: bigint | null
  #block: Block
  #capacity: number
  #views: { u8: Uint8Array; i32: Int32Array; i64: BigInt64Array; f64: Float64Array }

  /**
   * @param filler what new items hold: the bits of an item of 8 bytes, or the byte that items of other sizes repeat.
   *   `null`: anything; then memory that is not used is not touched.
   */
  constructor(arena: Arena, itemBytes: ItemBytes, capacity: number, filler: bigint | null = 0n) {
    this.#arena = arena
    this.#itemBytes = itemBytes
    this.#filler = filler
    this.#block = arena.allocate(capacity * itemBytes)
    this.#views = viewsOf(arena, this.#block)
    this.#capacity = this.#block.bytes / itemBytes
    this.#fillNew(0)
  }

  /** Where the array starts in the memory. */
  get address(): number {
    return this.#block.offset
  }

  /** How many items it has room for. */
  get capacity(): number {
    return this.#capacity
  }

  get u8(): Uint8Array {
    return this.#views.u8
  }

  get i32(): Int32Array {
    return this.#views.i32
  }

  get i64(): BigInt64Array {
    return this.#views.i64
  }

  get f64(): Float64Array {
    return this.#views.f64
  }

  /** Makes room for `capacity` items, and gives whether the array has moved for it. */
  reserve(capacity: number): boolean {
    if (capacity <= this.#capacity) return false
    const old = this.#block
    const oldBytes = this.#views.u8
    const before = this.#capacity
    this.#block = this.#arena.allocate(Math.max(capacity, before * 2) * this.#itemBytes)
    this.#views = viewsOf(this.#arena, this.#block)
    this.#views.u8.set(oldBytes)
    this.#arena.free(old)
    this.#capacity = this.#block.bytes / this.#itemBytes
    this.#fillNew(before)
    return true
  }

  /** The same, where nobody needs the items any more: there is never room for both. */
  renew(capacity: number): boolean {
    if (capacity <= this.#capacity) return false
    const items = Math.max(capacity, this.#capacity * 2)
    this.#arena.free(this.#block)
    this.#block = this.#arena.allocate(items * this.#itemBytes)
    this.#views = viewsOf(this.#arena, this.#block)
    this.#capacity = this.#block.bytes / this.#itemBytes
    this.#fillNew(0)
    return true
  }

  #fillNew(from: number): void {
    if (this.#filler !== null) this.fill(from, this.#capacity)
  }

  /** Gives items [from, to) the filler. */
  fill(from: number, to: number): void {
    assert(from <= to && to <= this.#capacity, "items lie within the array")
    assert(this.#filler !== null, "there is a filler")
    // Views of shared memory are filled item by item.
    if (this.#itemBytes === 8) this.#views.i64.fill(this.#filler, from, to)
    else if (this.#itemBytes === 4) this.#views.i32.fill(Number(this.#filler) * 0x01010101, from, to)
    else this.#views.u8.fill(Number(this.#filler), from * this.#itemBytes, to * this.#itemBytes)
  }

  /** Gives the memory back. The array must not be used any more. */
  release(): void {
    this.#arena.free(this.#block)
  }
}

function viewsOf({ buffer }: Arena, { offset, bytes }: Block) {
  return {
    u8: new Uint8Array(buffer, offset, bytes),
    i32: new Int32Array(buffer, offset, bytes / 4),
    i64: new BigInt64Array(buffer, offset, bytes / 8),
    f64: new Float64Array(buffer, offset, bytes / 8),
  }
}
