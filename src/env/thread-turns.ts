/**
 * Turns on the one thread of a process, after Neptune (Garefalakis et al., SoCC 2019): jobs that answer soon overtake those
 * that compute much, which give the thread back at the end of each piece of work and make pieces short.
 *
 * JavaScript is never interrupted. So a job of the second kind lets the event loop go round before each piece: whatever
 * has come for the others by then (records, timers, ends of disk calls) is dealt with first.
 *
 * Invariants:
 * - N1 While no job of priority `"latency"` is on the thread, nobody waits but by N3, and pieces may be of any length.
 * - N2 A job of priority `"latency"` never waits but by N3.
 * - N3 The event loop goes round between two pieces when it has not for 10 ms: also where a source has its records at once, and the disk is not
 *   asked, so that nothing else would let timers, signals and servers of the process have their turn.
 */
import type { Turn, Turns } from "./env.ts"

/** How long a piece of work may last beside a job that is in a hurry: some such pieces fit into a commit's disk calls. */
const PIECE_MICROS = 500

/** N3. A round costs some microseconds. */
const ROUND_MICROS_MAX = 10_000

/** Turns of all jobs on a thread; a process has one such object for each of its threads that run jobs. */
export class ThreadTurns implements Turns {
  readonly #goRound: () => Promise<void>
  readonly #monotonicMicros: () => number
  #hurried = 0
  #lastRoundMicros = 0

  /**
   * @param goRound resolves when everything that was ready before the call has been dealt with.
   * @param monotonicMicros a clock, in a world where computing takes time.
   */
  constructor(goRound: () => Promise<void>, monotonicMicros = () => 0) {
    this.#goRound = goRound
    this.#monotonicMicros = monotonicMicros
  }

  async pass(): Promise<void> {
    await this.#goRound()
    this.#lastRoundMicros = this.#monotonicMicros()
  }

  get #isRoundDue(): boolean {
    return this.#monotonicMicros() - this.#lastRoundMicros > ROUND_MICROS_MAX
  }

  enter(priority: "latency" | "batch"): Turn {
    const isHurried = priority === "latency"
    const mustYield = (): boolean => !isHurried && this.#hurried > 0
    let isOn = true
    if (isHurried) this.#hurried++
    return {
      next: () => (mustYield() || this.#isRoundDue ? this.pass() : undefined),
      pieceMicros: () => (mustYield() ? PIECE_MICROS : Infinity),
      leave: () => {
        if (isOn && isHurried) this.#hurried--
        isOn = false
      },
    }
  }
}
