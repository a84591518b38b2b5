/** Tests of what calls on streams record, and of what they refuse at run time. */
import { describe, expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { PlanNode } from "../flow/plan.ts"
import { job } from "./job.ts"
import { count, first, max, mean, min, sum } from "./aggregates.ts"
import { eventTimer, listState, mapState, reducingState, valueState } from "./process-declarations.ts"
import { errorOf, planOf, type Untyped } from "./trips.fixture.ts"
import { hopping, tumbling } from "./windows.ts"

const timed = (trips: Untyped) => trips["eventTime"]!("pickup", { outOfOrder: "5s" })
const windowed = (trips: Untyped) => timed(trips)["keyBy"]!("zone")["window"]!(tumbling("1h"))

/** The last node of a flow with one output. */
function lastNode(flow: (trips: Untyped) => unknown): PlanNode {
  return planOf((trips) => ({ out: flow(trips) })).nodes.at(-1)!
}

function columnsOf({ schema }: PlanNode): string {
  return schema.fields.map(({ name, type }) => `${name}: ${type.fullLabel}`).join(", ")
}

describe("calls record nodes", () => {
  test("L3 inputs have the columns of their schema, without what concerns only their reading", () => {
    const [source] = planOf((trips) => ({ trips })).nodes
    expect(columnsOf(source!)).toBe(
      'pickup: timestamp(zone="America/New_York"), dropoff: timestamp?, zone: string, fare: float64, tip: float64?, ' +
        'meters: int64, riders: int32, place: object({ "x": float64 })',
    )
  })

  test("L3 derive replaces in place and adds behind", () => {
    const lambda = () => ({ zone: 1, net: 2 })
    const node = lastNode((trips) => trips["derive"]!({ net: t.float64, zone: t.int32.nullable() }, lambda))
    expect(node).toMatchObject({ kind: "derive", lambda, columns: [{ name: "net" }, { name: "zone" }] })
    expect(node.schema.fields.map(({ name }) => name).join()).toBe(
      "pickup,dropoff,zone,fare,tip,meters,riders,place,net",
    )
    expect(node.schema.field("zone")!.type.label).toBe("int32?")
  })

  test("L3 map, select and notNull say what columns there are", () => {
    expect(columnsOf(lastNode((trips) => trips["map"]!({ a: t.bool }, () => ({ a: true }))))).toBe("a: bool")
    expect(columnsOf(lastNode((trips) => trips["select"]!("tip", "zone")))).toBe("tip: float64?, zone: string")
    const required = lastNode((trips) => trips["select"]!("tip", "zone", "dropoff")["notNull"]!("dropoff", "tip"))
    expect(required).toMatchObject({ kind: "notNull", columns: ["dropoff", "tip"] })
    expect(columnsOf(required)).toBe("tip: float64, zone: string, dropoff: timestamp")
  })

  test("L3 windows give keys, bounds and aggregates", () => {
    const node = lastNode((trips) =>
      timed(trips)["keyBy"]!("zone", "riders")["window"]!(hopping("1h", { every: "10m", offset: "5m" }))["aggregate"]!({
        n: count(),
        riders32: sum("riders"),
        meters: sum("meters"),
        fares: sum("fare"),
        tips: mean("tip"),
        most: max("pickup"),
        least: min((r: { fare: number }) => r.fare),
        place: first("place"),
        units: sum(t.int32, () => 1),
        maybe: sum(t.int64.nullable(), () => null),
      }),
    )
    expect(node).toMatchObject({
      kind: "windowAggregate",
      keys: ["zone", "riders"],
      timeColumn: "pickup",
      window: { kind: "hopping", sizeMicros: 3_600e6, slideMicros: 600e6, offsetMicros: 300e6 },
    })
    expect(columnsOf(node)).toBe(
      "zone: string, riders: int32, windowStart: timestamp, windowEnd: timestamp, n: int53, riders32: int53, " +
        'meters: int64, fares: float64, tips: float64?, most: timestamp(zone="America/New_York"), least: float64?, ' +
        'place: object({ "x": float64 }), units: int53, maybe: int64?',
    )
  })

  test("what a declared type says of reading inputs does not concern what a lambda gives", () => {
    const node = lastNode((trips) => windowed(trips)["aggregate"]!({ n: sum(t.int32.from("N").default(1), () => 1) }))
    expect(node).toMatchObject({ aggregates: [{ input: { type: { sourceName: undefined, hasDefault: false } } }] })
  })

  test("L1 late rows, and the results of windows, feed other operators", () => {
    const { nodes, outputs } = planOf((trips) => {
      const hourly = windowed(trips)["aggregate"]!({ n: count() })
      const daily = hourly["keyBy"]!("zone")["window"]!(tumbling("1d"))["aggregate"]!({ n: sum("n") })
      const { late } = hourly as unknown as { readonly late: Untyped }
      const lateDaily = late["keyBy"]!("zone")["window"]!(tumbling("1d"))["aggregate"]!({ n: count() })
      return { hourly, late, daily, lateDaily }
    })
    expect(nodes.map((node) => (node.kind === "source" ? "" : `${node.input} ${node.inputPort}`))).toEqual([
      "",
      "0 main",
      "1 main",
      "2 main",
      "2 late",
    ])
    expect(nodes.map((node) => (node.kind === "windowAggregate" ? node.timeColumn : ""))).toEqual([
      "",
      "",
      "pickup",
      "windowEnd",
      "pickup",
    ])
    expect(outputs).toEqual([
      { name: "hourly", node: 2, port: "main" },
      { name: "late", node: 2, port: "late" },
      { name: "daily", node: 3, port: "main" },
      { name: "lateDaily", node: 4, port: "main" },
    ])
  })

  test("T9 union takes streams of other inputs, whatever the order of their columns", () => {
    const { nodes } = job({
      name: "both",
      inputs: {
        one: schema({ at: t.timestamp(), n: t.int32.nullable() }),
        two: schema({ n: t.int32, at: t.timestamp() }),
      },
      flow: ({ one, two }) => ({ all: one.union(two as unknown as typeof one) }),
    }).plan
    expect(nodes.at(-1)).toMatchObject({ kind: "union", input: 0, others: [{ input: 1, inputPort: "main" }] })
    expect(columnsOf(nodes.at(-1)!)).toBe("at: timestamp, n: int32?")
  })

  test("L3 asyncMap adds columns as derive does, and how calls are made", () => {
    const lambda = () => Promise.resolve({ zone: 1, price: 2 })
    const node = lastNode((trips) => {
      return trips["asyncMap"]!({ price: t.float64, zone: t.int32 }, lambda, {
        id: "prices",
        retry: { backOff: "20s" },
      })
    })
    expect(node).toMatchObject({
      kind: "asyncMap",
      id: "prices",
      lambda,
      timeColumn: undefined,
      policy: {
        inFlight: 100,
        order: "input",
        timeoutMicros: 10_000_000,
        attempts: 3,
        backOffMicros: 20_000_000,
        maxBackOffMicros: 20_000_000,
        onFailure: undefined,
      },
    })
    expect(node.schema.fields.map(({ name }) => name).join()).toBe(
      "pickup,dropoff,zone,fare,tip,meters,riders,place,price",
    )
    expect(lastNode((trips) => timed(trips)["asyncMap"]!({ n: t.int32 }, () => ({ n: 1 })))).toMatchObject({
      timeColumn: "pickup",
    })
  })

  test("pipe gives what the function makes of the stream", () => {
    const node = lastNode((trips) => trips["pipe"]!((stream: Untyped) => stream["select"]!("zone")))
    expect(node.kind).toBe("select")
  })

  test("RS2 event time lasts while its column passes through", () => {
    const group = (stream: Untyped) => stream["keyBy"]!("zone")["window"]!(tumbling("1h"))["aggregate"]!({ n: count() })
    const kept = planOf((trips) => {
      const stream = timed(trips)["filter"]!(() => true)["select"]!("pickup", "zone")["notNull"]!("zone")
      return { out: group(stream["derive"]!({ x: t.bool }, () => ({ x: true }))) }
    })
    expect(kept.nodes.at(-1)).toMatchObject({ timeColumn: "pickup" })
    const ends: Readonly<Record<string, readonly unknown[]>> = {
      select: ["zone"],
      map: [{ zone: t.string, pickup: t.timestamp() }, () => ({ zone: "", pickup: 0 })],
      derive: [{ pickup: t.timestamp() }, () => ({ pickup: 0 })],
    }
    for (const [call, columns] of Object.entries(ends)) {
      expect(errorOf(() => planOf((trips) => ({ out: group(timed(trips)[call]!(...columns)) }))).message).toContain(
        "call .eventTime(...) before .keyBy(...)",
      )
    }
  })
})

const COLUMNS = ["pickup", "dropoff", "zone", "fare", "tip", "meters", "riders", "place"]
const asking = (options: unknown) => (trips: Untyped) =>
  trips["asyncMap"]!({ price: t.float64 }, () => ({ price: 1 }), options)

test("AM2 AM6 bounds of calls are whole numbers from 1", () => {
  for (const options of [{ inFlight: 0 }, { inFlight: 65_537 }, { inFlight: "9" }, { retry: { attempts: 1.5 } }]) {
    const error = errorOf(() => planOf((trips) => ({ out: asking(options)(trips) })))
    expect(error).toMatchObject({
      code: "invalid-options",
      hint: expect.stringContaining("whole number from 1") as string,
    })
  }
  const error = errorOf(() => planOf((trips) => ({ out: asking({ retries: 3 })(trips) })))
  expect(error.message).toBe('The job trips, .asyncMap(...) on trips has no option "retries".')
})

/** What `process(...)` refuses. */
function processCases(): Record<string, [flow: (trips: Untyped) => unknown, message: string, hint?: string]> {
  const process = (definition: unknown) => (trips: Untyped) => timed(trips)["keyBy"]!("zone")["process"]!(definition)
  const onRecord = () => undefined
  const emits = { n: t.int32 }
  const timers = { end: eventTimer() }
  return {
    "a process without definition": [process(undefined), "there is no definition"],
    "a process that emits nothing": [process({ onRecord }), "no columns are declared"],
    "a process without handler": [process({ emits }), "there is no lambda"],
    "an asynchronous handler": [process({ emits, onRecord: async () => undefined }), "the lambda is asynchronous"],
    "a state that is none": [
      process({ emits, onRecord, state: { n: t.int32 } }),
      'the state "n" is an object, which declares none',
      "valueState",
    ],
    "timers that are none": [process({ emits, onRecord, timers: { end: "5s" } }), 'the timers "end" are "5s"'],
    "timers without handler": [process({ emits, onRecord, timers }), 'the timers "end" have no handler'],
    "a handler of no timers": [process({ emits, onRecord, onTimer: { end: onRecord } }), 'a handler of "end"'],
    "event timers without event time": [
      (trips) => trips["keyBy"]!("zone")["process"]!({ emits, onRecord, timers, onTimer: { end: onRecord } }),
      'the timers "end" go by event time, and the stream has none',
    ],
    "an event time that it does not emit": [
      process({ emits, onRecord, eventTime: "at" }),
      'eventTime: "at" names no column that it emits',
    ],
    "an event time that it emits and that is none": [
      process({ emits, onRecord, eventTime: "n" }),
      "is of the type int32, and event time is a timestamp that is never null",
    ],
    "an event time where there is none": [
      (trips) => trips["keyBy"]!("zone")["process"]!({ emits: { at: t.timestamp() }, onRecord, eventTime: "at" }),
      "the stream that it reads has no event time",
    ],
    "an event time behind a process": [
      (trips) => process({ emits: { at: t.timestamp() }, onRecord })(trips)["eventTime"]!("at", { outOfOrder: "0s" }),
      "what .process(...) gives has the event time that it says, or none",
    ],
    "states in a list": [process({ emits, onRecord, state: [] }), "state is an array, which is no object"],
    "a name that is none": [process({ emits, onRecord, sides: { "a b": emits } }), 'sides has the name "a b"'],
    "a union of what processes give": [
      (trips) => {
        const made = process({ emits, onRecord })(trips)
        return made["union"]!(made)
      },
      "some of its rows have waited in an operator or for calls",
    ],
  }
}

describe("RS1 calls refuse at run time what the compiler refuses", () => {
  const cases: Readonly<Record<string, [flow: (trips: Untyped) => unknown, message: string, hint?: string]>> = {
    "a window before a key": [
      (trips) => timed(trips)["window"]!(tumbling("1h")),
      "The job trips, .window(...) on trips/eventTime: call .keyBy(...) before .window(...), or .keyBy() for the whole stream.",
      "The order is .eventTime(...).keyBy(...).window(...).aggregate(...).",
    ],
    "a window before an event time": [
      (trips) => trips["keyBy"]!("zone")["window"]!(tumbling("1h")),
      "The job trips, .window(...) on trips: call .eventTime(...) before .keyBy(...): windows are cut in event time.",
    ],
    "an event time behind the key": [
      (trips) => trips["keyBy"]!("zone")["eventTime"]!("pickup"),
      "call .eventTime(...) before .keyBy(...).",
    ],
    "aggregates before a key": [
      (trips) => trips["aggregate"]!({ n: count() }),
      "call .keyBy(...) and .window(...) before",
    ],
    "aggregates before a window": [
      (trips) => timed(trips)["keyBy"]!("zone")["aggregate"]!({ n: count() }),
      "call .window(...) before .aggregate(...).",
    ],
    "a window that is none": [(trips) => timed(trips)["keyBy"]!("zone")["window"]!("1h"), "there is no window"],
    "an unknown key": [
      (trips) => trips["keyBy"]!("zoen"),
      'The job trips, .keyBy(...) on trips: there is no column "zoen".',
      'Did you mean "zone"?',
    ],
    "a key twice": [(trips) => trips["keyBy"]!("zone", "zone"), 'the column "zone" is named twice'],
    "an object as a key": [
      (trips) => trips["keyBy"]!("place"),
      'the column "place" is an object, and objects are no keys',
    ],
    "a bound of a window as a key": [
      (trips) => windowed(trips)["aggregate"]!({ n: count() })["keyBy"]!("windowEnd"),
      'the results of a window have a column "windowEnd" of their own',
    ],
    "an unknown column to select": [
      (trips) => trips["select"]!("zone", "fares"),
      'there is no column "fares"',
      '"fare"?',
    ],
    "an unknown column to require": [(trips) => trips["notNull"]!(7), "there is no column 7"],
    "an event time that is text": [
      (trips) => trips["eventTime"]!("zone", { outOfOrder: "5s" }),
      'the column "zone" is of the type string, and event time is a timestamp',
    ],
    "an event time that may be null": [
      (trips) => trips["eventTime"]!("dropoff", { outOfOrder: "5s" }),
      'the column "dropoff" may be null, and event time never is',
      'Call .notNull("dropoff") before it.',
    ],
    "a second event time": [
      (trips) => timed(trips)["eventTime"]!("pickup", { outOfOrder: "5s" }),
      'this stream has an event time already: "pickup"',
    ],
    "an event time of results": [
      (trips) =>
        windowed(trips)["aggregate"]!({ n: count() })["map"]!({ at: t.timestamp() }, () => ({ at: 0 }))["eventTime"]!(
          "at",
          { outOfOrder: "0s" },
        ),
      "results of windows have no other event time than their window's",
    ],
    "a predicate that is none": [(trips) => trips["filter"]!("fare > 0"), "there is no lambda"],
    "an asynchronous predicate": [(trips) => trips["filter"]!(async () => true), "the lambda is asynchronous"],
    "a generator": [
      (trips) =>
        trips["filter"]!(function* () {
          yield true
        }),
      "the lambda is a generator",
    ],
    "calls by a generator": [
      (trips) =>
        trips["asyncMap"]!({ n: t.int32 }, async function* () {
          yield await Promise.resolve({ n: 1 })
        }),
      "the lambda is a generator",
    ],
    "calls in no order": [asking({ order: "any" }), 'the order is "any"'],
    "calls that fail otherwise": [asking({ onFailure: "ignore" }), 'onFailure is "ignore"'],
    "calls without time": [asking({ timeout: "0s" }), "the timeout is zero"],
    "waits that shrink": [
      asking({ retry: { backOff: "2s", maxBackOff: "1s" } }),
      "retry.maxBackOff is shorter than retry.backOff",
    ],
    "event time behind calls": [
      (trips) => asking({ id: "prices" })(trips)["filter"]!(() => true)["eventTime"]!("pickup", { outOfOrder: "1s" }),
      "event time is made before calls, and these rows come from those of prices",
    ],
    "a union of rows that have been asked about": [
      (trips) => trips["union"]!(asking({})(trips)["select"]!(...COLUMNS)),
      "some of its rows have waited in an operator or for calls",
    ],
    "no declared columns": [(trips) => trips["derive"]!(() => ({ net: 1 })), "no columns are declared"],
    "a declared column without type": [
      (trips) => trips["map"]!({ net: "float64" }, () => ({ net: 1 })),
      'the column "net" has no column type',
    ],
    "a declared column with a source": [
      (trips) => trips["map"]!({ net: t.float64.from("Net") }, () => ({ net: 1 })),
      'the type of the column "net" has .from(...)',
    ],
    "a declared column with a default": [
      (trips) => trips["derive"]!({ net: t.float64.default(1) }, () => ({ net: 1 })),
      'the type of the column "net" has .default(...)',
    ],
    "a union of nothing": [(trips) => trips["union"]!(), "there is no other stream"],
    "a union with what is no stream": [(trips) => trips["union"]!("trips"), "what is given is no stream of this flow"],
    "a union of one input's rows": [
      (trips) => trips["union"]!(trips["filter"]!(() => true)),
      "the rows of the input trips come to it in two ways",
    ],
    "a union with a column less": [
      (trips) => trips["union"]!(trips["select"]!("zone")),
      'the column "pickup" of the type timestamp(zone="America/New_York") is missing in trips/select.',
    ],
    "a union with a column more": [
      (trips) => trips["select"]!("zone")["union"]!(trips),
      'trips has a column "pickup" more',
    ],
    "a union with a column of another type": [
      (trips) => trips["union"]!(trips["derive"]!({ tip: t.string }, () => ({ tip: "" }))),
      'the column "tip" of the type float64? is of the type string in trips/derive',
    ],
    "a union with a column that may be null": [
      (trips) => trips["derive"]!({ tip: t.float64 }, () => ({ tip: 0 }))["union"]!(trips),
      'the column "tip" of the type float64 is of the type float64? in trips',
    ],
    "a union of rows with event time and without": [
      (trips) => timed(trips)["union"]!(trips),
      'trips has no event time, and this stream has the event time "pickup"',
    ],
    "a union of results of windows": [
      (trips) => {
        const counts = windowed(trips)["aggregate"]!({ n: count() })
        return counts["union"]!(counts)
      },
      "some of its rows have waited in an operator or for calls",
    ],
    ...processCases(),
    "a pipe through nothing": [(trips) => trips["pipe"]!(), "there is no function"],
    "no aggregates": [(trips) => windowed(trips)["aggregate"]!({}), "there are no aggregates"],
    "an aggregate that is none": [(trips) => windowed(trips)["aggregate"]!({ n: "count" }), '"n" is not an aggregate'],
    "an aggregate named like a key": [
      (trips) => windowed(trips)["aggregate"]!({ zone: count() }),
      'results have a column "zone" already',
    ],
    "an aggregate named like a bound of the window": [
      (trips) => windowed(trips)["aggregate"]!({ windowStart: count() }),
      'results have a column "windowStart" already',
    ],
    "a sum over text": [
      (trips) => windowed(trips)["aggregate"]!({ zones: sum("zone") }),
      '"zones": sum(...) takes numbers, and the column "zone" is of the type string.',
    ],
    "a sum over declared text": [
      (trips) => windowed(trips)["aggregate"]!({ zones: sum(t.string, () => "") }),
      "sum(...) takes numbers, and what its lambda gives is of the type string.",
    ],
    "an aggregate of an unknown column": [
      (trips) => windowed(trips)["aggregate"]!({ fares: sum("fair") }),
      'sum("fair") names no column',
      "The columns are",
    ],
  }

  test.each(Object.entries(cases))("%s", (_name, [flow, message, hint]) => {
    const error = errorOf(() => planOf((trips) => ({ out: flow(trips) })))
    expect(error.code).toBe("invalid-plan")
    expect(error.message).toContain(message)
    expect(error.message).toMatch(/^The job trips, \.\w+\(\.\.\.\) on /)
    expect(error.hint).toContain(hint ?? "")
  })

  test.each<[what: string, flow: (trips: Untyped) => unknown, message: string, hint: string]>([
    [
      "an unknown option of event time",
      (trips) => trips["eventTime"]!("pickup", { outOfOrder: "5s", lateness: "1h" }),
      'The job trips, .eventTime(...) on trips has no option "lateness".',
      '"id", "outOfOrder"',
    ],
    [
      "a mistyped option of event time",
      (trips) => trips["eventTime"]!("pickup", { outOfOrdr: "5s" }),
      'The job trips, .eventTime(...) on trips has no option "outOfOrdr".',
      'Did you mean "outOfOrder"?',
    ],
    [
      "an unknown option of aggregates",
      (trips) => windowed(trips)["aggregate"]!({ n: count() }, { ID: "hourly" }),
      'The job trips, .aggregate(...) on trips/eventTime has no option "ID".',
      'Did you mean "id"?',
    ],
    [
      "options that are a text",
      (trips) => trips["filter"]!(() => true, "paid"),
      'The job trips, .filter(...) on trips takes an object of options, not "paid".',
      '"id"',
    ],
  ])("options have their own code: %s", (_what, flow, message, hint) => {
    const error = errorOf(() => planOf((trips) => ({ out: flow(trips) })))
    expect(error.code).toBe("invalid-options")
    expect(error.message).toBe(message)
    expect(error.hint).toContain(hint)
  })

  test("a duration that is none has its own code, and names the job and the call", () => {
    const error = errorOf(() => planOf((trips) => ({ out: trips["eventTime"]!("pickup", { outOfOrder: "5 sec" }) })))
    expect(error.code).toBe("invalid-duration")
    expect(error.message).toBe(
      'The job trips, .eventTime(...) on trips: outOfOrder is "5 sec", which is not a duration.',
    )
    const missing = errorOf(() => planOf((trips) => ({ out: trips["eventTime"]!("pickup", {}) })))
    expect(missing.message).toBe("The job trips, .eventTime(...) on trips: outOfOrder is not given.")
    const count = errorOf(() => planOf((trips) => ({ out: trips["eventTime"]!("pickup", { outOfOrder: 5000 }) })))
    expect(count.message).toBe("The job trips, .eventTime(...) on trips: outOfOrder is 5000, which is not a duration.")
  })
})

test.each<[what: string, declare: () => unknown, message: string]>([
  ["no type", () => valueState("float64" as never), 'valueState(...) has no type of values, but "float64".'],
  ["no type of keys", () => mapState(undefined as never, t.string), "mapState(...) has no type of keys"],
  ["keys that are objects", () => mapState(t.object({ n: t.int32 }), t.string), "an object, and objects are no keys"],
  ["keys that are lists", () => mapState(t.list(t.string), t.string), "a list, and lists are no keys"],
  ["no function", () => reducingState(t.float64, undefined as never), "reducingState(...) has no function"],
  ["values that do not last", () => listState(t.float64, { ttl: "0s" }), 'has values that last "0s"'],
  ["an unknown option", () => valueState(t.float64, { tll: "1s" } as never), 'valueState(...) has no option "tll".'],
])("a state with %s is refused", (_what, declare, message) => {
  expect(errorOf(declare).message).toContain(message)
})
