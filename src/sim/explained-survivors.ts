/**
 * Mutants of the commit protocol that no seed kills, each with the reason why that is right. A mutant that survives and
 * does not stand here makes `npm run sim -- --mutate` fail.
 */
import type { Mutant } from "./mutation.ts"

/** A mutant and why it may live. */
export interface ExplainedSurvivor extends Mutant {
  readonly reason: string
}

/** The mutants that are known to survive. */
export const EXPLAINED_SURVIVORS: readonly ExplainedSurvivor[] = []
