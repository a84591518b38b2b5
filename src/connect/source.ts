/**
 * The contract of sources: partitions of records, read from a position, again and again with the same result.
 *
 * A replayable source gives the same records for the same range of positions, for ever (E4). The runtime owns the
 * positions: they are in the commit record, and a source keeps none of its own.
 *
 * Invariants (held by the conformance suite, `connect/source.conformance.ts`):
 * - O1 Reading from a position and reading on gives the same records, ordinals and bad records as reading from the
 *   start, whatever the limits of each read.
 * - O2 Every record is either in a batch or a bad record, never both, never neither; both come with their offset.
 * - O3 `read` never crosses `untilOffset` by more than the record that starts before it.
 * - O4 A partition that is not what it was when its position was taken (replaced, shortened) is refused by name: the
 *   runtime keeps the partition's `identity` beside its position in the commit record and gives both back to `open`.
 * - O5 A watermark that a source tells has a place among the records, and its own share of the offsets: the read that ends
 *   there tells it, and none goes past it.
 * - O6 What a source keeps beside positions (`state`) is in the same commit record as they are, as its last read has left it, and
 *   is given back before anything is opened.
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import type { Env } from "../env/env.ts"
import type { Decoders } from "./decoders.ts"

/** A part of an input that is read in its own order. */
export interface Partition {
  /** Stable across runs: for a file, its path as matched. */
  readonly id: string
  /**
   * What the partition's content is, as far as it tells without reading all: partitions that tie in the choice of what
   * to read next are taken in this order, so that results do not depend on names.
   */
  readonly tieBreak: string
  /**
   * What tells the partition from another of the same name, such as a fingerprint of its head. It may grow more exact
   * as the partition grows; an older one of the same partition stays good for `open`.
   */
  readonly identity: string
  /**
   * Total size in the unit of offsets, where known. Where it is not, an identity must change when something is appended
   * to a partition that was read to its end, or it is not read on.
   */
  readonly size: number | undefined
  /**
   * Set where the partition takes the place of all others that the input may have had: where one of those was read, the job stops, since
   * records would be read again.
   */
  readonly isWholeInput?: true
}

/** What a read has to tell beside records. */
export interface SourceNotice extends SourceWarning {
  /** Whether records may have been lost: it is counted, as `JobStatus.inputGaps`. */
  readonly isGap: boolean
}

/** Where a record lies for people, who know files and lines. */
export interface RecordPlace {
  /** As `Partition.id`. */
  readonly id: string
  readonly offset: number
  readonly ordinal: number
}

/** What one read gave. */
export interface SourceBatch {
  /** The good records, or `undefined` where there was none. Its origin names `partition`. */
  readonly batch: Batch | undefined
  /** The bad records, in order. */
  readonly bad: readonly BadRecord[]
  /** Where the next read begins. */
  readonly next: Position
  /** Whether the partition has ended there (for a bounded source: for good). */
  readonly end: boolean
  /**
   * What the source itself says of event time: no record of the partition behind this read is at or before it. In
   * microseconds; see O5.
   */
  readonly watermark?: number
  /** What has happened that somebody should know. */
  readonly notices?: readonly SourceNotice[]
  /** How many records more were read, of which the prefix that the source runs has left nothing. */
  readonly dropped?: number
  /** Frees the batch's memory. */
  release(): void
}

/** What one read may take. */
export interface ReadLimits {
  /** At most so many records, good and bad: at least 1. */
  readonly rows: number
  /** No record that starts at or after this offset. */
  readonly untilOffset: number
  /** How much farther the limit of the next read will be, and so on, where that is known: for those that read ahead. */
  readonly stride?: number
}

/** Reads one partition forward. */
export interface PartitionReader {
  /**
   * Gives what is there, up to the limits: at least one record, or the end; where records come with time (`whenReadable`) nothing, where
   * what has come is no whole record. It does not wait for a batch to fill.
   */
  read(limits: ReadLimits): Promise<SourceBatch>
  /**
   * For partitions whose records come with time: resolves when a read gives something, or soon after `signal` has aborted;
   * `undefined` where a read gives something now. While it waits, an epoch may be cut and committed. It may be asked with a
   * signal that has aborted, and several times without a read between: then only whether there is something counts. Absent where all
   * that a partition will have is there.
   */
  whenReadable?(signal: AbortSignal): Promise<void> | undefined
  /**
   * Whether records are on their way faster than there is time for them, where none can be read now. Then an epoch is as long as where there is
   * more to read.
   */
  readonly isBusy?: boolean
  /** Where a record that was read lies for people, where that is not its partition and position. */
  placeOf?(position: Position): RecordPlace | undefined
  close(): Promise<void>
}

