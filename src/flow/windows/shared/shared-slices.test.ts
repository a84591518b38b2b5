/** Tests of windows that share slices: what is in their state, what fails, and what grows. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { t } from "../../../batch/types.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  runPlan,
  tumbling,
  type FixtureAggregates,
} from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import type { Plan, WindowSpec } from "../../plan.ts"
import { windowGroups } from "../../shared-windows.ts"
import type { Row } from "../window-aggregate.reference.ts"

const BIG = Number.MAX_SAFE_INTEGER
const COLUMNS = { at: t.timestamp(), key: t.int32, x: t.float64, n: t.int53, text: t.string }

/** Windows with outputs results0, results1, … and late0, late1, …. */
function planOf(windows: readonly (readonly [WindowSpec, FixtureAggregates])[], outOfOrder = 0): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
  windows.forEach(([window, aggregates], index) => {
    const windowed = fixture.window(timed, window, ["key"], aggregates)
    fixture.output(`results${index}`, windowed)
    fixture.output(`late${index}`, [windowed, "late"])
  })
  return fixture.plan
}

function record(at: number, key = 0, n = 1, text = "") {
  return { at, key, x: at / 7, n, text }
}

const COUNT: FixtureAggregates = { count: ["count"] }
const SUM: FixtureAggregates = { sum: ["sum", "x"] }

describe("state", () => {
  it("of shared slices is written once, and costs what an epoch has touched, however many windows there are", () => {
    const bytesWith = (count: number) => {
      const windows = Array.from({ length: count }, (_, index) => [hopping(100 + 10 * index, 10), SUM] as const)
      const run = new PlanRun(planOf(windows), new Arena({ maxBytes: 1 << 26 })).open()
      run.push(Array.from({ length: 2000 }, (_, at) => record(at / 20, at % 200)))
      const first = run.writeEpoch()
      run.push([record(100, 3)])
      const second = run.writeEpoch()
      const snapshot = [...run.writeSnapshot().values()].reduce((all, { length }) => all + length, 0)
      const idle = run.writeEpoch()
      run.release()
      return { first, second, snapshot, idle }
    }
    const two = bytesWith(2)
    expect(two.first).toBeGreaterThan(2000 * 8)
    expect(two.second).toBeLessThan(100)
    expect(two.idle).toBe(0)
    expect(bytesWith(20)).toEqual(two)
  })

  it("lies under the least id, and late rows of the others under their own", () => {
    const plan = planOf([
      [tumbling(10), COUNT],
      [hopping(30, 10), COUNT],
    ])
    const run = new PlanRun(plan, new Arena({ maxBytes: 1 << 22 })).open()
    run.push([record(5), record(45), record(25), record(2)])
    const state = run.writeSnapshot()
    expect(state.get("window3")!.length).toBe(1)
    expect(state.get("window2")!.length).toBeGreaterThan(20)
    const lateRows = () =>
      run.dataflow.status().operators.flatMap(({ kind, lateRows: late }) => (kind === "windowAggregate" ? late : []))
    expect(lateRows()).toEqual([2, 1])
    run.restart("epochs")
    expect(lateRows()).toEqual([2, 1])
    expect(run.dataflow.status().operators.map(({ openWindows }) => openWindows)).toEqual([0, 0, 1, 3])
    run.drain()
    expect(run.take("results1").map(({ windowEnd, count }) => [windowEnd, count])).toEqual([
      [10, 1],
      [20, 1],
      [30, 1],
      [50, 2],
      [60, 1],
      [70, 1],
    ])
    run.release()
  })

  it("WS1 that is too long is refused by name", () => {
    const plan = planOf([
      [tumbling(10), COUNT],
      [hopping(30, 10), COUNT],
    ])
    const run = new PlanRun(plan, new Arena({ maxBytes: 1 << 22 })).open()
    run.push([record(45), record(2)])
    expect(() => run.restartFrom("window3", new Uint8Array([1, 2]))).toThrow(/state of the operator window3/)
    run.release()
  })
})

