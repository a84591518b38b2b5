/** The rows of a batch that count, as a list in linear memory, for kernels that have one form. */
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import { LinearArray } from "../batch/linear-array.ts"

/** Lists of row numbers in an arena. What was listed last lies there until the next list is made. */
export class LinearRows {
  readonly #arena: Arena
  /** 0, 1, 2, … up to `#known`, and lists that had to be copied. */
  readonly #every: LinearArray
  readonly #copied: LinearArray
  #known = 0

  constructor(arena: Arena) {
    this.#arena = arena
    this.#every = new LinearArray(arena, 4, 64)
    this.#copied = new LinearArray(arena, 4, 64)
  }

  /** The rows of a batch: a view that starts with them. */
  of({ selection, count, length }: Batch): Int32Array {
    if (selection === null) return this.#below(length)
    if (selection.buffer === this.#arena.buffer) return selection
    this.#copied.reserve(count)
    this.#copied.i32.set(selection.subarray(0, count))
    return this.#copied.i32
  }

  #below(length: number): Int32Array {
    this.#every.reserve(length)
    const rows = this.#every.i32
    for (; this.#known < length; this.#known++) rows[this.#known] = this.#known
    return rows
  }

  release(): void {
    this.#every.release()
    this.#copied.release()
  }
}
