/**
 * An aggregate as plain JavaScript values: for windows that no kernel serves, and for aggregates that have none.
 *
 * A partial result is a value of the aggregate's own. Windows keep one a key and window, ask for it to be changed, and
 * write it to bytes with the epoch. It must be a function of the records, in their order, and of nothing else (E7).
 *
 * Invariants:
 * - G1 Null is skipped: an aggregate that reads a column is not given null, and has the result null where it was given
 *   nothing and its type allows that.
 * - AC1 `merge(add … to init, add … to init)` gives what adding all records, in order, to one partial result gives, but
 *   for the rounding of floats, and for what a sketch whose file says so leaves open within its error.
 * - AC2 `read` gives back what `write` wrote: results that follow are the same, bit for bit.
 * - AC3 `later` of `merge` and `part` of `remove` stay as they are, also when what was given is changed later.
 * - AC4 Only `add` of an accumulator that says that it `mayRefuse` throws, and it changes no partial result in place: the
 *   record is then in none of the aggregates (W8), so these come before the others.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"

/** What an aggregate does over one input type. `P` is the type of its partial results. */
export interface Accumulator<P = unknown> {
  /** Whether `add` throws where a record fails: a program's own function may. */
  readonly mayRefuse?: true
  /** The partial result of no record. */
  init(): P
  /** The partial result with one more record: `partial` itself, changed, or another. `value` is never null; it is `undefined` where the aggregate reads nothing. */
  add(partial: P, value: unknown, timeMicros: number): P
  /** The partial result of the records of both, `earlier` before `later`: `earlier` itself, changed, or another. */
  merge(earlier: P, later: P): P
  /** `partial` without records that were added to it before, where that can be undone exactly. */
  remove?(partial: P, part: P): P
  /** The result. It throws where there is none, such as a sum that is out of range: then the row fails. */
  result(partial: P): unknown
  write(partial: P, out: ByteWriter): void
  /** @throws RangeError where the bytes are no such partial result. */
  read(from: ByteReader): P
}

/** An aggregate that accumulates. */
export interface AccumulatorDefinition {
  /** The type of the results over an input type (`undefined`: no input), or `undefined` where it takes no such input. */
  resultType(input: ColumnType | undefined): ColumnType | undefined
  /** How it accumulates over an input type for which there is a result type. */
  accumulator(input: ColumnType | undefined): Accumulator
}
