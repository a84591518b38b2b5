/**
 * What a job spends its time on: reading, computing, the log, one of its outputs, or waiting for calls. It does one of these at a
 * time, so where an output is slow all else waits for it, and its share says so, also while it is being waited for.
 *
 * Invariant:
 * - TU1 Shares are over the last two to four seconds, or the time of what goes on where that is longer, and add up to 1.
 */
import type { Clock } from "../env/env.ts"

const SPAN_MICROS = 2_000_000

/**
 * What a job may spend time on.
 *
 * @example
 * ```ts
 * import type { JobStatus, Occupation } from "tidemark"
 *
 * const shareOf = ({ timeShares }: JobStatus, occupation: Occupation): number =>
 *   timeShares.filter(({ on }) => on === occupation).reduce((sum, { share }) => sum + share, 0)
 * ```
 */
export type Occupation =
  /** It reads and decodes, or waits for what is to be read. */
  | "input"
  /** Its operators. */
  | "compute"
  /** It waits for answers to the calls of an `asyncMap`: as many are under way as may be, or nothing is left to be read. */
  | "calls"
  /** A sink writes, or is waited for. */
  | "output"
  /** Commits and snapshots are made durable. */
  | "log"

/**
 * A share of a job's time.
 *
 * @example
 * ```ts
 * import type { TimeShare } from "tidemark"
 *
 * const text = ({ on, name, share }: TimeShare): string => `${name ?? on}: ${Math.round(share * 100)} %`
 * ```
 */
export interface TimeShare {
  readonly on: Occupation
  /** Which output it is; of calls, the id of the `asyncMap`. */
  readonly name: string | undefined
  /** Between 0 and 1. */
  readonly share: number
}

interface Spent {
  readonly on: Occupation
  readonly name: string | undefined
  micros: number
}

/** See the head of this file. */
export class TimeUse {
  readonly #clock: Clock
  /** By occupation and name: this span's, and the one's before. */
  #now = new Map<string, Spent>()
  #before = new Map<string, Spent>()
  #spanStart: number
  #since: number
  #current: Spent | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#spanStart = this.#since = clock.monotonicMicros()
  }

  /** From here on time goes to something else. */
  turnTo(on: Occupation, name?: string): void {
    this.#account()
    const key = `${on} ${name ?? ""}`
    let spent = this.#now.get(key)
    if (spent === undefined) this.#now.set(key, (spent = { on, name, micros: 0 }))
    this.#current = spent
  }

  /** The greatest first. */
  shares(): TimeShare[] {
    this.#account()
    const sums = new Map<string, Spent>()
    for (const [key, { on, name, micros }] of [...this.#before, ...this.#now]) {
      sums.set(key, { on, name, micros: micros + (sums.get(key)?.micros ?? 0) })
    }
    const all = [...sums.values()].reduce((sum, { micros }) => sum + micros, 0)
    return [...sums.values()]
      .filter(({ micros }) => micros > 0)
      .sort((one, other) => other.micros - one.micros)
      .map(({ on, name, micros }) => ({ on, name, share: micros / all }))
  }

  #account(): void {
    const now = this.#clock.monotonicMicros()
    const current = this.#current
    if (current !== undefined) current.micros += now - this.#since
    this.#since = now
    if (now - this.#spanStart < SPAN_MICROS) return
    this.#before = this.#now
    this.#now = new Map()
    this.#spanStart = now
    // It goes on in the new span.
    if (current !== undefined) this.turnTo(current.on, current.name)
  }
}
