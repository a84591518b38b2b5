/** Tests of `.with(...)`. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { BoundJob } from "./bound-job.ts"
import { job } from "./job.ts"
import { errorOf, fakeSink, fakeSource, Trip } from "./trips.fixture.ts"

const trips = job({
  name: "trips",
  params: schema({ maxFare: t.float64, least: t.float64.default(2) }),
  inputs: { trips: Trip, more: Trip },
  onError: "stop",
  flow: ({ trips, more }) => ({ trips, more }),
})
const source = fakeSource()
const sink = fakeSink()
const inputs = { trips: source, more: fakeSource() }
const outputs = { trips: sink, more: fakeSink() }
const params = { maxFare: 1 }

/** Binds as a program without types would. */
function bind(bindings: unknown): BoundJob {
  return trips.with(bindings as Parameters<typeof trips.with>[0])
}

test("BJ1 a bound job has all that the runtime needs, frozen", () => {
  const bound = trips.with({ inputs, outputs, params })
  expect(bound).toMatchObject({
    name: "trips",
    plan: trips.plan,
    paramsSchema: trips.paramsSchema,
    params: { maxFare: 1, least: 2 },
    inputs: { trips: { schema: Trip, source }, more: { schema: Trip } },
    outputs: { trips: sink },
    deadLetter: undefined,
    onError: "stop",
    maxBadRecords: Infinity,
    epoch: { minMicros: 10_000, maxMicros: 1_000_000 },
  })
  const parts = [bound, bound.inputs, bound.inputs["trips"], bound.outputs, bound.params, bound.epoch]
  expect(parts.every((part) => Object.isFrozen(part))).toBe(true)
  expect(Object.keys(bound.inputs)).toEqual(["trips", "more"])
})

test("the environment decides about dead letters, epochs and errors", () => {
  const deadLetter = fakeSink()
  const given = { inputs, outputs, params, deadLetter, onError: "dead-letter", maxBadRecords: 0 } as const
  expect(trips.with({ ...given, epoch: { min: "1ms", max: "50ms" } })).toMatchObject({
    deadLetter,
    onError: "dead-letter",
    maxBadRecords: 0,
    epoch: { minMicros: 1_000, maxMicros: 50_000 },
  })
  expect(trips.with({ ...given, epoch: { max: "10ms" } }).epoch).toEqual({ minMicros: 10_000, maxMicros: 10_000 })
})

test.each<[what: string, bindings: Readonly<Record<string, unknown>>, code: string, message: string, hint: string]>([
  ["no inputs", { inputs: undefined }, "invalid-options", "The job trips: inputs is not given.", "inputs"],
  [
    "a missing input",
    { inputs: { trips: source } },
    "unbound-input",
    "has an input more that is not bound",
    "more: ...",
  ],
  [
    "an unknown input",
    { inputs: { ...inputs, mor: source } },
    "unbound-input",
    'The job trips has no input "mor".',
    'Did you mean "more"?',
  ],
  ["a sink as an input", { inputs: { ...inputs, more: sink } }, "unbound-input", "bound to no source", "csv("],
  [
    "a missing output",
    { outputs: { more: sink } },
    "unbound-output",
    "has an output trips that is not bound",
    "trips: ...",
  ],
  [
    "an unknown output",
    { outputs: { ...outputs, tripz: sink } },
    "unbound-output",
    'The job trips has no output "tripz".',
    'Did you mean "trips"?',
  ],
  [
    "a text as an output",
    { outputs: { ...outputs, more: "out" } },
    "unbound-output",
    "output more bound to no sink",
    "jsonl(",
  ],
  ["a text for dead letters", { deadLetter: "out" }, "unbound-output", "dead-letter output bound to no sink", "jsonl("],
  [
    "an unknown option",
    { deadletter: sink },
    "invalid-options",
    'has no option "deadletter"',
    'Did you mean "deadLetter"?',
  ],
  ["an unknown policy", { onError: "skip" }, "invalid-options", 'onError is "skip"', '"stop"'],
  [
    "a mistyped option",
    { maxBadRecord: 3 },
    "invalid-options",
    'The job trips, .with(...) has no option "maxBadRecord".',
    'Did you mean "maxBadRecords"?',
  ],
  [
    "bad records that are no number",
    { maxBadRecords: NaN },
    "invalid-options",
    "maxBadRecords is NaN.",
    "whole number",
  ],
  ["bad records as a text", { maxBadRecords: "10" }, "invalid-options", 'maxBadRecords is "10".', "whole number"],
  ["bad records as a bigint", { maxBadRecords: 10n }, "invalid-options", "maxBadRecords is 10n.", "whole number"],
  ["null bad records", { maxBadRecords: null }, "invalid-options", "maxBadRecords is null.", "whole number"],
  ["more than can be counted", { maxBadRecords: 2 ** 60 }, "invalid-options", "maxBadRecords is 11529", "whole number"],
  ["a policy that is no text", { onError: 3n }, "invalid-options", "onError is 3n", '"stop"'],
  ["inputs as a list", { inputs: [source] }, "invalid-options", "inputs is an array", "inputs"],
  [
    "parameters as a list",
    { params: [] },
    "invalid-params",
    "has params that are not an object: an array",
    "name: value",
  ],
  ["half a bad record", { maxBadRecords: 0.5 }, "invalid-options", "maxBadRecords is 0.5", "whole number"],
  ["less than no bad records", { maxBadRecords: -1 }, "invalid-options", "maxBadRecords is -1", "whole number"],
  [
    "epochs without room",
    { epoch: { min: "2s" } },
    "invalid-options",
    "at least 2s and at most 1s",
    "no less than epoch.min",
  ],
  ["epochs of no length", { epoch: { min: "0s", max: "0s" } }, "invalid-options", "at least 0s and at most 0s", "zero"],
  [
    "an epoch that is no duration",
    { epoch: { min: "soon" } },
    "invalid-duration",
    'epoch.min is "soon", which is not a duration',
    "unit",
  ],
  [
    "an unknown bound of epochs",
    { epoch: { length: "1s" } },
    "invalid-options",
    'has no option "length"',
    '"min", "max"',
  ],
  ["missing parameters", { params: undefined }, "invalid-params", 'is not given the parameter "maxFare"', "float64"],
])("BJ1 %s is refused", (_what, wrong, code, message, hint) => {
  const error = errorOf(() => bind({ inputs, outputs, params, ...wrong }))
  expect(error.code).toBe(code)
  expect(error.message).toContain(message)
  expect(error.message).toContain("The job trips")
  expect(error.hint).toContain(hint)
})

test("BJ1 a sink that does not take streams that append is refused", () => {
  const updating = fakeSink({ update: true })
  const error = errorOf(() => bind({ inputs, outputs: { ...outputs, more: updating }, params }))
  expect(error.code).toBe("invalid-options")
  expect(error.message).toBe("The job trips: fake() takes no streams that append, as its output more is.")
  const both = fakeSink({ append: true, update: true })
  expect(bind({ inputs, outputs: { ...outputs, more: both }, params }).outputs["more"]).toBe(both)
})
