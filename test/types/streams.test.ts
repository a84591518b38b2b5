/**
 * The types that programs get: rows, results, parameters, outputs. Each type is held against what the recorded plan says
 * at run time.
 */
import { describe, expect, expectTypeOf, test } from "vitest"
import { countWindow, hopping, tumbling } from "../../src/stream/windows.ts"
import { count, first, last, max, mean, min, sum } from "../../src/stream/aggregates.ts"
import { aggregate } from "../../src/stream/custom-aggregate.ts"
import { approxCountDistinct, countDistinct } from "../../src/stream/distinct-aggregates.ts"
import type { FrequentValue } from "../../src/stream/aggregate-types.ts"
import { maxBy, minBy, topK } from "../../src/stream/extreme-by.ts"
import { collect, frequent } from "../../src/stream/list-aggregates.ts"
import { median, percentiles } from "../../src/stream/quantile-aggregates.ts"
import { populationVariance, variance } from "../../src/stream/spread-aggregates.ts"
import { job, type InputRows, type OutputRows } from "../../src/stream/job.ts"
import type { AppendStream, RowOfStream, Stream, UpdateStream } from "../../src/stream/stream.ts"
import type { BoundJob } from "../../src/stream/bound-job.ts"
import type { ParamsOf } from "../../src/stream/params.ts"
import type { ExecutableJob } from "../../src/runtime/executable-job.ts"
import { schema } from "../../src/batch/schema.ts"
import { t } from "../../src/batch/types.ts"
import type { Timestamp } from "../../src/time/timestamp.ts"

const Trip = schema({
  pickup: t.timestamp(),
  dropoff: t.timestamp().nullable(),
  zone: t.string,
  kind: t.enum("taxi", "bus"),
  fare: t.float64,
  tip: t.float64.nullable(),
  meters: t.int64,
})

/** The types of a job's output columns at run time, and its rows at compile time. */
function outputOf<R>(flow: (trips: Trips) => Stream<"append", R>): {
  readonly columns: string
  readonly rows: readonly R[]
} {
  const { plan } = job({
    name: "trips",
    params: schema({ maxFare: t.float64 }),
    inputs: { trips: Trip },
    flow: ({ trips }) => ({ out: flow(trips) }),
  })
  const { fields } = plan.nodes[plan.outputs[0]!.node]!.schema
  return { columns: fields.map(({ name, type }) => `${name}: ${type.label}`).join(", "), rows: [] }
}

interface TripRow {
  readonly pickup: Timestamp
  readonly dropoff: Timestamp | null
  readonly zone: string
  readonly kind: "taxi" | "bus"
  readonly fare: number
  readonly tip: number | null
  readonly meters: bigint
}
interface Params {
  readonly maxFare: number
}
type Trips = AppendStream<TripRow, Params>

/** Makes the two ways to write one object type the same. */
type Flat<R> = { [N in keyof R]: R[N] }

test("W19 results of windows without keys have bounds and aggregates", () => {
  const out = outputOf((trips) =>
    trips
      .eventTime("pickup", { outOfOrder: "5s" })
      .keyBy()
      .window(tumbling("1h"))
      .aggregate({ fares: sum("fare") }),
  )
  expect(out.columns).toBe("windowStart: timestamp, windowEnd: timestamp, fares: float64")
  expectTypeOf<Flat<(typeof out.rows)[number]>>().toEqualTypeOf<{
    readonly windowStart: Timestamp
    readonly windowEnd: Timestamp
    readonly fares: number
  }>()
})

test("W65 results of windows of records have bounds where there is event time, and none where there is not", () => {
  const timed = outputOf((trips) =>
    trips
      .eventTime("pickup", { outOfOrder: "5s" })
      .keyBy("zone")
      .window(countWindow(10))
      .aggregate({ fares: sum("fare") }),
  )
  expect(timed.columns).toBe("zone: string, windowStart: timestamp, windowEnd: timestamp, fares: float64")
  expectTypeOf<Flat<(typeof timed.rows)[number]>>().toEqualTypeOf<{
    readonly zone: string
    readonly windowStart: Timestamp
    readonly windowEnd: Timestamp
    readonly fares: number
  }>()
  const untimed = outputOf((trips) =>
    trips
      .keyBy("zone")
      .window(countWindow(10))
      .aggregate({ fares: sum("fare") }),
  )
  expect(untimed.columns).toBe("zone: string, fares: float64")
  expectTypeOf<Flat<(typeof untimed.rows)[number]>>().toEqualTypeOf<{ readonly zone: string; readonly fares: number }>()
  const reduced = outputOf((trips) =>
    trips
      .select("zone", "fare")
      .keyBy("zone")
      .window(countWindow(10, { every: 1 }))
      .reduce((one, other) => (one.fare >= other.fare ? one : other)),
  )
  expect(reduced.columns).toBe("zone: string, fare: float64")
  expectTypeOf<Flat<(typeof reduced.rows)[number]>>().toEqualTypeOf<{ readonly zone: string; readonly fare: number }>()
})

