import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { TidemarkError } from "../../base/errors.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { Plan, WindowSpec } from "../plan.ts"
import { hopping, PlanFixture, tumbling, type FixtureAggregates } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import { KeyTable } from "./keys/key-table.ts"
import type { Row } from "./window-aggregate.reference.ts"

let arena: Arena
const COUNT: FixtureAggregates = { count: ["count"] }

beforeEach(() => {
  arena = new Arena({ maxBytes: 1 << 24 })
})
afterEach(() => {
  vi.restoreAllMocks()
  expect(arena.usedBytes).toBe(0)
})

function countPlan(window: WindowSpec, outOfOrderMicros = 0): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.string }), outOfOrderMicros)
  fixture.output("results", fixture.window(timed, window, ["key"], COUNT))
  return fixture.plan
}

function records(at: number, keys: readonly string[]): Row[] {
  return keys.map((key) => ({ at, key }))
}

function keysOf(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `key ${from + at}`)
}

describe("the keys of windows", () => {
  it("are forgotten where they come once, and kept where they come again in each window", () => {
    const collecting = vi.spyOn(KeyTable.prototype, "withOnly")
    const passing = new PlanRun(countPlan(tumbling(10)), arena).open()
    const used: number[] = []
    for (let window = 0; window < 100; window++) {
      passing.push(records(window * 10, keysOf(window * 1000, 1000)))
      expect(passing.take()).toHaveLength(window === 0 ? 0 : 1000)
      used.push(arena.usedBytes)
    }
    const sizes = collecting.mock.contexts.map((table) => (table as KeyTable).size)
    expect(sizes.length).toBeGreaterThan(5)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5000)
    // The room for entries grows up to a bound.
    expect(Math.max(...used.slice(60))).toBeLessThanOrEqual(Math.max(...used.slice(0, 60)))
    passing.release()
    collecting.mockClear()
    const staying = new PlanRun(countPlan(tumbling(10)), arena).open()
    for (let window = 0; window < 10; window++) staying.push(records(window * 10, keysOf(0, 2000)))
    expect(collecting).not.toHaveBeenCalled()
    staying.release()
  })

  it.each(["epochs", "snapshot", "never"] as const)(
    "are found again in open windows after others were forgotten; restored from: %s",
    (restored) => {
      const collecting = vi.spyOn(KeyTable.prototype, "withOnly")
      const run = new PlanRun(countPlan(tumbling(10), 9), arena).open()
      run.push([...records(0, keysOf(0, 5000)), ...records(10, ["gone"]), ...records(20, ["kept", "key 7"])])
      expect(run.take()).toHaveLength(5000)
      expect(collecting).not.toHaveBeenCalled()
      run.push(records(29, ["kept"]))
      expect(run.take()).toHaveLength(1)
      expect(collecting).toHaveBeenCalledOnce()
      if (restored !== "never") run.restart(restored)
      run.push(records(22, ["key 7", "new", "kept"]))
      run.drain()
      const [windowStart, windowEnd] = [20, 30]
      expect(run.take()).toEqual([
        { key: "kept", windowStart, windowEnd, count: 3 },
        { key: "key 7", windowStart, windowEnd, count: 2 },
        { key: "new", windowStart, windowEnd, count: 1 },
      ])
      run.release()
    },
  )

  it("are found again in windows that are half over when others are forgotten", () => {
    const collecting = vi.spyOn(KeyTable.prototype, "withOnly")
    const run = new PlanRun(countPlan(hopping(40, 10)), arena).open()
    run.push(records(0, keysOf(0, 4000)))
    run.push([10, 20, 20, 30, 40, 40].map((at, index) => ({ at, key: "abcadc"[index] })))
    run.take()
    expect(collecting).not.toHaveBeenCalled()
    // The windows that hold the many keys have fired; that which ends at 50 fires now, and three more are half over.
    run.push(records(50, ["a"]))
    expect(collecting).toHaveBeenCalledOnce()
    run.drain()
    const lines = run.take().map(({ windowEnd, key, count }) => [windowEnd, key, count].join(" "))
    expect(lines).toEqual([
      ...["50 a 2", "50 b 1", "50 c 2", "50 d 1"],
      ...["60 a 2", "60 b 1", "60 c 2", "60 d 1"],
      ...["70 a 2", "70 d 1", "70 c 1"],
      ...["80 d 1", "80 c 1", "80 a 1"],
      "90 a 1",
    ])
    run.release()
  })
})

