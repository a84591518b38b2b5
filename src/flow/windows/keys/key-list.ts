/**
 * A list of keys that overlapping windows share, in linear memory: for each place its key's id, the columns of the key as
 * results have them, and what the key has in each window field. So a window's rows are copied from arrays, in order.
 *
 * Place 0 stands for no place, and keys start at place 1.
 */
import type { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import type { WindowField } from "../../aggregates/aggregate.ts"
import type { KeyLayout } from "./key-layout.ts"

/** A column of the keys in a list: its first word within a key, and how many it has. */
export interface ListedColumn {
  readonly at: number
  readonly width: number
}

/** The columns of keys in lists: their parts, and behind them the word of null bits where they have one. */
export function listedColumns({ parts, hasNulls }: KeyLayout): ListedColumn[] {
  return [...parts.map(({ at, width }) => ({ at, width })), ...(hasNulls ? [{ at: 0, width: 1 }] : [])]
}

/** See the head of this file. */
export class KeyList {
  readonly ids: LinearArray
  /** The place of each key in the other list. */
  readonly across: LinearArray
  readonly columns: readonly LinearArray[]
  readonly fields: readonly LinearArray[]
  /** Where the list has them, for fields that are not totals: what the key has in later pieces than those of the list. */
  readonly later: readonly (LinearArray | undefined)[]

  /** @param hasLater for each field, whether the list has what comes later. */
  constructor(
    arena: Arena,
    layout: KeyLayout,
    fields: readonly WindowField[],
    hasLater: readonly boolean[],
    capacity: number,
  ) {
    const array = (bytes: 4 | 8) => new LinearArray(arena, bytes, capacity + 1, null)
    this.ids = array(4)
    this.across = array(4)
    this.columns = listedColumns(layout).map(({ width }) => array(width === 1 ? 4 : 8))
    this.fields = fields.map(() => array(8))
    this.later = hasLater.map((has) => (has ? array(8) : undefined))
  }

  /** Makes room for so many keys. */
  reserve(capacity: number): void {
    for (const array of this.#arrays) array.reserve(capacity + 1)
  }

  get #arrays(): LinearArray[] {
    return [this.ids, this.across, ...this.columns, ...this.fields, ...this.later.flatMap((each) => each ?? [])]
  }

  release(): void {
    for (const array of this.#arrays) array.release()
  }
}
