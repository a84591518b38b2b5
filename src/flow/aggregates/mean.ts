/**
 * `mean`: the sum divided by the number of values. The sum of floats is that of `sum`. The sum of integers is exact
 * within int64 (a record that takes it out is not accepted), turned into a double once, before the division.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Column, Float64Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { float64Type } from "../../batch/types/float64.ts"
import { resultOf, type Accumulator, type AggregateDefinition } from "./aggregate.ts"
import { grownFloat64 } from "./growth.ts"
import { Int64Sum } from "./int64-sum.ts"
import { writePresence } from "./presence.ts"
import type { Run } from "./run.ts"
import { FloatSum } from "./sum.ts"

class Mean implements Accumulator {
  readonly #sum: FloatSum | Int64Sum
  /** How many values that are not null each group has had. */
  #counts = new Float64Array(0)

  constructor(input: ColumnType) {
    this.#sum = input.kind === "float64" ? new FloatSum(input) : new Int64Sum(input)
  }

  reserve(capacity: number): void {
    this.#sum.reserve(capacity)
    if (capacity > this.#counts.length) this.#counts = grownFloat64(this.#counts, capacity, 0)
  }

  acceptsAll(run: Run, column: Column | undefined): boolean {
    return this.#sum.acceptsAll(run, column)
  }

  accepts(group: number, column: Column | undefined, row: number): boolean {
    return this.#sum.accepts(group, column, row)
  }

  add(run: Run, column: Column | undefined): void {
    assert(column !== undefined, "mean reads a column")
    this.#sum.add(run, column)
    const { rows, groups, start, end } = run
    const { validity } = column
    const counts = this.#counts
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue
      counts[groups[at]!]! += 1
    }
  }

  merge(other: Accumulator, groups: Int32Array, count: number, onFailed: (group: number) => void): void {
    assert(other instanceof Mean, "both accumulators are of one definition")
    this.#sum.merge(other.#sum, groups, count, onFailed)
    for (let index = 0; index < count; index++) this.#counts[groups[index]!]! += other.#counts[index]!
  }

  writeResults(from: number, count: number, column: Column, at: number): void {
    writePresence(column, at, this.#sum.presence, from, count)
    const { values } = column as Float64Column
    for (let index = 0; index < count; index++) {
      values[at + index] = Number(this.#sum.values[from + index]!) / this.#counts[from + index]!
    }
  }

  writeState(group: number, out: ByteWriter): void {
    this.#sum.writeState(group, out)
    out.varint(this.#counts[group]!)
  }

  readState(group: number, from: ByteReader): void {
    this.#sum.readState(group, from)
    this.#counts[group] = from.varint()
  }
}

const MEAN_KINDS: readonly string[] = ["int32", "int53", "int64", "float64"]

/** See the head of this file. */
export const mean: AggregateDefinition = {
  resultType: (input) =>
    input !== undefined && MEAN_KINDS.includes(input.kind) ? resultOf(float64Type, input) : undefined,
  accumulator(input) {
    assert(input !== undefined, "mean reads a column")
    return new Mean(input)
  },
}
