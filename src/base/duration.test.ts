import { describe, expect, expectTypeOf, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { formatDuration, parseDuration, type Duration } from "./duration.ts"
import { TidemarkError } from "./errors.ts"

describe("durations", () => {
  it.each([
    ["0s", 0],
    ["1us", 1],
    ["250ms", 250_000],
    ["5s", 5_000_000],
    ["1h 30m", 5_400_000_000],
    ["1.5h", 5_400_000_000],
    ["30m 1h", 5_400_000_000],
    ["7d", 604_800_000_000],
    ["9007199254740991us", Number.MAX_SAFE_INTEGER],
  ])("D1 %s is %d µs", (text, micros) => {
    expect(parseDuration(text)).toBe(micros)
  })

  it.each([
    "",
    "5",
    "s",
    "5 s",
    "-5s",
    "+5s",
    "5S",
    "1e3s",
    "0x1s",
    ".5s",
    "5.s",
    "1h  30m",
    " 1s",
    "0.5us",
    "9007199254740992us",
    "1w",
  ])("D1 refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(TidemarkError)
  })

  it.each([
    ["1.005s", 1_005_000],
    ["0.29s", 290_000],
    ["4.35ms", 4350],
    ["0.000001s", 1],
    ["1.1d", 95_040_000_000],
  ])("D2 %s is exactly %d µs", (text, micros) => {
    expect(parseDuration(text)).toBe(micros)
  })

  it("D3 reads back what it formats", () => {
    forEachSeed(500, (prng) => {
      const micros = prng.below(2 ** prng.below(54))
      expect(parseDuration(formatDuration(micros))).toBe(micros)
    })
  })

  it("formats the shortest form", () => {
    expect([0, 5_400_000_000, 1_500, 86_400_000_001].map(formatDuration)).toEqual([
      "0s",
      "1h 30m",
      "1ms 500us",
      "1d 1us",
    ])
  })

  it("has a type that knows numbers and units", () => {
    const typed: Duration[] = ["5s", "1h 30m", "0.5ms"]
    expect(typed.map(parseDuration)).toEqual([5_000_000, 5_400_000_000, 500])
    expectTypeOf<"5 minutes">().not.toExtend<Duration>()
    expectTypeOf<"5">().not.toExtend<Duration>()
    expectTypeOf<"s">().not.toExtend<Duration>()
  })
})