describe("rows", () => {
  test("lambdas see the row and the parameters", () => {
    const { columns } = outputOf((trips) =>
      trips.filter((r, p) => {
        expectTypeOf(r).toEqualTypeOf<TripRow>()
        expectTypeOf(p).toEqualTypeOf<Params>()
        return r.fare < p.maxFare
      }),
    )
    expect(columns).toBe(
      'pickup: timestamp, dropoff: timestamp?, zone: string, kind: enum("taxi", "bus"), fare: float64, tip: float64?, meters: int64',
    )
  })

  test("derive adds, narrows and replaces", () => {
    const added = outputOf((trips) => trips.derive({ net: t.float64 }, (r) => ({ net: r.fare })).select("net", "tip"))
    expectTypeOf<Flat<(typeof added.rows)[0]>>().toEqualTypeOf<{ readonly net: number; readonly tip: number | null }>()
    expect(added.columns).toBe("net: float64, tip: float64?")
    const narrowed = outputOf((trips) => trips.derive({ tip: t.float64 }, (r) => ({ tip: r.tip ?? 0 })).select("tip"))
    expectTypeOf<Flat<(typeof narrowed.rows)[0]>>().toEqualTypeOf<{ readonly tip: number }>()
    expect(narrowed.columns).toBe("tip: float64")
    const replaced = outputOf((trips) =>
      trips
        .derive({ zone: t.int32.nullable(), more: t.bool }, (r) => ({ zone: r.zone.length, more: true }))
        .select("zone", "more", "fare"),
    )
    expectTypeOf<Flat<(typeof replaced.rows)[0]>>().toEqualTypeOf<{
      readonly zone: number | null
      readonly more: boolean
      readonly fare: number
    }>()
    expect(replaced.columns).toBe("zone: int32?, more: bool, fare: float64")
  })

  test("map starts anew, notNull narrows", () => {
    const mapped = outputOf((trips) =>
      trips.map({ a: t.enum("x", "y").nullable() }, (r) => ({ a: r.zone === "x" ? "x" : null })),
    )
    expectTypeOf<(typeof mapped.rows)[0]>().toEqualTypeOf<{ readonly a: "x" | "y" | null }>()
    expect(mapped.columns).toBe('a: enum("x", "y")?')
    const required = outputOf((trips) => trips.notNull("tip", "dropoff").select("tip", "dropoff", "zone"))
    expectTypeOf<Flat<(typeof required.rows)[0]>>().toEqualTypeOf<{
      readonly tip: number
      readonly dropoff: Timestamp
      readonly zone: string
    }>()
    expect(required.columns).toBe("tip: float64, dropoff: timestamp, zone: string")
  })
})

