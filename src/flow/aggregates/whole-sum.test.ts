import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import type { WindowSpec } from "../plan.ts"
import { hopping, partitionEvent, PlanFixture, rows, tumbling } from "../plan-fixture.reference.ts"
import { JobRun } from "../random-job.reference.ts"

const BIG = Number.MAX_SAFE_INTEGER
const HIGHEST = 2n ** 63n - 1n
const arena = new Arena({ maxBytes: 1 << 20 })

/** A value and when it happened. */
type Timed = readonly [time: number, value: number | bigint | null]

/** Sums values in windows; they come in batches of so many rows, and none is late. */
function sumsOf(type: ColumnType, window: WindowSpec, values: readonly Timed[], batchRows: number) {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32, value: type }), 1_000_000)
  const windowed = fixture.window(timed, window, ["key"], { y: ["sum", "value"] })
  fixture.output("results", windowed)
  const records = values.map(([at, value]) => ({ at, key: 0, value }))
  const events = [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }] as const
  const run = new JobRun(
    { plan: fixture.plan, events },
    { prng: new Prng(0), arena, restoreChance: 0, compile: "off", batchRows },
  )
  run.run()
  return {
    /** By the window's end; windows whose sum is out of range are missing. */
    sums: new Map(run.outputs.get("results")!.map(({ windowEnd, y }) => [windowEnd, y])),
    failed: run.failedResults.get("window2") ?? 0,
    refused: (run.failures.get("window2") ?? []).map((row) => row["value"]),
  }
}

/** Which of the values a sum refuses, all in one slice: however many records are added at once. */
function refused(type: ColumnType, values: readonly (number | bigint | null)[]): unknown[] {
  const timed = values.map((value): Timed => [5, value])
  const [whole, ...others] = [1000, 1, 2, 3].map((batchRows) => sumsOf(type, tumbling(10), timed, batchRows))
  for (const other of others) expect(other).toEqual(whole)
  return whole!.refused
}

describe("sums stay in range", () => {
  it("WH1 a sum of int53 goes up to 2⁵³ − 1 and down to its negative", () => {
    const quarter = 2 ** 51
    expect(refused(t.int53, [quarter, quarter, quarter, quarter - 1, 1])).toEqual([1])
    expect(refused(t.int53, [-quarter, -quarter, -quarter, -quarter])).toEqual([-quarter])
    expect(refused(t.int53, [-quarter, -quarter, -quarter, -quarter + 1, -1, 1, -1, -1])).toEqual([-1, -1])
    expect(refused(t.int53, [BIG, 1, -1, 1, 1])).toEqual([1, 1])
    expect(refused(t.int53.nullable(), [BIG, null, 1, null, -BIG, -BIG, -1])).toEqual([1, -1])
  })

  it("WH1 a sum of int64 goes from −2⁶³ to 2⁶³ − 1", () => {
    const quarter = 2n ** 61n
    expect(refused(t.int64, [quarter, quarter, quarter, quarter, quarter - 1n])).toEqual([quarter])
    expect(refused(t.int64, [-quarter, -quarter, -quarter, -quarter, -1n])).toEqual([-1n])
    expect(refused(t.int64, [HIGHEST, 1n, -HIGHEST, -HIGHEST, -1n, -1n])).toEqual([1n, -1n])
    expect(refused(t.int64.nullable(), [-HIGHEST - 1n, null, -1n, HIGHEST, 2n])).toEqual([-1n])
  })

  it("WH1 a sum of int32 is an int53: no sum of a few leaves its range", () => {
    const highest = 2 ** 31 - 1
    expect(
      refused(
        t.int32,
        Array.from({ length: 1000 }, () => highest),
      ),
    ).toEqual([])
    const values = Array.from({ length: 1000 }, (): Timed => [5, -(2 ** 31)])
    expect(sumsOf(t.int32, tumbling(10), values, 7).sums).toEqual(new Map([[10, -1000 * 2 ** 31]]))
  })
})

describe("sums of windows", () => {
  const SLICES = 60
  const OVERLAPPING = hopping(SLICES * 10, 10)

  it("WH2 W9 one whose slices go far out of range and come back has its exact sum", () => {
    const values: Timed[] = []
    for (let slice = 0; slice < SLICES; slice++) {
      values.push([slice * 10, slice < SLICES / 2 ? HIGHEST : -HIGHEST], [slice * 10 + 1, 0n])
    }
    values.push([(SLICES / 2) * 10, -7n])
    // The slice of the last has −HIGHEST already, so it takes −1 and no more.
    const { sums, refused: others } = sumsOf(t.int64, OVERLAPPING, values, 100)
    expect(others).toEqual([-7n])
    expect(sums.get(SLICES * 10)).toBe(0n)
    const exact = sumsOf(t.int64, OVERLAPPING, [...values, [(SLICES / 2) * 10 + 3, -1n]], 100)
    expect(exact.sums.get(SLICES * 10)).toBe(-1n)
    expect(exact.refused).toEqual([-7n])
  })

  it.each([1024, 2048, 2049])(
    "WH2 W9 one of %i slices fails though the low word of its sum of int53 is in range",
    (slices) => {
      // 2,048 times 2⁵³ − 1 is 2⁶⁴ − 2048: as int64 it would be −2048.
      const values = Array.from({ length: slices }, (_, slice): Timed => [slice * 10, BIG])
      const { sums, failed } = sumsOf(t.int53, hopping(slices * 10, 10), values, 500)
      // In range are the first window and the last, which hold one slice.
      expect([...sums]).toEqual([
        [10, BIG],
        [(2 * slices - 1) * 10, BIG],
      ])
      expect(failed).toBe(2 * slices - 3)
    },
  )

  it.each([
    [t.int64, HIGHEST, 1n],
    [t.int64, -HIGHEST - 1n, -1n],
    [t.int53, BIG, 1],
    [t.int53, -BIG, -1],
  ] as const)("WH2 W9 a window of %s fails where its sum passes %s by one, and nowhere else", (type, most, one) => {
    // Windows that hold the last slice have `most`, or one more; those that hold only a part are in range.
    const values: Timed[] = [
      [5, most],
      [15, one],
      [25, -one as typeof one],
      [35, one],
    ]
    const { sums, failed, refused: none } = sumsOf(type, hopping(40, 10), values, 100)
    expect(none).toEqual([])
    const add = (...parts: (number | bigint)[]) => parts.reduce((sum, part) => BigInt(sum) + BigInt(part), 0n)
    const asType = (sum: number | bigint) => (typeof most === "bigint" ? BigInt(sum) : Number(sum))
    const expected: [number, number | bigint][] = [
      [10, most],
      [30, asType(add(most, one, -one))],
      [50, one],
      [60, asType(0)],
      [70, one],
    ]
    expect([...sums]).toEqual(expected)
    // [−20, 20) and [0, 40).
    expect(failed).toBe(2)
  })
})
