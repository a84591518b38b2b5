/**
 * What an aggregate is: which types it takes and gives, and its accumulator, a column of partial results by group.
 *
 * Each aggregate is one file: a definition and its accumulators. Partials of slices are merged in order of time, so
 * an accumulator defines three steps: adding a run of records, merging another accumulator, and giving the result.
 *
 * Invariants:
 * - G1 Null is skipped: a group without a value that is not null has the result null.
 * - G2 A group that nothing was added to is neutral: merging it changes nothing, bit for bit.
 * - G3 Adding a run is adding its records one by one, in order: how records are cut into runs changes no bit.
 * - G4 `readState` of what `writeState` wrote gives the same group, bit for bit.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column } from "../../batch/column.ts"
import { ColumnType } from "../../batch/type.ts"
import type { Run } from "./run.ts"

/** Partial results of one aggregate, numbered by group. */
export interface Accumulator {
  /** Makes room for groups below `capacity`. Nothing was added to new ones. */
  reserve(capacity: number): void
  /**
   * Whether adding the records of the run is known to fail for none of them. Where it says no, the caller adds record
   * by record, asking `accepts`.
   */
  acceptsAll(run: Run, column: Column | undefined): boolean
  /** Whether the record in `row` of the column can be added to the group, or to a new one where that is -1. */
  accepts(group: number, column: Column | undefined, row: number): boolean
  /** Adds each record of the run to the group that the run names. */
  add(run: Run, column: Column | undefined): void
  /**
   * Merges groups 0 … count − 1 of another accumulator of the same definition, whose records come after all those here,
   * each into the group that `groups` names. A group whose result leaves its type's range is told to `onFailed`, perhaps
   * more than once; what it holds is unspecified from then on.
   */
  merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void
  /** Writes the results of groups `from` … `from + count − 1` to rows `at` … of a column of the result type. */
  writeResults(from: number, count: number, column: Column, at: number): void
  writeState(group: number, out: ByteWriter): void
  /** @throws RangeError or TypeError where the bytes are no state of a group. */
  readState(group: number, from: ByteReader): void
}

/** An aggregate: see the files beside this one. */
export interface AggregateDefinition {
  /** The type of the results over an input type (`undefined`: no input), or `undefined` where it takes no such input. */
  resultType(input: ColumnType | undefined): ColumnType | undefined
  /** An accumulator without groups, for an input type for which there is a result type. */
  accumulator(input: ColumnType | undefined): Accumulator
}

/** The type of results whose values are of `type`, and null where a group's input may be null throughout. */
export function resultOf(type: ColumnType, input: ColumnType): ColumnType {
  return new ColumnType(type.definition, { isNullable: input.isNullable })
}
