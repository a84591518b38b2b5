/**
 * A bounded arena: all columns of a thread lie in one WebAssembly memory, in blocks of this arena.
 *
 * The memory is reserved at once and its pages are touched lazily. Blocks are handed out by the buddy system (Knuth,
 * "The Art of Computer Programming", volume 1, section 2.5): a block of 2ⁿ KiB starts at a multiple of its size; a
 * larger free one is halved where none of the size is free, and a freed block joins its free other half ("buddy").
 * So whatever sizes were asked for before, an arena whose blocks are all freed is as good as new. Nothing here waits:
 * when the arena is full `tryAllocate` says so, and whoever reads the input holds back until a block is freed
 * (`onceFreed`). That is how memory stays bounded.
 *
 * Invariants:
 * - A1 Live blocks never overlap, and each starts at a multiple of 64 bytes (Arrow's alignment).
 * - A2 The bytes of live blocks never exceed `maxBytes`.
 * - A3 Of the free blocks of a size the last freed one is handed out first; a larger one is halved only where there is
 *   none of the size.
 * - A4 When every block is freed, any sizes that fit a new arena fit again.
 * - A5 No block starts at the address 0, which kernels take for none. So of a memory of its own an arena leaves the first KiB out.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import type { LinearMemory } from "../base/linear-memory.ts"

const PAGE_BYTES = 65_536
const UNIT_BYTES = 1024
const MAX_BYTES = 2 ** 32
/** No free block, in lists and links. */
const NONE = -1

/** A range of bytes of an arena. */
export interface Block {
  /** Where it starts in the memory; a multiple of 64. */
  readonly offset: number
  /** How many bytes it has: a power of two, at least what was asked for. */
  readonly bytes: number
}

/**
 * A block as its arena knows it. The live ones are not in a Set: V8 links each outgrown table of a Set or Map to the next,
 * and once one of them is tenured, all that come after it stay until the next full collection, with what they refer to.
 */
class OwnedBlock implements Block {
  readonly offset: number
  readonly bytes: number
  /** The arena that it is a part of, until it is freed. */
  owner: Arena | undefined

  constructor(offset: number, bytes: number, owner: Arena) {
    this.offset = offset
    this.bytes = bytes
    this.owner = owner
  }
}

/** What an arena is made of. */
export interface ArenaOptions {
  /** 1 KiB to 4 GiB; of a memory of its own, 1 KiB is nobody's (A5). */
  readonly maxBytes: number
  /** A part of another arena's memory that is its own, from an address on: a multiple of its largest block. Without it, a new memory. */
  readonly within?: { readonly memory: LinearMemory; readonly from: number }
}

/** Hands out blocks of one linear memory, up to a bound. */
export class Arena {
  readonly memory: LinearMemory
  /** The memory's bytes. It is shared and reserved at full size, so this never changes. */
  readonly buffer: SharedArrayBuffer
  readonly maxBytes: number
  /** Where its blocks begin. */
  readonly #from: number
  /** By order n: the first unit of the first free block of 2ⁿ units. */
  readonly #heads: Int32Array
  /** By the first unit of a free block: the next and the previous one of its order. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  /** By unit: n + 1 where a free block of 2ⁿ units starts, else 0. */
  readonly #freeOrders: Uint8Array
  #waiting: (() => void)[] = []
  #usedBytes = 0
  #peakBytes = 0

  /** @throws TidemarkError `arena-exhausted` where the process may not have so much address space. */
  constructor({ maxBytes, within }: ArenaOptions) {
    assert(maxBytes >= UNIT_BYTES && maxBytes <= MAX_BYTES, "an arena has between 1 KiB and 4 GiB")
    const pages = Math.ceil(maxBytes / PAGE_BYTES)
    this.memory = within?.memory ?? reserve(pages)
    this.buffer = this.memory.buffer as SharedArrayBuffer
    this.maxBytes = maxBytes
    this.#from = within?.from ?? 0
    const largest = 2 ** Math.floor(Math.log2(maxBytes))
    const isInMemory = this.#from % largest === 0 && this.#from + maxBytes <= this.buffer.byteLength
    assert(isInMemory, "an arena lies in its memory, so that its blocks start at multiples of their sizes")
    const units = Math.floor(maxBytes / UNIT_BYTES)
    this.#heads = new Int32Array(32).fill(NONE)
    this.#next = new Int32Array(units)
    this.#previous = new Int32Array(units)
    this.#freeOrders = new Uint8Array(units)
    // The largest blocks first, so that each starts at a multiple of its size.
    for (let unit = 0; unit < units;) {
      const order = 31 - Math.clz32(units - unit)
      this.#addFree(unit, order)
      unit += 1 << order
    }
    if (this.#from === 0) this.#leaveFirstOut(units)
  }

  /** Takes the first unit out of the block that it is in: of its other units, blocks are left. */
  #leaveFirstOut(units: number): void {
    let order = 31 - Math.clz32(units)
    this.#removeFree(0, order)
    while (order-- > 0) this.#addFree(1 << order, order)
  }