describe("results of windows", () => {
  const hourly = (trips: Trips) =>
    trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone", "kind").window(tumbling("1h"))

  test("FT3 columns give their own type, and null where they may be null throughout", () => {
    const { rows, columns } = outputOf((trips) =>
      hourly(trips).aggregate({
        trips: count(),
        fares: sum("fare"),
        tips: sum("tip"),
        meters: sum("meters"),
        meanTip: mean("tip"),
        meanMeters: mean("meters"),
        least: min("tip"),
        latest: max("pickup"),
        opening: first("kind"),
        closing: last("dropoff"),
      }),
    )
    expectTypeOf<Flat<(typeof rows)[0]>>().toEqualTypeOf<{
      readonly zone: string
      readonly kind: "taxi" | "bus"
      readonly windowStart: Timestamp
      readonly windowEnd: Timestamp
      readonly trips: number
      readonly fares: number
      readonly tips: number | null
      readonly meters: bigint
      readonly meanTip: number | null
      readonly meanMeters: number
      readonly least: number | null
      readonly latest: Timestamp
      readonly opening: "taxi" | "bus"
      readonly closing: Timestamp | null
    }>()
    expect(columns).toBe(
      'zone: string, kind: enum("taxi", "bus"), windowStart: timestamp, windowEnd: timestamp, trips: int53, ' +
        "fares: float64, tips: float64?, meters: int64, meanTip: float64?, meanMeters: float64, least: float64?, " +
        'latest: timestamp, opening: enum("taxi", "bus"), closing: timestamp?',
    )
  })

  test("FT3 lambdas give numbers, or what they declare", () => {
    const { rows, columns } = outputOf((trips) =>
      hourly(trips).aggregate({
        net: sum((r, p) => {
          expectTypeOf(r).toEqualTypeOf<TripRow>()
          expectTypeOf(p).toEqualTypeOf<Params>()
          return r.fare / p.maxFare
        }),
        one: max(() => 1),
        tip: mean((r) => r.tip),
        units: sum(t.int32, (r) => r.zone.length),
        big: min(t.int64.nullable(), (r) => (r.meters > 0n ? r.meters : null)),
        place: last(t.object({ x: t.float64 }), (r) => ({ x: r.fare })),
      }),
    )
    expectTypeOf<Omit<(typeof rows)[0], "zone" | "kind" | "windowStart" | "windowEnd">>().toEqualTypeOf<{
      readonly net: number
      readonly one: number
      readonly tip: number | null
      readonly units: number
      readonly big: bigint | null
      readonly place: { readonly x: number }
    }>()
    expect(columns).toContain("net: float64?, one: float64?, tip: float64?, units: int53, big: int64?, place: object(")
  })

  test("FT3 aggregates without kernels give what they declare, and null where that may be", () => {
    const { rows, columns } = outputOf((trips) =>
      hourly(trips).aggregate({
        v: variance("fare"),
        pv: populationVariance("tip"),
        m: median("meters"),
        ps: percentiles([50, 99.9], "fare"),
        pn: percentiles([50], "tip"),
        d: countDistinct("dropoff"),
        a: approxCountDistinct((r) => r.tip),
        by: maxBy("fare", "dropoff"),
        low: minBy("tip", ["kind", "meters"]),
        all: collect("tip", { limit: 5 }),
        top: topK(3, "fare", ["zone", "tip"]),
        tips: topK(3, "fare", "tip"),
        often: frequent("kind"),
        own: aggregate({
          state: t.int64,
          type: t.enum("few", "many").nullable(),
          init: () => 0n,
          add: (n, r, p) => {
            expectTypeOf(r).toEqualTypeOf<TripRow>()
            expectTypeOf(p).toEqualTypeOf<Params>()
            return n + r.meters
          },
          merge: (one, other) => one + other,
          result: (n) => (n > 5n ? "many" : "few"),
        }),
      }),
    )
    expectTypeOf<Omit<Flat<(typeof rows)[0]>, "zone" | "kind" | "windowStart" | "windowEnd">>().toEqualTypeOf<{
      readonly v: number | null
      readonly pv: number | null
      readonly m: number
      readonly ps: { readonly p50: number; readonly "p99.9": number }
      readonly pn: { readonly p50: number } | null
      readonly d: number
      readonly a: number
      readonly by: Timestamp | null
      readonly low: { readonly kind: "taxi" | "bus"; readonly meters: bigint } | null
      readonly all: readonly number[]
      readonly top: readonly { readonly zone: string; readonly tip: number | null }[]
      readonly tips: readonly (number | null)[]
      readonly often: readonly FrequentValue<"taxi" | "bus">[]
      readonly own: "few" | "many" | null
    }>()
    expect(columns).toContain(
      'v: float64?, pv: float64?, m: float64, ps: object({ "p50": float64, "p99.9": float64 }), ' +
        'pn: object({ "p50": float64 })?, d: int53, a: int53, by: timestamp?, low: object(',
    )
    expect(columns).toContain(
      'all: list(float64), top: list(object({ "zone": string, "tip": float64? })), tips: list(float64?), ',
    )
    expect(columns).toContain(
      'often: list(object({ "value": enum("taxi", "bus"), "count": int53, "countMost": int53 })), own:',
    )
    expect(columns).toContain('own: enum("few", "many")?')
  })

  test("FT3 a reduced row has keys, bounds and the other columns", () => {
    const { rows, columns } = outputOf((trips) =>
      trips
        .select("pickup", "zone", "fare", "tip")
        .eventTime("pickup", { outOfOrder: "5s" })
        .keyBy("zone")
        .window(tumbling("1h"))
        .reduce((one, other, p) => (one.fare > p.maxFare ? one : other)),
    )
    expectTypeOf<Flat<(typeof rows)[0]>>().toEqualTypeOf<{
      readonly zone: string
      readonly windowStart: Timestamp
      readonly windowEnd: Timestamp
      readonly pickup: Timestamp
      readonly fare: number
      readonly tip: number | null
    }>()
    expect(columns).toBe(
      "zone: string, windowStart: timestamp, windowEnd: timestamp, pickup: timestamp, fare: float64, tip: float64?",
    )
  })

  test("late rows are the window's input, and its results feed other windows", () => {
    const { plan, outputs } = job({
      name: "trips",
      params: schema({ maxFare: t.float64 }),
      inputs: { trips: Trip },
      flow: ({ trips }) => {
        const perHour = hourly(trips.derive({ net: t.float64 }, (r) => ({ net: r.fare }))).aggregate({ trips: count() })
        const perDay = perHour
          .keyBy("zone")
          .window(hopping("1d", { every: "1h" }))
          .aggregate({ trips: sum("trips") }, { id: "daily" })
        return { late: perHour.late, perDay }
      },
    })
    expectTypeOf<Flat<RowOfStream<(typeof outputs)["late"]>>>().toEqualTypeOf<TripRow>()
    expectTypeOf<Flat<RowOfStream<(typeof outputs)["perDay"]>>>().toEqualTypeOf<{
      readonly zone: string
      readonly windowStart: Timestamp
      readonly windowEnd: Timestamp
      readonly trips: number
    }>()
    expect(plan.outputs.map(({ name, port }) => `${name} ${port}`)).toEqual(["late late", "perDay main"])
  })
})

