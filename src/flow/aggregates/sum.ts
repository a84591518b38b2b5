/**
 * `sum`. Floats add in order of arrival within a slice; sums of int32 and int53 are int53, sums of int64 are int64.
 *
 * Invariant:
 * - SU1 A sum of integers never leaves its type's range: the record that would take it out is not accepted.
 */
import { assert } from "../../base/assert.ts"
import type { Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { int53Type } from "../../batch/types/int53.ts"
import { resultOf, type Accumulator, type AggregateDefinition } from "./aggregate.ts"
import { Int53Sum } from "./int53-sum.ts"
import { Int64Sum } from "./int64-sum.ts"
import { NumberAccumulator } from "./number-accumulator.ts"
import type { NumberColumn } from "./numbers.ts"
import type { Run } from "./run.ts"

/** Sums of floats. They start from −0, to which any float adds as itself; +0 would turn −0 into +0. */
export class FloatSum extends NumberAccumulator {
  constructor(input: ColumnType) {
    super(input, -0)
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

  merge(other: Accumulator, groups: Int32Array, count: number): void {
    assert(other instanceof FloatSum, "both accumulators are of one definition")
    for (let index = 0; index < count; index++) this.values[groups[index]!]! += other.values[index]!
    this.mergePresence(other, groups, count)
  }
}

function isInt53Summand(input: ColumnType): boolean {
  return input.kind === "int32" || input.kind === "int53"
}

/** See the head of this file. */
export const sum: AggregateDefinition = {
  resultType(input) {
    if (input === undefined) return undefined
    if (isInt53Summand(input)) return resultOf(int53Type, input)
    return input.kind === "int64" || input.kind === "float64" ? resultOf(input, input) : undefined
  },
  accumulator(input) {
    assert(input !== undefined, "sum reads a column")
    if (isInt53Summand(input)) return new Int53Sum(input)
    return input.kind === "int64" ? new Int64Sum(input) : new FloatSum(input)
  },
}
