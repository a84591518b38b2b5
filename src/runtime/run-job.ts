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
import { PartsLost } from "./parted-flow.ts"
import type { RunJobOptions } from "./run-options.ts"
import type { JobResult, JobStatus } from "./status.ts"
import { SecretMask } from "./secret-mask.ts"
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
  const life = new JobLife(job, options)
  const mask = new SecretMask(job)
  try {
    await life.begin()
  } catch (error) {
    await lock.release()
    throw mask.error(error)
  }
  const failed = (error: unknown): never => {
    throw mask.error(error)
  }
  const finished = life
    .run()
    .catch(failed)
    .finally(() => lock.release())
  // Whoever holds the handle decides when to look at a failure; until then it is not unhandled.
  finished.catch(() => undefined)
  return {
    finished,
    status: () => life.status(),
    inspect: (operator) => life.inspect(operator),
    commit: () => life.requestCommit(),
    // It gives the very promise that is handled above: whoever stops a job that fails need not look at it.
    stop: (stopOptions = {}) => {
      life.requestStop(checkOptions("stop(...)", stopOptions, ["drain"])["drain"] === true)
      return finished
    },
  }
}

/** A job from its first coordinator to its last: where threads that compute are lost, another goes on behind the last commit. */
class JobLife {
  readonly #job: ExecutableJob
  readonly #options: RunJobOptions
  #coordinator!: Coordinator
  #stop: { readonly drain: boolean } | undefined

  constructor(job: ExecutableJob, options: RunJobOptions) {
    this.#job = job
    this.#options = options
  }

  async begin(): Promise<void> {
    this.#coordinator = await Coordinator.open(this.#job, this.#options)
  }

  async run(): Promise<JobResult> {
    try {
      return await this.#coordinator.run()
    } catch (error) {
      if (!(error instanceof PartsLost)) throw error
      this.#options.onEvent?.({ kind: "threads-lost", reason: new SecretMask(this.#job).text(error.message) })
    }
    this.#coordinator = await Coordinator.open(this.#job, { ...this.#options, reset: false, computesInParts: false })
    if (this.#stop !== undefined) this.#coordinator.requestStop(this.#stop.drain)
    return await this.#coordinator.run()
  }

  status(): JobStatus {
    return this.#coordinator.status()
  }

  inspect(operator: string): OperatorContents | undefined {
    return this.#coordinator.inspect(operator)
  }

  requestCommit(): Promise<void> {
    return this.#coordinator.requestCommit()
  }

  requestStop(drain: boolean): void {
    this.#stop ??= { drain }
    this.#coordinator.requestStop(drain)
  }
}
