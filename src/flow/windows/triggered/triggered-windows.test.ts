/** The rules of windows that fire more than once, one by one; `triggered-windows.fuzz.ts` compares them with their slow twin. */
import { afterEach, describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { t } from "../../../batch/types.ts"
import { hopping, PlanFixture, tumbling } from "../../plan-fixture.reference.ts"
import { PlanRun } from "../../plan-run.fixture.ts"
import type { FiringSpec, WindowSpec } from "../../plan.ts"
import type { Row } from "../window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string, x: t.float64.nullable() }
const NOTHING: FiringSpec = { early: [], latenessMicros: 0, isPurging: false }
const GLOBAL: WindowSpec = { kind: "global" }
const session = (gapMicros: number): WindowSpec => ({ kind: "session", gapMicros })

const arena = new Arena({ maxBytes: 1 << 20 })
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

function runOf(window: WindowSpec, firing: Partial<FiringSpec>, outOfOrder = 0): PlanRun {
  open?.release()
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
  const aggregates = { count: ["count"], sum: ["sum", "x"] } as const
  const node = fixture.window(timed, window, ["key"], aggregates, "at", { ...NOTHING, ...firing })
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  return (open = new PlanRun(fixture.plan, arena)).open()
}

function record(at: number, key = "a", x: number | null = 1): Row {
  return { at, key, x }
}

/** Results as `+a 0–10 2`: insert +, update ~, delete −, nothing where they are no updates. */
function shown(rows: readonly Row[]): string[] {
  const signs: Readonly<Record<string, string>> = { insert: "+", update: "~", delete: "−" }
  return rows.map(({ op, key, windowStart, windowEnd, count }) => {
    const sign = op === undefined ? "" : signs[op as string]!
    return `${sign}${key as string} ${String(windowStart)}–${String(windowEnd)} ${String(count)}`
  })
}

describe("early firings", () => {
  it("W70 after so many records of a key that are new since the last firing", () => {
    const run = runOf(tumbling(10), { early: [{ kind: "count", count: 2 }] })
    run.push([record(0), record(1, "b"), record(2), record(3), record(4), record(5), record(30)])
    run.drain()
    expect(shown(run.take())).toEqual(["+a 0–10 2", "~a 0–10 4", "~a 0–10 5", "+b 0–10 1", "+a 30–40 1"])
  })

  it("W70 where a record says so, with that record", () => {
    const lambda = ((row: { readonly x: number }) => row.x === 7) as never
    const run = runOf(tumbling(10), { early: [{ kind: "punctuation", lambda }] })
    run.push([record(0), record(1, "a", 7), record(2), record(3, "b", 7)])
    expect(shown(run.take())).toEqual(["+a 0–10 2", "+b 0–10 1"])
  })

  it("W70 a record whose punctuation fails is in no window", () => {
    const lambda = ((row: { readonly x: number }) => (row.x === 13 ? "yes" : false)) as never
    const run = runOf(tumbling(10), { early: [{ kind: "punctuation", lambda }] })
    run.push([record(0), record(1, "a", 13), record(20)])
    expect(shown(run.take())).toEqual(["+a 0–10 1"])
    expect(run.failed).toBe(1)
  })

  it("W70 when the watermark comes to a whole multiple behind a record that is new", () => {
    const run = runOf(tumbling(100), { early: [{ kind: "eventTime", everyMicros: 10 }] })
    run.push([record(5), record(9)])
    expect(shown(run.take())).toEqual([])
    run.push([record(10, "b")])
    expect(shown(run.take())).toEqual(["+a 0–100 2"])
    run.push([record(45, "c"), record(46)])
    expect(shown(run.take())).toEqual(["+b 0–100 1"])
    run.push([record(200)])
    expect(shown(run.take())).toEqual(["~a 0–100 3", "+c 0–100 1"])
  })

  it("W70 W76 by the clock, at whole multiples behind what it said when a record came", () => {
    const run = runOf(tumbling(100), { early: [{ kind: "clock", everyMicros: 10 }] })
    run.dataflow.onProcessingTime(13)
    run.push([record(5), record(6, "b")])
    expect(run.dataflow.nextProcessingTime).toBe(20)
    run.dataflow.onProcessingTime(19)
    expect(shown(run.take())).toEqual([])
    run.dataflow.onProcessingTime(57)
    expect(shown(run.take())).toEqual(["+a 0–100 1", "+b 0–100 1"])
    expect(run.dataflow.nextProcessingTime).toBe(Infinity)
  })

  it("W70 a window in which nothing is new does not fire, on time neither", () => {
    const run = runOf(tumbling(10), { early: [{ kind: "count", count: 1 }] })
    run.push([record(0), record(20)])
    run.drain()
    expect(shown(run.take())).toEqual(["+a 0–10 1", "+a 20–30 1"])
  })

  it("W76 F3 what the clock fires is due again after a restart", () => {
    const run = runOf(tumbling(100), { early: [{ kind: "clock", everyMicros: 10 }] })
    run.dataflow.onProcessingTime(13)
    run.push([record(5)])
    run.restart("epochs")
    expect(run.dataflow.nextProcessingTime).toBe(20)
    run.restart("snapshot")
    run.dataflow.onProcessingTime(20)
    expect(shown(run.take())).toEqual(["+a 0–100 1"])
    run.restart("epochs")
    run.push([record(100)])
    expect(shown(run.take())).toEqual([])
  })
})

describe("allowed lateness", () => {
  it("W71 a record that comes late and is allowed fires its window at once, again and again", () => {
    const run = runOf(tumbling(10), { latenessMicros: 20 })
    run.push([record(1), record(15), record(2), record(3), record(4, "b")])
    expect(shown(run.take())).toEqual(["+a 0–10 1", "~a 0–10 2", "~a 0–10 3", "+b 0–10 1"])
    expect(run.take("late")).toEqual([])
  })

  it("W71 it is allowed as long as its watermark is before the end − 1 and the lateness", () => {
    const allowed = runOf(tumbling(10), { latenessMicros: 20 })
    allowed.push([record(1), record(29), record(2)])
    expect(shown(allowed.take())).toEqual(["+a 0–10 1", "~a 0–10 2"])
    const late = runOf(tumbling(10), { latenessMicros: 20 })
    late.push([record(1), record(30), record(2)])
    expect(shown(late.take())).toEqual(["+a 0–10 1"])
    expect(late.take("late")).toEqual([record(2)])
    expect(late.dataflow.status().lateRows).toBe(1)
  })

  it("W6 W71 a record too late for some hopping windows counts in the others, those that have fired among them", () => {
    const run = runOf(hopping(20, 10), { latenessMicros: 5 })
    run.push([record(11), record(35), record(12), record(13)])
    // [0, 20) is closed since 24, [10, 30) has fired and is open until 34.
    expect(shown(run.take())).toEqual(["+a 0–20 1", "+a 10–30 1"])
    expect(run.take("late")).toEqual([record(12), record(13)])
    const other = runOf(hopping(20, 10), { latenessMicros: 5 })
    other.push([record(11), record(33), record(12)])
    expect(shown(other.take())).toEqual(["+a 0–20 1", "+a 10–30 1", "~a 10–30 2"])
  })

  it("W71 whether a window has fired follows from all partitions, and whether a record is late from its own", () => {
    const run = runOf(tumbling(10), { latenessMicros: 10 }).open(1)
    run.push([record(1), record(15), record(2)])
    expect(shown(run.take())).toEqual([])
    run.push([record(50, "b")], { partition: 1 })
    expect(shown(run.take())).toEqual(["+a 0–10 2"])
    run.push([record(3)])
    expect(shown(run.take())).toEqual(["~a 0–10 3"])
  })

  it("W71 F3 a window that has fired goes on as it was after a restart, until it is closed", () => {
    for (const from of ["epochs", "snapshot"] as const) {
      const run = runOf(tumbling(10), { latenessMicros: 20 })
      run.push([record(1), record(15)])
      run.restart(from)
      run.push([record(2)])
      run.restart(from)
      run.push([record(3), record(100)])
      expect(shown(run.take())).toEqual(["+a 0–10 1", "~a 0–10 2", "~a 0–10 3", "+a 10–20 1"])
      run.push([record(200)])
      const kept = [...run.writeSnapshot().values()].map(({ length }) => length)
      run.restart(from)
      expect([...run.writeSnapshot().values()].map(({ length }) => length)).toEqual(kept)
    }
  })

  it("W71 W77 after draining late records still update windows", () => {
    const run = runOf(tumbling(10), { latenessMicros: 20 })
    run.push([record(1)])
    run.drain()
    expect(shown(run.take())).toEqual(["+a 0–10 1"])
    run.push([record(2)])
    expect(shown(run.take())).toEqual(["~a 0–10 2"])
  })
})

describe("what results say", () => {
  it("W72 a session that has become part of a longer one is withdrawn, with the values that it had", () => {
    const run = runOf(session(10), { latenessMicros: 50 })
    run.push([record(0, "a", 1), record(15, "a", 2), record(30, "b"), record(8, "a", 4)])
    const rows = run.take()
    expect(shown(rows)).toEqual(["+a 0–10 1", "+a 15–25 1", "−a 0–10 1", "−a 15–25 1", "+a 0–25 3"])
    expect(rows.map(({ sum }) => sum)).toEqual([1, 2, 1, 2, 7])
  })

  it("W72 a session that grows and is on time again fires when its new end has come", () => {
    const run = runOf(session(10), { latenessMicros: 50 })
    run.push([record(0), record(12, "b"), record(8)])
    expect(shown(run.take())).toEqual(["+a 0–10 1"])
    run.restart("epochs")
    run.push([record(40, "b")])
    expect(shown(run.take())).toEqual(["−a 0–10 1", "+a 0–18 2", "+b 12–22 1"])
  })

  it("W72 early results of a session that grows are withdrawn one after the other", () => {
    const run = runOf(session(10), { early: [{ kind: "count", count: 1 }] })
    run.push([record(0), record(5), record(5)])
    expect(shown(run.take())).toEqual(["+a 0–10 1", "−a 0–10 1", "+a 0–15 2", "~a 0–15 3"])
  })

  it("W9 W72 where a result fails the row before it stands, and the next one updates it", () => {
    const fixture = new PlanFixture()
    const source = fixture.source({ at: t.timestamp(), n: t.int64 })
    const timed = fixture.eventTime(source)
    const firing: FiringSpec = { ...NOTHING, early: [{ kind: "count", count: 1 }] }
    fixture.output("results", fixture.window(timed, tumbling(10), [], { n: ["sum", "n"] }, "at", firing))
    const run = (open = new PlanRun(fixture.plan, arena)).open()
    run.push([1n, 2n ** 63n - 1n, -5n].map((n, at) => ({ at, n })))
    expect(run.take().map(({ op, n }) => [op, n])).toEqual([
      ["insert", 1n],
      ["update", 2n ** 63n - 5n],
    ])
    expect(run.failed).toBe(1)
  })

  it("W75 purged windows give parts, which no later row replaces", () => {
    const run = runOf(tumbling(10), { early: [{ kind: "count", count: 2 }], latenessMicros: 10, isPurging: true })
    run.push([record(0), record(1), record(2), record(15), record(3)])
    expect(shown(run.take())).toEqual(["a 0–10 2", "a 0–10 1", "a 0–10 1"])
  })

  it("W73 parts are late for windows above where these have fired", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const firing: FiringSpec = { early: [], latenessMicros: 100, isPurging: true }
    const parts = fixture.window(timed, tumbling(10), [], { n: ["count"] }, "at", firing)
    const above = fixture.window(parts, tumbling(20), [], { parts: ["count"] }, "windowEnd")
    fixture.output("results", above)
    fixture.output("late", [above, "late"])
    const run = (open = new PlanRun(fixture.plan, arena)).open()
    run.push([record(1), record(11), record(2), record(25), record(3)])
    expect(run.take()).toEqual([{ windowStart: 0, windowEnd: 20, parts: 3 }])
    expect(run.take("late")).toEqual([{ windowStart: 0, windowEnd: 10, n: 1 }])
  })
})

