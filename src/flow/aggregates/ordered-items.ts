/** Items in order, at most so many: putting one among them, and joining two lists of them. */

/** Whether one item comes before another. Neither may come before the other: then they stay in the order in which they came. */
export type IsBefore<T> = (one: T, other: T) => boolean

/** Puts an item behind all that it does not come before, and drops what is beyond the limit. */
export function insert<T>(items: T[], item: T, limit: number, isBefore: IsBefore<T>): void {
  let [low, high] = [0, items.length]
  // Most records come behind all that there are.
  if (high > 0 && !isBefore(item, items[high - 1]!)) low = high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(item, items[middle]!)) high = middle
    else low = middle + 1
  }
  if (low >= limit) return
  if (low === items.length) items.push(item)
  else items.splice(low, 0, item)
  if (items.length > limit) items.pop()
}

/** The first items of both: where neither comes before the other, those of `earlier` first. */
export function mergeInOrder<T>(earlier: readonly T[], later: readonly T[], limit: number, isBefore: IsBefore<T>): T[] {
  const merged: T[] = []
  let [one, other] = [0, 0]
  while (merged.length < limit && (one < earlier.length || other < later.length)) {
    const isLater = one === earlier.length || (other < later.length && isBefore(later[other]!, earlier[one]!))
    merged.push(isLater ? later[other++]! : earlier[one++]!)
  }
  return merged
}