/** What a prefix has left of a batch. */
export interface KeptRows {
  /** All of it counts. `undefined` where nothing is left. */
  readonly batch: Batch | undefined
  /** The rows that failed. Their positions are not known. */
  readonly failed: readonly Omit<BadRecord, "position">[]
  /** Frees the batch. */
  release(): void
}

/** The stateless prefix of the plan, for a source that runs it before it keeps records. */
export interface SourcePrefix {
  /** Of the rows behind it. */
  readonly schema: Schema
  /** The columns of the input that it reads or leaves; what lies in the slots of others makes no difference to it. */
  readonly reads: ReadonlySet<string>
  /** What tells its rows from those that another one leaves of the same records. */
  readonly fingerprint: string
  /** Runs it over rows of the input, which are not kept. */
  run(batch: Batch): KeptRows
}

/** What a source may use. */
export interface SourceContext {
  readonly env: Env
  readonly arena: Arena
  readonly schema: Schema
  /** Threads that decode, where there are any. */
  readonly decoders?: Decoders | undefined
  /** Set where the binding runs the prefix, and the plan has one: what the source gives are the rows behind it. */
  readonly prefix?: SourcePrefix | undefined
  /** The input's name, for errors. */
  readonly input: string
  /** Relative paths are relative to this directory. */
  readonly baseDirectory: string
  /** The job's directory, of which `inputs/<input>` belongs to the source. Absent where there is no job. */
  readonly stateDirectory?: string
}

/** Something that a source leaves out, and that may have been meant. */
export interface SourceWarning {
  /** As a sentence that names the input. */
  readonly message: string
  readonly hint: string
}

/** What a source keeps in the commit record beside positions (O6). */
export interface SourceState {
  /** Appends what has changed since the last call: nothing, where nothing has. Afterwards nothing counts as changed. */
  writeChanges(out: ByteWriter): void
  /** Appends the whole state, as changes of an empty one. It does not touch what counts as changed. */
  writeAll(out: ByteWriter): void
  /**
   * Takes over changes that one call of `writeChanges` or `writeAll` wrote: all of the reader's bytes.
   *
   * @throws TidemarkError `state-corrupt` where they are no such changes.
   */
  applyChanges(changes: ByteReader): void
}

/** An open source. */
export interface Source {
  /** Absent where positions say all. */
  readonly state?: SourceState
  /** The partitions there are now, in a stable order. */
  partitions(): Promise<readonly Partition[]>
  /**
   * Opens a partition at a position that an earlier read of the same content gave.
   *
   * @param index becomes `origin.partition` of its batches.
   * @param identity the partition's identity when the position was taken; without it the partition's own.
   * @throws TidemarkError `source-changed`, `source-missing` or `source-unreadable`.
   */
  open(partition: Partition, index: number, position: Position, identity?: string): Promise<PartitionReader>
  /**
   * The id of a partition found by `partitions` that lies within a place that the job writes to, named by its key
   * (`target-key.ts`), or `undefined`. Absent where sources and sinks of the kind never meet.
   */
  partitionWithin?(targetKey: string): string | undefined
  /** What the last `partitions` has left out and may have been meant. Absent where that cannot be. */
  warnings?(): readonly SourceWarning[]
  /**
   * Called behind each commit record: all that was read so far is in it, and is not asked for again. Nothing waits for what is let go
   * because of it.
   *
   * @throws TidemarkError where what was let go after an earlier call has failed.
   */
  committed?(): void
  close(): Promise<void>
}

/**
 * What a source gives of its records over restarts, for `explain` and the docs: the same again from a position on; the same of records
 * that are pushed, each of which is durable before its sender is told so; or each at most once, so that what was read and not committed is lost.
 */
export type SourceGuarantee = "replayable" | "durable-when-acknowledged" | "at-most-once"

/** A source bound to a job's input, not yet opened. */
export interface SourceBinding {
  /** For `explain`: `csv("trips/*.csv")`. */
  describe(): string
  /** Without it the source is replayable. */
  readonly readGuarantee?: SourceGuarantee
  /** Whether its source runs the stateless prefix of the plan. */
  readonly runsPrefix?: boolean
  openSource(context: SourceContext): Promise<Source>
}

/**
 * A source that knows the type of its rows: it can be bound only to inputs whose columns these rows have.
 *
 * @example
 * ```ts
 * import { generate, type TypedSource } from "tidemark"
 *
 * const numbers: TypedSource<{ n: number }> = generate({ row: (id) => ({ n: id }) })
 * ```
 */
export interface TypedSource<out Row> extends SourceBinding {
  /** For the compiler alone: no source has it. */
  readonly rowType?: Row
}
