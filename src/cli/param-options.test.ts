import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { BoundJob } from "../stream/bound-job.ts"
import { job } from "../stream/job.ts"
import { fakeSink, fakeSource } from "../stream/trips.fixture.ts"
import { fromIso } from "../time/iso.ts"
import { withParams } from "./param-options.ts"

const trips = job({
  name: "trips",
  params: schema({
    maxFare: t.float64,
    limit: t.int64.default(1n),
    from: t.timestamp().nullable(),
    since: t.timestamp({ format: "s" }).nullable(),
    zone: t.string.nullable(),
    text: t.string.default("x"),
    isTest: t.bool.default(false),
    rate: t.enum("standard", "airport").default("standard"),
    box: t.object({ x: t.float64 }).nullable(),
  }),
  inputs: { trips: schema({ fare: t.float64 }) },
  flow: ({ trips }) => ({ trips }),
}).with({ inputs: { trips: fakeSource() }, outputs: { trips: fakeSink() }, params: { maxFare: 500, zone: "JFK" } })

test("--param overrules what the file gives, by the text form of each type", () => {
  const given = [
    "maxFare=2.5",
    "limit=9223372036854775807",
    "from=2024-05-01T12:00:00Z",
    "since=1714564800",
    "zone=a=b",
    "text=",
    "isTest=TRUE",
    "rate=airport",
    'box={"x":1}',
  ]
  expect(withParams(trips, given).params).toEqual({
    maxFare: 2.5,
    limit: 9223372036854775807n,
    from: fromIso("2024-05-01T12:00:00Z"),
    since: fromIso("2024-05-01T12:00:00Z"),
    zone: "a=b",
    text: "",
    isTest: true,
    rate: "airport",
    box: { x: 1 },
  })
})

test("what is not given stays, null is null, and the last of a name counts", () => {
  const { params } = withParams(trips, ["zone=null", "text=null", "maxFare=1", "maxFare=2"])
  expect(params).toMatchObject({ maxFare: 2, zone: null, text: "null", limit: 1n, from: null })
  expect(Object.isFrozen(params)).toBe(true)
  expect(withParams(trips, [])).toBe(trips)
})

test("the rest of the job stays what it was", () => {
  const other: BoundJob = withParams(trips, ["maxFare=1"])
  expect({ ...other, params: trips.params }).toEqual({ ...trips })
})

test.each<[given: string, message: string, hint: string]>([
  ["maxFair=1", 'The job trips has no parameter "maxFair".', 'Did you mean "maxFare"?'],
  ["maxFare", '--param takes name=value, not "maxFare".', "--param maxFare=500"],
  ["=5", '--param takes name=value, not "=5".', "--param maxFare=500"],
  ["maxFare=", '--param maxFare: "" is not a number.', "The type of maxFare is float64: write --param maxFare=2.5."],
  ["maxFare=null", '--param maxFare: "null" is not a number.', "--param maxFare=2.5."],
  ["limit=1.5", '--param limit: "1.5" is not a whole number', "--param limit=7."],
  ["from=noon", '--param from: "noon" is ', "--param from=2024-05-01T12:00:00Z, or null."],
  ["since=noon", '--param since: "noon" is ', "--param since=1714564800, or null."],
  ["rate=night", 'is not one of "standard", "airport"', "--param rate=standard."],
  ["box=1", '--param box: "1" is not an object', `--param box='{"x":1}', or null.`],
])("--param %s is refused in words", (given, message, hint) => {
  expect(() => withParams(trips, [given])).toThrow(
    expect.objectContaining({
      code: "invalid-params",
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining(hint) as string,
    }),
  )
})
