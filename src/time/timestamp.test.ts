import { describe, expect, expectTypeOf, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { fromIso } from "./iso.ts"
import { fromDate, isTimestamp, toDate, type Timestamp } from "./timestamp.ts"

describe("timestamps", () => {
  it("M1 are safe integers and nothing else", () => {
    expect([0, -1, Number.MAX_SAFE_INTEGER].map(isTimestamp)).toEqual([true, true, true])
    expect([0.5, 2 ** 53, NaN, Infinity, 1n, "0", null, undefined].some(isTimestamp)).toBe(false)
  })

  it("go from and to Date, cut towards the past", () => {
    const date = new Date("2024-03-10T14:30:00.123Z")
    expect(toDate(fromDate(date))).toEqual(date)
    expect(toDate(fromIso("1969-12-31T23:59:59.999999Z"))).toEqual(new Date(-1))
    expect(Object.is(fromDate(new Date(-0)), 0)).toBe(true)
  })

  it("refuse invalid dates and dates out of range", () => {
    for (const date of [new Date(NaN), new Date("2300-01-01"), new Date("1600-01-01")]) {
      expect(() => fromDate(date)).toThrow(TidemarkError)
    }
  })

  it("compare and subtract as numbers, but plain numbers are none", () => {
    const [one, other] = [fromIso("2024-03-10T14:30:00Z"), fromIso("2024-03-10T14:30:01Z")]
    expect(other - one).toBe(1_000_000)
    expect(one < other).toBe(true)
    expectTypeOf<Timestamp>().toExtend<number>()
    expectTypeOf<number>().not.toExtend<Timestamp>()
  })
})
