import { describe, expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { Plan, WindowSpec } from "../plan.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  runPlan,
  tumbling,
  type FixtureAggregates,
} from "../plan-fixture.reference.ts"
import type { JobEvent } from "../random-job.reference.ts"
import type { Row } from "./window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string.nullable(), n: t.int53.nullable(), x: t.float64.nullable() }
const COUNT: FixtureAggregates = { count: ["count"] }
const drain: JobEvent = { kind: "drain" }

function windowPlan(window: WindowSpec, aggregates = COUNT, outOfOrderMicros = 0, keys = ["key"]): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrderMicros)
  const windowed = fixture.window(timed, window, keys, aggregates)
  fixture.output("results", windowed)
  fixture.output("late", [windowed, "late"])
  return fixture.plan
}

function record(at: number, rest: Partial<{ key: string | null; n: number | null; x: number | null }> = {}): Row {
  return { at, key: "k", n: null, x: null, ...rest }
}

/** Runs records of one partition, then whatever else happens. */
function run(plan: Plan, records: readonly Row[], ...then: readonly JobEvent[]) {
  return runPlan(plan, [partitionEvent("open", 0), rows(0, ...records), ...then])
}

/** Windows as `[start, end, count]`. */
function counts(run: { outputs: ReadonlyMap<string, readonly Row[]> }): unknown[] {
  return run.outputs.get("results")!.map(({ windowStart, windowEnd, count }) => [windowStart, windowEnd, count])
}

function lateTimes(run: { outputs: ReadonlyMap<string, readonly Row[]> }): unknown[] {
  return run.outputs.get("late")!.map(({ at }) => at)
}

/** The only result's column `y`. */
function only(window: WindowSpec, aggregates: FixtureAggregates, records: readonly Row[]): unknown {
  const results = run(windowPlan(window, aggregates), records, drain).outputs.get("results")!
  expect(results).toHaveLength(1)
  return results[0]!["y"]
}