  /** Bytes in live blocks. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** The most bytes that were ever in live blocks. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** A block of at least `bytes` bytes with unspecified content, or `undefined` where there is no room for it now. */
  tryAllocate(bytes: number): Block | undefined {
    if (bytes > this.maxBytes) return undefined
    const wanted = orderOf(bytes)
    let order = wanted
    while (order < 32 && this.#heads[order] === NONE) order++
    if (order >= 32) return undefined
    const unit = this.#heads[order]!
    this.#removeFree(unit, order)
    // Of a halved block the lower half is used and the upper one kept.
    for (; order > wanted; order--) this.#addFree(unit + (1 << (order - 1)), order - 1)
    const block = new OwnedBlock(this.#from + unit * UNIT_BYTES, (1 << wanted) * UNIT_BYTES, this)
    this.#usedBytes += block.bytes
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes
    return block
  }

  /**
   * A block of at least `bytes` bytes with unspecified content.
   *
   * @throws TidemarkError `arena-exhausted` where there is no room for it now.
   */
  allocate(bytes: number): Block {
    const block = this.tryAllocate(bytes)
    if (block !== undefined) return block
    throw new TidemarkError(
      "arena-exhausted",
      `A block of ${bytes} bytes does not fit: ${this.#usedBytes} of ${this.maxBytes} bytes are in use.`,
      { hint: "Use shorter windows, so that fewer keys are open at once, or smaller batches." },
    )
  }

  /** Takes a block back. Its bytes may be handed out again at once. */
  free(block: Block): void {
    assert(block instanceof OwnedBlock && block.owner === this, "a block is freed once, by the arena that made it")
    block.owner = undefined
    this.#usedBytes -= block.bytes
    let unit = (block.offset - this.#from) / UNIT_BYTES
    let order = orderOf(block.bytes)
    for (let buddy = unit ^ (1 << order); this.#freeOrders[buddy] === order + 1; buddy = unit ^ (1 << order)) {
      this.#removeFree(buddy, order)
      unit = Math.min(unit, buddy)
      order++
    }
    this.#addFree(unit, order)
    if (this.#waiting.length > 0) this.#wake()
  }

  /** Calls `notify` once, when the next block is freed: for whoever found the arena full. It must not throw. */
  onceFreed(notify: () => void): void {
    this.#waiting.push(notify)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const notify of waiting) notify()
  }

  #addFree(unit: number, order: number): void {
    const head = this.#heads[order]!
    this.#freeOrders[unit] = order + 1
    this.#next[unit] = head
    this.#previous[unit] = NONE
    if (head !== NONE) this.#previous[head] = unit
    this.#heads[order] = unit
  }

  #removeFree(unit: number, order: number): void {
    assert(this.#freeOrders[unit] === order + 1, "a block in a free list is free")
    const next = this.#next[unit]!
    const previous = this.#previous[unit]!
    if (next !== NONE) this.#previous[next] = previous
    if (previous === NONE) this.#heads[order] = next
    else this.#next[previous] = next
    this.#freeOrders[unit] = 0
  }
}

/** The smallest n such that 2ⁿ units hold so many bytes. */
function orderOf(bytes: number): number {
  assert(bytes >= 0, "a block has some bytes")
  const units = Math.ceil(bytes / UNIT_BYTES)
  return units <= 1 ? 0 : 32 - Math.clz32(units - 1)
}

function reserve(pages: number): LinearMemory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (error) {
    throw new TidemarkError("arena-exhausted", `${pages * PAGE_BYTES} bytes of address space cannot be reserved.`, {
      hint: "A job needs some 10 GiB of address space, of which it uses little: raise what limits it (ulimit -v), or run fewer jobs in one process.",
      cause: error,
    })
  }
}
