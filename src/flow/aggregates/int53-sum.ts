/**
 * Sums of int32 and int53 within ±(2⁵³ − 1).
 *
 * To test each addition would cost more than the addition. So a bound on all sums is kept: while the bound and the
 * magnitudes of a run together stay in range, no addition of the run can leave it. Else the bound is made exact, and
 * if that does not help, records are accepted one by one.
 *
 * Invariant:
 * - IS1 No sum's magnitude exceeds the bound, and the bound never exceeds 2⁵³ − 1.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader } from "../../base/bytes.ts"
import { isValid, readValue, type Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { NumberAccumulator } from "./number-accumulator.ts"
import type { NumberColumn } from "./numbers.ts"
import type { Run } from "./run.ts"

/** Sums of safe integers. */
export class Int53Sum extends NumberAccumulator {
  #bound = 0

  constructor(input: ColumnType) {
    super(input, 0)
  }

  override acceptsAll(run: Run, column: Column | undefined): boolean {
    assert(column !== undefined, "sum reads a column")
    const magnitude = this.#magnitudeOf(run, column)
    if (this.#bound + magnitude > Number.MAX_SAFE_INTEGER) {
      this.#bound = 0
      for (const value of this.values) this.#bound = Math.max(this.#bound, Math.abs(value))
      if (this.#bound + magnitude > Number.MAX_SAFE_INTEGER) return false
    }
    this.#bound += magnitude
    return true
  }

  #magnitudeOf(run: Run, column: Column): number {
    const { rows, start, end } = run
    const { validity } = column
    const numbers = run.numbers(column as NumberColumn)
    let magnitude = 0
    if (validity === null) for (let at = start; at < end; at++) magnitude += Math.abs(numbers[at]!)
    else for (let at = start; at < end; at++) if (isValid(column, rows[at]!)) magnitude += Math.abs(numbers[at]!)
    return magnitude
  }

  override accepts(group: number, column: Column | undefined, row: number): boolean {
    assert(column !== undefined, "sum reads a column")
    if (!isValid(column, row)) return true
    const sum = Math.abs((group === -1 ? 0 : this.values[group]!) + (readValue(column, row) as number))
    if (sum > Number.MAX_SAFE_INTEGER) return false
    this.#bound = Math.max(this.#bound, sum)
    return true
  }

  add(run: Run, column: Column | undefined): void {
    assert(column !== undefined, "sum reads a column")
    const { rows, groups, start, end } = run
    const { values, presence } = this
    const { validity } = column
    const numbers = run.numbers(column as NumberColumn)
    if (presence === null) {
      for (let at = start; at < end; at++) values[groups[at]!]! += numbers[at]!
      return
    }
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue
      presence[groups[at]!] = 1
      values[groups[at]!]! += numbers[at]!
    }
  }

  merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void {
    assert(other instanceof Int53Sum, "both accumulators are of one definition")
    const { values } = this
    for (let index = 0; index < count; index++) {
      const group = groups[index]!
      const sum = values[group]! + other.values[index]!
      if (Math.abs(sum) > Number.MAX_SAFE_INTEGER) onFailed(group)
      else values[group] = sum
    }
    this.mergePresence(other, groups, count)
  }

  override readState(group: number, from: ByteReader): void {
    super.readState(group, from)
    const value = this.values[group]!
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} stands for a sum of int53`)
    this.#bound = Math.max(this.#bound, Math.abs(value))
  }
}
