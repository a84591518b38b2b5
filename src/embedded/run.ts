/**
 * The embedded deployment: a job in this process, on this machine's disk, with its state in a directory.
 *
 * Here the runtime meets the real world. What a job is and how it commits is not decided here.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { formatDuration } from "../base/duration.ts"
import { TidemarkError } from "../base/errors.ts"
import { jsonlDirectory } from "../connectors/files/file-connector.ts"
import { emitWarning } from "../env/node/emit-warning.ts"
import { nodeEnv } from "../env/node/node-env.ts"
import { nodeThreads } from "../env/node/node-threads.ts"
import { defaultStateMemoryBytes } from "../env/node/state-memory.ts"
import { isDebuggerAttached } from "../env/node/scopes.ts"
import { readSecret } from "../env/node/secret-values.ts"
import { DEAD_LETTER_DIRECTORY, OWN_DEAD_LETTERS } from "../runtime/dead-letters.ts"
import type { ExecutableJob } from "../runtime/executable-job.ts"
import { withKnownSecrets } from "../runtime/known-secrets.ts"
import { runJob, type JobHandle } from "../runtime/run-job.ts"
import type { JobEvent } from "../trace/events.ts"
import { checkJob, checkRunOptions } from "./run-checks.ts"
import type { RunOptions } from "./run-options.ts"

const THREAD_PROGRAM = threadProgram()

/**
 * Runs a bound job in this process; resolves when it has recovered its state and is about to read.
 *
 * Records that cannot be read go to the job's dead-letter output, or to `dead-letters/` in its directory where it has
 * none.
 *
 * @example
 * ```ts
 * import { count, job, run, schema, t, tumbling } from "tidemark"
 * import { csv, jsonl } from "tidemark/files"
 *
 * const clicks = job({
 *   name: "clicks-per-minute",
 *   inputs: { clicks: schema({ at: t.timestamp(), page: t.string }) },
 *   flow: ({ clicks }) => ({
 *     perMinute: clicks.eventTime("at", { outOfOrder: "5s" }).keyBy("page").window(tumbling("1m")).aggregate({ clicks: count() }),
 *   }),
 * })
 *
 * const handle = await run(
 *   clicks.with({ inputs: { clicks: csv("clicks/*.csv") }, outputs: { perMinute: jsonl("out/per-minute") } }),
 * )
 * process.once("SIGINT", () => void handle.stop())
 * const { outcome, status } = await handle.finished
 * console.log(outcome, status.rowsIn)
 * ```
 *
 * @throws TidemarkError `invalid-options` where an option is unknown or has no meaning; `state-locked` where another process runs on the directory; `state-foreign` where the state there
 * belongs to another job, or did not begin from the savepoint; `source-missing` where there is no input; `invalid-params` where a secret is not given; and what else `docs/errors/` lists.
 */
export async function run(job: ExecutableJob, options: RunOptions = {}): Promise<JobHandle> {
  checkJob(job)
  checkRunOptions(options)
  const { batchRows, compile, drain, fromSavepoint, metrics, onEvent, parallelism, priority, reset } = options
  const { stateMemoryBytes = defaultStateMemoryBytes() } = options
  const { minMicros, maxMicros } = job.epoch
  if (minMicros > maxMicros) {
    const bounds = `epoch.min is ${formatDuration(minMicros)}, epoch.max ${formatDuration(maxMicros)}`
    throw new TidemarkError("invalid-options", `The job ${job.name} has epochs without room: ${bounds}.`)
  }
  const known = withKnownSecrets(withoutPrototype(job), readSecret)
  const directory = resolve(options.directory ?? defaultDirectory(job.name))
  const deadLetter = job.deadLetter ?? jsonlDirectory(`${directory}/${DEAD_LETTER_DIRECTORY}`, OWN_DEAD_LETTERS)
  const threads = THREAD_PROGRAM && nodeThreads(THREAD_PROGRAM)
  const start = async (tell: (event: JobEvent) => void) =>
    await runJob(
      { ...known, deadLetter },
      {
        env: nodeEnv(threads),
        directory,
        baseDirectory: resolve(options.baseDirectory ?? "."),
        ...(batchRows !== undefined && { batchRows }),
        compile: compile ?? (isDebuggerAttached() ? "off" : "auto"),
        parallelism: parallelism ?? threads?.parallelism ?? 1,
        ...(drain !== undefined && { drain }),
        ...(priority !== undefined && { priority }),
        stateMemoryBytes,
        onEvent: tell,
        ...(reset !== undefined && { reset }),
        ...(fromSavepoint !== undefined && { fromSavepoint: resolve(fromSavepoint) }),
      },
    )
  const tell = onEvent ?? tellWarnings
  if (metrics === undefined) return await start(tell)
  const { serveWhile } = await import("../server/serve-while.ts")
  return await serveWhile(start, tell, metrics)
}

/**
 * It is missing where Tidemark runs from its sources, or was bundled into another file: then there is one thread. Where
 * that file is CommonJS, modules have no address either.
 */
function threadProgram(): URL | undefined {
  const { url } = import.meta as { readonly url?: string }
  const program = url === undefined ? undefined : new URL("./decode-thread.js", url)
  return program !== undefined && existsSync(program) ? program : undefined
}

/** Warnings must be seen, also where nobody listens to events. */
function tellWarnings(event: JobEvent): void {
  if (event.kind === "warning" || event.kind === "input-gap") emitWarning(event.message, event.hint)
}

/** Where a job's state lies unless told otherwise, relative to the working directory. */
export function defaultDirectory(jobName: string): string {
  return `.tidemark/${jobName}`
}

/** The job's parts as a plain object: a bound job may have them as getters. */
function withoutPrototype(job: ExecutableJob): ExecutableJob {
  const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = job
  return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch }
}
