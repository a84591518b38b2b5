/** The rules of windows on plain values, one by one; `general-windows.fuzz.ts` compares them with their slow twin. */
import { afterEach, describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { t } from "../../../batch/types.ts"
import { fromIso, formatTimestamp } from "../../../time/iso.ts"
import { PlanFixture, type FixtureAggregates } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import type { Plan, WindowSpec } from "../../plan.ts"
import type { Row } from "../window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string, x: t.float64, n: t.int53 }
const COUNT: FixtureAggregates = { count: ["count"] }

const arena = new Arena({ maxBytes: 1 << 20 })
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

function planOf(window: WindowSpec, aggregates = COUNT, outOfOrder = 0, keys: readonly string[] = ["key"]): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
  const node = fixture.window(timed, window, keys, aggregates)
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  return fixture.plan
}

function runOf(window: WindowSpec, aggregates = COUNT, outOfOrder = 0, keys: readonly string[] = ["key"]): PlanRun {
  open?.release()
  return (open = new PlanRun(planOf(window, aggregates, outOfOrder, keys), arena)).open()
}

function record(at: number, key = "a", x = 1): Row {
  return { at, key, x, n: x }
}

/** Results as `key start–end count`. */
function shown(rows: readonly Row[]): string[] {
  return rows.map(({ key, windowStart, windowEnd, count }) => {
    const ofKey = key === undefined ? "" : `${key as string} `
    return `${ofKey}${String(windowStart)}–${String(windowEnd)} ${String(count)}`
  })
}

const session = (gapMicros: number): WindowSpec => ({ kind: "session", gapMicros })

describe("sessions", () => {
  it("W31 records with no more than a gap between them are one session", () => {
    const run = runOf(session(10))
    run.push([record(0), record(10), record(21)])
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–20 2", "a 21–31 1"])
  })

  it("W31 one record makes one session of three", () => {
    const run = runOf(session(10), COUNT, 100)
    run.push([record(0), record(20), record(40), record(10), record(30)])
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–50 5"])
  })

  it("W3 a session fires once, when the watermark is at least its end − 1", () => {
    const run = runOf(session(10))
    run.push([record(0), record(9, "b")])
    expect(shown(run.take())).toEqual([])
    run.push([record(10, "b")])
    expect(shown(run.take())).toEqual(["a 0–10 1"])
    run.push([record(50, "b")])
    expect(shown(run.take())).toEqual(["b 9–20 2"])
  })

  it("W32 a record does not join a session that is behind its watermark, whether or not that has fired", () => {
    const run = runOf(session(10)).open(1)
    run.push([record(0), record(14, "b"), record(8)])
    expect(shown(run.take())).toEqual([])
    run.push([record(30, "b")], { partition: 1 })
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–10 1", "a 8–18 1", "b 14–24 1", "b 30–40 1"])
  })

  it("W32 a record that would be a session behind its watermark is late, unless it joins one that is not", () => {
    const run = runOf(session(10))
    run.push([record(0), record(8), record(16, "b"), record(5), record(30, "b"), record(7)])
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–18 3", "b 16–26 1", "b 30–40 1"])
    expect(run.take("late")).toEqual([record(7)])
    expect(run.dataflow.status().lateRows).toBe(1)
  })

  it("W33 first, last and float sums go by time, and then by the order in which sessions were", () => {
    const run = runOf(session(10), { sum: ["sum", "x"], first: ["first", "x"], last: ["last", "x"] }, 100)
    run.push([record(20, "a", 1e16), record(0, "a", 1), record(20, "a", 1), record(10, "a", -1e16)])
    run.drain()
    // (1 + −1e16) + (1e16 + 1)
    expect(run.take()).toMatchObject([{ sum: 1 - 1e16 + (1e16 + 1), first: 1, last: 1 }])
  })

  it("W19 without keys all records are in the sessions of one group", () => {
    const run = runOf(session(10), COUNT, 0, [])
    run.push([record(0), record(5, "b"), record(30)])
    run.drain()
    expect(shown(run.take())).toEqual(["0–15 2", "30–40 1"])
  })

  it("W25 results go by end, by start, and by first record", () => {
    const run = runOf(session(10), COUNT, 100)
    run.push([record(5, "c"), record(5, "b"), record(0, "a"), record(5, "a"), record(4, "d")])
    run.drain()
    expect(shown(run.take())).toEqual(["d 4–14 1", "a 0–15 2", "c 5–15 1", "b 5–15 1"])
  })

  it("W34 of two results of windows at one moment the second does not join a session that ends there", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const first = fixture.window(timed, { kind: "tumbling", sizeMicros: 10, offsetMicros: 0 }, ["key"], COUNT)
    const second = fixture.window(first, session(10), [], { n: ["sum", "count"] }, "windowEnd")
    fixture.output("results", second)
    const run = (open = new PlanRun(fixture.plan, arena)).open()
    run.push([record(0, "a"), record(10, "a"), record(11, "b"), record(40)])
    run.drain()
    expect(run.take()).toEqual([
      { windowStart: 9, windowEnd: 19, n: 1 },
      { windowStart: 19, windowEnd: 29, n: 2 },
      { windowStart: 49, windowEnd: 59, n: 1 },
    ])
  })
})

