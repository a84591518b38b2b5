/** `tidemark run FILE`: runs a job to the end of its input, or until a signal stops it. */
import { TidemarkError } from "../../base/errors.ts"
import { run, defaultDirectory } from "../../embedded/run.ts"
import type { ExecutableJob } from "../../runtime/executable-job.ts"
import type { JobHandle } from "../../runtime/run-job.ts"
import { EXIT } from "../exit-codes.ts"
import { loadJob } from "../load-job.ts"
import { withParams } from "../param-options.ts"
import type { LogLevel } from "../log-level.ts"
import { Report, type RunReport } from "../report.ts"
import { JsonLog } from "../json-log.ts"
import { takeNotices } from "../notices.ts"

/** The options of `tidemark run`, as the command line gives them. */
export interface RunCommandOptions {
  readonly dir?: string
  /** `true`: `--drain`; `false`: `--no-drain`; absent: neither. */
  readonly drain?: boolean
  readonly reset?: boolean
  readonly fromSavepoint?: string
  /** How many threads decode, in digits. */
  readonly parallelism?: string
  /** How much of it keys may take: a number, and K, M or G behind it. */
  readonly stateMemory?: string
  readonly json?: boolean
  /** How standard error is told; without it as text, and not at all beside `json`. */
  readonly log?: "text" | "json"
  readonly logLevel?: LogLevel
  readonly compile?: boolean
  /** Where the job is served: `true` for the usual place, or `[host:]port`. */
  readonly serve?: string | true
  /** Each as `name=value`. */
  readonly param?: readonly string[]
}

/** Runs the command; gives the exit code. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<number> {
  const { reports, log } = reportsOf(options)
  const fail = (error: unknown) => reports.forEach((report) => report.fail(error))
  let job: ExecutableJob
  try {
    job = withParams(await loadJob(file), options.param ?? [])
  } catch (error) {
    fail(error)
    return EXIT.usage
  }
  const directory = options.dir ?? defaultDirectory(job.name)
  log?.begin(job.name, directory)
  let handle: JobHandle
  try {
    handle = await run(job, {
      directory,
      ...(options.drain !== undefined && { drain: options.drain ? "always" : "never" }),
      ...(options.reset !== undefined && { reset: options.reset }),
      ...(options.fromSavepoint !== undefined && { fromSavepoint: options.fromSavepoint }),
      ...(options.parallelism !== undefined && { parallelism: Number(options.parallelism) }),
      ...(options.stateMemory !== undefined && { stateMemoryBytes: sizeOf(options.stateMemory) }),
      ...(options.serve !== undefined && { metrics: servedAt(options.serve) }),
      ...(options.compile === false && { compile: "off" }),
      onEvent: (event) => reports.forEach((report) => report.onEvent(event)),
    })
  } catch (error) {
    fail(error)
    return isUsage(error) ? EXIT.usage : EXIT.failed
  }
  try {
    const signals = stopOnSignals(handle, (signal) => reports.forEach((report) => report.stopping(signal)))
    for (const report of reports) report.follow(handle)
    const result = await handle.finished.finally(() => signals.release())
    const targets = Object.entries(job.outputs).map(([name, sink]) => ({ name, target: sink.describe() }))
    const deadLetters = job.deadLetter?.describe() ?? `${directory}/dead-letters`
    for (const report of reports) report.end(result, targets, deadLetters)
    if (result.outcome === "finished") return EXIT.finished
    return signals.first() === "SIGTERM" ? EXIT.terminated : EXIT.interrupted
  } catch (error) {
    fail(error)
    return EXIT.failed
  }
}

/** Whether a job could not begin as its file, or the command line, is wrong. A secret that is not there may be at the next start. */
function isUsage(error: unknown): boolean {
  if (!(error instanceof TidemarkError)) return false
  // There is no savepoint where the command line has one.
  if (error.code === "state-missing") return true
  return /^(invalid|unbound)-/.test(error.code) && error.code !== "invalid-params"
}

/** Who is told of the run: machines on standard output, and people or collectors of logs on standard error. */
function reportsOf({ json, log, logLevel = "info" }: RunCommandOptions) {
  const reports: RunReport[] = json === true ? [new Report("json", process.stdout)] : []
  if (log === "json") {
    const jsonLog = new JsonLog(process.stderr, logLevel)
    takeNotices(jsonLog)
    return { reports: [...reports, jsonLog], log: jsonLog }
  }
  const isLive = process.stderr.isTTY && json !== true
  if (log === "text" || json !== true) reports.push(new Report(isLive ? "live" : "plain", process.stderr, logLevel))
  return { reports, log: undefined }
}

/** Where Prometheus looks for exporters of its kind. */
const USUAL_PORT = 9464

const PORT_MAX = 65_535

/** @throws TidemarkError `invalid-options` where it is no address. */
function servedAt(text: string | true): { readonly host?: string; readonly port: number } {
  if (text === true) return { port: USUAL_PORT }
  const [, host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  if (port === undefined || Number(port) > PORT_MAX) {
    throw new TidemarkError("invalid-options", `--serve takes [HOST:]PORT, and not ${JSON.stringify(text)}.`, {
      hint: `The port is a whole number, 0 to ${PORT_MAX}; 0 takes one that is free.`,
    })
  }
  return { ...(host !== undefined && { host: host.replace(/^\[(.*)\]$/, "$1") }), port: Number(port) }
}

/** @throws TidemarkError `invalid-options` where it is no size. */
function sizeOf(text: string): number {
  const [, digits, unit = ""] = /^(\d+)([KMG]?)$/i.exec(text) ?? []
  if (digits === undefined) {
    throw new TidemarkError("invalid-options", `--state-memory takes a size, and not ${JSON.stringify(text)}.`, {
      hint: "Give a number of bytes, or of KiB, MiB or GiB: 512M, 4G.",
    })
  }
  return Number(digits) * 1024 ** ["", "K", "M", "G"].indexOf(unit.toUpperCase())
}

/** The first signal asks the job to commit and stop; a second one ends the process at once, which loses nothing. */
function stopOnSignals(handle: JobHandle, onStop: (signal: string) => void) {
  let first: NodeJS.Signals | undefined
  const stop = (signal: NodeJS.Signals): void => {
    if (first !== undefined) process.exit(signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted)
    first = signal
    onStop(signal)
    handle.stop().catch(() => undefined)
  }
  const signals = ["SIGINT", "SIGTERM"] as const
  for (const signal of signals) process.on(signal, stop)
  return {
    first: () => first,
    /** The job has ended: what the process does at a signal is no longer our business. */
    release: () => signals.forEach((signal) => void process.off(signal, stop)),
  }
}