describe("W22 integer sums out of range", () => {
  const SUMS: FixtureAggregates = { n: ["sum", "n"] }

  it("fail the row of the window that they are out of range for, and no record", () => {
    const plan = planOf([
      [tumbling(10), SUMS],
      [hopping(20, 10), SUMS],
      [hopping(20, 10), COUNT],
    ])
    const records = [record(1, 0, BIG), record(2, 0, BIG), record(12, 0, -BIG), record(25, 0, 1)]
    const run = runPlan(plan, [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }])
    const ends = (output: string, name: string) => run.outputs.get(output)!.map((row) => [row["windowEnd"], row[name]])
    expect(run.failures.size).toBe(0)
    expect(ends("results0", "n")).toEqual([
      [20, -BIG],
      [30, 1],
    ])
    expect(ends("results1", "n")).toEqual([
      [20, BIG],
      [30, 1 - BIG],
      [40, 1],
    ])
    expect(ends("results2", "count")).toEqual([
      [10, 2],
      [20, 3],
      [30, 2],
      [40, 1],
    ])
    expect([...run.failedResults]).toEqual([
      ["window2", 1],
      ["window3", 1],
    ])
  })

  it("are the same whoever else shares the slices", () => {
    const prng = new Prng(2)
    const records = Array.from({ length: 300 }, (_, index) => record(index, 0, prng.pick([1, -1, 0.5]) * (BIG - 1)))
    const resultsWith = (...others: readonly WindowSpec[]) => {
      const plan = planOf([hopping(30, 10), tumbling(30), ...others].map((window) => [window, SUMS] as const))
      expect(windowGroups(plan)[0]!.members).toHaveLength(others.length + 2)
      const run = runPlan(plan, [partitionEvent("open", 0), rows(0, ...records), { kind: "drain" }])
      return { results: run.outputs.get("results0"), failed: run.failedResults.get("window2") }
    }
    const two = resultsWith()
    expect(two.failed).toBeGreaterThan(0)
    expect(two.results!.length).toBeGreaterThan(3)
    expect(resultsWith(tumbling(1))).toEqual(two)
    expect(resultsWith(hopping(12, 3), tumbling(7), tumbling(100, 3))).toEqual(two)
  })
})

it("W18 W23 a record too near the ends of time for one window fails for all that share slices with it", () => {
  const reach = 40 + 2 * 10
  const at = [BIG - reach, BIG - reach + 1, reach - BIG, reach - BIG - 1]
  const records = at.map((time) => record(time))
  const events = [partitionEvent("open", 0), ...records.map((row) => rows(0, row)), { kind: "drain" } as const]
  const fails = (...windows: readonly WindowSpec[]) => {
    const run = runPlan(planOf(windows.map((window) => [window, COUNT] as const)), events)
    return [...run.failures].map(([operator, { length }]) => [operator, length])
  }
  expect(fails(tumbling(10))).toEqual([])
  expect(fails(hopping(40, 10))).toEqual([["window2", 2]])
  expect(fails(tumbling(10), hopping(40, 10))).toEqual([
    ["window2", 2],
    ["window3", 2],
  ])
})

describe("what comes and goes", () => {
  it("keys and texts by the thousand are forgotten when no window needs them, and results stay the same", () => {
    const aggregates: FixtureAggregates = { count: ["count"], text: ["last", "text"], sum: ["sum", "x"] }
    const windows = [
      [tumbling(50), aggregates],
      [hopping(400, 10), aggregates],
      [hopping(90, 30), COUNT],
    ] as const
    const records = Array.from({ length: 40_000 }, (_, index) => {
      // In a stretch of time many keys come once; some come always.
      const key = index % 3 === 0 ? index % 7 : index
      return record(Math.floor(index / 10), index > 12_000 && index < 30_000 ? key : key % 50, 1, `text ${index}`)
    })
    const resultsOf = (batchRows: number, restarts: boolean) => {
      const run = new PlanRun(planOf(windows), new Arena({ maxBytes: 1 << 27 })).open()
      const results: Row[][] = [[], [], []]
      for (let from = 0; from < records.length; from += 5000) {
        run.push(records.slice(from, from + 5000), { batchRows })
        if (restarts) run.restart("snapshot")
        results.forEach((list, index) => run.take(`results${index}`).forEach((row) => list.push(row)))
      }
      run.drain()
      results.forEach((list, index) => run.take(`results${index}`).forEach((row) => list.push(row)))
      run.release()
      return results
    }
    const whole = resultsOf(4096, false)
    expect(whole.map(({ length }) => length > 1000)).toEqual([true, true, true])
    const wrong = whole[0]!.filter(({ windowEnd, count, text }) => {
      const last = Number(windowEnd) * 10
      return Number(count) < 1 || Number(String(text).slice(5)) >= last || Number(String(text).slice(5)) < last - 500
    })
    expect(wrong).toEqual([])
    expect(resultsOf(700, true)).toEqual(whole)
  })
})
