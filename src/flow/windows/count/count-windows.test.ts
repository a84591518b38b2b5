/** The rules of windows of so many records, one by one; `count-windows.fuzz.ts` compares them with their slow twin. */
import { afterEach, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { t } from "../../../batch/types.ts"
import { PlanFixture, tumbling, type FixtureAggregates } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import type { Plan } from "../../plan.ts"
import type { Row } from "../window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string, x: t.float64.nullable() }
const COUNT: FixtureAggregates = { count: ["count"], last: ["last", "x"] }

const arena = new Arena({ maxBytes: 1 << 20 })
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

function planOf(count: number, every: number, aggregates = COUNT, keys: readonly string[] = ["key"]): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), 10)
  const node = fixture.window(timed, { kind: "count", count, every }, keys, aggregates)
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  fixture.output("above", fixture.window(node, tumbling(100), [], { n: ["count"] }, "windowEnd"))
  return fixture.plan
}

function runOf(count: number, every: number, aggregates = COUNT, keys: readonly string[] = ["key"]): PlanRun {
  open?.release()
  return (open = new PlanRun(planOf(count, every, aggregates, keys), arena)).open()
}

function record(x: number | null, key = "a", at = x ?? 0): Row {
  return { at, key, x }
}

/** Results as `key start–end count last`. */
function shown(rows: readonly Row[]): string[] {
  return rows.map(({ key, windowStart, windowEnd, count, last }) => {
    const ofKey = key === undefined ? "" : `${key as string} `
    return `${ofKey}${String(windowStart)}–${String(windowEnd)} ${String(count)} ${String(last)}`
  })
}

it("W64 a window ends with its last record, key by key, and the next one begins behind it", () => {
  const run = runOf(2, 2)
  run.push([record(1), record(2, "b"), record(3), record(4), record(5)])
  expect(shown(run.take())).toEqual(["a 1–4 2 3", "a 4–6 2 5"])
  run.push([record(6, "b")])
  expect(shown(run.take())).toEqual(["b 2–7 2 6"])
})

it("W64 overlapping windows hold the last records at every so many, and fewer at first", () => {
  const run = runOf(3, 2)
  run.push([1, 2, 3, 4, 5, 6, 7].map((x) => record(x)))
  expect(shown(run.take())).toEqual(["a 1–3 2 2", "a 2–5 3 4", "a 4–7 3 6"])
})

it("W64 between windows with gaps records count nowhere", () => {
  const run = runOf(1, 3)
  run.push([1, 2, 3, 4, 5, 6, 7].map((x) => record(x)))
  expect(shown(run.take())).toEqual(["a 3–4 1 3", "a 6–7 1 6"])
  expect(run.dataflow.status().operators[2]).toMatchObject({ rowsBetweenWindows: 5, openWindows: 0 })
})

it("W64 records that fail are counted by nobody, and null is a record", () => {
  const lambda = ((row: { readonly x: number | null }) => {
    if (row.x === 13) throw new Error("13")
    return row.x
  }) as never
  const run = runOf(2, 2, { count: ["count"], last: ["last", { lambda, type: t.float64.nullable() }] })
  run.push([record(1), record(13), record(null, "a", 2), record(3)])
  expect(shown(run.take())).toEqual(["a 1–3 2 1"])
  expect(run.failed).toBe(1)
})

it("W65 the bounds of a window are those of its records in event time, whatever their order", () => {
  const run = runOf(3, 3)
  run.push([record(8), record(2), record(5)])
  expect(shown(run.take())).toEqual(["a 2–9 3 8"])
})

it("W65 of records with one event time the last to come is the last", () => {
  const run = runOf(2, 1)
  run.push([record(1, "a", 7), record(2, "a", 7), record(3, "a", 7)])
  expect(shown(run.take())).toEqual(["a 7–8 1 1", "a 7–8 2 2", "a 7–8 2 3"])
})

it("W66 infinities that have left do not show, and NaN that is there does", () => {
  const run = runOf(2, 1, { count: ["count"], last: ["sum", "x"] })
  run.push([0.1, Infinity, -Infinity, 0.1, 0.2, NaN, 1, 2].map((x, at) => record(x, "a", at)))
  const sums = shown(run.take()).map((text) => text.split(" ").at(-1))
  expect(sums).toEqual(["0.1", "Infinity", "NaN", "-Infinity", String(0.1 + 0.2), "NaN", "NaN", "3"])
})

it("W67 no record is late, and a window that is not full waits, also when the job drains and is restarted", () => {
  const run = runOf(2, 2)
  run.push([record(1000), record(1), record(3)])
  expect(shown(run.take())).toEqual(["a 1–1001 2 1000"])
  run.drain()
  run.restart("epochs")
  expect(run.take("late")).toEqual([])
  expect(run.dataflow.status().operators[2]).toMatchObject({ openWindows: 1, lateRows: 0 })
  run.push([record(5)])
  expect(shown(run.take())).toEqual(["a 3–6 2 5"])
})

it("W67 windows over results take them at the latest event time of their records", () => {
  const run = runOf(2, 2)
  run.push([record(90), record(120), record(10), record(130), record(500)])
  expect(run.take("above")).toEqual([{ windowStart: 100, windowEnd: 200, n: 2 }])
})

it.each(["epochs", "snapshot"] as const)("W64 F3 windows go on from %s where they were, record by record", (from) => {
  for (const [count, every] of [
    [1, 1],
    [3, 1],
    [4, 3],
    [2, 5],
  ] as const) {
    const all = Array.from({ length: 12 }, (_, x) => record(x))
    const whole = runOf(count, every)
    whole.push(all)
    const expected = whole.take()
    const run = runOf(count, every)
    const results = all.flatMap((row) => {
      run.push([row])
      run.restart(from)
      return run.take()
    })
    expect(results).toEqual(expected)
  }
})

it("W64 without keys and without event time a window has only its aggregates", () => {
  const fixture = new PlanFixture()
  const spec = { kind: "count", count: 2, every: 2 } as const
  fixture.output("results", fixture.window(fixture.source({ x: t.float64 }), spec, [], { sum: ["sum", "x"] }, null))
  const run = (open = new PlanRun(fixture.plan, arena)).open()
  run.push([{ x: 1 }, { x: 2 }, { x: 3 }, { x: 4 }, { x: 5 }], { batchRows: 2 })
  expect(run.take()).toEqual([{ sum: 3 }, { sum: 7 }])
})

it("WS1 bytes that are no state are refused", () => {
  const run = runOf(3, 2)
  run.push([1, 2, 3, 4, 5].map((x) => record(x)))
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
      run.push([record(6), record(7), record(8)])
    } catch (error) {
      expect(error).toMatchObject({ code: "state-corrupt" })
    }
  }
  run.restartFrom(id, bytes)
})