describe("windows", () => {
  it("W1 a record at a window's start belongs to it", () => {
    expect(counts(run(windowPlan(tumbling(60)), [record(60)], drain))).toEqual([[60, 120, 1]])
  })

  it("W1 a record at the window's end belongs to the next window", () => {
    const outcome = run(windowPlan(tumbling(60)), [record(59), record(60)], drain)
    expect(counts(outcome)).toEqual([
      [0, 60, 1],
      [60, 120, 1],
    ])
  })

  it("W19 without keys a window with records gives one row, in order and out of it, and before and after a restart", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS), 30)
    const windowed = fixture.window(timed, hopping(30, 10), [], {
      count: ["count"],
      y: ["sum", "x"],
      last: ["last", "key"],
    })
    fixture.output("results", windowed)
    const records = [record(5, { x: 1 }), record(17, { x: 2, key: "z" }), record(31, { x: 4 }), record(12, { x: 8 })]
    const outcome = run(fixture.plan, records, drain)
    expect(outcome.outputs.get("results")).toEqual([
      { windowStart: -20, windowEnd: 10, count: 1, y: 1, last: "k" },
      { windowStart: -10, windowEnd: 20, count: 3, y: 11, last: "z" },
      { windowStart: 0, windowEnd: 30, count: 3, y: 11, last: "z" },
      { windowStart: 10, windowEnd: 40, count: 3, y: 14, last: "k" },
      { windowStart: 20, windowEnd: 50, count: 1, y: 4, last: "k" },
      { windowStart: 30, windowEnd: 60, count: 1, y: 4, last: "k" },
    ])
  })

  it("W2 windows of negative times start at multiples of the slide", () => {
    const outcome = run(windowPlan(hopping(20, 10)), [record(-1)], drain)
    expect(counts(outcome)).toEqual([
      [-20, 0, 1],
      [-10, 10, 1],
    ])
  })

  it("W2 an offset of a slide changes nothing", () => {
    const of = (offset: number) => counts(run(windowPlan(tumbling(60, offset)), [record(7)], drain))
    expect(of(15)).toEqual([[-45, 15, 1]])
    expect(of(15 - 60)).toEqual(of(15))
    expect(of(15 + 60)).toEqual(of(15))
  })

  it("W3 a window fires when the watermark reaches its end − 1, and not one microsecond before", () => {
    // Without disorder the watermark is one below the greatest time.
    expect(counts(run(windowPlan(tumbling(60)), [record(0), record(59)]))).toEqual([])
    expect(counts(run(windowPlan(tumbling(60)), [record(0), record(60)]))).toEqual([[0, 60, 1]])
  })

  it("W3 a window without records does not fire", () => {
    const outcome = run(windowPlan(tumbling(60)), [record(0), record(600)], drain)
    expect(counts(outcome)).toEqual([
      [0, 60, 1],
      [600, 660, 1],
    ])
  })

  it("W3 a window fires once, whatever comes behind", () => {
    const outcome = run(windowPlan(tumbling(60)), [record(0), record(60), record(1), record(120)], drain, drain)
    expect(counts(outcome)).toEqual([
      [0, 60, 1],
      [60, 120, 1],
      [120, 180, 1],
    ])
  })

  /** The keys of each window, by its end, from records as `[time, keys]`. */
  function keysByEnd(window: WindowSpec, records: readonly (readonly [time: number, keys: string])[]) {
    const all = records.flatMap(([at, keys]) => [...keys].map((key) => record(at, { key })))
    const outcome = run(windowPlan(window, COUNT, 1000), all, drain)
    const keys: Record<string, string> = {}
    for (const { key, windowEnd } of outcome.outputs.get("results")!) {
      keys[String(windowEnd)] = (keys[String(windowEnd)] ?? "") + String(key)
    }
    return { keys, ends: [...new Set(outcome.outputs.get("results")!.map(({ windowEnd }) => windowEnd as number))] }
  }

  it("W4 windows fire by their ends, whatever order their records came in", () => {
    const { ends } = keysByEnd(hopping(30, 10), [
      [25, "c"],
      [-12, "b"],
      [3, "a"],
    ])
    expect(ends).toEqual([-10, 0, 10, 20, 30, 40, 50])
  })

  it("W4 keys of a tumbling window go in order of first appearance", () => {
    const { keys } = keysByEnd(tumbling(30), [
      [25, "cab"],
      [40, "za"],
      [3, "da"],
    ])
    expect(keys).toEqual({ 30: "cabd", 60: "za" })
  })

  it("W4 keys of older slices go first, those last seen in the latest slice before others, then the rest as they come", () => {
    // Blocks are [0, 30) and [30, 60).
    const { keys } = keysByEnd(hopping(30, 10), [
      [42, "xd"],
      [5, "ab"],
      [25, "cb"],
      [15, "dce"],
      [35, "yex"],
    ])
    expect(keys).toEqual({
      // All slices of the windows that end at 10 and 20 belong to the block in which they end.
      10: "ab",
      20: "abdce",
      // [0, 30) is a block.
      30: "abdce",
      // [10, 40): of the older slices [20, 30) goes before [10, 20); what is in none of them comes as in [30, 40).
      40: "cbdeyx",
      50: "cbyexd",
      60: "yexd",
      // [40, 70): its older slices are [40, 50) and [50, 60).
      70: "xd",
    })
  })

  it("W4 blocks start at the offset, and are as long as a window rounded up to slides", () => {
    // Blocks are [3, 33), [33, 63), … though windows are 25 long.
    const { keys } = keysByEnd(hopping(25, 10, 3), [
      [4, "a"],
      [14, "b"],
      [24, "c"],
      [34, "d"],
      [44, "e"],
    ])
    expect(keys).toEqual({ 8: "a", 18: "ab", 28: "abc", 38: "cbd", 48: "cde", 58: "de", 68: "e" })
    const before1970 = keysByEnd(hopping(20, 10), [
      [-35, "a"],
      [-25, "b"],
      [-15, "c"],
      [-5, "d"],
    ])
    // Blocks are [−40, −20), [−20, 0).
    expect(before1970.keys).toEqual({ "-30": "a", "-20": "ab", "-10": "bc", 0: "cd", 10: "d" })
  })

  it("W5 a record is late when its partition's watermark before it is the window's end − 1", () => {
    // The second record takes the watermark to 59 = end − 1 of [0, 60).
    expect(lateTimes(run(windowPlan(tumbling(60)), [record(0), record(60), record(59)], drain))).toEqual([59])
    expect(lateTimes(run(windowPlan(tumbling(60)), [record(0), record(59), record(0)], drain))).toEqual([])
  })

  it("W5 a record is never late because of itself or of a partition that is ahead", () => {
    const events = [
      partitionEvent("open", 0),
      partitionEvent("open", 1),
      rows(0, record(500)),
      rows(1, record(0), record(70)),
      drain,
    ]
    const outcome = runPlan(windowPlan(tumbling(60)), events)
    expect(lateTimes(outcome)).toEqual([])
    expect(counts(outcome)).toHaveLength(3)
  })

  it("W6 a record that is late for all its windows is in the late output as it came, and in no window", () => {
    const outcome = run(windowPlan(hopping(20, 10)), [record(100), record(50, { key: null, x: 1.5 })], drain)
    expect(outcome.outputs.get("late")).toEqual([record(50, { key: null, x: 1.5 })])
    expect(counts(outcome)).toEqual([
      [90, 110, 1],
      [100, 120, 1],
    ])
  })

  it("W6 a record that is late for some windows counts in the others", () => {
    // Watermark 19: [0, 20) has fired, [10, 30) has not.
    const outcome = run(windowPlan(hopping(20, 10)), [record(20), record(15)], drain)
    expect(lateTimes(outcome)).toEqual([])
    expect(counts(outcome)).toEqual([
      [10, 30, 2],
      [20, 40, 1],
    ])
  })

  it("W6 a record is kept out of a window that it is late for, also while another partition keeps that one open", () => {
    const events = [
      partitionEvent("open", 0),
      partitionEvent("open", 1),
      rows(0, record(20), record(15)),
      rows(1, record(15)),
      drain,
    ]
    expect(counts(runPlan(windowPlan(hopping(20, 10)), events))).toEqual([
      [0, 20, 1],
      [10, 30, 3],
      [20, 40, 1],
    ])
  })

  it("W6 neighbouring records of one slice that are late for more and more windows are told apart", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    // The records that take the watermark up do not reach the window.
    const kept = fixture.filter(timed, (row: Row) => row["n"] === null)
    const windowed = fixture.window(kept, hopping(30, 10), ["key"], COUNT)
    fixture.output("results", windowed)
    fixture.output("late", [windowed, "late"])
    const records = [30, 40, 50].flatMap((at) => [record(25), record(at, { n: 0 })])
    const outcome = run(fixture.plan, [...records, record(25)], drain)
    expect(counts(outcome)).toEqual([
      [0, 30, 1],
      [10, 40, 2],
      [20, 50, 3],
    ])
    expect(lateTimes(outcome)).toEqual([25])
  })

  it("W7 a record between windows counts nowhere and is not late", () => {
    const outcome = run(windowPlan(hopping(10, 25)), [record(9), record(10), record(24), record(25)], drain)
    expect(lateTimes(outcome)).toEqual([])
    expect(counts(outcome)).toEqual([
      [0, 10, 1],
      [25, 35, 1],
    ])
  })

  it("W11 keys compare as in a Map: null and the empty text are two keys", () => {
    const outcome = run(
      windowPlan(tumbling(60)),
      [record(1, { key: null }), record(2, { key: "" }), record(3, { key: null })],
      drain,
    )
    expect(outcome.outputs.get("results")!.map(({ key, count }) => [key, count])).toEqual([
      [null, 2],
      ["", 1],
    ])
  })

  it("W11 NaN is one key, and −0 and +0 are one, given as +0", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    fixture.output("results", fixture.window(timed, tumbling(60), ["x"], COUNT))
    const records = [NaN, -0, 0, NaN].map((x) => record(0, { x }))
    const results = run(fixture.plan, records, drain).outputs.get("results")!
    expect(results.map(({ x, count }) => [x, count])).toEqual([
      [NaN, 2],
      [0, 2],
    ])
  })

  it("W18 a record at the ends of time fails, as its windows cannot be named", () => {
    const ends = Number.MAX_SAFE_INTEGER
    const outcome = run(windowPlan(tumbling(60), COUNT, 60), [record(-ends), record(-ends + 180), record(ends)], drain)
    expect(outcome.failures.get("window2")).toEqual([record(-ends), record(ends)])
    expect(counts(outcome)).toHaveLength(1)
  })
})

