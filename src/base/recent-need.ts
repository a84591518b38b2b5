/**
 * Whether a buffer that is used again and again is worth keeping. It grows to what one use needs; where a busy moment has made it
 * large, it would stay so for the life of the process.
 */

/** Smaller ones are always kept. */
const SMALL_BYTES = 64 * 1024
/** Larger ones never. */
const LARGE_BYTES = 8 * 1024 * 1024
/** How much larger than the need a buffer may be. */
const ROOM = 4
/** What counts of an earlier need at each later use: half of it after some twenty. */
const LASTING = 31 / 32

/** The need of the uses of late. */
export class RecentNeed {
  #bytes = 0

  /** Takes note of a use, and tells whether the buffer of that capacity is kept for the next. */
  keeps(capacity: number, used: number): boolean {
    this.#bytes = Math.max(used, this.#bytes * LASTING)
    return capacity <= SMALL_BYTES || (capacity <= LARGE_BYTES && capacity <= ROOM * this.#bytes)
  }
}
