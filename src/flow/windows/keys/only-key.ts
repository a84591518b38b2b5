/**
 * The key of streams that are not grouped: `keyBy()` names no columns, so all rows have one key, the empty one, whose id
 * is 0. It takes no bytes of state.
 */
import type { KeyColumn } from "./key-column.ts"
import type { WindowKeys } from "./window-keys.ts"

/** The id of the only key. */
export const ONLY_ID = 0

/** See the head of this file. */
export class OnlyKey implements WindowKeys {
  readonly size = 1
  readonly capacity = 1
  readonly wordsAddress = 0
  readonly parts: readonly KeyColumn[] = []

  resolve(_columns: unknown, _rows: unknown, start: number, end: number, ids: Int32Array): void {
    ids.fill(ONLY_ID, start, end)
  }

  /** There is nothing to look up. */
  idTable(): undefined {
    return undefined
  }

  /** There is nothing to drop. */
  withOnly(): OnlyKey {
    return this
  }

  writeState(): void {
    // Nothing tells one empty key from another.
  }

  readState(): number {
    return 0
  }

  release(): void {
    // It holds no memory.
  }
}
