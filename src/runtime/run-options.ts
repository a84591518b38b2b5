/** How a job is run: what its run may use, where its state lies, and the knobs that never change its results. */
import type { Env } from "../env/env.ts"
import type { CompileOptions } from "../expr/compile.ts"
import type { SnapshotPolicy } from "../state/epoch-store.ts"
import type { JobEvent } from "../trace/events.ts"
import type { ReadingOrder } from "./inputs.ts"
import type { SnapshotParts } from "./snapshots.ts"

/**
 * When windows that are open fire although the watermark has not reached their end.
 *
 * @example
 * ```ts
 * import { run, type DrainPolicy, type ExecutableJob } from "tidemark"
 *
 * // Files of the same hour are still to come, in later runs: leave its window open.
 * const policy: DrainPolicy = "never"
 * const runHourly = (hourly: ExecutableJob) => run(hourly, { drain: policy })
 * ```
 */
export type DrainPolicy =
  /** When all inputs have come to their end, and not when the job is stopped. */
  | "at-end"
  /** Then, and when the job is stopped. */
  | "always"
  /** Never: they stay open for a later run. */
  | "never"

/** How to run a job. */
export interface RunJobOptions {
  readonly env: Env
  /** Where the job's state lies: an absolute path. */
  readonly directory: string
  /** What relative paths of sources and sinks are relative to: an absolute path. */
  readonly baseDirectory: string
  /** Default `"at-end"`. */
  readonly drain?: DrainPolicy
  /** Jobs of priority `"latency"` overtake the others of their process. Default `"batch"`. Results do not depend on it. */
  readonly priority?: "latency" | "batch"
  /** Starts anew: earlier state is void, what was published is moved aside. */
  readonly reset?: boolean
  /** The savepoint that the job begins from, an absolute path, where its directory has no state that began from it. */
  readonly fromSavepoint?: string
  /** At most so many rows a batch, 1 to 65,536; default 65,536. Results do not depend on it. */
  readonly batchRows?: number
  /** Cuts an epoch after so many records as well. Results do not depend on it. */
  readonly epochRows?: number
  /** How lambdas run; default: compiled where possible, with the env's proof of globals. */
  readonly compile?: CompileOptions["mode"]
  /**
   * How many threads decode what is read, beside the one that computes; default: none. Results do not depend on it.
   */
  readonly parallelism?: number
  /** Whether as many threads may also compute, part by part; default true. Results do not depend on it. */
  readonly computesInParts?: boolean
  /** For tests: they do so from the first commit on, in parts of about so many rows. */
  readonly partRows?: number | undefined
  /** For tests: they do so where records come with time, too. */
  readonly computesLive?: boolean
  /** Those threads start when so many stretches of the input were read; default 16. Results do not depend on it. */
  readonly stretchesBeforeThreads?: number
  /** For tests, the length of a morsel (`scheduler.ts`): all runs of a job must have the same. */
  readonly morselBytes?: number
  /**
   * For sources that know in which order their records have come, all together: whose turn it is, at each read, in the place
   * of `scheduler.ts`. It must be a function of how far the partitions were read (E7), and say the one whose wait ends next
   * where nothing can be read.
   */
  readonly choosePartition?: ReadingOrder
  /** The most bytes of columns and of state in columns, in memory; default 2 GiB, less 64 KiB. */
  readonly arenaBytes?: number
  /** The most bytes of keys of `process` and their values in memory, of all operators together; the rest is spilled. Default: all. */
  readonly stateMemoryBytes?: number | undefined
  /** For tests, how many bytes of them are moved at once. */
  readonly spillChunkBytes?: number | undefined
  readonly snapshotPolicy?: SnapshotPolicy
  /** For tests, how much of a snapshot is written at once. */
  readonly snapshotSlices?: Pick<SnapshotParts, "sliceBytes" | "slicesMax">
  /** For tests, how many keys' changes are written early between batches (`early-changes.ts`), whatever the time. */
  readonly earlyKeys?: number | undefined
  /** Bytes that a sink gathers in memory before it moves them to its staging area; default 1 MiB. */
  readonly sinkBufferBytes?: number | undefined
  /** Bytes that the log gathers in memory before it writes them; default 1 MiB. */
  readonly logBufferBytes?: number | undefined
  readonly onEvent?: (event: JobEvent) => void
}
