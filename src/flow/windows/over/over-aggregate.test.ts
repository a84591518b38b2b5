/** The rules of aggregates over a range, one by one; `over-aggregate.fuzz.ts` compares them with their slow twin. */
import { afterEach, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { t } from "../../../batch/types.ts"
import { PlanFixture, tumbling, type FixtureAggregates } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import type { Row } from "../window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string, x: t.float64.nullable() }
const SUM: FixtureAggregates = { n: ["count"], sum: ["sum", "x"] }

const arena = new Arena({ maxBytes: 1 << 20 })
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

function runOf(rangeMicros: number, outOfOrder = 0, aggregates = SUM): PlanRun {
  open?.release()
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
  const node = fixture.over(timed, rangeMicros, ["key"], aggregates)
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  fixture.output("above", fixture.window(node, tumbling(10), [], { rows: ["count"] }))
  return (open = new PlanRun(fixture.plan, arena)).open()
}

function record(at: number, x: number | null = at, key = "a"): Row {
  return { at, key, x }
}

/** Results as `a 10: 2 rows 11`. */
function shown(rows: readonly Row[]): string[] {
  return rows.map(({ at, key, n, sum }) => `${key as string} ${String(at)}: ${String(n)} rows ${String(sum)}`)
}

it("W80 the range holds the row that is exactly its length earlier, and the row itself", () => {
  const run = runOf(10)
  run.push([record(0), record(10), record(11), record(21), record(22)])
  run.drain()
  expect(shown(run.take())).toEqual([
    "a 0: 1 rows 0",
    "a 10: 2 rows 10",
    "a 11: 2 rows 21",
    "a 21: 2 rows 32",
    "a 22: 2 rows 43",
  ])
})

it("W80 rows of one event time and key are in each other's range, and a range of nothing holds no others", () => {
  const run = runOf(0)
  run.push([record(5, 1), record(5, 2), record(5, 4, "b"), record(6, 8)])
  run.drain()
  expect(shown(run.take())).toEqual(["a 5: 2 rows 3", "a 5: 2 rows 3", "b 5: 1 rows 4", "a 6: 1 rows 8"])
})

it("W12 W80 null is a row without a value", () => {
  const run = runOf(10)
  run.push([record(0, null), record(1, null), record(2, 3)])
  run.drain()
  expect(shown(run.take())).toEqual(["a 0: 1 rows null", "a 1: 2 rows null", "a 2: 3 rows 3"])
})

it("W81 a row waits for the watermark, and rows come in order of event time", () => {
  const run = runOf(10, 5)
  run.push([record(10), record(7), record(8, 8, "b"), record(8)])
  expect(shown(run.take())).toEqual([])
  expect(run.dataflow.status().operators[2]).toMatchObject({ openWindows: 4, nextDue: 7 })
  run.push([record(14)])
  expect(shown(run.take())).toEqual(["a 7: 1 rows 7", "b 8: 1 rows 8", "a 8: 2 rows 15"])
  run.drain()
  expect(shown(run.take())).toEqual(["a 10: 3 rows 25", "a 14: 4 rows 39"])
})

it("W82 a row is late when the watermark before it is at its time, and then it is in no range", () => {
  const run = runOf(10)
  run.push([record(9), record(8), record(9, 1), record(8, 1), record(12)])
  run.drain()
  expect(run.take("late")).toEqual([record(8), record(8, 1)])
  expect(shown(run.take())).toEqual(
    ["a 9: 2 rows 10", "a 12: 3 rows 22"].flatMap((row, at) => (at === 0 ? [row, row] : [row])),
  )
  expect(run.dataflow.status().lateRows).toBe(2)
})

it("W81 windows above take rows at their own event time", () => {
  const run = runOf(10, 5)
  run.push([record(12), record(9), record(11), record(8), record(40)])
  run.drain()
  expect(run.take("above")).toEqual([
    { windowStart: 0, windowEnd: 10, rows: 2 },
    { windowStart: 10, windowEnd: 20, rows: 2 },
    { windowStart: 40, windowEnd: 50, rows: 1 },
  ])
})

it("W83 infinities and NaN that have left the range do not show", () => {
  const run = runOf(1)
  run.push([0.1, Infinity, -Infinity, 0.1, 0.2, NaN, 1, 2].map((x, at) => record(at, x)))
  run.drain()
  expect(run.take().map(({ sum }) => sum)).toEqual([0.1, Infinity, NaN, -Infinity, 0.1 + 0.2, NaN, NaN, 3])
})

it("W8 rows whose lambda fails are given by nobody", () => {
  const lambda = ((row: { readonly x: number }) => {
    if (row.x === 13) throw new Error("13")
    return row.x
  }) as never
  const run = runOf(10, 0, { n: ["count"], sum: ["sum", { lambda, type: t.float64 }] })
  run.push([record(1), record(2, 13), record(3)])
  run.drain()
  expect(shown(run.take())).toEqual(["a 1: 1 rows 1", "a 3: 2 rows 4"])
  expect(run.failed).toBe(1)
})

it.each(["epochs", "snapshot"] as const)("F3 goes on from %s where it was, row by row", (from) => {
  const all = [0, 3, 3, 9, 10, 13, 14, 22, 23, 40].map((at) => record(at, 0.1 * at, at % 2 === 0 ? "a" : "b"))
  const whole = runOf(9, 4)
  whole.push(all)
  whole.drain()
  const expected = whole.take()
  const run = runOf(9, 4)
  const rows = all.flatMap((row) => {
    run.push([row])
    run.restart(from)
    return run.take()
  })
  run.drain()
  expect([...rows, ...run.take()]).toEqual(expected)
})

it("OV1 keys that no range to come can hold are forgotten", () => {
  const run = runOf(10)
  for (let key = 0; key < 1000; key++) run.push([record(key * 5, 1, `key ${key}`)])
  run.restart("snapshot")
  expect([...run.writeSnapshot().values()].reduce((sum, { length }) => sum + length, 0)).toBeLessThan(500)
})

it("an empty stream gives nothing", () => {
  const run = runOf(10)
  run.drain()
  expect(run.take()).toEqual([])
})

it("WS1 bytes that are no state are refused", () => {
  const run = runOf(20, 10)
  run.push([record(0), record(5), record(30, 1, "b"), record(22), record(31)])
  const id = run.dataflow.states[1]!.id
  const bytes = run.writeSnapshot().get(id)!
  for (let length = 1; length < bytes.length; length++) {
    expect(() => run.restartFrom(id, bytes.slice(0, length))).toThrow(/The state of the operator .* cannot be read/)
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] = changed[at]! ^ 0x41
    try {
      run.restartFrom(id, changed)
      run.push([record(50), record(200)])
    } catch (error) {
      expect(error).toMatchObject({ code: "state-corrupt" })
    }
  }
  run.restartFrom(id, bytes)
})