describe("steps", () => {
  const cumulate: WindowSpec = { kind: "cumulate", sizeMicros: 30, stepMicros: 10, offsetMicros: 0 }

  it("W30 a result at every step is of all records of the window by then", () => {
    const run = runOf(cumulate)
    run.push([record(0), record(12), record(35)])
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–10 1", "a 0–20 2", "a 0–30 2", "a 30–40 1", "a 30–50 1", "a 30–60 1"])
  })

  it("W30 W6 a record that is late for some steps counts in the others", () => {
    const run = runOf(cumulate)
    run.push([record(0), record(20, "b"), record(5), record(60, "b"), record(7)])
    run.drain()
    expect(shown(run.take()).filter((row) => row.startsWith("a"))).toEqual(["a 0–10 1", "a 0–20 1", "a 0–30 2"])
    expect(run.take("late")).toEqual([record(7)])
  })

  it("W30 the last step of a window may be shorter", () => {
    const run = runOf({ ...cumulate, stepMicros: 20 })
    run.push([record(0), record(25)])
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–20 1", "a 0–30 2"])
  })
})

describe("windows in a time zone", () => {
  const day = (zone: string, offsetMicros = 0): WindowSpec => {
    return { kind: "calendar", unit: "day", count: 1, zone, offsetMicros }
  }

  /** The bounds of the windows of records at these times. */
  function bounds(window: WindowSpec, ...times: readonly string[]): string[] {
    const run = runOf(window)
    run.push(times.map((time) => record(fromIso(time))))
    run.drain()
    return run.take().map(({ windowStart, windowEnd }) => {
      const hours = ((windowEnd as number) - (windowStart as number)) / 3_600e6
      return `${formatTimestamp(windowStart as never)} ${hours}h`
    })
  }

  it("W40 days of Berlin have 23 and 25 hours where its clocks are changed", () => {
    const spring = bounds(day("Europe/Berlin"), "2024-03-30T22:59:59Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z")
    expect(spring).toEqual(["2024-03-29T23:00:00Z 24h", "2024-03-30T23:00:00Z 23h", "2024-03-31T22:00:00Z 24h"])
    const autumn = bounds(day("Europe/Berlin"), "2024-10-26T22:00:00Z", "2024-10-27T22:59:59Z", "2024-10-27T23:00:00Z")
    expect(autumn).toEqual(["2024-10-26T22:00:00Z 25h", "2024-10-27T23:00:00Z 24h"])
  })

  it("W40 so have those of New York, and a week with one of them", () => {
    const autumn = bounds(day("America/New_York"), "2024-11-03T04:00:00Z", "2024-11-04T04:59:59Z")
    expect(autumn).toEqual(["2024-11-03T04:00:00Z 25h"])
    const week: WindowSpec = { kind: "calendar", unit: "week", count: 1, zone: "America/New_York", offsetMicros: 0 }
    expect(bounds(week, "2024-03-10T12:00:00Z")).toEqual(["2024-03-04T05:00:00Z 167h"])
  })

  it("W40 a day whose midnight is skipped starts when the clock goes on; one whose midnight comes twice, the first time", () => {
    // São Paulo's clocks went from 2018-11-03T23:59:59 to 01:00 on the 4th.
    const skipped = bounds(day("America/Sao_Paulo"), "2018-11-04T02:59:59Z", "2018-11-04T03:00:00Z")
    expect(skipped).toEqual(["2018-11-03T03:00:00Z 24h", "2018-11-04T03:00:00Z 23h"])
    // Havana's went from 2024-11-03T01:00 back to midnight.
    const twice = bounds(day("America/Havana"), "2024-11-03T04:00:00Z", "2024-11-03T05:30:00Z")
    expect(twice).toEqual(["2024-11-03T04:00:00Z 25h"])
  })

  it("W40 a day that a zone leaves out is no window", () => {
    // Samoa went from the end of 2011-12-29 to the beginning of the 31st.
    const samoa = bounds(day("Pacific/Apia"), "2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z")
    expect(samoa).toEqual(["2011-12-29T10:00:00Z 24h", "2011-12-30T10:00:00Z 24h"])
  })

  it("W40 an offset is added to the local time at which windows start", () => {
    const fromSix = bounds(day("Europe/Berlin", 6 * 3_600e6), "2024-03-31T03:59:59Z", "2024-03-31T04:00:00Z")
    expect(fromSix).toEqual(["2024-03-30T05:00:00Z 23h", "2024-03-31T04:00:00Z 24h"])
  })

  it("W41 weeks start on Mondays, months on their first days; several are counted from 1970", () => {
    const windowOf = (unit: "week" | "month" | "quarter" | "year", count = 1): WindowSpec => {
      return { kind: "calendar", unit, count, zone: "UTC", offsetMicros: 0 }
    }
    const at = "2024-05-16T12:00:00Z"
    expect(bounds(windowOf("week"), at)).toEqual(["2024-05-13T00:00:00Z 168h"])
    expect(bounds(windowOf("month"), at)).toEqual(["2024-05-01T00:00:00Z 744h"])
    expect(bounds(windowOf("quarter"), at)).toEqual([`2024-04-01T00:00:00Z ${91 * 24}h`])
    expect(bounds(windowOf("year", 5), at)).toEqual([`2020-01-01T00:00:00Z ${1827 * 24}h`])
    expect(bounds(windowOf("week", 2), "1970-01-01T00:00:00Z")).toEqual(["1969-12-29T00:00:00Z 336h"])
  })
})