describe("windows without an end", () => {
  it("W74 hold all records of a key, with the bounds of these", () => {
    const run = runOf(GLOBAL, { early: [{ kind: "count", count: 2 }] })
    run.push([record(50), record(10), record(1000), record(-5)])
    expect(shown(run.take())).toEqual(["+a 10–51 2", "~a -5–1001 4"])
    expect(run.take("late")).toEqual([])
  })

  it("W74 W77 fire at the end where something is new, and go on in the next run", () => {
    const run = runOf(GLOBAL, {})
    run.push([record(50), record(60, "b")])
    run.drain()
    expect(shown(run.take())).toEqual(["+a 50–51 1", "+b 60–61 1"])
    run.restart("epochs")
    run.drain()
    expect(shown(run.take())).toEqual([])
    run.push([record(70)])
    run.drain()
    expect(shown(run.take())).toEqual(["~a 50–71 2"])
  })

  it("W74 W75 keep nothing of a key when they are purged", () => {
    const run = runOf(GLOBAL, { early: [{ kind: "count", count: 2 }], isPurging: true })
    const empty = [...run.writeSnapshot().values()].at(-1)!.length
    run.push([record(1), record(2), record(3), record(4), record(5)])
    expect(shown(run.take())).toEqual(["a 1–3 2", "a 3–5 2"])
    run.restart("epochs")
    run.push([record(6)])
    expect(shown(run.take())).toEqual(["a 5–7 2"])
    expect(empty).toBe(0)
  })

  it("W74 need no event time, and have no bounds then", () => {
    const fixture = new PlanFixture()
    const source = fixture.source({ key: t.string, x: t.float64 })
    fixture.output("results", fixture.window(source, GLOBAL, ["key"], { sum: ["sum", "x"] }, null, NOTHING))
    const run = (open = new PlanRun(fixture.plan, arena)).open()
    run.push([
      { key: "a", x: 1 },
      { key: "b", x: 2 },
      { key: "a", x: 3 },
    ])
    run.drain()
    expect(run.take()).toEqual([
      { op: "insert", key: "a", sum: 4 },
      { op: "insert", key: "b", sum: 2 },
    ])
  })

  it("W74 an empty stream gives nothing", () => {
    const run = runOf(GLOBAL, {})
    run.drain()
    expect(run.take()).toEqual([])
  })
})

it("WS1 bytes that are no state are refused", () => {
  const run = runOf(session(10), { early: [{ kind: "count", count: 1 }], latenessMicros: 100 })
  run.push([record(0), record(5), record(30, "b"), record(4)])
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
