/** What a running job tells of itself, as values: for progress displays, logs and tests. */

/**
 * Something that happened to a job; `kind` tells what.
 *
 * @example
 * ```ts
 * import type { JobEvent } from "tidemark"
 *
 * function log(event: JobEvent): void {
 *   if (event.kind === "dead-letter") console.warn(`${event.partition}, record ${event.record}: ${event.reason}`)
 * }
 * ```
 */
export type JobEvent =
  /** The state was read back: the job goes on behind this epoch (0: it starts from nothing). */
  | {
      readonly kind: "recovered"
      readonly epoch: number
      readonly isReset: boolean
      /** Whether that state was taken over from a savepoint just now. */
      readonly isSavepoint?: boolean
    }
  /** The state of an operator was kept otherwise by the program before, and has gone over. */
  | {
      readonly kind: "state-migrated"
      readonly operator: string
      /** What is otherwise, as clauses about the operator: `its state sum is new, and empty`. */
      readonly changes: readonly string[]
    }
  /** Something is allowed and probably not meant, such as a lambda that reads a column that there is not. */
  | {
      readonly kind: "warning"
      /** The operator or input that it is about. */
      readonly about: string
      readonly message: string
      /** What to do about it. */
      readonly hint: string
    }
  /** Records of an input may have been lost, as they cannot be read again; `JobStatus.inputGaps` counts it. */
  | {
      readonly kind: "input-gap"
      /** The input. */
      readonly about: string
      readonly message: string
      readonly hint: string
    }
  /** The plan is not the one that wrote the state, and fits it. */
  | { readonly kind: "plan-changed"; readonly before: string; readonly now: string }
  /** An output had begun what has other columns than its rows have now, or is written otherwise: that is published, and rows begin anew. */
  | { readonly kind: "output-changed"; readonly output: string; readonly before: string; readonly now: string }
  /** Parameters have other values than in the run before. What was read then stays as it was computed. */
  | {
      readonly kind: "params-changed"
      /** Values as JSON text; `null` where the job did not have the parameter, or has it no longer. */
      readonly changes: readonly {
        readonly name: string
        readonly before: string | null
        readonly now: string | null
      }[]
    }
  /** The job's health, status and metrics can be asked for at this address. */
  | { readonly kind: "serving"; readonly url: string }
  /** An epoch has happened. */
  | { readonly kind: "committed"; readonly epoch: number; readonly rows: number; readonly commitMicros: number }
  /** A thread that decodes has ended by itself. What it had under way is done again, here where no other takes its place. */
  | { readonly kind: "thread-died"; readonly reason: string; readonly isReplaced: boolean }
  /** From here on so many threads compute, each a part of the stream. */
  | { readonly kind: "threads-compute"; readonly threads: number }
  /** They cannot go on: the job recovers from its last commit, and computes on one thread. */
  | { readonly kind: "threads-lost"; readonly reason: string }
  /** A snapshot of everything was written and older log segments removed. */
  | { readonly kind: "snapshot"; readonly epoch: number }
  /** An output's target cannot be reached, and the job waits for it: told once, until `output-resumed`. */
  | { readonly kind: "output-waiting"; readonly output: string; readonly reason: string }
  /** It can be reached again, after so long. */
  | { readonly kind: "output-resumed"; readonly output: string; readonly waitedMicros: number }
  /** An output's target has refused so many rows, which were written to its own dead letters; why, of the first. */
  | { readonly kind: "rows-refused"; readonly output: string; readonly rows: number; readonly reason: string }
  /** A record could not be read, or a row's lambda failed. */
  | {
      readonly kind: "dead-letter"
      /** The input, the partition (for files, the path) and the record's number in it: null for rows that the job made. */
      readonly input: string | null
      readonly partition: string | null
      readonly record: number | null
      /** The operator that failed; null where the record could not be read. */
      readonly operator: string | null
      readonly reason: string
    }
