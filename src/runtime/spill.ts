/** Where a job's keys go that memory has no room for: one file for all of its operators, each of which has the same share of the memory. */
import type { Plan } from "../flow/plan.ts"
import type { Spilling } from "../flow/process/cold-bytes.ts"
import { CHUNK_BYTES } from "../flow/process/packed-bytes.ts"
import type { RunJobOptions } from "./run-options.ts"
import { SpillFile } from "./spill-file.ts"

/** How many operators of a plan have keys that may be spilled. */
export function spillingOperators(plan: Plan): number {
  return plan.nodes.filter((node) => node.kind === "process" && !("open" in node.spec)).length
}

/** See the head of this file. */
export class Spill {
  /** What each operator may use; `undefined` where all is in memory. */
  readonly spilling: Spilling | undefined
  readonly #file: SpillFile | undefined

  constructor(plan: Plan, options: RunJobOptions) {
    const { stateMemoryBytes = Infinity, spillChunkBytes: chunkBytes = CHUNK_BYTES, env, directory } = options
    const operators = spillingOperators(plan)
    if (operators === 0 || stateMemoryBytes === Infinity) return
    this.#file = new SpillFile(env.disk, `${directory}/spill`, chunkBytes)
    this.spilling = { cold: this.#file, memoryBytes: stateMemoryBytes / operators, chunkBytes }
  }

  /** Removes what an earlier run has left. */
  async begin(): Promise<void> {
    await this.#file?.begin()
  }

  /** To be called between batches: writes what waits. */
  async flush(): Promise<void> {
    await this.#file?.flush()
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}
