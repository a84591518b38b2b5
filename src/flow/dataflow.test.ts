import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import { Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { Dataflow } from "./dataflow.ts"
import type { Plan } from "./plan.ts"
import { eventTimeShift, type WindowAggregateNode } from "./plan.ts"
import { stateSignature } from "./state-signature.ts"
import { hopping, PlanFixture, tumbling, type FixtureAggregates } from "./plan-fixture.reference.ts"
import type { Row } from "./windows/window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.string, n: t.int53 }
const COUNT: FixtureAggregates = { count: ["count"] }

const sharedArena = new Arena({ maxBytes: 4 << 20 })

/** A dataflow with its outputs gathered; `push` gives records to a partition and advances. */
class Flow {
  readonly arena: Arena
  readonly outputs: Record<string, Row[]> = {}
  readonly dataflow: Dataflow
  readonly #plan: Plan
  /** What becomes of a row that failed; by default the test fails. */
  onFailedRow = (error: unknown): void => {
    throw error
  }

  constructor(plan: Plan, arena = sharedArena) {
    this.#plan = plan
    this.arena = arena
    for (const { name } of plan.outputs) this.outputs[name] = []
    this.dataflow = new Dataflow(plan, {
      arena: this.arena,
      paramsSchema: new Schema([]),
      params: {},
      compile: { mode: "off", proof: undefined },
      emit: (output, batch) => this.outputs[output]!.push(...(batch.toRows() as Row[])),
      onFailedRow: ({ error }) => this.onFailedRow(error),
    })
  }

  push(input: string, partition: number, ...records: readonly Row[]): void {
    const node = this.#plan.nodes.find((each) => each.kind === "source" && each.inputName === input)!
    const origin = { partition, offsets: null, ordinals: null }
    const { batch, release } = batchOfRows(this.arena, node.schema, records, origin)
    try {
      this.dataflow.push(input, batch)
    } finally {
      release()
    }
    this.dataflow.advance()
  }

  status(id: string) {
    return this.dataflow.status().operators.find((each) => each.id === id)!
  }
}

function record(at: number, key = "k", n = 1): Row {
  return { at, key, n }
}

describe("dataflow", () => {
  it("passes rows of a job without event time on as they come", () => {
    const fixture = new PlanFixture()
    const source = fixture.source(COLUMNS)
    fixture.output("all", source)
    fixture.output(
      "odd",
      fixture.filter(source, (row: Row) => (row["n"] as number) % 2 === 1),
    )
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    expect(flow.dataflow.standing("events", 0).watermark).toBe(-Infinity)
    flow.push("events", 0, record(1, "a", 1), record(2, "b", 2))
    flow.dataflow.endPartition("events", 0)
    flow.dataflow.drain()
    expect(flow.outputs).toEqual({ all: [record(1, "a", 1), record(2, "b", 2)], odd: [record(1, "a", 1)] })
    expect(flow.dataflow.states).toEqual([])
    expect(flow.dataflow.status()).toMatchObject({
      watermark: undefined,
      maxEventTime: undefined,
      lateRows: 0,
      openWindows: 0,
    })
  })

  it("gives one stream to several operators, and frees what each batch took", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    fixture.output("minutes", fixture.window(timed, tumbling(10), ["key"], COUNT))
    fixture.output("sums", fixture.window(timed, tumbling(20), ["n"], { total: ["sum", "n"] }))
    fixture.output("rows", timed)
    const flow = new Flow(fixture.plan, new Arena({ maxBytes: 1 << 18 }))
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(1), record(11), record(12))
    flow.dataflow.endPartition("events", 0)
    flow.dataflow.drain()
    expect(flow.outputs["minutes"]!.map(({ count }) => count)).toEqual([1, 2])
    expect(flow.outputs["sums"]!.map(({ total }) => total)).toEqual([3])
    expect(flow.outputs["rows"]).toHaveLength(3)
    flow.dataflow.release()
    expect(flow.arena.usedBytes).toBe(0)
  })

  describe("union", () => {
    const united = () => {
      const fixture = new PlanFixture()
      const one = fixture.eventTime(fixture.source(COLUMNS, "one"))
      const two = fixture.eventTime(fixture.source({ n: t.int53, at: t.timestamp(), key: t.string }, "two"))
      const union = fixture.union(one, two)
      fixture.output("all", union)
      fixture.output("tens", fixture.window(union, tumbling(10), ["key"], COUNT))
      const flow = new Flow(fixture.plan)
      flow.dataflow.openPartition("one", 0)
      flow.dataflow.openPartition("two", 1)
      return flow
    }

    it("T9 gives rows of several inputs in the order of reading, under the columns of the first", () => {
      const flow = united()
      flow.push("one", 0, record(1, "a", 1))
      flow.push("two", 1, record(2, "b", 2))
      flow.push("one", 0, record(3, "c", 3))
      expect(flow.outputs["all"]).toEqual([record(1, "a", 1), record(2, "b", 2), record(3, "c", 3)])
      expect(flow.status("union4")).toMatchObject({ rowsIn: 3, rowsOut: 3 })
    })

    it("T8 windows wait for the input that is behind, and not for one that has ended", () => {
      const flow = united()
      flow.push("one", 0, record(1), record(50))
      expect(flow.outputs["tens"]).toEqual([])
      flow.push("two", 1, record(2), record(15))
      expect(flow.outputs["tens"]).toMatchObject([{ windowEnd: 10, count: 2 }])
      flow.dataflow.endPartition("two", 1)
      flow.dataflow.advance()
      expect(flow.outputs["tens"]).toMatchObject([{ windowEnd: 10 }, { windowEnd: 20, count: 1 }])
      expect(flow.status("window5").watermark).toBe(49)
    })

    it("T8 an input that had ended and has rows again starts where the windows are", () => {
      const flow = united()
      flow.push("two", 1, record(2))
      flow.dataflow.endPartition("two", 1)
      flow.push("one", 0, record(50))
      expect(flow.dataflow.standing("two", 1).watermark).toBe(Infinity)
      flow.dataflow.openPartition("two", 2)
      expect(flow.dataflow.standing("two", 2).watermark).toBe(49)
    })

    it("T8 where all have ended the watermark stays", () => {
      const flow = united()
      flow.push("one", 0, record(50))
      flow.push("two", 1, record(15))
      flow.dataflow.endPartition("one", 0)
      flow.dataflow.endPartition("two", 1)
      flow.dataflow.advance()
      expect(flow.status("window5").watermark).toBe(14)
    })

    it("refuses streams with other columns", () => {
      const fixture = new PlanFixture()
      const one = fixture.source(COLUMNS, "one")
      const two = fixture.source({ ...COLUMNS, n: t.int53.nullable() }, "two")
      fixture.output("all", fixture.union(one, two))
      expect(() => new Flow(fixture.plan)).toThrow('union2 needs "n" of the type int53, and it is int53?')
      fixture.output("none", fixture.union(two, fixture.source({ at: t.timestamp() }, "three")))
      expect(() => new Flow({ ...fixture.plan, outputs: [] })).toThrow("and it is")
    })
  })

  it("keeps the watermarks of several inputs apart", () => {
    const fixture = new PlanFixture()
    for (const input of ["one", "two"]) {
      const timed = fixture.eventTime(fixture.source(COLUMNS, input))
      fixture.output(input, fixture.window(timed, tumbling(10), ["key"], COUNT))
    }
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("one", 0)
    flow.dataflow.openPartition("two", 1)
    flow.push("one", 0, record(1), record(50))
    flow.push("two", 1, record(2))
    expect([flow.outputs["one"]!.length, flow.outputs["two"]!.length]).toEqual([1, 0])
    expect(flow.dataflow.standing("one", 0).watermark).toBe(49)
    expect(flow.dataflow.standing("two", 1).watermark).toBe(1)
    expect(flow.dataflow.status().watermark).toBe(1)
  })

  it("tells as a partition's watermark the lowest of the event times that read it", () => {
    const fixture = new PlanFixture()
    const source = fixture.source(COLUMNS)
    for (const delay of [0, 30]) {
      fixture.output(`of ${delay}`, fixture.window(fixture.eventTime(source, delay), tumbling(10), ["key"], COUNT))
    }
    const flow = new Flow(fixture.plan)
    expect(flow.dataflow.standing("events", 0).watermark).toBe(Infinity)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(100))
    expect(flow.dataflow.standing("events", 0).watermark).toBe(69)
  })

  it("gives rows that were late for one window to another, which may still take them", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const minutes = fixture.window(timed, tumbling(10), ["key"], COUNT)
    fixture.output("minutes", minutes)
    fixture.output("hours", fixture.window([minutes, "late"], tumbling(100), ["key"], COUNT))
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(5), record(50), record(6), record(7), record(150))
    expect(flow.outputs["hours"]).toEqual([{ key: "k", windowStart: 0, windowEnd: 100, count: 2 }])
  })

  it("T7 DF1 a window passes the watermark on behind its results, through stateless operators, in the same call", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const small = fixture.window(timed, tumbling(10), ["key"], COUNT)
    const kept = fixture.filter(small, (row: Row) => row["key"] !== "dropped")
    const large = fixture.window(kept, tumbling(30), ["key"], { windows: ["count"] }, "windowEnd")
    fixture.output("large", large)
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(1), record(15, "dropped"), record(25), record(29, "other"), record(30))
    // Both windows of 30 are due at once: [20, 30) has just fired, and [0, 30) has its results.
    expect(flow.outputs["large"]!.map(({ key, windows }) => [key, windows])).toEqual([
      ["k", 2],
      ["other", 1],
    ])
    expect(flow.status("window4")).toMatchObject({ watermark: 29, rowsIn: 3 })
  })

  it("T6 DF2 draining leaves a finite watermark, behind which a later run's records are late, not a second result", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const hourly = fixture.window(timed, tumbling(10), ["key"], COUNT)
    fixture.output("hourly", hourly)
    fixture.output("late", [hourly, "late"])
    fixture.output("daily", fixture.window(hourly, tumbling(100), ["key"], { windows: ["count"] }, "windowEnd"))
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(5), record(42))
    flow.dataflow.endPartition("events", 0)
    expect(flow.outputs["daily"]).toEqual([])
    flow.dataflow.drain()
    expect(flow.outputs["daily"]).toEqual([{ key: "k", windowStart: 0, windowEnd: 100, windows: 2 }])
    expect(flow.dataflow.status()).toMatchObject({ watermark: 99, openWindows: 0 })
    // The daily window has fired, so the hours of that day may not fire any more either.
    flow.dataflow.openPartition("events", 1)
    flow.push("events", 1, record(77), record(100))
    flow.dataflow.drain()
    expect(flow.outputs["late"]).toEqual([record(77)])
    expect(flow.outputs["daily"]).toHaveLength(2)
    expect(flow.dataflow.status()).toMatchObject({ watermark: 199, lateRows: 1 })
  })

  it("T6 draining while partitions are open makes what they still hold for fired windows late", () => {
    const fixture = new PlanFixture()
    const windowed = fixture.window(fixture.eventTime(fixture.source(COLUMNS), 100), tumbling(10), ["key"], COUNT)
    fixture.output("results", windowed)
    fixture.output("late", [windowed, "late"])
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(5))
    flow.dataflow.drain()
    flow.push("events", 0, record(6), record(10))
    flow.dataflow.drain()
    expect(flow.outputs["late"]).toEqual([record(6)])
    expect(flow.outputs["results"]!.map(({ windowEnd, count }) => [windowEnd, count])).toEqual([
      [10, 1],
      [20, 1],
    ])
  })

  it("T6 draining where no window has fired leaves the watermark", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    fixture.output(
      "results",
      fixture.window(
        fixture.filter(timed, () => false),
        tumbling(10),
        ["key"],
        COUNT,
      ),
    )
    const flow = new Flow(fixture.plan)
    flow.dataflow.drain()
    expect(flow.dataflow.status().watermark).toBeUndefined()
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(55))
    flow.dataflow.drain()
    expect(flow.dataflow.status().watermark).toBe(54)
  })

  it("counts rows, late rows, rows between windows and open windows", () => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.filter(fixture.source(COLUMNS), (row: Row) => row["n"] === 1))
    const windowed = fixture.window(timed, hopping(20, 30), ["key"], COUNT)
    const overlapping = fixture.window(timed, hopping(30, 10), ["key"], COUNT)
    fixture.output("results", windowed)
    fixture.output("overlapping", overlapping)
    const flow = new Flow(fixture.plan)
    flow.dataflow.openPartition("events", 0)
    flow.push("events", 0, record(5), record(6, "k", 2), record(25), record(35), record(7), record(45, "other"))
    expect(flow.status("filter1")).toMatchObject({ rowsIn: 6, rowsOut: 5, watermark: undefined })
    expect(flow.status("eventTime2")).toMatchObject({ rowsIn: 5, rowsOut: 5, watermark: 44, maxEventTime: 45 })
    const first = { rowsIn: 5, rowsOut: 1, lateRows: 1, rowsBetweenWindows: 1, watermark: 44, openWindows: 1 }
    expect(flow.status("window3")).toMatchObject(first)
    // Ends 50 to 70 of the records at 25, 35 and 45; those up to 40 have fired.
    expect(flow.status("window4")).toMatchObject({ lateRows: 1, rowsBetweenWindows: 0, openWindows: 3 })
    expect(flow.dataflow.status()).toMatchObject({ lateRows: 2, openWindows: 4, watermark: 44, maxEventTime: 45 })
  })

  it("lets a failed row that stops the job through as the error that it is, and frees what was taken", () => {
    const fixture = new PlanFixture()
    const lambda = () => {
      throw new Error("broken")
    }
    const derived = fixture.derive(fixture.source(COLUMNS), { m: t.int53 }, lambda)
    const timed = fixture.eventTime(derived)
    fixture.output("results", fixture.window(timed, tumbling(10), ["key"], { y: ["sum", { lambda, type: t.int53 }] }))
    const flow = new Flow(fixture.plan, new Arena({ maxBytes: 1 << 18 }))
    flow.dataflow.openPartition("events", 0)
    expect(() => flow.push("events", 0, record(1))).toThrow("broken")
    flow.dataflow.release()
    expect(flow.arena.usedBytes).toBe(0)
  })
})

