/** What a function that makes rows may draw from. `Prng` of `base` has more. */

/**
 * Pseudo-random values for one row: the same for the same seed and row, on every platform. It serves while the row is
 * made, and not after.
 *
 * @example
 * ```ts
 * import type { Random } from "tidemark"
 *
 * const fare = (random: Random): number => 2.5 + random.below(5000) / 100
 * ```
 */
export interface Random {
  /** A number in [0, 1). */
  float(): number
  /** A whole number in [0, bound). */
  below(bound: number): number
  /** `true` with the given probability. */
  chance(probability: number): boolean
  /** One of the items, of which there must be one. */
  pick<const T>(items: readonly T[]): T
}
