import { expect, test } from "vitest"
import { t } from "../batch/types.ts"
import { hopping, MINUTE, PlanFixture, tumbling, type FixtureAggregates } from "./plan-fixture.reference.ts"
import { isStateful, type WindowSpec } from "./plan.ts"
import { signatureDifference } from "./signature-difference.ts"
import { stateSignature } from "./state-signature.ts"

interface Shape {
  readonly window: WindowSpec
  readonly keys: readonly string[]
  readonly aggregates: FixtureAggregates
  readonly zone: typeof t.string | typeof t.int32 | ReturnType<typeof t.enum>
}

const SHAPE: Shape = {
  window: tumbling(MINUTE),
  keys: ["zone"],
  aggregates: { trips: ["count"], fares: ["sum", "fare"] },
  zone: t.string,
}

function windowSignature(change: Partial<Shape> = {}): string {
  const { window, keys, aggregates, zone } = { ...SHAPE, ...change }
  const fixture = new PlanFixture()
  const columns = { at: t.timestamp(), zone, 'odd ") of (': t.string, fare: t.float64, place: PLACE }
  const source = fixture.source(columns)
  fixture.window(fixture.eventTime(source), window, keys, aggregates)
  const { plan } = fixture
  return stateSignature(plan, plan.nodes.filter(isStateful)[1]!)
}

const PLACE = t.object({ x: t.float64, 'y",(': t.string })
const ODD = 'odd ") of ('

test.each<[change: Partial<Shape>, clauses: readonly string[]]>([
  [{ window: tumbling(2 * MINUTE) }, ["its window was tumbling 1m and is now tumbling 2m"]],
  [
    { window: hopping(MINUTE, MINUTE / 2, MINUTE / 4) },
    ["its window was tumbling 1m and is now hopping 1m every 30s offset 15s"],
  ],
  [
    { window: { kind: "session", gapMicros: MINUTE } },
    ["its state is kept in another format", "its window was tumbling 1m and is now session gap 1m"],
  ],
  [{ keys: ["zone", ODD] }, [`it was keyed by zone and is now by zone, ${ODD}`]],
  [{ zone: t.int32 }, ["its key zone was of the type string and is now int32"]],
  [{ zone: t.enum("a", "b") }, ['its key zone was of the type string and is now enum("a", "b")']],
  [
    { aggregates: { trips: ["count"], fares: ["mean", "fare"] } },
    ["its aggregate fares was sum(float64) and is now mean(float64)"],
  ],
  [
    { aggregates: { trips: ["count"], [ODD]: ["last", "place"] } },
    ["its aggregate fares is gone", `its aggregate ${ODD} is new`],
  ],
  [
    { aggregates: { fares: ["sum", "fare"], trips: ["count"] } },
    ["its aggregates were trips, fares and are now fares, trips, in another order"],
  ],
  [
    { window: tumbling(2 * MINUTE), aggregates: { trips: ["count"] } },
    ["its window was tumbling 1m and is now tumbling 2m", "its aggregate fares is gone"],
  ],
])("a changed window is told in words: %#", (change, clauses) => {
  expect(signatureDifference(windowSignature(), windowSignature(change))).toEqual(clauses)
})

test("names and types with brackets and quotes in them are read as what they are", () => {
  const aggregates: FixtureAggregates = { [ODD]: ["last", "place"], trips: ["count"] }
  const zone = t.enum(ODD, 'a, "b"')
  const one = windowSignature({ zone, aggregates })
  const other = windowSignature({ zone, aggregates: { ...aggregates, trips: ["max", "fare"] } })
  expect(signatureDifference(one, other)).toEqual(["its aggregate trips was count() and is now max(float64)"])
})

test("event times, kinds and formats are told in words", () => {
  expect(signatureDifference('eventTime/1 "pickup"', 'eventTime/1 "dropoff"')).toEqual([
    "its column was pickup and is now dropoff",
  ])
  expect(signatureDifference('eventTime/1 "at"', windowSignature())).toEqual([
    "it was an event time and is now a window",
  ])
  expect(signatureDifference('eventTime/1 "at"', 'eventTime/2 "at"')).toEqual(["its state is kept in another format"])
})

test("what cannot be taken apart is shown whole", () => {
  for (const text of ["session/1 of something", 'eventTime/1 "a"b"', "windowAggregate/1 tumbling 1m by (zone"]) {
    const now = windowSignature()
    expect(signatureDifference(text, now)).toEqual([`it was ${text} and is now ${now}`])
  }
})
