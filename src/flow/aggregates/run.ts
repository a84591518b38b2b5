/**
 * A run: the records of a batch that go into one slice, in order of arrival, as aggregates are given them.
 *
 * It belongs to its operator and is filled anew for each run; aggregates keep nothing of it (F2).
 */
import { assert } from "../../base/assert.ts"
import { readNumbers, type NumberColumn } from "./numbers.ts"

/** Records `start` to `end` of the arrays, which run in parallel. */
export class Run {
  /** The row of each record in its batch. */
  rows: Int32Array = new Int32Array(0)
  /** The event time of each record. */
  times: Float64Array = new Float64Array(0)
  /** The group of each record: its row in the slice's table. */
  groups: Int32Array = new Int32Array(0)
  start = 0
  end = 0
  #numbers = new Float64Array(0)
  #numbersOf: NumberColumn | undefined

  /** Makes room for `capacity` records. What was in the arrays is lost. */
  reserve(capacity: number): void {
    if (this.rows.length >= capacity) return
    this.rows = new Int32Array(capacity)
    this.times = new Float64Array(capacity)
    this.groups = new Int32Array(capacity)
    this.#numbers = new Float64Array(capacity)
  }

  /** Turns to other records, of the same batch or another one. */
  select(start: number, end: number): void {
    assert(start <= end && end <= this.rows.length, "a run lies within its arrays")
    this.start = start
    this.end = end
    this.#numbersOf = undefined
  }

  /** The column's values of the records, at their indexes; unspecified where null. Valid until the next call. */
  numbers(column: NumberColumn): Float64Array {
    if (this.#numbersOf !== column) readNumbers(column, this.rows, this.start, this.end, this.#numbers)
    this.#numbersOf = column
    return this.#numbers
  }
}