describe("aggregates of windows", () => {
  const MAX = Number.MAX_SAFE_INTEGER

  it("W8 a record that fails in one aggregate is in none, and makes no key appear", () => {
    const lambda = (row: Row) => {
      if (row["n"] === 13) throw new Error("thirteen")
      return row["n"]
    }
    const aggregates: FixtureAggregates = { count: ["count"], y: ["max", { lambda, type: COLUMNS.n }] }
    const records = [record(1, { n: 5 }), record(2, { n: 13 }), record(3, { n: 13, key: "other" }), record(4, { n: 7 })]
    const outcome = run(windowPlan(tumbling(60), aggregates), records, drain)
    expect(outcome.outputs.get("results")).toEqual([{ key: "k", windowStart: 0, windowEnd: 60, count: 2, y: 7 }])
    expect(outcome.failures.get("window2")).toEqual([records[1], records[2]])
  })

  it("W8 a late record is late, not failed: no lambda sees it", () => {
    const lambda = () => {
      throw new Error("never")
    }
    const plan = windowPlan(tumbling(60), { y: ["max", { lambda, type: COLUMNS.n }] })
    const outcome = run(plan, [record(100), record(0)], drain)
    expect(lateTimes(outcome)).toEqual([0])
    expect(outcome.failures.get("window2")).toEqual([record(100)])
  })

  it("W9 a result whose slices' sums are in range and their sum is not fails; other keys do not", () => {
    const aggregates: FixtureAggregates = { y: ["sum", "n"] }
    const records = [record(5, { n: MAX }), record(15, { n: 1 }), record(6, { n: 1, key: "small" })]
    const outcome = run(windowPlan(hopping(20, 10), aggregates, 100), records, drain)
    expect(outcome.failedResults.get("window2")).toBe(1)
    const shown = outcome.outputs.get("results")!.map(({ key, windowEnd, y }) => [windowEnd, key, y])
    expect(shown).toEqual([
      [10, "k", MAX],
      [10, "small", 1],
      [20, "small", 1],
      [30, "k", 1],
    ])
  })

  it("W12 aggregates skip null, and give null where there is nothing else; count counts records", () => {
    const aggregates: FixtureAggregates = {
      count: ["count"],
      sum: ["sum", "n"],
      min: ["min", "x"],
      max: ["max", "x"],
      mean: ["mean", "x"],
      first: ["first", "n"],
      last: ["last", "n"],
    }
    const plan = windowPlan(tumbling(60), aggregates)
    const [none] = run(plan, [record(0), record(1)], drain).outputs.get("results")!
    expect(none).toMatchObject({ count: 2, sum: null, min: null, max: null, mean: null, first: null, last: null })
    const records = [record(0), record(1, { n: 2, x: 2 }), record(2), record(3, { n: 4, x: 4 }), record(4)]
    const [some] = run(plan, records, drain).outputs.get("results")!
    expect(some).toMatchObject({ count: 5, sum: 6, min: 2, max: 4, mean: 3, first: 2, last: 4 })
  })

  it("W13 float sums add in order of arrival within a slice", () => {
    const sum: FixtureAggregates = { y: ["sum", "x"] }
    expect(0.3 + 0.2 + 0.1).not.toBe(0.1 + 0.2 + 0.3)
    const records = [record(9, { x: 0.3 }), record(1, { x: 0.2 }), record(2, { x: 0.1 })]
    expect(only(tumbling(60), sum, records)).toBe(0.3 + 0.2 + 0.1)
  })

  it("W13 without a key a slice's floats add to four sums in turns, of which those opposite each other add first", () => {
    const aggregates: FixtureAggregates = { y: ["sum", "x"], mean: ["mean", "x"] }
    const values = [0.1, 0.2, 0.3, 1e16, -1e16, 0.4, null, 0.7, 0.6]
    const records = values.map((x, second) => record(second, { x }))
    const plan = windowPlan(tumbling(60), aggregates, 0, [])
    const expected = 0.1 - 1e16 + 0.6 + 0.3 + (0.2 + 0.4 + (1e16 + 0.7))
    const inOrder = values.reduce<number>((sum, x) => sum + (x ?? 0), 0)
    expect(expected).not.toBe(inOrder)
    expect(run(plan, records, drain).outputs.get("results")).toEqual([
      { windowStart: 0, windowEnd: 60, y: expected, mean: expected / 8 },
    ])
  })

  it("W13 sums of older slices add from the last to the first, those of newer ones from the first, then both", () => {
    const [a, b, c, d, e, f] = [0.7, 0.1, 0.2, 0.3, 0.05, 0.3]
    const records = [f, e, d, c, b, a].map((x, index) => record((5 - index) * 10, { x }))
    const outcome = run(windowPlan(hopping(40, 10), { y: ["sum", "x"], mean: ["mean", "x"] }, 100), records, drain)
    const bits = outcome.outputs.get("results")!.map(({ windowEnd, y, mean }) => [windowEnd, y, mean])
    // Blocks are [0, 40) and [40, 80).
    const expected: [number, number, number][] = [
      [10, a, 1],
      [20, a + b, 2],
      [30, a + b + c, 3],
      [40, a + b + c + d, 4],
      [50, b + (c + d) + e, 4],
      [60, c + d + (e + f), 4],
      [70, d + (e + f), 3],
      [80, e + f, 2],
      [90, f, 1],
    ]
    expect(bits).toEqual(expected.map(([end, y, count]) => [end, y, y / count]))
    expect(b + (c + d) + e).not.toBe(b + c + d + e)
    expect(c + d + (e + f)).not.toBe(c + d + e + f)
  })

  it("W13 differ from the sum in order of time by no more than roundings can", () => {
    const prng = new Prng(13)
    for (let round = 0; round < 50; round++) {
      const slices = 1 + prng.below(40)
      const values = Array.from({ length: 200 }, () => (prng.float() - 0.4) * 10 ** prng.below(12))
      const records = values.map((x, index) => record(index, { x }))
      const size = 10 * slices
      for (const row of run(windowPlan(hopping(size, 10), { y: ["sum", "x"] }), records, drain).outputs.get(
        "results",
      )!) {
        const end = row["windowEnd"] as number
        const inside = values.slice(Math.max(0, end - size), Math.max(0, end))
        const magnitude = inside.reduce((sum, x) => sum + Math.abs(x), 0)
        const bound = 2 * inside.length * 2 ** -53 * magnitude
        const inOrder = inside.reduce((sum, x) => sum + x, 0)
        expect(Math.abs((row["y"] as number) - inOrder)).toBeLessThanOrEqual(bound)
      }
    }
  })

  it("W13 the sum of nothing but −0 is −0", () => {
    const sum: FixtureAggregates = { y: ["sum", "x"] }
    expect(only(tumbling(60), sum, [record(0, { x: -0 }), record(1, { x: -0 })])).toBe(-0)
    expect(only(tumbling(60), sum, [record(0, { x: -0 }), record(1, { x: 0 })])).toBe(0)
  })

  it("W14 NaN wins in min and max, and −0 is less than +0", () => {
    const of = (kind: "min" | "max", ...values: number[]) =>
      only(
        tumbling(60),
        { y: [kind, "x"] },
        values.map((x) => record(0, { x })),
      )
    expect([of("min", 1, NaN, -Infinity), of("max", NaN, Infinity)]).toEqual([NaN, NaN])
    expect([of("min", 0, -0), of("min", -0, 0), of("max", 0, -0), of("max", -0, 0)]).toEqual([-0, -0, 0, 0])
  })

  it("W15 first and last go by event time, and of ties by arrival", () => {
    const records = [
      record(5, { n: 1 }),
      record(2, { n: 2 }),
      record(2, { n: 3 }),
      record(9, { n: 4 }),
      record(9, { n: 5 }),
    ]
    const of = (kind: "first" | "last") => only(tumbling(60), { y: [kind, "n"] }, [...records, record(1), record(10)])
    expect([of("first"), of("last")]).toEqual([2, 5])
  })

  it("W16 a record that would take an int53 sum out of range fails, and smaller ones go on", () => {
    const records = [record(0, { n: MAX }), record(1, { n: 1 }), record(2, { n: -1 }), record(3, { n: 1 })]
    const outcome = run(windowPlan(tumbling(60), { y: ["sum", "n"], count: ["count"] }), records, drain)
    expect(outcome.failures.get("window2")).toEqual([records[1]])
    expect(outcome.outputs.get("results")![0]).toMatchObject({ y: MAX, count: 3 })
  })

  it("W17 the mean of integers is their exact sum, rounded once, divided by their number", () => {
    const of = (...values: number[]) =>
      only(
        tumbling(60),
        { y: ["mean", "n"] },
        values.map((n) => record(0, { n })),
      )
    expect(of(MAX, MAX, MAX)).toBe(Number(3n * BigInt(MAX)) / 3)
    expect(of(MAX, 2, -MAX)).toBe(2 / 3)
  })
})

describe("windows over windows", () => {
  it("W10 a result row's event time is its window's end − 1, and it is never late", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const small = fixture.window(timed, tumbling(10), ["key"], COUNT)
    const large = fixture.window(small, tumbling(30), ["key"], { y: ["sum", "count"], windows: ["count"] }, "windowEnd")
    fixture.output("results", large)
    fixture.output("late", [large, "late"])
    const records = [record(29), record(30), record(61), record(5), record(62)]
    const outcome = run(fixture.plan, records, drain)
    expect(outcome.outputs.get("late")).toEqual([])
    // The window [20, 30) has the event time 29 and so belongs to [0, 30).
    expect(outcome.outputs.get("results")).toEqual([
      { key: "k", windowStart: 0, windowEnd: 30, y: 1, windows: 1 },
      { key: "k", windowStart: 30, windowEnd: 60, y: 1, windows: 1 },
      { key: "k", windowStart: 60, windowEnd: 90, y: 2, windows: 1 },
    ])
  })
})
