/** Tests of how windows are described. */
import { expect, test } from "vitest"
import type { Duration } from "../base/duration.ts"
import { errorOf } from "./trips.fixture.ts"
import { calendar, countWindow, cumulate, hopping, session, tumbling } from "./windows.ts"

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

test("windows on plain values are lengths in microseconds, too", () => {
  expect(session({ gap: "30m" })).toEqual({ kind: "session", gapMicros: 1_800_000_000 })
  expect(cumulate({ size: "1d", step: "1h", offset: "6h" })).toEqual({
    kind: "cumulate",
    sizeMicros: 86_400_000_000,
    stepMicros: 3_600_000_000,
    offsetMicros: 21_600_000_000,
  })
})

test("W40 W41 days with a time zone are windows by its calendar", () => {
  const berlin = { kind: "calendar", unit: "day", count: 1, zone: "Europe/Berlin", offsetMicros: 0 }
  expect(tumbling("1d", { zone: "Europe/Berlin" })).toEqual(berlin)
  expect(calendar("day", { zone: "Europe/Berlin" })).toEqual(berlin)
  expect(tumbling("7d", { zone: "Europe/Berlin", offset: "6h" })).toEqual({
    ...berlin,
    count: 7,
    offsetMicros: 21_600_000_000,
  })
  expect(calendar("month", { zone: "UTC", count: 3 })).toEqual({ ...berlin, unit: "month", count: 3, zone: "UTC" })
})

test("W64 windows of records are numbers of them", () => {
  expect(countWindow(100)).toEqual({ kind: "count", count: 100, every: 100 })
  expect(countWindow(100, { every: 10 })).toEqual({ kind: "count", count: 100, every: 10 })
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
  [() => countWindow(0), "invalid-options", "countWindow(...) has the count 0."],
  [() => countWindow(2.5), "invalid-options", "countWindow(...) has the count 2.5."],
  [() => countWindow(undefined as never), "invalid-options", "countWindow(...) has the count undefined."],
  [() => countWindow(10, { every: -1 }), "invalid-options", "countWindow(...) has the every -1."],
  [() => countWindow(10, { slide: 1 } as never), "invalid-options", 'countWindow(...) has no option "slide".'],
  [() => session(undefined as never), "invalid-options", "session(...) has no gap."],
  [() => session({ gap: "0s" }), "invalid-options", 'session(...) has the gap "0s".'],
  [() => session({ gap: "1h", every: "1m" } as never), "invalid-options", 'session(...) has no option "every".'],
  [() => cumulate({ size: "1d" } as never), "invalid-options", "cumulate(...) has no step."],
  [() => cumulate({ size: "1h", step: "2h" }), "invalid-options", 'cumulate(...) has the step "2h".'],
  [
    () => tumbling("6h", { zone: "Europe/Berlin" }),
    "invalid-options",
    'tumbling(...) has the size "6h" and a time zone.',
  ],
  [
    () => tumbling("1d", { zone: "Europe/Berln" }),
    "invalid-schema",
    '"Europe/Berln" is not a time zone that this system knows.',
  ],
  [
    () => calendar("fortnight" as "week", { zone: "UTC" }),
    "invalid-options",
    'calendar(...) has the unit "fortnight".',
  ],
  [() => calendar("month", { zone: "UTC", count: 1.5 }), "invalid-options", "calendar(...) has 1.5 months."],
  [() => calendar("month", { zone: 1 as never }), "invalid-options", "calendar(...) has the zone 1."],
  [
    () => calendar("day", { zone: "UTC", offset: "24h" }),
    "invalid-options",
    "calendar(...) in a time zone has an offset of a day or more.",
  ],
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
