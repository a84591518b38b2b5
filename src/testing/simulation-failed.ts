/** What `simulate` throws where a job gives something else. */

/**
 * A job gave other rows where something failed. Its message tells which, what happened, and how to run that again.
 *
 * @example
 * ```ts
 * import { SimulationFailed } from "tidemark/testing"
 *
 * const seedOf = (error: unknown): number | undefined => (error instanceof SimulationFailed ? error.seed : undefined)
 * const storyOf = ({ name, story }: SimulationFailed): string => [name, ...story].join("\n")
 * ```
 */
export class SimulationFailed extends Error {
  override readonly name = "SimulationFailed"
  /** `simulate(job, { ..., seeds: 1, from: seed })` runs it again. */
  readonly seed: number
  /** What happened, step by step, at its shortest. */
  readonly story: readonly string[]

  /** @internal */
  constructor(message: string, seed: number, story: readonly string[]) {
    super(message)
    this.seed = seed
    this.story = story
  }
}
