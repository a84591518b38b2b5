/** Tests of `job`: what it is made of, and what it refuses. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { count } from "./aggregates.ts"
import { job } from "./job.ts"
import { errorOf, Trip, type Untyped } from "./trips.fixture.ts"
import { tumbling } from "./windows.ts"

const good = { name: "trips", inputs: { trips: Trip }, flow: ({ trips }: { trips: unknown }) => ({ trips }) }

/** A job as a program without types would make it. */
function untypedJob(parts: Readonly<Record<string, unknown>>): unknown {
  return job({ ...good, ...parts } as unknown as Parameters<typeof job>[0])
}

test("JB1 the flow is called once, with a stream for each input", () => {
  const seen: string[][] = []
  const made = job({
    name: "two",
    inputs: { trips: Trip, zones: schema({ zone: t.string }) },
    flow: (streams) => {
      seen.push(Object.keys(streams))
      return { zones: streams.zones, trips: streams.trips.filter((r) => r.fare > 0) }
    },
  })
  expect(seen).toEqual([["trips", "zones"]])
  expect(made.plan.outputs.map(({ name, node }) => `${name} ${node}`)).toEqual(["zones 1", "trips 2"])
  expect(Object.keys(made.outputs)).toEqual(["zones", "trips"])
  expect(made.onError).toBe("dead-letter")
})

test("JB2 a job is frozen", () => {
  const made = job({ name: "trips", inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) })
  expect([made, made.inputSchemas, made.outputs, made.plan].every((part) => Object.isFrozen(part))).toBe(true)
})

test("one stream may go to several outputs", () => {
  const made = job({ name: "trips", inputs: { trips: Trip }, flow: ({ trips }) => ({ one: trips, other: trips }) })
  expect(made.plan.outputs.map(({ node }) => node)).toEqual([0, 0])
})

test("a job warns of state without a name, and of rows that nobody takes", () => {
  const made = job({
    name: "trips",
    inputs: { trips: Trip, more: schema({ n: t.int32 }) },
    flow: ({ trips }) => {
      trips.filter((r) => r.fare > 0)
      const hourly = trips.eventTime("pickup", { outOfOrder: "5s" }).keyBy("zone").window(tumbling("1h"))
      return { hourly: hourly.aggregate({ n: count() }, { id: "hourly" }) }
    },
  })
  expect(made.warnings.map(({ kind, operator }) => `${kind} ${operator}`)).toEqual([
    "unused more",
    "unused trips/filter",
    "derived-id trips/eventTime",
  ])
})

test.each<[what: string, parts: Readonly<Record<string, unknown>>, code: string, message: string]>([
  ["a name with a slash", { name: "a/b" }, "invalid-options", 'A job cannot be named "a/b".'],
  ["no name", { name: undefined }, "invalid-options", "A job cannot be named undefined."],
  ["a name that is a bigint", { name: 3n }, "invalid-options", "A job cannot be named 3n."],
  ["a mistyped part", { onEror: "stop" }, "invalid-options", 'The job trips has no option "onEror".'],
  ["an unknown part", { input: {} }, "invalid-options", 'The job trips has no option "input".'],
  ["no inputs", { inputs: undefined }, "invalid-options", "The job trips: inputs is not given."],
  ["an empty list of inputs", { inputs: {} }, "invalid-plan", "The job trips has no input."],
  [
    "an input without schema",
    { inputs: { trips: {} } },
    "invalid-plan",
    "The job trips has no schema for its input trips.",
  ],
  ["an input that is no name", { inputs: { "a b": Trip } }, "invalid-plan", 'The job trips has an input named "a b".'],
  ["params without schema", { params: { a: 1 } }, "invalid-options", "The job trips has params that are no schema."],
  ["an unknown policy", { onError: "ignore" }, "invalid-options", 'The job trips: onError is "ignore".'],
  ["no flow", { flow: "trips" }, "invalid-options", "The job trips has no flow."],
  ["no outputs", { flow: () => ({}) }, "invalid-plan", "The job trips has a flow that returns no outputs."],
  ["nothing", { flow: () => undefined }, "invalid-plan", "The job trips has a flow that returns no outputs."],
  ["a promise", { flow: async () => ({}) }, "invalid-plan", "The job trips has a flow that returns no outputs."],
  [
    "a single stream",
    { flow: ({ trips }: { trips: Untyped }) => trips },
    "invalid-plan",
    "The job trips has a flow that returns no outputs.",
  ],
  [
    "groups as an output",
    { flow: ({ trips }: { trips: Untyped }) => ({ groups: trips["keyBy"]!("zone") }) },
    "invalid-plan",
    "The job trips has an output groups that is no stream.",
  ],
  [
    "an output that is no name",
    { flow: ({ trips }: { trips: Untyped }) => ({ $deadLetter: trips }) },
    "invalid-plan",
    'The job trips has an output named "$deadLetter".',
  ],
  [
    "an output of another job",
    { flow: () => job({ name: "other", inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) }).outputs },
    "invalid-plan",
    "The job trips has an output trips of another job.",
  ],
])("%s is refused", (_what, parts, code, message) => {
  const error = errorOf(() => untypedJob(parts))
  expect(error.code).toBe(code)
  expect(error.message).toBe(message)
  expect(error.hint).toMatch(/\S/)
})

test.each([
  [undefined, "job(...) takes an object of options, not undefined."],
  ["trips", 'job(...) takes an object of options, not "trips".'],
])("a job made of %s is refused", (definition, message) => {
  expect(errorOf(() => job(definition as never))).toMatchObject({ code: "invalid-options", message })
})
