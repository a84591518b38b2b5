/**
 * Records that are late for some of their windows, by the piece that they belong to: one for each slice and first window in
 * which they count. They are few where the out-of-orderness was chosen well, so this is JavaScript.
 */
import type { SliceBounds, Slices } from "./kernels/slices.ts"

/** Rows of one piece, in order of arrival. */
export interface LateGroup {
  readonly bounds: SliceBounds
  /** The end of the first window in which they count. */
  readonly countsFrom: number
  readonly rows: number[]
}

/** The groups of rows whose event times and watermarks are given, in order of their first rows. */
export function lateGroups(
  slices: Slices,
  rows: Int32Array,
  timeOf: (row: number) => number,
  watermarks: Float64Array,
): LateGroup[] {
  const groups = new Map<string, LateGroup>()
  for (const row of rows) {
    const bounds = slices.of(timeOf(row))
    const countsFrom = slices.firstWindowEndBehind(watermarks[row]! + 1)
    const key = `${bounds.start} ${countsFrom}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { bounds, countsFrom, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()]
}
