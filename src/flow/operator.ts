/**
 * Operators: what the nodes of a plan become when it runs. They are synchronous and pure: batches and watermarks go in,
 * batches and watermarks come out, state changes are written to bytes when asked.
 *
 * Invariants:
 * - F1 What an operator emits depends on the rows, watermarks and partition events it was given and on their order per
 *   partition, and on nothing else: not on how rows are cut into batches (E7).
 * - F2 An operator keeps nothing of a batch past the call that brought it.
 * - F3 `applyChanges` of everything that `writeChanges` wrote since the beginning, in order, gives the same state.
 * - F4 So does `applyChanges` of all slices since `beginSlices`, in order, and then of everything that `writeChanges` wrote since, where the last of
 *   that was behind the last slice.
 * - F5 What `writeChanges` writes, applied, gives the same state, whatever of it `writeEarly` has written before.
 */
import type { Spilling } from "./process/cold-bytes.ts"
import type { StateMisfit } from "./process/state-plan.ts"
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Schema } from "../batch/schema.ts"
import type { CompileOptions } from "../expr/compile.ts"
import type { Calls } from "./calls.ts"
import type { Port } from "./plan.ts"

/** A row that an operator could not process. */
export interface FailedRow {
  /** The operator's id. */
  readonly operator: string
  readonly batch: Batch
  readonly row: number
  readonly error: unknown
  /** What becomes of it, where the operator says so and not the job. */
  readonly policy?: "dead-letter" | "stop" | undefined
}

/** What operators may use. */
export interface OperatorContext {
  readonly arena: Arena
  readonly paramsSchema: Schema
  /** They belong to `paramsSchema`. */
  readonly params: Readonly<Record<string, unknown>>
  readonly compile: CompileOptions
  /** Whether those who are given results of windows may keep their columns (`Batch.given`). */
  readonly givesColumns?: boolean
  /** Who makes calls, where somebody does: plans without an `asyncMap` ask for none. */
  readonly calls?: Calls
  /** Where state by key goes that memory has no room for; without it there is room. */
  readonly spilling?: Spilling | undefined
  /** Takes a row out of the stream: to the dead letters, or it throws and so stops the job, by the job's policy. */
  onFailedRow(failed: FailedRow): void
}

/** Takes what an operator gives. */
export interface Emitter {
  emit(port: Port, batch: Batch): void
}

/** An operator of a running job. */
export interface Operator {
  /** Takes a batch and emits what follows from it. `input` tells which of what feeds the operator it comes from. */
  onBatch(batch: Batch, out: Emitter, input: number): void
  /** The watermark of the operator's input has risen to `watermark` (microseconds, or +∞ at the end). */
  onWatermark?(watermark: number, out: Emitter): void
  /** Gives the memory of its state back. It is not used any more. */
  release?(): void
}

/** What operators with windows count. */
export interface WindowCounts {
  /** Rows that came too late, over the life of the state. */
  readonly lateRows: number
  /** Rows that counted nowhere, since it was made. */
  readonly betweenRows?: number
  /** How many windows have no result yet. */
  countOpenWindows(): number
}

/** An operator in which the user's functions keep something by key. */
export interface KeyedOperator extends Operator {
  /** How many keys have something; those that have lost it since the last `writeChanges` may count. */
  readonly keyCount: number
  /** How many timers are set. */
  readonly timerCount: number
  /** How many bytes of keys and their values are not in memory. */
  readonly spilledBytes: number
}

/** Whether the user's functions keep something by key in an operator. */
export function isKeyed(operator: Operator | undefined): operator is KeyedOperator {
  return operator !== undefined && "timerCount" in operator
}

/** Whether an operator has windows, or counts like one that has. */
export function hasWindowCounts(operator: Operator | undefined): operator is Operator & WindowCounts {
  return operator !== undefined && "countOpenWindows" in operator
}

