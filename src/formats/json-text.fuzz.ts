import { describe, expect, it } from "vitest"
import { broken, randomInputSchema, randomJsonLines } from "../../test/random-documents.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { DEPTH_MAX, NO_END, skipValue, unescape } from "./json-text.ts"

const encoder = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strict.decode(bytes))
    return true
  } catch {
    return false
  }
}

function isSkipped(bytes: Uint8Array): boolean {
  return skipValue(bytes, 0, bytes.length, 0) === bytes.length
}

describe("skipValue", () => {
  it.each([
    "0",
    "-0",
    "01",
    "-",
    "-01",
    "1.",
    ".5",
    "1.5",
    "1e",
    "1e+",
    "1e5",
    "1E-05",
    "+1",
    "1_0",
    "0x1",
    "NaN",
    "Infinity",
    "1.5.5",
    "true",
    "tru",
    "truee",
    "True",
    "false",
    "null",
    "nul",
    "undefined",
    "",
    '""',
    '"',
    '"a',
    '"\\"',
    '"\\""',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u1234"',
    '"\\uABCD\\uabcd"',
    '"\\x"',
    '"\\/"',
    "'a'",
    '"\t"',
    '"\u007f"',
    '"\u2028"',
    "[]",
    "[",
    "]",
    "[1]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[]]",
    "[[]",
    "[}",
    "{}",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1}',
    '{"a":1,}',
    '{,"a":1}',
    "{a:1}",
    '{"a" : 1 , "b":[]}',
    '{"a":1 "b":2}',
    '{"a":1]',
    '{"__proto__":{}}',
    "1 2",
    "{}{}",
    "[]x",
    "/**/1",
    "\v1",
  ])("JT1 takes %j where JSON.parse does", (text) => {
    const bytes = encoder.encode(text)
    expect(isSkipped(bytes)).toBe(isJson(bytes))
  })

  it("JT1 takes 64 levels and no more", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const nested = (levels: number) => encoder.encode(`${open.repeat(levels)}0${close.repeat(levels)}`)
      expect(isSkipped(nested(DEPTH_MAX))).toBe(true)
      expect(isSkipped(nested(DEPTH_MAX + 1))).toBe(false)
      expect(isSkipped(nested(100_000))).toBe(false)
    }
  })

  it("JT1 JT2 agrees with JSON.parse on 8,000 random and broken values, and sees nothing behind their end", () => {
    let json = 0
    forEachSeed(400, (prng) => {
      const schema = randomInputSchema(prng)
      for (let count = 0; count < 20; count++) {
        const [line] = randomJsonLines(prng, schema).split("\n")
        const value = broken(prng, line!.trim().replace("\ufeff", ""))
        const text = new TextDecoder().decode(value)
        // White space around a value is the caller's, a line feed is no white space within a line, and depth has a limit.
        if (text.trim() !== text || text.includes("\n") || /(?:\[|\{"":){15}/.test(text)) continue
        const padded = new Uint8Array(value.length + 3).fill(0x30)
        padded.set(value)
        const isTaken = skipValue(padded, 0, value.length, 0) === value.length
        if (isTaken) json++
        if (isTaken !== isJson(value)) expect(text).toBe(`text that is ${isTaken ? "" : "not "}JSON`)
      }
    })
    expect(json).toBeGreaterThan(2_000)
  })
})

describe("unescape", () => {
  it("gives the text of JSON.parse, with U+FFFD for a lone surrogate", () => {
    const strings = [
      '"plain"',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
      '"\\u0041\\u00e9\\u65e5"',
      '"\\ud83d\\ude00"',
      '"\\ud83d"',
      '"\\ude00"',
      '"\\ud83d\\n"',
      '"\\ud83d\\ud83d\\ude00"',
      '"é日😀\\u0000"',
      '"\\ud83dx"',
      '"\\ud83d\\u0041"',
    ]
    for (const string of strings) {
      const bytes = encoder.encode(string)
      const out = new Uint8Array(bytes.length)
      const length = unescape(bytes, 1, bytes.length - 1, out)
      const expected = (JSON.parse(string) as string).replaceAll(/\p{Surrogate}/gu, "\ufffd")
      expect(strict.decode(out.subarray(0, length))).toBe(expected)
      expect(skipValue(bytes, 0, bytes.length - 1, 0)).toBe(NO_END)
    }
  })
})
