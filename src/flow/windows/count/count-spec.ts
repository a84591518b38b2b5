/**
 * Where windows of so many records lie among the records of a key, which are counted from 0: one ends behind every
 * `every`-th record, and holds the last `count` of them, or all where there are fewer.
 *
 * Invariants:
 * - CS1 A slice holds the records between two neighbouring edges of windows. Whether a record begins one, and whether it is
 *   in any, follows from its number.
 */
import type { CountSpec } from "../../plan.ts"
import type { BlockSpec } from "../recent-sums.ts"

/** The blocks by which windows add up slices: a window lies in two at most, and one that does not begin one lies in two. */
export function countBlocks({ count, every }: CountSpec): BlockSpec {
  return { length: Math.ceil(count / every) * every, offset: -count }
}

/** Whether a record is in no window. */
export function isBetween({ count, every }: CountSpec, position: number): boolean {
  return count < every && position % every < every - count
}

/** Whether a slice begins at a record. */
export function beginsSlice({ count, every }: CountSpec, position: number): boolean {
  return position % every === 0 || (position + count) % every === 0
}

/** Where the last slice of so many records begins; `undefined` where none has begun, or the last record is in none. */
export function lastSlice({ count, every }: CountSpec, seen: number): number | undefined {
  if (seen === 0) return undefined
  const last = seen - 1
  const begin = last - Math.min(last % every, (last + count) % every)
  return begin < 0 || isBetween({ kind: "count", count, every }, last) ? undefined : begin
}

/** The first record that windows hold which end behind so many records or later. */
export function firstHeld({ count, every }: CountSpec, seen: number): number {
  return (Math.floor(seen / every) + 1) * every - count
}
