/**
 * `stdout`: an output that is printed. The door `tidemark` publishes it.
 */
import { stdout as standardOutput } from "node:process"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { Sink, SinkBinding, SinkContext, SinkGuarantee, SinkRecovery } from "../../connect/sink.ts"
import { PrintingSink, type Print } from "./printing-sink.ts"

/**
 * Options of `stdout`.
 *
 * @example
 * ```ts
 * import { stdout, type StdoutOptions } from "tidemark"
 *
 * const forPeople: StdoutOptions = { format: "table" }
 * const alerts = stdout(forPeople)
 * ```
 */
export interface StdoutOptions {
  /** `"jsonl"`, which it is unless given: a JSON object a row. `"table"`: columns for people to read, with a head for each epoch. */
  readonly format?: "jsonl" | "table"
}

/**
 * Prints an output's rows on the standard output of the process, epoch by epoch, when they are committed.
 *
 * Guarantee: at least once. A process that dies while it prints prints the epoch again when the job goes on, and so does a
 * job that is run again the last epoch that it had printed.
 *
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { generate, job, schema, stdout, t } from "tidemark"
 *
 * const numbers = job({ name: "numbers", inputs: { n: schema({ n: t.int32 }) }, flow: ({ n }) => ({ n }) })
 * export default numbers.with({
 *   inputs: { n: generate({ rowsPerSecond: 1, row: (id) => ({ n: id }) }) },
 *   outputs: { n: stdout({ format: "table" }) },
 * })
 * ```
 */
export function stdout(
  options: StdoutOptions = {},
): SinkBinding & { readonly accepts: { readonly append: true; readonly update: true } } {
  const { format = "jsonl" } = checkOptions("stdout(...)", options, ["format"])
  if (format === "jsonl" || format === "table") return new StdoutBinding(format, printText)
  throw new TidemarkError("invalid-options", `stdout(...): format is ${shownValue(format)}.`, {
    hint: 'Give "jsonl" or "table".',
  })
}

/** Prints text, and waits until it is on its way: a reader that is slow holds the job back. */
async function printText(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    standardOutput.write(text, (error) => {
      if (!error) return resolve()
      const message = "The standard output cannot be written to."
      const hint = "Whoever read it has gone. What was printed and not committed is printed again by the next run."
      reject(new TidemarkError("sink-failed", message, { hint, cause: error }))
    })
  })
}

/** The standard output, bound to a job's output. */
export class StdoutBinding implements SinkBinding {
  readonly guarantee: SinkGuarantee = "at-least-once"
  /** Updates are printed as their rows: `op` says what each of them means. */
  readonly accepts = { append: true, update: true } as const
  readonly #format: "jsonl" | "table"
  readonly #print: Print

  constructor(format: "jsonl" | "table", print: Print) {
    this.#format = format
    this.#print = print
  }

  describe(): string {
    return this.#format === "jsonl" ? "stdout()" : 'stdout({ format: "table" })'
  }

  async openSink({ schema, arena }: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    const sink = new PrintingSink({ format: this.#format, schema, arena, print: this.#print })
    // All but the last epoch were printed, as an epoch is staged when the one before it was applied.
    const last = recovery.staged.at(-1)
    if (last !== undefined) await sink.apply(last)
    return sink
  }
}