it("T6 a drain leaves the watermark where the last window was due, also where keys were dropped", () => {
  const collecting = vi.spyOn(KeyTable.prototype, "withOnly")
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.string, n: t.int53.nullable() }))
  // Records without a number take the watermark up and reach no window.
  const windowed = fixture.window(fixture.notNull(timed, "n"), hopping(40, 10), ["key"], COUNT)
  fixture.output("results", windowed)
  const run = new PlanRun(fixture.plan, arena).open(0).open(1)
  run.push([{ at: 200, key: "none", n: null }], { partition: 1 })
  run.push(keysOf(0, 2000).map((key) => ({ at: 0, key, n: 1 })))
  run.push([{ at: 45, key: "few", n: 1 }])
  expect(collecting).not.toHaveBeenCalled()
  run.push([{ at: 200, key: "none", n: null }])
  expect(collecting).toHaveBeenCalledOnce()
  expect(run.take().at(-1)).toMatchObject({ key: "few", windowEnd: 80 })
  run.drain()
  expect(run.window.watermark).toBe(199)
  // The other partition holds the watermark where it is.
  run.push([{ at: 201, key: "few", n: 1 }])
  run.drain()
  expect(run.take().map(({ windowEnd }) => windowEnd)).toEqual([210, 220, 230, 240])
  run.release()
})

