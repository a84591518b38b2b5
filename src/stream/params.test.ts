/** Tests of parameters. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { completeParams } from "./params.ts"
import { job } from "./job.ts"
import { valueState } from "./process-declarations.ts"
import { errorOf, planOf, Trip } from "./trips.fixture.ts"

const Params = schema({
  maxFare: t.float64,
  least: t.float64.default(2),
  zone: t.string.nullable(),
  place: t.object({ x: t.float64 }).default({ x: 0 }),
})

test("defaults and nulls are filled in, and values given win", () => {
  expect(completeParams("The job j", Params, { maxFare: 1 })).toEqual({
    maxFare: 1,
    least: 2,
    zone: null,
    place: { x: 0 },
  })
  const given = { maxFare: 1, least: undefined, zone: "JFK", place: { x: 4 } }
  expect(completeParams("The job j", Params, given)).toEqual({ maxFare: 1, least: 2, zone: "JFK", place: { x: 4 } })
  expect(completeParams("The job j", schema({}))).toEqual({})
})

test("values are copied and frozen, objects too", () => {
  const place = { x: 4 }
  const params = completeParams("The job j", Params, { maxFare: 1, place })
  expect(Object.isFrozen(params)).toBe(true)
  expect(Object.isFrozen(params["place"])).toBe(true)
  expect(params["place"]).not.toBe(place)
  expect(Object.isFrozen(place)).toBe(false)
})

test.each<[given: unknown, message: string, hint: string]>([
  [{}, 'The job j is not given the parameter "maxFare".', "Give it a float64"],
  [{ maxFare: "1" }, 'The job j is given a parameter "maxFare" that is not a number.', "Its type is float64."],
  [{ maxFare: 1, zone: 7 }, 'The job j is given a parameter "zone" that is not a string.', "Its type is string?."],
  [{ maxFare: 1, lest: 1 }, 'The job j has no parameter "lest".', 'Did you mean "least"?'],
  [{ maxFare: null }, 'The job j is given a parameter "maxFare" that is null', "Its type is float64."],
  ["maxFare=1", 'The job j has params that are not an object: "maxFare=1".', "params: {"],
])("%j is refused", (given, message, hint) => {
  const error = errorOf(() => completeParams("The job j", Params, given as Record<string, unknown>))
  expect(error.code).toBe("invalid-params")
  expect(error.message).toContain(message)
  expect(error.hint).toContain(hint)
})

test("a secret is known later, unless the program gives it, and never shown where it is refused", () => {
  const Secrets = schema({ token: t.secret, salt: t.secret.nullable() })
  expect(completeParams("The job j", Secrets, {}, "later")).toEqual({ token: "", salt: "" })
  expect(completeParams("The job j", Secrets, { token: "given", salt: null }, "later")).toEqual({
    token: "given",
    salt: null,
  })
  expect(completeParams("The job j", Secrets, { token: "given" })).toEqual({ token: "given", salt: null })
  expect(() => completeParams("The job j", Secrets, {})).toThrow('The job j is not given the parameter "token".')
  const error = errorOf(() => completeParams("The job j", Secrets, { token: ["hunter2"] }, "later"))
  expect(error.message).toBe('The job j is given a parameter "token" that is not a string.')
})

test.each([
  [{ token: t.secret.default("hunter2") }, 'has a secret "token" with a default'],
  [{ "my token": t.secret }, 'has a secret "my token" that no variable can have'],
  [{ token: t.secret.from("MY-TOKEN") }, 'has a secret "token" that no variable can have'],
])("secrets %j are refused", (columns, problem) => {
  const Secrets = schema(columns)
  const error = errorOf(() =>
    job({ name: "j", params: Secrets, inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) }),
  )
  expect(error.code).toBe("invalid-options")
  expect(error.message).toBe(`The job j ${problem}.`)
  expect(error.hint).not.toContain("hunter2")
})

const keyed = { emits: { zone: t.string }, onRecord: () => undefined }

test.each<[string, () => unknown]>([
  ["an input", () => job({ name: "j", inputs: { trips: schema({ a: t.secret }) }, flow: ({ trips }) => ({ trips }) })],
  ["a column", () => planOf((trips) => trips.derive({ a: t.secret }, () => ({ a: "x" })))],
  [
    "state",
    () => planOf((trips) => trips.keyBy("zone").process({ ...keyed, state: { a: valueState(t.secret) } }, { id: "p" })),
  ],
  [
    "an output of a process",
    () => planOf((trips) => trips.keyBy("zone").process({ ...keyed, emits: { a: t.secret } }, { id: "p" })),
  ],
])("no secret is %s", (_, make) => {
  const error = errorOf(make)
  expect(error.code).toBe("invalid-plan")
  expect(error.message).toMatch(/^The job \S+ has an (input|operator) \S+ with "a", which is a secret\.$/)
})
