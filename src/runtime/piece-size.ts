/**
 * How many rows make a piece of work of a wanted length, from how long the pieces before took.
 *
 * What is measured may have waits in it, for the disk or for other jobs, and never has less than the work. So the estimate
 * follows what is quicker at once, and what is slower bit by bit.
 *
 * Invariant:
 * - B1 A piece has at least `LEAST_ROWS` rows, so that a job goes on whatever was measured.
 */
const LEAST_ROWS = 128
const FIRST_ROWS = 512
/** How much slower a row may be thought to be after one slow piece. */
const RISE = 1.1

/** See the head of this file. */
export class PieceSize {
  #microsPerRow: number | undefined

  /** How many rows to take for a piece that should last so long. */
  rowsFor(micros: number): number {
    if (micros === Infinity) return Infinity
    if (this.#microsPerRow === undefined) return FIRST_ROWS
    return Math.max(LEAST_ROWS, Math.floor(micros / this.#microsPerRow))
  }

  /** Takes note of how long a piece took. One of fewer rows tells too little. */
  took(rows: number, micros: number): void {
    if (rows < LEAST_ROWS) return
    const measured = Math.max(micros, 1) / rows
    this.#microsPerRow = Math.min(measured, (this.#microsPerRow ?? measured) * RISE)
  }
}