describe("the state of windows", () => {
  it("F3 is written where it has changed since the last time, and not at all where nothing has", () => {
    const run = new PlanRun(countPlan(tumbling(10), 100), arena)
    expect(run.writeEpoch()).toBe(0)
    run.open()
    run.push(records(0, keysOf(0, 100)))
    const first = run.writeEpoch()
    expect(first).toBeGreaterThan(100 * "key 1".length)
    expect(run.writeEpoch()).toBe(0)
    run.push(records(0, ["key 7"]))
    expect(run.writeEpoch()).toBeLessThan(first / 10)
    run.push(records(0, ["key 101"]))
    expect(run.writeEpoch()).toBeLessThan(first / 10)
    // Event time alone: a batch whose watermark is no higher changes nothing of windows.
    expect(run.writeEpoch()).toBe(0)
    run.release()
  })

  it("F3 entries that came out of order are written once, as those that came in order", () => {
    const run = new PlanRun(countPlan(tumbling(10), 100), arena).open()
    const [first, ...others] = keysOf(0, 100)
    // A record behind the watermark's first makes the whole batch go the way of those out of order.
    run.push([...records(9, others), ...records(3, [first!])])
    const whole = run.writeEpoch()
    run.push([...records(9, ["key 7"]), ...records(3, ["key 8"])])
    expect(run.writeEpoch()).toBeLessThan(whole / 10)
    run.release()
  })

  it("F3 restores to what a snapshot of the same moment restores to", () => {
    for (let seed = 0; seed < 40; seed++) {
      const prng = new Prng(seed)
      const plan = countPlan(prng.pick([tumbling(10), hopping(30, 10), hopping(25, 10, 3)]), 40)
      const run = new PlanRun(plan, arena).open()
      let time = 0
      for (let epoch = 0; epoch < 6; epoch++) {
        run.push(
          Array.from({ length: prng.below(30) }, () => {
            time += prng.below(8)
            return { at: time - prng.below(40), key: `key ${prng.below(9)}` }
          }),
          { batchRows: 1 + prng.below(8) },
        )
        run.writeEpoch()
      }
      const before = run.writeSnapshot()
      run.restart("epochs")
      expect(run.writeSnapshot()).toEqual(before)
      run.restart("snapshot")
      expect(run.writeSnapshot()).toEqual(before)
      run.release()
    }
  })

  /** The state of a window with a record. */
  function stateOfOne(plan: Plan): Uint8Array<ArrayBuffer> {
    const run = new PlanRun(plan, arena).open()
    run.push(records(0, ["key"]))
    const bytes = run.writeSnapshot().get("window2")!
    run.release()
    return Uint8Array.from(bytes)
  }

  /** What becomes of a window's state: how many windows are open then, or the code of the error. */
  function outcomeOf(plan: Plan, ...changes: readonly Uint8Array[]): number | string {
    const run = new PlanRun(plan, arena)
    try {
      for (const bytes of changes) run.window.applyChanges(new ByteReader(bytes))
      run.drain()
      return run.take().length
    } catch (error) {
      if (error instanceof TidemarkError && error.message.includes("window2")) return error.code
      throw error
    } finally {
      run.release()
    }
  }

  it.each([
    ["nothing is wrong", 8, 0, 10, 1],
    ["the last window of the slice has fired", 9, 0, 10, "state-corrupt"],
    ["the slice has other edges", -Infinity, 3, 10, "state-corrupt"],
    ["its records count from no end of a window on", -Infinity, 0, 15, "state-corrupt"],
    ["its records count from a window on that does not hold it", -Infinity, 0, 20, "state-corrupt"],
    ["its start is no time", -Infinity, 0.5, 10, "state-corrupt"],
    ["its start is beyond the ends of time", -Infinity, 2 ** 60, 2 ** 60 + 10, "state-corrupt"],
    ["its windows are none", -Infinity, 0, NaN, "state-corrupt"],
    ["the watermark is no time", NaN, 0, 10, "state-corrupt"],
    ["the watermark is +∞", Infinity, 0, 10, "state-corrupt"],
  ])("WS1 a slice is refused where %s", (_, watermark, start, countsFrom, outcome) => {
    const plan = countPlan(tumbling(10))
    const bytes = new DataView(stateOfOne(plan).buffer)
    // The watermark; late rows and the number of pieces, a byte each; then the piece.
    bytes.setFloat64(0, watermark, true)
    bytes.setFloat64(10, start, true)
    bytes.setFloat64(18, countsFrom, true)
    expect(outcomeOf(plan, new Uint8Array(bytes.buffer))).toBe(outcome)
  })

  it.each([
    ["keys that differ", 2, ["a", "b"], 2],
    ["a key twice", 2, ["a", "a"], "state-corrupt"],
    ["more entries than bytes", 2 ** 40, ["a", "b"], "state-corrupt"],
  ])("WS1 entries of a piece have %s", (_, announced, keys, outcome) => {
    const out = new ByteWriter()
    out.float64(-Infinity)
    for (const number of [0, 1]) out.varint(number)
    for (const time of [0, 10]) out.float64(time)
    for (const number of [0, 0, announced]) out.varint(number)
    for (const key of keys) {
      out.text(key)
      out.int64(1n)
    }
    expect(outcomeOf(countPlan(tumbling(10)), out.finish())).toBe(outcome)
  })

  it("WS1 changes of another moment, or given twice, are refused", () => {
    const plan = countPlan(hopping(20, 10), 100)
    const run = new PlanRun(plan, arena).open()
    const epochs = ["a", "b", "a"].map((key) => {
      run.push(records(5, [key]))
      const out = new ByteWriter()
      run.window.writeChanges(out)
      return out.finish()
    })
    run.release()
    const [first, second, third] = epochs as [Uint8Array, Uint8Array, Uint8Array]
    expect(outcomeOf(plan, first, second, third)).toBe(4)
    expect(outcomeOf(plan, second)).toBe("state-corrupt")
    expect(outcomeOf(plan, first, first)).toBe("state-corrupt")
    expect(outcomeOf(plan, first, second, second)).toBe("state-corrupt")
  })

  it("WS1 any byte that is changed or missing makes a state that works, or is refused by name", () => {
    const fixture = new PlanFixture()
    const columns = {
      at: t.timestamp(),
      key: t.string.nullable(),
      k: t.enum("a", "b"),
      n: t.int53.nullable(),
      big: t.int64,
      x: t.float64,
      s: t.object({ name: t.string.nullable(), on: t.bool, e: t.enum("c", "d") }).nullable(),
    }
    const timed = fixture.eventTime(fixture.source(columns), 30)
    const window = fixture.window(timed, hopping(45, 10), ["key", "k"], {
      count: ["count"],
      n: ["sum", "n"],
      mean: ["mean", "n"],
      whole: ["mean", "big"],
      min: ["min", "x"],
      sum: ["sum", "x"],
      first: ["first", "s"],
      last: ["last", "key"],
    })
    fixture.output("results", window)
    const row = (at: number, key: string | null, n: number | null): Row => {
      return { at, key, k: "b", n, big: -5n, x: -0.5, s: n === null ? null : { name: key, on: true, e: "d" } }
    }
    const run = new PlanRun(fixture.plan, arena).open()
    // The last record is late for some of its windows.
    run.push([row(5, "k", 7), row(12, null, null), row(5, "k", null), row(52, "é", 7), row(12, "k", 3)])
    const written = Uint8Array.from(run.writeSnapshot().get("window2")!)
    expect(outcomeOf(fixture.plan, written)).toBe(13)
    run.release()
    const outcomes = new Map<number | string, number>()
    const count = (outcome: number | string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    for (let at = 0; at < written.length; at++) {
      count(outcomeOf(fixture.plan, written.subarray(0, at)))
      for (const change of [0x01, 0xff]) {
        const changed = Uint8Array.from(written)
        changed[at]! ^= change
        count(outcomeOf(fixture.plan, changed))
      }
    }
    expect([...outcomes.keys()].filter((outcome) => typeof outcome === "string")).toEqual(["state-corrupt"])
    expect(outcomes.get("state-corrupt")).toBeGreaterThan(written.length)
    // Some changes no one can see: another sum, another value.
    expect(outcomes.get(13)).toBeGreaterThan(100)
  })
})
