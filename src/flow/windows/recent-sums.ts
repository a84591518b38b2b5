/**
 * The partial results of the latest of many entries together: of those in a range of positions that only goes forward, and
 * that is never longer than it was said to be. It costs the same for each range, however many entries that holds.
 *
 * Positions are cut into blocks that are as long as the longest range, so that a range lies in two blocks at most. What is
 * in the older one is added up from the last entry to the first, what is in the newer one from the first to the last, and
 * then the two to each other. Where blocks start is fixed, so the bits of what comes out depend on the entries alone.
 *
 * The slow and obvious way, `sumOfEntries`, adds up all entries each time, in the same order. It is also the one to take
 * where partial results grow with what was added, as all those of a block would be kept.
 *
 * Invariant:
 * - RS1 `sumOf` gives what `sumOfEntries` gives, bit for bit.
 */
import { assert } from "../../base/assert.ts"
import type { Partials } from "./general/partials.ts"

/** Partial results at a position. */
export interface Entry {
  readonly at: number
  readonly partials: unknown[]
}

/** Blocks of positions, one of which starts at `offset`. */
export interface BlockSpec {
  readonly length: number
  readonly offset: number
}

/** See the head of this file. */
export class RecentSums {
  readonly #partials: Partials
  readonly #blocks: BlockSpec
  #blockStart = NaN
  /** Of the older block: at each entry, what it and those behind it come to. */
  #older: Entry[] = []
  #newer: unknown[] | undefined
  /** The last entry that `newer` has. */
  #newerAt = -Infinity

  constructor(partials: Partials, blocks: BlockSpec) {
    this.#partials = partials
    this.#blocks = blocks
  }

  /** Forgets what it has worked out, as entries are others now. */
  reset(): void {
    this.#blockStart = NaN
  }

  /**
   * What the entries from `first` to `last` come to, both included; there is one in the block of `last`.
   *
   * @param entries in order of their positions. What lies up to `last` does not change any more.
   */
  sumOf(entries: readonly Entry[], first: number, last: number): unknown[] {
    const blockStart = blockStartOf(this.#blocks, last)
    if (blockStart !== this.#blockStart) this.#turnTo(blockStart, entries)
    for (let at = firstFrom(entries, Math.max(blockStart, this.#newerAt + 1)); at < entries.length; at++) {
      const entry = entries[at]!
      if (entry.at > last) break
      if (this.#newer === undefined) this.#newer = this.#partials.copy(entry.partials)
      else this.#partials.merge(this.#newer, entry.partials)
      this.#newerAt = entry.at
    }
    const newer = this.#newer
    assert(newer !== undefined, "a range ends where there are entries")
    const older = first < blockStart ? this.#older[firstFrom(this.#older, first)] : undefined
    const sum = this.#partials.copy(older?.partials ?? newer)
    if (older !== undefined) this.#partials.merge(sum, newer)
    return sum
  }

  #turnTo(blockStart: number, entries: readonly Entry[]): void {
    this.#blockStart = blockStart
    this.#newer = undefined
    this.#newerAt = -Infinity
    const suffixes: Entry[] = []
    const least = firstFrom(entries, blockStart - this.#blocks.length)
    for (let at = firstFrom(entries, blockStart) - 1; at >= least; at--) {
      const partials = this.#partials.copy(entries[at]!.partials)
      const behind = suffixes.at(-1)
      if (behind !== undefined) this.#partials.merge(partials, behind.partials)
      suffixes.push({ at: entries[at]!.at, partials })
    }
    this.#older = suffixes.reverse()
  }
}

/** The slow way; see the head of this file. */
export function sumOfEntries(
  partials: Partials,
  blocks: BlockSpec,
  entries: readonly Entry[],
  first: number,
  last: number,
): unknown[] {
  const blockStart = blockStartOf(blocks, last)
  const held = entries.filter(({ at }) => at >= first && at <= last)
  let older: unknown[] | undefined
  for (const entry of held.filter(({ at }) => at < blockStart).reverse()) {
    const copy = partials.copy(entry.partials)
    if (older !== undefined) partials.merge(copy, older)
    older = copy
  }
  let newer: unknown[] | undefined
  for (const entry of held.filter(({ at }) => at >= blockStart)) {
    if (newer === undefined) newer = partials.copy(entry.partials)
    else partials.merge(newer, entry.partials)
  }
  assert(newer !== undefined, "a range ends where there are entries")
  if (older === undefined) return newer
  partials.merge(older, newer)
  return older
}

/** Where the block starts that holds a position. Remainders are exact, also where quotients would be rounded. */
function blockStartOf({ length, offset }: BlockSpec, at: number): number {
  const from = (((at - offset) % length) + length) % length
  return at - from
}

/** The place of the first entry that is not before a position. */
export function firstFrom(entries: readonly Entry[], position: number): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle]!.at < position) low = middle + 1
    else high = middle
  }
  return low
}
