/**
 * When the way in which a lane is written is chosen anew: what it was chosen for is seen in how many bytes a value takes, and every so often
 * another way may have become the better one.
 */

/** So many blocks are written in one way at most. */
const BLOCKS = 64
/** A value may take so much more than when the way was chosen, and so many bytes a block do not count. */
const GROWTH = 1.25
const SLACK_BYTES = 64

/** See the head of this file. */
export class Drift {
  #bytesPerValue = 0
  #blocks = 0
  #isDue = true

  /** Whether the way is to be chosen before the next block. */
  get isDue(): boolean {
    return this.#isDue
  }

  /** The way is chosen anew before the next block. */
  expire(): void {
    this.#isDue = true
  }

  /** A block of so many values took so many bytes. */
  wrote(bytes: number, values: number): void {
    if (this.#isDue) {
      this.#isDue = false
      this.#blocks = 0
      this.#bytesPerValue = bytes / Math.max(1, values)
    } else if (++this.#blocks >= BLOCKS || bytes > this.#bytesPerValue * values * GROWTH + SLACK_BYTES)
      this.#isDue = true
  }
}
