/**
 * A seeded generator of pseudo-random numbers (sfc32, Chris Doty-Humphrey's PractRand): small, fast, well tested.
 *
 * Invariant:
 * - P1 The same seed gives the same numbers on every platform: only 32-bit integer arithmetic is used.
 */
import { assert } from "./assert.ts"

/** A stream of pseudo-random numbers that depends on nothing but its seed. */
export class Prng {
  #a = 0
  #b = 0
  #c = 0
  #counter = 1

  constructor(seed: number) {
    this.reset(seed, Math.floor(seed / 2 ** 32), 0x9e3779b9)
  }

  /** Starts anew from three words, as if it were just made: for whoever needs a generator for each of many rows. */
  reset(a: number, b: number, c: number): void {
    this.#a = a >>> 0
    this.#b = b >>> 0
    this.#c = c >>> 0
    this.#counter = 1
    for (let round = 0; round < 12; round++) this.uint32()
  }

  /** A whole number in [0, 2³²). */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + sum) | 0
    return sum >>> 0
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.float() * bound)
  }

  /** `true` with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, "something can be picked from a list that is not empty")
    return items[this.below(items.length)]!
  }

  /** The items in a random order (Fisher–Yates), as a new array. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      ;[shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!]
    }
    return shuffled
  }

  /** A generator of its own, seeded from this one: what it draws does not disturb this one. */
  fork(): Prng {
    return new Prng(this.uint32() * 2 ** 21 + (this.uint32() >>> 11))
  }
}
