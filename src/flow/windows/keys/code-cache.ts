/**
 * What a table knows about the codes of dictionaries that batches bring: for each code a small number, found once. The
 * numbers lie in linear memory, where kernels look them up.
 *
 * A dictionary's codes keep their text, so this may outlive a batch (F2); it does not outlive the dictionary. Nobody says
 * when a dictionary is dropped, so what is known about those that were not asked for lately is forgotten when all
 * together take too much room.
 */
import type { Arena, Block } from "../../../batch/arena.ts"
import type { Dictionary } from "../../../batch/dictionary.ts"

/** All numbers of a cache take at most this share of the arena, or one dictionary's. */
const ARENA_SHARE = 1 / 64

interface Known {
  block: Block
  isForgotten: boolean
}

/** Numbers by dictionary and code. */
export class CodeCache {
  readonly #arena: Arena
  /** The arena's memory. */
  readonly #memory: Int32Array
  readonly #known = new WeakMap<Dictionary, Known>()
  /** All that is not forgotten; what was asked for lately stands at the end. */
  readonly #recent = new Set<Known>()
  #last: Known | undefined
  #bytes = 0

  /** The place of a code's number among those of its dictionary. */
  static placeOf(code: number): number {
    return code + 1
  }

  constructor(arena: Arena, memory: Int32Array) {
    this.#arena = arena
    this.#memory = memory
  }

  /**
   * The place in the memory of the numbers of a dictionary: first that of null, then one for each of its codes. Each is
   * one more than the number that the caller gives it, and 0 until then. It is valid until the next call.
   */
  of(dictionary: Dictionary): number {
    let known = this.#known.get(dictionary)
    const bytes = 4 * (dictionary.size + 1)
    if (known === undefined || known.isForgotten) {
      known = { block: this.#allocate(bytes, undefined), isForgotten: false }
      this.#known.set(dictionary, known)
    } else if (known.block.bytes < bytes) {
      const old = known.block
      known.block = this.#allocate(bytes, old)
      this.#free(old)
    }
    if (known !== this.#last) {
      this.#recent.delete(known)
      this.#recent.add(known)
      this.#last = known
    }
    if (this.#bytes > this.#arena.maxBytes * ARENA_SHARE) this.#forgetAllBut(known)
    return known.block.offset >>> 2
  }

  /** A block that starts as the old one and has zeros behind it. */
  #allocate(bytes: number, old: Block | undefined): Block {
    const block = this.#arena.allocate(bytes)
    this.#bytes += block.bytes
    const [from, end] = [block.offset >>> 2, (block.offset + block.bytes) >>> 2]
    const kept = (old?.bytes ?? 0) >>> 2
    if (old !== undefined) this.#memory.copyWithin(from, old.offset >>> 2, (old.offset >>> 2) + kept)
    this.#memory.fill(0, from + kept, end)
    return block
  }

  #free(block: Block): void {
    this.#arena.free(block)
    this.#bytes -= block.bytes
  }

  /** Forgets what was not asked for lately, until the rest takes half of the room. */
  #forgetAllBut(kept: Known): void {
    for (const known of this.#recent) {
      if (known === kept || this.#bytes * 2 <= this.#arena.maxBytes * ARENA_SHARE) return
      known.isForgotten = true
      this.#recent.delete(known)
      this.#free(known.block)
    }
  }

  /** Gives its memory back: nothing is known any more. */
  release(): void {
    for (const known of this.#recent) {
      known.isForgotten = true
      this.#free(known.block)
    }
    this.#recent.clear()
    this.#last = undefined
  }
}