describe("plans that cannot be", () => {
  const refused = (build: (fixture: PlanFixture) => void) => () => {
    const fixture = new PlanFixture()
    build(fixture)
    return new Flow(fixture.plan)
  }

  it.each([
    [
      "a window without event time",
      (plan: PlanFixture) => plan.window(plan.source(COLUMNS), tumbling(10), ["key"], COUNT),
    ],
    [
      "event time that may be null",
      (plan: PlanFixture) => plan.eventTime(plan.source({ at: t.timestamp().nullable() })),
    ],
    ["event time that is no timestamp", (plan: PlanFixture) => plan.eventTime(plan.source(COLUMNS), 0, "n")],
    ["event time that is missing", (plan: PlanFixture) => plan.eventTime(plan.source(COLUMNS), 0, "gone")],
    [
      "another event time for results of windows",
      (plan: PlanFixture) => {
        const windowed = plan.window(plan.eventTime(plan.source(COLUMNS)), tumbling(10), ["key"], COUNT)
        plan.eventTime(windowed, 0, "windowStart")
      },
    ],
    [
      "a sum of texts",
      (plan: PlanFixture) =>
        plan.window(plan.eventTime(plan.source(COLUMNS)), tumbling(10), ["key"], { y: ["sum", "key"] }),
    ],
    [
      "a key that is missing",
      (plan: PlanFixture) => plan.window(plan.eventTime(plan.source(COLUMNS)), tumbling(10), ["gone"], COUNT),
    ],
    [
      "an object as a key",
      (plan: PlanFixture) => {
        const source = plan.source({ ...COLUMNS, place: t.object({ x: t.float64 }) })
        plan.window(plan.eventTime(source), tumbling(10), ["place"], COUNT)
      },
    ],
  ])("%s is refused in words", (_, build) => {
    expect(refused(build)).toThrow(expect.objectContaining({ code: "invalid-plan" }) as Error)
    expect(refused(build)).toThrow(/ /)
  })
})

