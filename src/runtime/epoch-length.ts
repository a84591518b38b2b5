/**
 * How long an epoch is: when the next cut is due, within the bounds that the job gives.
 *
 * While there is more to read, an epoch is long enough that commits take a small share of the time. When there is
 * nothing to read the thread has nothing better to do than to commit, so the epoch ends as soon as it may.
 *
 * Invariants:
 * - L1 No epoch is due before the lower bound, and every one is at the upper bound.
 * - L2 One commit that took much longer than those before it does not make the next epoch longer: what counts is the
 *   median of the last few. A disk that stalls now and then would otherwise cost latency twice.
 */

/** A commit may take this share of the time, before the epoch grows longer. */
const COMMIT_SHARE = 0.05
/** So many commits are remembered. */
const REMEMBERED = 9

/** The bounds between which a job wants its epochs, in microseconds. */
export interface EpochBounds {
  readonly minMicros: number
  readonly maxMicros: number
}

/** When epochs end. It is told the time; it asks no clock. */
export class EpochLength {
  readonly #bounds: EpochBounds
  /** How long the last commits took, oldest first. */
  readonly #commits: number[] = []
  #typicalCommitMicros = 0
  #startMicros: number

  constructor(bounds: EpochBounds, nowMicros: number) {
    this.#bounds = bounds
    this.#startMicros = nowMicros
  }

  /** Takes note that a commit has ended, with which the next epoch starts. */
  committed(nowMicros: number, commitMicros: number): void {
    this.#startMicros = nowMicros
    this.#commits.push(commitMicros)
    if (this.#commits.length > REMEMBERED) this.#commits.shift()
    this.#typicalCommitMicros = [...this.#commits].sort((one, other) => one - other)[this.#commits.length >> 1]!
  }

  /** How long it is until the epoch should end while there is more to read: 0 or less where it is due. */
  restWhileReading(nowMicros: number): number {
    const { minMicros, maxMicros } = this.#bounds
    const length = Math.min(maxMicros, Math.max(minMicros, this.#typicalCommitMicros / COMMIT_SHARE))
    return this.#startMicros + length - nowMicros
  }

  /** The same where it ends with `rowsMax` rows at the latest, of which it has `rows`: at the pace that it has had. */
  restToCut(rowsMax: number, rows: number, nowMicros: number): number {
    if (rows >= rowsMax) return 0
    const rest = this.restWhileReading(nowMicros)
    if (rows === 0 || rowsMax === Infinity) return rest
    return Math.min(rest, Math.max(1, ((nowMicros - this.#startMicros) * (rowsMax - rows)) / rows))
  }

  /** How long it is until the epoch should end while there is nothing to read: 0 or less where it is due. */
  restWhileIdle(nowMicros: number): number {
    return this.#startMicros + this.#bounds.minMicros - nowMicros
  }
}
