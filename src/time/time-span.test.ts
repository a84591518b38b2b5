import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { isTimeSpan, OUTSIDE_SPANS, parseSpan, spanText, timeSpan, type TimeSpan } from "./time-span.ts"

describe("lengths of time", () => {
  it("TY26 read ISO 8601 text", () => {
    const texts = [
      "PT1H30M",
      "PT0S",
      "P1DT1S",
      "P1W",
      "-PT0.25S",
      "PT90M",
      "P0D",
      "PT1.0000019S",
      "-PT1.0000019S",
      "-PT0S",
    ]
    expect(texts.map(parseSpan)).toEqual([
      ...[5_400_000_000, 0, 86_401_000_000, 604_800_000_000, -250_000, 5_400_000_000, 0],
      ...[1_000_001, -1_000_002, 0],
    ])
    expect(Object.is(parseSpan("-PT0S"), 0)).toBe(true)
  })

  it("TY26 refuse other text, years and months", () => {
    for (const text of [
      "P",
      "PT",
      "P1DT",
      "P1Y",
      "P1M",
      "1h",
      "PT1.S",
      "PT,5S",
      "pt1s",
      "PT1S ",
      "+PT1S",
      "PT-1S",
      "",
    ]) {
      expect(parseSpan(text), text).toBe("not a length of time as ISO 8601 text, such as PT1H30M")
    }
    for (const text of ["PT9007199254.740992S", `PT${"9".repeat(400)}H`, "-P104250000D"]) {
      expect(parseSpan(text), text).toBe(OUTSIDE_SPANS)
    }
    expect(parseSpan("-PT9007199254.740991S")).toBe(Number.MIN_SAFE_INTEGER)
  })

  it("TS2 write what reads back", () => {
    expect([0, 1, -1, 5_400_250_000, 86_400_000_000].map((span) => spanText(span as TimeSpan))).toEqual([
      ...["PT0S", "PT0.000001S", "-PT0.000001S", "PT1H30M0.250S", "PT24H"],
    ])
    forEachSeed(1000, (prng) => {
      const span = Math.floor((prng.float() - 0.5) * 2 ** (1 + prng.below(54))) + 0
      expect(parseSpan(spanText(span as TimeSpan))).toBe(span)
    })
  })

  it("TS1 are safe integers, made of texts as options are", () => {
    expect(timeSpan("1h 30m")).toBe(5_400_000_000)
    expect([isTimeSpan(-1), isTimeSpan(0.5), isTimeSpan(2 ** 53)]).toEqual([true, false, false])
  })
})