describe("pieces", () => {
  test("functions over streams keep what they do not know, and may use what they derived", () => {
    function withNet<R extends { fare: number; tip: number | null }, P, T extends string>(
      trips: AppendStream<R, P, T>,
    ) {
      return trips
        .derive({ net: t.float64 }, (r) => ({ net: r.fare - (r.tip ?? 0) }))
        .filter((r) => r.net > 0 && r.fare > 0)
    }
    function cheap<R extends { fare: number }, P extends { maxFare: number }>(trips: AppendStream<R, P>) {
      return trips.filter((r, p) => r.fare < p.maxFare)
    }
    const { rows, columns } = outputOf((trips) => {
      const piped = trips.pipe(cheap).pipe(withNet).eventTime("pickup", { outOfOrder: "5s" })
      return piped.select("zone", "net")
    })
    expectTypeOf<Flat<(typeof rows)[0]>>().toEqualTypeOf<{ readonly zone: string; readonly net: number }>()
    expect(columns).toBe("zone: string, net: float64")
  })

  test("FT2 streams that update are no streams that append, and the other way round", () => {
    expectTypeOf<UpdateStream<TripRow>>().not.toExtend<AppendStream<TripRow>>()
    expectTypeOf<AppendStream<TripRow>>().not.toExtend<UpdateStream<TripRow>>()
    expectTypeOf<RowOfStream<UpdateStream<TripRow>>>().toEqualTypeOf<TripRow>()
    const { outputs } = job({ name: "trips", inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) })
    expect(outputs.trips.kind).toBe("append")
  })
})

describe("jobs", () => {
  const Params = schema({ maxFare: t.float64.default(500), zone: t.string, kind: t.string.nullable() })
  const trips = job({ name: "trips", params: Params, inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) })

  test("parameters with a default or null may be left out", () => {
    expectTypeOf<Flat<ParamsOf<typeof Params>>>().toEqualTypeOf<{
      readonly zone: string
      readonly maxFare?: number
      readonly kind?: string | null
    }>()
    expect(trips.paramsSchema).toBe(Params)
  })

  test("tests give rows of inputs and get rows of outputs", () => {
    expectTypeOf<keyof InputRows<typeof trips>>().toEqualTypeOf<"trips">()
    expectTypeOf<Flat<InputRows<typeof trips>["trips"][0]>>().toEqualTypeOf<
      Flat<Omit<TripRow, "dropoff" | "tip"> & { readonly dropoff?: Timestamp | null; readonly tip?: number | null }>
    >()
    expectTypeOf<OutputRows<typeof trips>["trips"][0]>().toEqualTypeOf<TripRow>()
    expect(Object.keys(trips.inputSchemas)).toEqual(["trips"])
  })

  test("a bound job is what the runtime runs", () => {
    expectTypeOf<BoundJob>().toExtend<ExecutableJob>()
    const source = { describe: () => "", openSource: () => Promise.reject(new Error("not opened")) }
    const sink = {
      describe: () => "",
      guarantee: "exactly-once" as const,
      openSink: () => Promise.reject(new Error("not opened")),
    }
    const bound = trips.with({ inputs: { trips: source }, outputs: { trips: sink }, params: { zone: "JFK" } })
    expect(bound.params).toEqual({ maxFare: 500, zone: "JFK", kind: null })
  })
})
