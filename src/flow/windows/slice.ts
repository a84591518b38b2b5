/**
 * A slice with its partial results.
 *
 * Records that come late for some of a slice's windows and not for others go into a slice of their own: same bounds,
 * but its records count only in windows that end at `countsFrom` or later. So all records of a slice count in the same
 * windows, which is what merging slices into windows needs.
 */
import type { SliceBounds } from "./slices.ts"
import type { SliceTable } from "./slice-table.ts"

/** Records between two edges that count in the same windows. */
export class Slice {
  readonly bounds: SliceBounds
  /** The end of the first window in which its records count. */
  readonly countsFrom: number
  readonly table: SliceTable
  /** The end of the next window that takes it in. */
  nextEnd: number
  /** Whether it has records, and so waits for its windows. */
  isOpen = false
  /** Where it last stood among the slices that a batch's records go into. */
  place = 0
  /** Whether it has changes that are not written. */
  isDirty = false

  constructor(bounds: SliceBounds, countsFrom: number, table: SliceTable) {
    this.bounds = bounds
    this.countsFrom = countsFrom
    this.table = table
    this.nextEnd = countsFrom
  }
}

/** Slices go in order of time; of those with the same bounds, the one whose records were earlier goes first. */
export function compareSlices(one: Slice, other: Slice): number {
  return one.bounds.start - other.bounds.start || one.countsFrom - other.countsFrom
}
