/** The records in bodies, against `JSON.parse`. */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { bodyRecords, type BodyRecords } from "./body-records.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function textsOf(records: BodyRecords): string[] | string {
  return typeof records === "string" ? records : records.map((bytes) => decoder.decode(bytes))
}

/** The slow twin: what `JSON.parse` gives, or that it is none. */
function valuesOf(text: string): unknown[] | "not-json" {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? (value as unknown[]) : [value]
  } catch {
    return "not-json"
  }
}

function anyValue(prng: Prng, depth: number): unknown {
  const texts = ["", "a", "line\nfeed", 'quote"', "back\\slash", "é\u2028😀", "[{,]}"]
  switch (prng.below(depth > 3 ? 4 : 6)) {
    case 0:
      return prng.pick(texts)
    case 1:
      return prng.pick([0, -1.5, 1e300, 12345678901])
    case 2:
      return prng.pick([true, false, null])
    case 3:
      return {}
    case 4:
      return Array.from({ length: prng.below(4) }, () => anyValue(prng, depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: prng.below(4) }, () => [prng.pick(texts), anyValue(prng, depth + 1)]),
      )
  }
}

test("BR1 BR2 of a JSON body are what JSON.parse gives of it, also where bytes of it are others", () => {
  const prng = new Prng(7)
  const outcomes = { json: 0, wrong: 0 }
  for (let round = 0; round < 20_000; round++) {
    const value = prng.chance(0.7) ? Array.from({ length: prng.below(5) }, () => anyValue(prng, 0)) : anyValue(prng, 0)
    let text = JSON.stringify(value, undefined, prng.pick([0, 1, "\t"]))
    if (prng.chance(0.5)) {
      const at = prng.below(text.length + 1)
      text =
        text.slice(0, at) + prng.pick(["", "\n", ",", "]", "[", '"', "\\", "x", " \r"]) + text.slice(at + prng.below(2))
    }
    // Half of a pair of units has no bytes of its own.
    const body = encoder.encode(text)
    const expected = valuesOf(decoder.decode(body))
    const records = bodyRecords(body, "json", Infinity)
    if (typeof expected === "string") {
      outcomes.wrong++
      expect(records, text).toBe("not-json")
      continue
    }
    outcomes.json++
    const found = textsOf(records) as string[]
    expect(
      found.map((each) => JSON.parse(each) as unknown),
      text,
    ).toEqual(expected)
    expect(found.some((each) => each.includes("\n"))).toBe(false)
  }
  expect(Math.min(outcomes.json, outcomes.wrong)).toBeGreaterThan(3000)
})

test("BR1 of JSON lines are the lines that are not blank, whatever is in them", () => {
  const lines = (text: string, most = Infinity) => textsOf(bodyRecords(encoder.encode(text), "json-lines", most))
  expect(lines("")).toEqual([])
  expect(lines("\n \r\n\t\n")).toEqual([])
  expect(lines('{"a":1}\r\n\nnonsense\n{}')).toEqual(['{"a":1}\r', "nonsense", "{}"])
  expect(lines("1\n2\n3", 3)).toEqual(["1", "2", "3"])
  expect(lines("1\n2\n\n3", 2)).toBe("too-many")
})

test("more records than there may be are told, and depth is bounded", () => {
  const json = (text: string, most = Infinity) => textsOf(bodyRecords(encoder.encode(text), "json", most))
  expect(json("[1,2,3]", 3)).toEqual(["1", "2", "3"])
  expect(json("[1,2,3]", 2)).toBe("too-many")
  const nested = (depth: number) => `[${"[".repeat(depth)}${"]".repeat(depth)}]`
  expect(json(nested(64))).toHaveLength(1)
  expect(json(nested(65))).toBe("not-json")
  expect(json("[".repeat(1_000_000))).toBe("not-json")
})
