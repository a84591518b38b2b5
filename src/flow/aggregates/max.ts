/** `max`: the greatest value. For floats it is `Math.max`: NaN wins over every number, and +0 is greater than −0. */
import { assert } from "../../base/assert.ts"
import type { Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import { resultOf, type Accumulator, type AggregateDefinition } from "./aggregate.ts"
import { Int64Extreme } from "./int64-extreme.ts"
import { NumberAccumulator } from "./number-accumulator.ts"
import { isNumberType, type NumberColumn } from "./numbers.ts"
import type { Run } from "./run.ts"

class NumberMax extends NumberAccumulator {
  constructor(input: ColumnType) {
    super(input, -Infinity)
  }

  add(run: Run, column: Column | undefined): void {
    assert(column !== undefined, "max reads a column")
    const { rows, groups, start, end } = run
    const { values, presence } = this
    const { validity } = column
    const numbers = run.numbers(column as NumberColumn)
    if (presence === null) {
      for (let at = start; at < end; at++) {
        const group = groups[at]!
        values[group] = Math.max(values[group]!, numbers[at]!)
      }
      return
    }
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue
      const group = groups[at]!
      presence[group] = 1
      values[group] = Math.max(values[group]!, numbers[at]!)
    }
  }

  merge(other: Accumulator, groups: Int32Array, count: number): void {
    assert(other instanceof NumberMax, "both accumulators are of one definition")
    const { values } = this
    for (let index = 0; index < count; index++) {
      const group = groups[index]!
      values[group] = Math.max(values[group]!, other.values[index]!)
    }
    this.mergePresence(other, groups, count)
  }
}

/** See the head of this file. */
export const max: AggregateDefinition = {
  resultType: (input) =>
    input !== undefined && (isNumberType(input) || input.kind === "int64") ? resultOf(input, input) : undefined,
  accumulator(input) {
    assert(input !== undefined, "max reads a column")
    return input.kind === "int64" ? new Int64Extreme(input, "max") : new NumberMax(input)
  },
}
