/** The distinct values among a few thousand, numbered as they come: of one word each, or of two. */

/** More of them are not counted: their numbers would save little. */
export const DISTINCT_MAX = 1024
/** Whether values are few is looked up among so many of a block. */
const SAMPLE_VALUES = 2048
const SLOTS = 4 * DISTINCT_MAX

/** How far those of a block lie apart that are looked at, to guess how many distinct ones there are: enough of them, and not many more. */
export function sampleStep(count: number): number {
  return Math.max(1, Math.floor(count / SAMPLE_VALUES))
}

/** See the head of this file. It is cleared before each use. */
export class DistinctValues {
  /** The values so far, low words and high words. */
  readonly lows = new Int32Array(DISTINCT_MAX)
  readonly highs = new Int32Array(DISTINCT_MAX)
  #size = 0
  /** Number + 1 by hash, 0 where free: at most a quarter full. */
  readonly #slots = new Int16Array(SLOTS)

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#slots.fill(0)
    this.#size = 0
  }

  /** The number of a value; -1 where it is one too many. */
  numberOf(low: number, high: number): number {
    const slots = this.#slots
    let slot = hashOf(low, high)
    for (let number = slots[slot]! - 1; number >= 0; number = slots[slot]! - 1) {
      if (this.lows[number] === low && this.highs[number] === high) return number
      slot = (slot + 1) & (SLOTS - 1)
    }
    if (this.#size === DISTINCT_MAX) return -1
    const number = this.#size++
    this.lows[number] = low
    this.highs[number] = high
    slots[slot] = number + 1
    return number
  }
}

function hashOf(low: number, high: number): number {
  const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
  return (hash ^ (hash >>> 15)) & (SLOTS - 1)
}
