/**
 * How often keys change within an epoch. Objects that were touched just now are near; when an epoch ends each is far. So where keys change once
 * an epoch as a rule, they are written when they do; where they change more often, that would write too much.
 */

/** So many changes a key had in the last epoch at most, where keys are slow. */
const SLOW_CHANGES_MAX = 1.25

/** See the head of this file. */
export class ChangePace {
  /** By row: the epoch in which it has changed last, by the lower bits of its number. Mistakes cost bytes, and nothing else. */
  #epochs = new Uint8Array(1024)
  #epoch = 1
  #keys = 0
  #changes = 0
  /** Whether keys have changed once in the last epoch that has changed any, as a rule. */
  isSlow = false

  /** Takes note of a change; gives whether the row had none in this epoch. */
  isFirst(row: number): boolean {
    this.#changes++
    if (row >= this.#epochs.length) this.#grow(row)
    if (this.#epochs[row] === this.#epoch) return false
    this.#epochs[row] = this.#epoch
    this.#keys++
    return true
  }

  endEpoch(): void {
    if (this.#keys === 0) return
    this.isSlow = this.#changes <= this.#keys * SLOW_CHANGES_MAX
    this.#epoch = (this.#epoch + 1) & 0xff
    this.#keys = 0
    this.#changes = 0
  }

  #grow(row: number): void {
    const grown = new Uint8Array(Math.max(row + 1, this.#epochs.length * 2))
    grown.set(this.#epochs)
    this.#epochs = grown
  }
}