describe("states", () => {
  function windowNode(aggregates: FixtureAggregates, type = COLUMNS.n): { plan: Plan; node: WindowAggregateNode } {
    const fixture = new PlanFixture()
    const source = fixture.source({ ...COLUMNS, n: type })
    const index = fixture.window(fixture.eventTime(source), tumbling(10, -5), ["key"], aggregates)
    return { plan: fixture.plan, node: fixture.plan.nodes[index] as WindowAggregateNode }
  }

  it("have a signature with the format, and all that the bytes depend on", () => {
    const of = (aggregates: FixtureAggregates, type = COLUMNS.n) => {
      const { plan, node } = windowNode(aggregates, type)
      return stateSignature(plan, node)
    }
    expect(of({ y: ["mean", "n"], c: ["count"] })).toBe(
      'windowAggregate/2 tumbling 10us offset -5us by ("key": string) of ("y": mean(int53), "c": count())',
    )
    expect(of({ y: ["mean", "n"] }, t.int53.nullable() as typeof COLUMNS.n)).toContain("mean(int53?)")
    expect(new Flow(windowNode(COUNT).plan).dataflow.states.map(({ signature }) => signature)).toEqual([
      'eventTime/1 "at"',
      of(COUNT),
    ])
  })

  it("the event time of a window's results is one before the end that they name", () => {
    const { plan, node } = windowNode(COUNT)
    expect(eventTimeShift(plan, node)).toBe(0)
    const above: WindowAggregateNode = {
      ...node,
      id: "above",
      input: plan.nodes.indexOf(node),
      timeColumn: "windowEnd",
    }
    expect(eventTimeShift({ ...plan, nodes: [...plan.nodes, above] }, above)).toBe(-1)
  })
})
