/**
 * Changes of epochs that are written before these end. To write many at the cut would stop the stream. So between batches those are written
 * that have changed for longest; what changes again is written again, at the cut at the latest.
 *
 * Invariants:
 * - EC1 An epoch has what it would have if all was written at the cut, whatever is written early (F5 of `flow/operator.ts`).
 * - EC2 Writing begins as late as a share of the time allows, so that what changes often is written once or twice; it takes no
 *   more than `MICROS_MAX` at once, and what some keys take.
 */
import type { Clock } from "../env/env.ts"
import type { OperatorState } from "../flow/operator.ts"

/** Writing takes at most so long at once, at least so long where there is as much to write, and in between a share of the time. */
const MICROS_MAX = 3000
const MICROS_MIN = 500
const SHARE = 1 / 4

/** So many keys may be left for the cut: it takes some milliseconds. */
const KEYS_LEFT = 1000
/** So many are written before the clock is looked at. */
const KEYS_AT_ONCE = 100

/** How long a key takes at first thought, and what counts of each later measurement. */
const FIRST_MICROS_A_KEY = 2
const WEIGHT = 1 / 8

/** See the head of this file. */
export class EarlyChanges {
  readonly #clock: Pick<Clock, "monotonicMicros">
  readonly #keysAlways: number | undefined
  #microsAKey = FIRST_MICROS_A_KEY
  /** When it was last looked at. */
  #lastMicros = 0

  /** @param keysAlways for tests: so many keys of each state are written each time, and the time does not matter. */
  constructor(clock: Pick<Clock, "monotonicMicros">, keysAlways: number | undefined) {
    this.#clock = clock
    this.#keysAlways = keysAlways
  }

  /**
   * To be called between batches: writes for a while, where it is time.
   *
   * @param restMicros how long it is until the cut.
   */
  write(states: readonly OperatorState[], restMicros: number): void {
    if (this.#keysAlways !== undefined) {
      for (const state of states) state.writeEarly?.(this.#keysAlways)
      return
    }
    const start = this.#clock.monotonicMicros()
    const sinceMicros = start - this.#lastMicros
    this.#lastMicros = start
    const changed = changedKeys(states)
    if (changed <= KEYS_LEFT || (changed * this.#microsAKey) / SHARE < restMicros) return
    const end = start + Math.min(MICROS_MAX, Math.max(MICROS_MIN, sinceMicros * SHARE))
    let written = 0
    let now = start
    for (const state of states) {
      while ((state.changedKeys ?? 0) > 0 && changed - written > KEYS_LEFT && now < end) {
        state.writeEarly?.(KEYS_AT_ONCE)
        written += KEYS_AT_ONCE
        now = this.#clock.monotonicMicros()
      }
    }
    this.#lastMicros = now
    this.#microsAKey += WEIGHT * ((now - start) / written - this.#microsAKey)
  }
}

function changedKeys(states: readonly OperatorState[]): number {
  return states.reduce((sum, { changedKeys = 0 }) => sum + changedKeys, 0)
}
