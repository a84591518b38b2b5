/** A table in linear memory that tells kernels where the arrays of a list of entries lie: the ids of keys, then the fields. */
import type { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"

/** Arrays of entries: by entry, the key's id and its fields. */
export interface EntryArrays {
  readonly entryIds: LinearArray
  readonly entryFields: readonly LinearArray[]
}

/** See the head of this file. */
export class EntryTable {
  readonly #arrays: EntryArrays
  /** Which fields the table has, in its order. */
  readonly #fields: readonly number[]
  readonly #words: LinearArray

  constructor(arena: Arena, arrays: EntryArrays, fields: readonly number[]) {
    this.#arrays = arrays
    this.#fields = fields
    this.#words = new LinearArray(arena, 4, fields.length + 1)
  }

  get address(): number {
    return this.#words.address
  }

  /** Takes note of where the arrays are. */
  sync(): void {
    const { i32 } = this.#words
    i32[0] = this.#arrays.entryIds.address
    for (let at = 0; at < this.#fields.length; at++) i32[at + 1] = this.#arrays.entryFields[this.#fields[at]!]!.address
  }

  release(): void {
    this.#words.release()
  }
}