/**
 * An operator whose results wait for the watermark of its input. It has a watermark of its own, which those behind it
 * follow: it gives nothing any more whose event time lies at or below that.
 */
export interface TimedOperator extends Operator, OperatorState, WindowCounts {
  /** In microseconds; −∞ before the first. It is finite also after `onWatermark(Infinity)`: where its last result was due. */
  readonly watermark: number
  onWatermark(watermark: number, out: Emitter): void
  /** The watermark at which its next result is due, in microseconds; +∞ where nothing waits. Absent where it cannot tell. */
  nextDue?(): number
  /** The same, where what is due is no result of a window. */
  nextMoment?(): number
}

/** An operator that goes by the clock, too: it is told the time before rows are pushed, and when something is due. */
export interface ClockedOperator extends Operator {
  /** Whether it asks for the clock at all. */
  readonly usesProcessingTime: boolean
  /** When something is due by the clock, in microseconds; +∞ where nothing is. */
  readonly nextProcessingTime: number
  /** The clock says `nowMicros`. What comes of it depends on when it is called. */
  onProcessingTime(nowMicros: number, out: Emitter): void
}

/** Whether an operator goes by the clock. */
export function isClocked(operator: Operator | undefined): operator is ClockedOperator {
  return operator !== undefined && "usesProcessingTime" in operator && operator.usesProcessingTime === true
}

/** Whether the results of an operator wait for the watermark. */
export function isTimed(operator: Operator | undefined): operator is TimedOperator {
  return operator?.onWatermark !== undefined
}

/** Whether an operator keeps state. */
export function hasState(operator: Operator | undefined): operator is Operator & OperatorState {
  return operator !== undefined && "writeChanges" in operator
}

/** How an operator takes over state that an earlier program has kept otherwise. */
export interface StateMigration {
  /** What is otherwise, as clauses about "it". */
  readonly changes: readonly string[]
  /**
   * The whole state, as changes of an empty one, made of what the earlier program has written.
   *
   * @throws TidemarkError `lambda-failed` where the program's own functions fail, `state-corrupt`.
   */
  readonly migrate: (changes: readonly Uint8Array[]) => Uint8Array
}

/** The whole state of an operator as it was at a moment, written slice by slice while the operator goes on. */
export interface StateSlices {
  /**
   * Appends the next slice, as changes: about so many bytes, or nothing where nothing is left. It may show what has changed since the
   * moment (F4). Gives whether more are to come.
   */
  next(out: ByteWriter, bytes: number): boolean
}

/** The state of an operator, as recovery sees it. */
export interface OperatorState {
  /** The operator's id. */
  readonly id: string
  /** What the state means; see `state-signature.ts`. */
  readonly signature: string
  /** Appends what has changed since the last call: nothing, where nothing has. Afterwards nothing counts as changed. */
  writeChanges(out: ByteWriter): void
  /** How many keys have changed, and are not written early. Absent where nothing is. */
  readonly changedKeys?: number
  /** Writes so many keys that have changed for longest, for the next `writeChanges` to append; what changes again is written again (F5). */
  writeEarly?(keys: number): void
  /** Appends the whole state, as changes of an empty one. It does not touch what counts as changed. */
  writeAll(out: ByteWriter): void
  /**
   * Begins to write the whole state as it is now, in slices; those of an earlier call are void. To be called right behind `writeChanges`.
   * Absent where the state is small, or cannot be written so.
   */
  beginSlices?(): StateSlices
  /**
   * Takes over changes that one call of `writeChanges` or `writeAll` wrote: all of the reader's bytes. It may keep views of them, so
   * nobody changes them afterwards.
   *
   * @throws TidemarkError `state-corrupt` where they are no such changes.
   */
  applyChanges(changes: ByteReader): void
  /** To be called behind the last `applyChanges`, and before anything else. */
  endChanges?(): void
  /** How state of another signature goes over, where the operator can say that. */
  migrationFrom?(signature: string): StateMigration | StateMisfit | undefined
}
