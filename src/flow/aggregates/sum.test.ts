import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { Run } from "./run.ts"
import { sum } from "./sum.ts"

const arena = new Arena({ maxBytes: 1 << 16 })

/** Adds values one by one, each a run of its own, while the accumulator accepts them; gives which were. */
function accepted(type: ColumnType, values: readonly unknown[]): unknown[] {
  const accumulator = sum.accumulator(type)
  accumulator.reserve(1)
  const run = new Run()
  run.reserve(1)
  const taken = values.filter((value) => {
    const { batch, release } = batchOfRows(arena, schema({ value: type }), [{ value }])
    run.select(0, 1)
    const [column] = batch.columns
    const isAccepted = accumulator.acceptsAll(run, column) || accumulator.accepts(0, column, 0)
    run.select(0, 1)
    if (isAccepted) accumulator.add(run, column)
    release()
    return isAccepted
  })
  return taken
}

describe("sums stay in range", () => {
  it("SU1 IS1 a sum of int53 goes up to 2⁵³ − 1 and down to its negative, over many runs", () => {
    const quarter = 2 ** 51
    expect(accepted(t.int53, [quarter, quarter, quarter, quarter - 1, 1])).toEqual([
      quarter,
      quarter,
      quarter,
      quarter - 1,
    ])
    expect(accepted(t.int53, [-quarter, -quarter, -quarter, -quarter])).toEqual([-quarter, -quarter, -quarter])
    expect(accepted(t.int53, [Number.MAX_SAFE_INTEGER, 1, -1, 1, 1])).toEqual([Number.MAX_SAFE_INTEGER, -1, 1])
  })

  it("SU1 IL1 a sum of int64 goes from −2⁶³ to 2⁶³ − 1, over many runs", () => {
    const quarter = 2n ** 61n
    expect(accepted(t.int64, [quarter, quarter, quarter, quarter, quarter - 1n])).toEqual([
      quarter,
      quarter,
      quarter,
      quarter - 1n,
    ])
    const negative = [-quarter, -quarter, -quarter, -quarter]
    expect(accepted(t.int64, [...negative, -1n])).toEqual(negative)
  })
})
