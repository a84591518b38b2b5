/** The options of `run`, as users see them. */
import type { DrainPolicy } from "../runtime/run-options.ts"
import type { ServerAddress } from "../server/status-server.ts"
import type { JobEvent } from "../trace/events.ts"

/**
 * How `run` runs a job.
 *
 * @example
 * ```ts
 * import type { RunOptions } from "tidemark"
 *
 * const options: RunOptions = { directory: "/var/lib/revenue", drain: "never", onEvent: ({ kind }) => console.log(kind) }
 * ```
 */
export interface RunOptions {
  /** Where the job's state lies; default `.tidemark/<job>`, relative to the working directory. */
  readonly directory?: string
  /** What relative paths in the job's connectors are relative to; default the working directory. */
  readonly baseDirectory?: string
  /** When open windows fire before the watermark reaches their end; default `"at-end"`: when all inputs have ended. */
  readonly drain?: DrainPolicy
  /** Starts anew: earlier state is void; what the job had published is moved aside, not deleted. Default `false`. */
  readonly reset?: boolean
  /**
   * A savepoint that the job begins from, as `tidemark savepoint` has made it: its positions and state are gone on from, and outputs begin
   * anew. Where the directory has state that began from it in an earlier run, that is gone on with; other state is refused, unless `reset`
   * is given.
   */
  readonly fromSavepoint?: string
  /**
   * `"off"` runs every lambda as its closure, so that breakpoints and coverage work. Default `"auto"`, under a debugger
   * `"off"`.
   */
  readonly compile?: "auto" | "off"
  /** At most so many rows a batch, 1 to 65,536. Results do not depend on it. */
  readonly batchRows?: number
  /**
   * How many threads decode what is read, beside the one that computes, 1 to 64; with 1 that one decodes, too. Default: as
   * many as the process may use processors. They start once there is enough to read. Where computing is most of the work, as many
   * others compute, where the plan allows it: `explain` says so. Results do not depend on it.
   */
  readonly parallelism?: number
  /**
   * How many bytes of memory the keys of `process` and their values may take, about, of all operators of the job together; at least 1 MiB.
   * What has not been used for longest is spilled to a file in the job's directory, and read when it is needed. Some 40 bytes a key are always
   * in memory, and timers. Default: a quarter of the memory of the machine, or of the container. Results do not depend on it.
   */
  readonly stateMemoryBytes?: number
  /**
   * Where several jobs run in one process: `"latency"` for one that must answer soon. The others, which are `"batch"` unless
   * told otherwise, then do a fraction of a millisecond of work at a time, and what has come for it goes first. Results do
   * not depend on it.
   */
  readonly priority?: "latency" | "batch"
  /**
   * Serves the job's health (`/healthz`, `/readyz`), status (`/status`, JSON) and metrics (`/metrics`, for Prometheus) by HTTP until
   * it ends. On the loopback interface unless `host` names another; port 0 takes one that is free, which the event `serving` tells.
   */
  readonly metrics?: ServerAddress
  /** Told of every commit, snapshot, dead letter and warning. It must not throw. Without it Node prints the warnings. */
  readonly onEvent?: (event: JobEvent) => void
}
