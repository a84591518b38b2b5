/** What the runtime runs: a plan with its connectors, parameters and policies. The builder's bound jobs are such. */
import type { Schema } from "../batch/schema.ts"
import type { SinkBinding } from "../connect/sink.ts"
import type { SourceBinding } from "../connect/source.ts"
import type { Plan } from "../flow/plan.ts"

/**
 * What becomes of a row whose lambda fails: it throws, or gives a value that is not of its declared type.
 *
 * @example
 * ```ts
 * import type { ErrorPolicy } from "tidemark"
 *
 * const policy: ErrorPolicy = process.env["CI"] === "true" ? "stop" : "dead-letter"
 * ```
 */
export type ErrorPolicy =
  /** It goes to the dead letters; the job goes on. */
  | "dead-letter"
  /** The job stops; the open epoch does not count. */
  | "stop"

/**
 * A job that can run. What `.with({ … })` gives is one; nobody needs to write one by hand.
 *
 * @example
 * ```ts
 * import { run, type ExecutableJob } from "tidemark"
 *
 * async function runAll(jobs: readonly ExecutableJob[]): Promise<void> {
 *   const handles = await Promise.all(jobs.map((each) => run(each)))
 *   await Promise.all(handles.map((handle) => handle.finished))
 * }
 * ```
 */
export interface ExecutableJob {
  readonly name: string
  readonly plan: Plan
  readonly paramsSchema: Schema
  /** Checked, with defaults filled in. */
  readonly params: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, { readonly schema: Schema; readonly source: SourceBinding }>>
  readonly outputs: Readonly<Record<string, SinkBinding>>
  readonly deadLetter: SinkBinding | undefined
  readonly onError: ErrorPolicy
  /** More bad records than this, over the life of the job, stop it. */
  readonly maxBadRecords: number
  /** The bounds between which the epoch's length adapts itself. */
  readonly epoch: { readonly minMicros: number; readonly maxMicros: number }
}
