/**
 * Result rows that a thread has made, in its memory, where they stay until somebody has taken them: what operators emit
 * lives as long as the call, where they do not give it away.
 *
 * Whoever takes them counts, in a word that both sides see, how many he has released. When too many bytes wait to be taken,
 * the thread sleeps on that word: so a slow taker holds it back, and memory stays bounded.
 *
 * Invariants:
 * - RC1 What is kept are the rows that count of a batch, in their order, and nothing else.
 * - RC2 The memory of what is kept is not used again before it is released.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import { allocateColumns, type Batch } from "../../batch/batch.ts"
import type { Column } from "../../batch/column.ts"
import { placesOf } from "../../batch/column-places.ts"
import { ColumnCopier } from "./column-copier.ts"
import type { ResultPlace } from "./part-messages.ts"

/** What copies are made with. */
export interface ResultCopiesOptions {
  readonly arena: Arena
  readonly maxBytes: number
  /** How many of the copies so far have been released. */
  released(): number
  /** Returns when more have been than `released`, or gives false where nobody can wait. */
  wait(released: number): boolean
}

/** See the head of this file. */
export class ResultCopies {
  readonly #options: ResultCopiesOptions
  readonly #copier: ColumnCopier
  /** Those that were not seen to be released, oldest first. */
  readonly #waiting: { readonly bytes: number; readonly release: () => void }[] = []
  #releasedCount = 0
  #bytes = 0

  constructor(options: ResultCopiesOptions) {
    this.#options = options
    this.#copier = new ColumnCopier(options.arena.memory)
  }

  /**
   * Keeps the rows of a batch: its columns, where it gives them, else copies. `tell` is called before it waits for room: who
   * releases must know of what there is.
   */
  take(batch: Batch, tell: () => void): ResultPlace {
    this.#makeRoom(tell)
    const { arena } = this.#options
    const { schema, columns: given, selection, count, isTimeOrdered } = batch
    if (selection === null && batch.given !== null) {
      const release = batch.given.take()
      this.#keep(given, release)
      return { rows: count, places: placesOf(given), isTimeOrdered }
    }
    const { columns, release } = allocateColumns(arena, schema, count)
    this.#copier.copy(given, columns, selection, count)
    this.#keep(columns, release)
    return { rows: count, places: placesOf(columns), isTimeOrdered }
  }

  #keep(columns: readonly Column[], release: () => void): void {
    const bytes = columns.reduce((sum, column) => sum + bytesOf(column), 0)
    this.#waiting.push({ bytes, release })
    this.#bytes += bytes
  }

  #makeRoom(tell: () => void): void {
    this.#collect()
    while (this.#bytes > this.#options.maxBytes) {
      tell()
      assert(this.#options.wait(this.#releasedCount), "who cannot wait has room for all results")
      this.#collect()
    }
  }

  /** Takes back what was released. */
  #collect(): void {
    for (const released = this.#options.released(); this.#releasedCount !== released;) {
      this.#releasedCount = (this.#releasedCount + 1) | 0
      const { bytes, release } = this.#waiting.shift()!
      this.#bytes -= bytes
      release()
    }
  }
}

/** About how many bytes a column has. */
function bytesOf(column: Column): number {
  if (column.storage === "struct") return column.children.reduce((sum, child) => sum + bytesOf(child), 0)
  return column.values.byteLength
}
