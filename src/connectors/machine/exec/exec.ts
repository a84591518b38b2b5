/** `exec`: what a command writes, line by line, as an input. The door `tidemark/machine` publishes it. */
import { posix } from "node:path"
import { checkDuration, type Duration } from "../../../base/duration.ts"
import { TidemarkError } from "../../../base/errors.ts"
import { checkOptions } from "../../../base/known-options.ts"
import { shownValue } from "../../../base/shown-value.ts"
import { schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import type { Source, SourceBinding, SourceContext, SourceGuarantee } from "../../../connect/source.ts"
import { ExecSource, type ExecParts, type RestartPolicy } from "./exec-source.ts"

/**
 * What `exec` gives of lines of text: the line without its end, as UTF-8.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { TextLine } from "tidemark/machine"
 *
 * const errors = job({
 *   name: "errors",
 *   inputs: { lines: TextLine },
 *   flow: ({ lines }) => ({ errors: lines.filter((row) => row.line.includes("error")) }),
 * })
 * ```
 */
export const TextLine = schema({ line: t.string })

/**
 * Options of `exec`.
 *
 * @example
 * ```ts
 * import { exec, type ExecOptions } from "tidemark/machine"
 *
 * const again: ExecOptions = { format: "text", restart: "always", restartAfter: "5s" }
 * const journal = exec("journalctl", ["--follow", "--lines=0"], again)
 * ```
 */
export interface ExecOptions {
  /** What its lines are: JSON objects, CSV with a header, or text (`TextLine`). `"jsonl"` unless given. */
  readonly format?: "jsonl" | "csv" | "text"
  /**
   * When the command is begun again after its end. `"never"` unless given: then its end is that of the input, and an exit code other than 0 stops
   * the job. `"on-failure"`: where its exit code is not 0. `"always"`: the input does not end.
   */
  readonly restart?: "never" | "on-failure" | "always"
  /** How long after its end; twice as long each time that it has written nothing, up to a minute. `"1s"` unless given. */
  readonly restartAfter?: Duration
  /** A record of more bytes is a bad record. 1 MiB unless given, 64 MiB at most. */
  readonly maxRecordBytes?: number
  /** The directory that it runs in, relative to that in which the job runs, which it is unless given. */
  readonly cwd?: string
  /** Variables of its environment, beside those of the job's process. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether what it writes to standard error is shown. `false` unless given; the end of it is in the error of a failure. */
  readonly showErrors?: boolean
}

const MAX_RECORD_BYTES_MAX = 64 * 1024 * 1024
const OPTIONS = ["format", "restart", "restartAfter", "maxRecordBytes", "cwd", "env", "showErrors"]

/**
 * A command's lines as an input. No shell is between: arguments are taken as they stand.
 *
 * Guarantee: at most once over restarts. Each line that it writes counts once while the process lives; a job that goes on begins the
 * command anew, and tells that as a gap.
 *
 * @throws TidemarkError `invalid-options` or `invalid-duration` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { job, stdout } from "tidemark"
 * import { exec, TextLine } from "tidemark/machine"
 *
 * const pings = job({
 *   name: "pings",
 *   inputs: { lines: TextLine },
 *   flow: ({ lines }) => ({ slow: lines.filter((row) => row.line.includes("timeout")) }),
 * })
 * export default pings.with({
 *   inputs: { lines: exec("ping", ["localhost"], { format: "text", restart: "always" }) },
 *   outputs: { slow: stdout() },
 * })
 * ```
 */
export function exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): SourceBinding {
  const given = checkOptions("exec(...)", options, OPTIONS)
  if (typeof command !== "string" || command === "" || !Array.isArray(args) || !args.every(isText)) {
    throw new TidemarkError(
      "invalid-options",
      `exec(...) takes a command and its arguments, not ${shownValue(command)}.`,
      {
        hint: 'Write exec("tail", ["--follow", "app.log"]).',
      },
    )
  }
  const { format = "jsonl", restart = "never", restartAfter = "1s", maxRecordBytes = 1024 * 1024 } = given
  const { cwd = ".", env = {}, showErrors = false } = given
  checkOneOf("format", format, ["jsonl", "csv", "text"])
  checkOneOf("restart", restart, ["never", "on-failure", "always"])
  checkOneOf("showErrors", showErrors, [true, false])
  const isSize = Number.isSafeInteger(maxRecordBytes) && (maxRecordBytes as number) >= 1
  if (!isSize || (maxRecordBytes as number) > MAX_RECORD_BYTES_MAX) {
    throw refusal("maxRecordBytes", maxRecordBytes, `Give a whole number of bytes, 1 to ${MAX_RECORD_BYTES_MAX}.`)
  }
  if (!isText(cwd)) throw refusal("cwd", cwd, "Give the path of a directory.")
  if (typeof env !== "object" || env === null || !Object.values(env).every(isText)) {
    throw refusal("env", env, "Give an object of texts.")
  }
  return new ExecBinding({
    line: { command, args, cwd, env: env as Readonly<Record<string, string>>, showErrors: showErrors === true },
    format: format as ExecParts["format"],
    restart: restart as RestartPolicy,
    restartAfterMicros: checkDuration("exec(...): restartAfter", restartAfter),
    maxRecordBytes: maxRecordBytes as number,
  })
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

function checkOneOf(option: string, value: unknown, known: readonly unknown[]): void {
  if (!known.includes(value))
    throw refusal(option, value, `Give ${known.map((each) => JSON.stringify(each)).join(", ")}.`)
}

function refusal(option: string, value: unknown, hint: string): TidemarkError {
  return new TidemarkError("invalid-options", `exec(...): ${option} is ${shownValue(value)}.`, { hint })
}

class ExecBinding implements SourceBinding {
  readonly readGuarantee: SourceGuarantee = "at-most-once"
  readonly #parts: ExecParts

  constructor(parts: ExecParts) {
    this.#parts = parts
  }

  describe(): string {
    const { command, args } = this.#parts.line
    return `exec(${JSON.stringify(command)}, [${args.map((arg) => JSON.stringify(arg)).join(", ")}])`
  }

  async openSource(context: SourceContext): Promise<Source> {
    const { line } = this.#parts
    const cwd = posix.resolve(context.baseDirectory, line.cwd)
    const entry = await context.env.disk.stat(cwd)
    if (entry?.kind !== "directory") {
      const what = `The directory ${JSON.stringify(cwd)}, in which the command ${JSON.stringify(line.command)} of the input ${context.input} is to run,`
      throw new TidemarkError(
        "source-unreadable",
        `${what} is ${entry === undefined ? "not there" : "no directory"}.`,
        {
          hint: "Create it, or give another cwd.",
        },
      )
    }
    return new ExecSource(context, { ...this.#parts, line: { ...line, cwd } })
  }
}
