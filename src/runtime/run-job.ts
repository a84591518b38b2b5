/**
 * Runs a job on an `env`: takes the directory's lock, recovers, reads, commits epoch after epoch, and tells how it went.
 *
 * This file ends where policy begins: which `env`, which directory, and what to do with signals is the caller's.
 */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { makeDurableDirectory } from "../env/durable-directory.ts"
import type { OperatorContents } from "../flow/operator-contents.ts"
import { Coordinator } from "./coordinator.ts"
import type { ExecutableJob } from "./executable-job.ts"
import type { RunJobOptions } from "./run-options.ts"
import type { JobResult, JobStatus } from "./status.ts"
import { STATE_DIRECTORY_STEPS } from "./steps.ts"
import { Targets } from "./targets.ts"

/**
 * A running job.
 *
 * @example
 * ```ts
 * import type { JobHandle } from "tidemark"
 *
 * async function stopAfter(handle: JobHandle, millis: number): Promise<number> {
 *   setTimeout(() => void handle.stop(), millis)
 *   const { status } = await handle.finished
 *   return status.rowsIn
 * }
 * ```
 */
export interface JobHandle {
  /** Resolves when the job has come to its end or was stopped; rejects with what made it fail. */
  readonly finished: Promise<JobResult>
  /** The job at this moment. */
  status(): JobStatus
  /**
   * Commits what was read so far and stops. The watermark does not advance (E10), unless `drain` says so: then all
   * open windows fire.
   */
  stop(options?: { readonly drain?: boolean }): Promise<JobResult>
}

/** A running job, as those see it who drive it. */
export interface OpenJob extends JobHandle {
  /** Ends the open epoch; resolves when all that was read before is committed. */
  commit(): Promise<void>
  /** What the operator of that id keeps; `undefined` where there is none that could tell. */
  inspect(operator: string): OperatorContents | undefined
}

/**
 * Starts a job; resolves when it has recovered and is about to read.
 *
 * @throws TidemarkError `state-locked` where another process runs a job on the directory, `state-foreign` where the
 * state belongs to another job, and whatever recovery, sources and sinks find wrong.
 */
export async function runJob(job: ExecutableJob, options: RunJobOptions): Promise<OpenJob> {
  const { env, directory, baseDirectory } = options
  new Targets(job, baseDirectory, directory).check()
  await makeDurableDirectory(env.disk, directory, STATE_DIRECTORY_STEPS)
  const lock = await env.lockDirectory(directory)
  if (lock === undefined) {
    throw new TidemarkError("state-locked", `Another process is running a job on ${directory}.`, {
      hint: "Wait for it or stop it, or give this job a directory of its own (--dir).",
    })
  }
  let coordinator: Coordinator
  try {
    coordinator = await Coordinator.open(job, options)
  } catch (error) {
    await lock.release()
    throw error
  }
  const finished = coordinator.run().finally(() => lock.release())
  // Whoever holds the handle decides when to look at a failure; until then it is not unhandled.
  finished.catch(() => undefined)
  return {
    finished,
    status: () => coordinator.status(),
    inspect: (operator) => coordinator.inspect(operator),
    commit: () => coordinator.requestCommit(),
    // It gives the very promise that is handled above: whoever stops a job that fails need not look at it.
    stop: (stopOptions = {}) => {
      coordinator.requestStop(checkOptions("stop(...)", stopOptions, ["drain"])["drain"] === true)
      return finished
    },
  }
}
