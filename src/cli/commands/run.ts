/** `tidemark run FILE`: runs a job to the end of its input, or until a signal stops it. */
import { run, defaultDirectory } from "../../embedded/run.ts"
import type { ExecutableJob } from "../../runtime/executable-job.ts"
import type { JobHandle } from "../../runtime/run-job.ts"
import { EXIT } from "../exit-codes.ts"
import { loadJob } from "../load-job.ts"
import { withParams } from "../param-options.ts"
import { Report, type ReportMode } from "../report.ts"

/** The options of `tidemark run`, as the command line gives them. */
export interface RunCommandOptions {
  readonly dir?: string
  /** `true`: `--drain`; `false`: `--no-drain`; absent: neither. */
  readonly drain?: boolean
  readonly reset?: boolean
  /** How many threads decode, in digits. */
  readonly parallelism?: string
  readonly json?: boolean
  readonly compile?: boolean
  /** Where the job is served: `true` for the usual place, or `[host:]port`. */
  readonly serve?: string | true
  /** Each as `name=value`. */
  readonly param?: readonly string[]
}

/** Runs the command; gives the exit code. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<number> {
  const isJson = options.json === true
  const mode: ReportMode = isJson ? "json" : process.stderr.isTTY ? "live" : "plain"
  const report = new Report(mode, isJson ? process.stdout : process.stderr)
  let job: ExecutableJob
  try {
    job = withParams(await loadJob(file), options.param ?? [])
  } catch (error) {
    report.fail(error)
    return EXIT.usage
  }
  const directory = options.dir ?? defaultDirectory(job.name)
  try {
    const handle = await run(job, {
      directory,
      ...(options.drain !== undefined && { drain: options.drain ? "always" : "never" }),
      ...(options.reset !== undefined && { reset: options.reset }),
      ...(options.parallelism !== undefined && { parallelism: Number(options.parallelism) }),
      ...(options.serve !== undefined && { metrics: servedAt(options.serve) }),
      ...(options.compile === false && { compile: "off" }),
      onEvent: (event) => report.onEvent(event),
    })
    const signals = stopOnSignals(handle, () => report.stopping())
    report.follow(handle)
    const result = await handle.finished.finally(() => signals.release())
    const targets = Object.entries(job.outputs).map(([name, sink]) => ({ name, target: sink.describe() }))
    report.end(result, targets, job.deadLetter?.describe() ?? `${directory}/dead-letters`)
    if (result.outcome === "finished") return EXIT.finished
    return signals.first() === "SIGTERM" ? EXIT.terminated : EXIT.interrupted
  } catch (error) {
    report.fail(error)
    return EXIT.failed
  }
}

/** Where Prometheus looks for exporters of its kind. */
const USUAL_PORT = 9464

/** What is no address is refused by `run`. */
function servedAt(text: string | true): { readonly host?: string; readonly port: number } {
  if (text === true) return { port: USUAL_PORT }
  const [, host, port = ""] = /^(?:(.*):)?(\d+)$/.exec(text) ?? []
  return {
    ...(host !== undefined && { host: host.replace(/^\[(.*)\]$/, "$1") }),
    port: port === "" ? NaN : Number(port),
  }
}

/** The first signal asks the job to commit and stop; a second one ends the process at once, which loses nothing. */
function stopOnSignals(handle: JobHandle, onStop: () => void) {
  let first: NodeJS.Signals | undefined
  const stop = (signal: NodeJS.Signals): void => {
    if (first !== undefined) process.exit(signal === "SIGTERM" ? EXIT.terminated : EXIT.interrupted)
    first = signal
    onStop()
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
