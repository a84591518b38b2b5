/** A wall clock that is set forth and back by minutes, again and again, for a process of `chaos.mjs`. What is monotonic stays so. */

/** How far from the right time it is at most, and how long it is left alone. */
const [SECONDS_MAX, LEAST_MICROS, MORE_MICROS] = [300, 20_000, 400_000]
const SECOND_MICROS = 1_000_000

/** See the head of this file. */
export class SetClock {
  #clock
  #prng
  #onSet
  #offsetMicros = 0
  #dueMicros = 0

  /** @param {() => void} onSet is told each time */
  constructor(clock, prng, onSet) {
    this.#clock = clock
    this.#prng = prng
    this.#onSet = onSet
  }

  monotonicMicros() {
    return this.#clock.monotonicMicros()
  }

  wallMicros() {
    const nowMicros = this.monotonicMicros()
    if (nowMicros >= this.#dueMicros) {
      this.#dueMicros = nowMicros + LEAST_MICROS + this.#prng.below(MORE_MICROS)
      this.#offsetMicros = (this.#prng.below(2 * SECONDS_MAX + 1) - SECONDS_MAX) * SECOND_MICROS
      this.#onSet()
    }
    return this.#clock.wallMicros() + this.#offsetMicros
  }
}