describe("records and rows that fail", () => {
  it("W27 a row fails where its sum is out of range, and no record does", () => {
    const run = runOf(session(10), { n: ["sum", "n"] })
    const most = Number.MAX_SAFE_INTEGER
    run.push([record(0, "a", most), record(1, "a", 1), record(2, "a", -1), record(3, "b", most), record(4, "b", 1)])
    run.drain()
    expect(run.take()).toMatchObject([{ key: "a", n: most }])
    expect(run.failed).toBe(1)
  })

  it("W28 a record near the ends of time fails", () => {
    const run = runOf(session(10))
    run.push([record(Number.MAX_SAFE_INTEGER - 29)])
    expect(run.failed).toBe(1)
    run.drain()
    expect(run.take()).toEqual([])
  })

  it("W26 floats add in order of arrival", () => {
    const run = runOf({ kind: "cumulate", sizeMicros: 10, stepMicros: 10, offsetMicros: 0 }, { sum: ["sum", "x"] }, 100)
    run.push([record(3, "a", 1), record(1, "a", 1e16), record(2, "a", -1e16)])
    run.drain()
    expect(run.take()).toMatchObject([{ sum: 0 }])
  })
})

describe("state", () => {
  it("F3 an epoch in which little happened writes little, whatever is kept", () => {
    const run = runOf(session(1000), COUNT, 100_000)
    run.push(Array.from({ length: 1000 }, (_, index) => record(index, `key ${index}`)))
    expect(run.writeEpoch()).toBeGreaterThan(30_000)
    run.push([record(1001, "key 7")])
    expect(run.writeEpoch()).toBeLessThan(200)
    run.restart("epochs")
    run.drain()
    expect(run.take()).toHaveLength(1000)
  })

  it("WS1 bytes that are no state are refused by name", () => {
    const run = runOf(session(10))
    run.push([record(0), record(3, "b")])
    run.writeEpoch()
    const id = run.dataflow.states.at(-1)!.id
    const bytes = run.writeSnapshot().get(id)!
    for (let length = 1; length < bytes.length; length++) {
      expect(() => run.restartFrom(id, bytes.subarray(0, length))).toThrow("cannot be read")
    }
    run.restartFrom(id, bytes)
    run.drain()
    expect(shown(run.take())).toEqual(["a 0–10 1", "b 3–13 1"])
  })
})
