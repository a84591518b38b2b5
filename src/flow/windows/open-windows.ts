/** How many windows have records and have not fired. */

/** Windows that some records count in: the ends of the first and the last. */
export interface CountedWindows {
  readonly from: number
  readonly last: number
}

/** How many windows the ranges have together, of windows that end every `slide`. */
export function countOpenWindows(ranges: CountedWindows[], slide: number): number {
  ranges.sort((one, other) => one.from - other.from)
  let count = 0
  let counted = -Infinity
  for (const { from: first, last } of ranges) {
    const from = Math.max(first, counted + slide)
    if (from > last) continue
    count += (last - from) / slide + 1
    counted = last
  }
  return count
}
