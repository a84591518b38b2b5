/**
 * A bounded arena: all columns of a thread lie in one WebAssembly memory, in blocks of this arena.
 *
 * The memory is reserved at once and its pages are touched lazily. Blocks come in power-of-two sizes from 64 bytes up;
 * a freed block goes to the free list of its size. Nothing here waits: when the arena is full `tryAllocate` says so,
 * and whoever reads the input must hold back until blocks are freed. That is how memory stays bounded.
 *
 * Invariants:
 * - A1 Live blocks never overlap, and each starts at a multiple of 64 bytes (Arrow's alignment).
 * - A2 The bytes of live blocks never exceed `maxBytes`.
 * - A3 A freed block is handed out again before the frontier moves.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"

const PAGE_BYTES = 65_536
const MIN_BLOCK_BYTES = 64

/** A range of bytes of an arena. */
export interface Block {
  /** Where it starts in the memory; a multiple of 64. */
  readonly offset: number
  /** How many bytes it has: a power of two, at least what was asked for. */
  readonly bytes: number
}

/** Hands out blocks of one linear memory, up to a bound. */
export class Arena {
  readonly memory: WebAssembly.Memory
  /** The memory's bytes. It is shared and reserved at full size, so this never changes. */
  readonly buffer: SharedArrayBuffer
  readonly maxBytes: number
  readonly #free = new Map<number, Block[]>()
  readonly #live = new Set<Block>()
  #frontier = 0
  #usedBytes = 0
  #peakBytes = 0

  constructor(options: { maxBytes: number }) {
    assert(options.maxBytes >= MIN_BLOCK_BYTES, "an arena has room for at least one block")
    // Freed blocks of one size are not split for another, so the address space may need more than the live bytes.
    const pages = Math.ceil((options.maxBytes * 2) / PAGE_BYTES)
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    this.buffer = this.memory.buffer as SharedArrayBuffer
    this.maxBytes = options.maxBytes
  }

  /** Bytes in live blocks. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** The most bytes that were ever in live blocks. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** A block of at least `bytes` bytes with unspecified content, or `undefined` where the arena is full. */
  tryAllocate(bytes: number): Block | undefined {
    const size = blockSize(bytes)
    if (this.#usedBytes + size > this.maxBytes) return undefined
    let block = this.#free.get(size)?.pop()
    if (block === undefined) {
      if (this.#frontier + size > this.buffer.byteLength) return undefined
      block = { offset: this.#frontier, bytes: size }
      this.#frontier += size
    }
    this.#live.add(block)
    this.#usedBytes += size
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes)
    return block
  }

  /**
   * A block of at least `bytes` bytes with unspecified content.
   *
   * @throws TidemarkError `arena-exhausted` where the arena is full.
   */
  allocate(bytes: number): Block {
    const block = this.tryAllocate(bytes)
    if (block !== undefined) return block
    throw new TidemarkError(
      "arena-exhausted",
      `A block of ${bytes} bytes does not fit: ${this.#usedBytes} of ${this.maxBytes} bytes are in use.`,
      { hint: "Give the job a larger memory limit, or smaller batches." },
    )
  }

  /** Takes a block back. Its bytes may be handed out again at once. */
  free(block: Block): void {
    assert(this.#live.delete(block), "a block is freed once, by the arena that made it")
    this.#usedBytes -= block.bytes
    const list = this.#free.get(block.bytes)
    if (list === undefined) this.#free.set(block.bytes, [block])
    else list.push(block)
  }
}

function blockSize(bytes: number): number {
  let size = MIN_BLOCK_BYTES
  while (size < bytes) size *= 2
  return size
}
