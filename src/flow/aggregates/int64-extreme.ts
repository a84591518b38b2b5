/** The least or the greatest int64 of each group; see `min.ts` and `max.ts`. */
import { assert } from "../../base/assert.ts"
import type { Column, Int64Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator } from "./aggregate.ts"
import { Int64Accumulator } from "./int64-accumulator.ts"
import type { Run } from "./run.ts"

/** The least or the greatest of each group. */
export class Int64Extreme extends Int64Accumulator {
  readonly #isMin: boolean

  constructor(input: ColumnType, which: "min" | "max") {
    super(input, which === "min" ? 2n ** 63n - 1n : -(2n ** 63n))
    this.#isMin = which === "min"
  }

  add(run: Run, column: Column | undefined): void {
    assert(column?.storage === "int64", "the extreme of int64 reads such a column")
    const { rows, groups, start, end } = run
    const { presence } = this
    const { validity, halves } = column as Int64Column
    for (let at = start; at < end; at++) {
      const row = rows[at]!
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue
      if (presence !== null) presence[groups[at]!] = 1
      this.#offer(groups[at]!, halves[row * 2]!, halves[row * 2 + 1]!)
    }
  }

  #offer(group: number, low: number, high: number): void {
    const own = this.halves
    const ownLow = own[group * 2]!
    const ownHigh = own[group * 2 + 1]!
    const isLess = high < ownHigh || (high === ownHigh && low >>> 0 < ownLow >>> 0)
    if (isLess !== this.#isMin) return
    own[group * 2] = low
    own[group * 2 + 1] = high
  }

  merge(other: Accumulator, groups: Int32Array, count: number): void {
    assert(other instanceof Int64Extreme, "both accumulators are of one definition")
    const { halves } = other
    for (let index = 0; index < count; index++) {
      this.#offer(groups[index]!, halves[index * 2]!, halves[index * 2 + 1]!)
    }
    this.mergePresence(other, groups, count)
  }
}
