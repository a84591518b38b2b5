/**
 * The contract of sinks: output is staged before an epoch's commit record and applied after it (E2).
 *
 * The runtime calls, in this order: `open` once; then for each epoch any number of `write`s, one `stage`, the commit
 * record becomes durable, one `apply`. The bytes that `stage` gives are in the commit record; `apply` gets them back,
 * now or after a crash. `stage` of the next epoch is called only after `apply` of the last has returned; `write` may be
 * called in between.
 *
 * Invariants (held by the conformance suite, `connect/sink.conformance.ts`):
 * - K1 Nothing written is visible to readers of the target before `apply`.
 * - K2 When `stage` has returned, what it stands for survives a crash of the machine, in the target, in its bytes or in the
 *   job's state directory.
 * - K3 `apply` is idempotent: applying any run of committed records again, in order, changes nothing that is visible.
 * - K4 `open` with the records committed since the last checkpoint restores the sink and drops every later staging.
 * - K5 When `checkpoint` has returned, the sink needs no record before its call any more: `open` will get the state that
 *   `checkpoint` gave, then the records after the call. Epochs may be staged and applied before it returns.
 */
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import type { Env } from "../env/env.ts"
import type { JobEvent } from "../trace/events.ts"

/**
 * How the rows of a stream come: only ever added, or with later rows that may replace or withdraw earlier ones.
 *
 * @example
 * ```ts
 * import type { StreamKind } from "tidemark"
 *
 * const kinds: StreamKind[] = ["append", "update"]
 * ```
 */
export type StreamKind = "append" | "update"

/** What readers of the target may rely on, for `explain` and the docs. */
export type SinkGuarantee =
  | "exactly-once"
  /** Exactly once as long as the process lives, with which the target ends. */
  | "exactly-once-in-process"
  | "at-least-once"
  /** What comes again has the key that it came with first. */
  | "at-least-once-with-keys"

/** What a sink may use. */
export interface SinkContext {
  readonly env: Env
  /** Where batches lie, and what needs to lie beside them while they are encoded. */
  readonly arena: Arena
  readonly schema: Schema
  /** The job's name, by which a target may tell whose output it holds. */
  readonly job: string
  /** The output's name, for errors. */
  readonly output: string
  /** Relative paths are relative to this directory. */
  readonly baseDirectory: string
  /** The job's directory, of which `outputs/<output>` belongs to the sink. Absent where there is no job. */
  readonly stateDirectory?: string
  /**
   * Aborted when the job is asked to stop: a sink whose target cannot be reached then waits no longer, and leaves what is committed
   * to the next run. Absent where nobody can ask.
   */
  readonly stopping?: AbortSignal
  /** Tells whoever watches the job. */
  readonly onEvent?: ((event: JobEvent) => void) | undefined
}

/** What a sink has committed so far, from the log. */
export interface SinkRecovery {
  /** What `checkpoint` gave last, or `undefined` where it never did. */
  readonly checkpoint: Uint8Array | undefined
  /** What `stage` gave for each epoch committed since, in order. */
  readonly staged: readonly Uint8Array[]
  /** Set aside what an earlier state of the job has published: the job starts anew. */
  readonly reset: boolean
  /** Whether the job starts from nothing, so that a target with published output in it belongs to somebody else. */
  readonly fresh: boolean
}

/** How far the job has come with what an epoch stages. */
export interface StageProgress {
  /** Behind which no row comes any more that is not late, in µs since 1970; `-Infinity` where nobody can tell. */
  readonly watermarkMicros: number
  /** Whether no row comes any more. */
  readonly isFinished: boolean
}

/** An open sink. */
export interface Sink {
  /** Takes the rows of a batch that count, in order. It keeps nothing of the batch. */
  write(batch: Batch): void
  /** Bytes held in memory since the last `stage` or `flush`: the runtime calls `flush` when they grow. */
  readonly bufferedBytes: number
  /** Moves what is held in memory to the staging area. Nothing is visible or promised by it. */
  flush(): Promise<void>
  /**
   * Makes all that was written since the last `stage` safe (K2).
   *
   * @param final whether the job has come to its end or stops: what is staged should be published by `apply`.
   * @param progress of the rows written so far. Without it nobody can tell.
   */
  stage(final: boolean, progress?: StageProgress): Promise<Uint8Array>
  /** Makes a staged and committed epoch visible, as far as the sink's rolling policy says so. */
  apply(staged: Uint8Array): Promise<void>
  /** See K5. Called between `apply` and the next `stage`, and not again before it has returned. */
  checkpoint(): Promise<Uint8Array>
  /**
   * In how many µs an epoch should end though nothing comes, so that staged output is published; `Infinity` where none need. Asked between
   * `apply` and the next `stage`. Absent where output is published with its epoch.
   *
   * @param wallMicros the clock.
   */
  untilDue?(wallMicros: number): number
  /** What it waits for, as a clause, while its target cannot be reached: for `status`. */
  readonly waitsFor?: string | undefined
  /** Releases what is held; stages and applies nothing. */
  close(): Promise<void>
}

/** How the shape of an output's rows has changed since the last run: what `describeShape` said then, and says now. */
export interface ShapeChange {
  readonly before: string
  readonly now: string
}

/** A sink bound to a job's output, not yet opened. */
export interface SinkBinding {
  /** For `explain`: `jsonl("out/hourly")`. */
  describe(): string
  /**
   * What of it stays as it is while state is kept: a job that goes on is refused where this has changed (E13). Absent where that is all that `describe` says.
   */
  describeTarget?(): string
  /**
   * What rows that are gathered in one place have in common, where that must be: their columns, and how they are written. It is compared
   * with what the last run has logged, so it stays what it is from version to version. Absent where rows of all shapes may follow each other.
   *
   * Where it has changed, `stage` is called with `final` before anything is written, so that what was begun with the old shape is published,
   * and rows of the new one begin anew. A sink that could not publish it refuses in `check`.
   */
  describeShape?(schema: Schema): string
  readonly guarantee: SinkGuarantee
  /** Which kinds of streams it takes. Without it those that only append. */
  readonly accepts?: Readonly<Partial<Record<StreamKind, true>>>
  /**
   * Names the place that the sink writes to (`target-key.ts`): outputs of a job that share a place, or of which one lies
   * within another, are refused before anything is opened. Absent where any number of sinks may write to one place.
   */
  targetKey?(baseDirectory: string): string
  /**
   * Refuses what could not be opened, and changes nothing: all outputs are asked before a reset makes the state of the job void, and
   * before the log says that this program runs.
   *
   * @param recovery what `openSink` will get.
   * @param change set where the shape of the rows has changed since the last run, and the job does not start anew.
   */
  check?(context: SinkContext, recovery: SinkRecovery, change: ShapeChange | undefined): Promise<void>
  openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink>
}
