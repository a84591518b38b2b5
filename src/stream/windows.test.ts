/** Tests of how windows are described. */
import { expect, test } from "vitest"
import type { Duration } from "../base/duration.ts"
import { errorOf } from "./trips.fixture.ts"
import { hopping, tumbling } from "./windows.ts"

test("windows are lengths in microseconds", () => {
  expect(tumbling("1h")).toEqual({ kind: "tumbling", sizeMicros: 3_600_000_000, offsetMicros: 0 })
  expect(tumbling("1d", { offset: "6h" })).toEqual({
    kind: "tumbling",
    sizeMicros: 86_400_000_000,
    offsetMicros: 21_600_000_000,
  })
  expect(hopping("1m 30s", { every: "10s", offset: "5ms" })).toEqual({
    kind: "hopping",
    sizeMicros: 90_000_000,
    slideMicros: 10_000_000,
    offsetMicros: 5_000,
  })
  expect(Object.isFrozen(tumbling("1h"))).toBe(true)
})

test("a duration held in a variable will do", () => {
  const size: Duration = "2m"
  expect(tumbling(size)).toEqual(tumbling("2m"))
})

test.each<[call: () => unknown, code: string, message: string]>([
  [() => tumbling("1hour" as "1h"), "invalid-duration", 'tumbling(...): size is "1hour", which is not a duration.'],
  [() => tumbling("0s"), "invalid-options", 'tumbling(...) has the size "0s".'],
  [() => tumbling(60 as never), "invalid-duration", "tumbling(...): size is 60, which is not a duration."],
  [() => tumbling(undefined as never), "invalid-options", "tumbling(...) has no size."],
  [() => tumbling("1h", "6h" as never), "invalid-options", 'tumbling(...) takes an object of options, not "6h".'],
  [() => tumbling("1h", { ofset: "6h" } as never), "invalid-options", 'tumbling(...) has no option "ofset".'],
  [() => hopping("1h", { every: "10m", evry: "5m" } as never), "invalid-options", 'hopping(...) has no option "evry".'],
  [() => hopping("1h", { every: "0s" }), "invalid-options", 'hopping(...) has the every "0s".'],
  [() => hopping("1h", undefined as never), "invalid-options", "hopping(...) has no every."],
  [
    () => tumbling("1h", { offset: "noon" as "1h" }),
    "invalid-duration",
    'tumbling(...): offset is "noon", which is not a duration.',
  ],
])("%s is refused", (call, code, message) => {
  const error = errorOf(call)
  expect(error.code).toBe(code)
  expect(error.message).toBe(message)
})
