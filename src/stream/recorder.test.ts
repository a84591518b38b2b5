/** Tests of ids, and of the finished plan. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { planFingerprint, type Plan } from "../flow/plan.ts"
import { count } from "./aggregates.ts"
import { job } from "./job.ts"
import { errorOf, fakeSink, fakeSource, planOf, Trip, type Untyped } from "./trips.fixture.ts"
import { tumbling } from "./windows.ts"

const keep = () => true

function hourly(trips: Untyped, options?: { readonly id: string }): Untyped {
  const timed = trips["eventTime"]!("pickup", { outOfOrder: "5s" })
  return timed["keyBy"]!("zone")["window"]!(tumbling("1h"))["aggregate"]!({ n: count() }, options)
}

function idsOf(plan: Plan): string[] {
  return plan.nodes.map(({ id, isIdGiven }) => (isIdGiven ? id : `(${id})`))
}

test("L2 derived ids are made of the stateful ancestor, the kind and the place among siblings of that kind", () => {
  const plan = planOf((trips) => {
    const first = hourly(trips["filter"]!(keep)["filter"]!(keep))
    const second = hourly(trips, { id: "named" })
    const late = (second as unknown as { readonly late: Untyped }).late["filter"]!(keep)
    const daily = second["filter"]!(keep)["keyBy"]!("zone")["window"]!(tumbling("1d"))["aggregate"]!({ n: count() })
    return { first, late, daily }
  })
  expect(idsOf(plan)).toEqual([
    "trips",
    "(trips/filter)",
    "(trips/filter-2)",
    "(trips/eventTime)",
    "(trips/eventTime/windowAggregate)",
    "(trips/eventTime-2)",
    "named",
    "(named.late/filter)",
    "(named/filter)",
    "(named/windowAggregate)",
  ])
})

test("L2 a filter more, or an id more, renames no state", () => {
  const stateful = (flow: (trips: Untyped) => unknown) =>
    planOf(flow)
      .nodes.filter(({ kind }) => kind === "eventTime" || kind === "windowAggregate")
      .map(({ id }) => id)
  const plain = stateful((trips) => ({ a: hourly(trips), b: hourly(trips) }))
  expect(
    stateful((trips) => ({ a: hourly(trips["filter"]!(keep)), b: hourly(trips["select"]!("pickup", "zone")) })),
  ).toEqual(plain)
  const oneNamed = stateful((trips) => {
    const a = trips["eventTime"]!("pickup", { outOfOrder: "5s", id: "named" })
    return { a: a["keyBy"]!("zone")["window"]!(tumbling("1h"))["aggregate"]!({ n: count() }), b: hourly(trips) }
  })
  expect(oneNamed).toEqual(["named", "named/windowAggregate", "trips/eventTime-2", "trips/eventTime-2/windowAggregate"])
})

test("L2 ids are unique: an id that is taken, or is no name, is refused", () => {
  const twice = errorOf(() => planOf((trips) => ({ a: hourly(trips, { id: "x" }), b: hourly(trips, { id: "x" }) })))
  expect(twice.message).toContain('the id "x" is taken')
  expect(errorOf(() => planOf((trips) => ({ a: hourly(trips, { id: "trips" }) }))).message).toContain("is taken")
  for (const id of ["trips/eventTime", "", "-x", "a b", "x".repeat(101)]) {
    expect(errorOf(() => planOf((trips) => ({ a: hourly(trips, { id }) }))).message).toContain("is not a name")
  }
})

test("RC1 the plan is frozen, all of it but the lambdas", () => {
  const lambda = () => ({ net: 1 })
  const plan = planOf((trips) => ({ out: hourly(trips["derive"]!({ net: t.float64 }, lambda)) }))
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return
    expect(Object.isFrozen(value), path).toBe(true)
    if (value instanceof ColumnType) return
    for (const [name, part] of Object.entries(value)) visit(part, `${path}.${name}`)
  }
  visit(plan, "plan")
  expect(Object.isFrozen(lambda)).toBe(false)
  expect(() => (plan.nodes as unknown[]).push(1)).toThrow(TypeError)
})

test("RC1 a stream that outlives its flow records nothing more", () => {
  let escaped: Untyped | undefined
  const plan = planOf((trips) => {
    escaped = trips
    return { trips }
  })
  expect(errorOf(() => escaped!["filter"]!(keep)).message).toContain("the flow has returned")
  expect(plan.nodes).toHaveLength(1)
})

test("the fingerprint tells lambdas, columns and connectors' absence apart", () => {
  const fingerprint = (flow: (trips: Untyped) => unknown) => planFingerprint(planOf(flow))
  const one = fingerprint((trips) => ({ out: trips["filter"]!((r: { fare: number }) => r.fare > 0) }))
  expect(fingerprint((trips) => ({ out: trips["filter"]!((r: { fare: number }) => r.fare > 0) }))).toBe(one)
  expect(fingerprint((trips) => ({ out: trips["filter"]!((r: { fare: number }) => r.fare > 1) }))).not.toBe(one)
  expect(fingerprint((trips) => ({ paid: trips["filter"]!((r: { fare: number }) => r.fare > 0) }))).not.toBe(one)
  const unbound = job({ name: "x", inputs: { a: Trip, b: schema({ n: t.int32 }) }, flow: ({ a, b }) => ({ a, b }) })
  const bound = unbound.with({
    inputs: { a: fakeSource(), b: fakeSource() },
    outputs: { a: fakeSink(), b: fakeSink() },
  })
  expect(planFingerprint(bound.plan)).toBe(unbound.fingerprint)
})
