import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { epochFromText, epochToText, type EpochUnit } from "./epoch.ts"
import type { Timestamp } from "./timestamp.ts"

const UNITS: readonly EpochUnit[] = ["s", "ms", "us", "ns"]

describe("timestamps as numbers", () => {
  it.each([
    ["1700000000", "s", 1_700_000_000_000_000],
    ["1700000000.123456", "s", 1_700_000_000_123_456],
    ["1.7e9", "s", 1_700_000_000_000_000],
    ["1700000000123", "ms", 1_700_000_000_123_000],
    ["1700000000123.4567", "ms", 1_700_000_000_123_456],
    ["1700000000123456", "us", 1_700_000_000_123_456],
    ["1700000000123456789", "ns", 1_700_000_000_123_456],
    ["-1", "ns", -1],
    ["-0.0000001", "s", -1],
    ["-1000e-12", "s", -1],
    ["0.0000009", "s", 0],
    ["-0", "s", 0],
    ["0e999", "ns", 0],
    ["17000000e2", "s", 1_700_000_000_000_000],
    ["007", "us", 7],
  ] as const)("TY16 TY12 reads %s %s as %d µs", (text, unit, micros) => {
    expect(epochFromText(text, unit)).toBe(micros)
  })

  it.each(["", "-", "+1", "1.", ".5", "0x10", "1e", "1e+", " 1", "1 ", "NaN", "Infinity", "1_000"])(
    "TY16 refuses %j",
    (text) => {
      expect(epochFromText(text, "s")).toBe("not a number")
    },
  )

  it.each([
    ["9007199254740991", "us", Number.MAX_SAFE_INTEGER],
    ["9007199254740992", "us", "outside the years 1684 to 2255"],
    ["-9007199254740991", "us", -Number.MAX_SAFE_INTEGER],
    ["-9007199254740991.1", "us", "outside the years 1684 to 2255"],
    ["9007199254740991999", "ns", Number.MAX_SAFE_INTEGER],
    ["1e300", "s", "outside the years 1684 to 2255"],
    ["9999999999999", "s", "outside the years 1684 to 2255"],
  ] as const)("TY18 reads %s %s as %s", (text, unit, expected) => {
    expect(epochFromText(text, unit)).toBe(expected)
  })

  it.each([
    [1_700_000_000_123_456, ["1700000000.123456", "1700000000123.456", "1700000000123456", "1700000000123456000"]],
    [1_500_000, ["1.5", "1500", "1500000", "1500000000"]],
    [-1, ["-0.000001", "-0.001", "-1", "-1000"]],
    [0, ["0", "0", "0", "0"]],
  ])("TY17 writes %d µs with as many digits as each unit needs", (micros, texts) => {
    expect(UNITS.map((unit) => epochToText(micros as Timestamp, unit))).toEqual(texts)
  })

  it("reads back what it writes", () => {
    forEachSeed(500, (prng) => {
      const magnitude = prng.below(2 ** prng.below(54))
      const timestamp = (prng.chance(0.5) ? magnitude : 0 - magnitude) as Timestamp
      for (const unit of UNITS) expect(epochFromText(epochToText(timestamp, unit), unit)).toBe(timestamp)
    })
  })
})
