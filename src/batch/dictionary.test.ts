import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "../base/assert.ts"
import { Dictionary, FOLD_PRIME, FOLD_SEED } from "./dictionary.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

describe("dictionaries", () => {
  it("I1 I2 give equal texts one code, from bytes and from strings, for ever", () => {
    forEachSeed(20, (prng) => {
      const dictionary = new Dictionary()
      const codes = new Map<string, number>()
      for (let step = 0; step < 500; step++) {
        const length = prng.chance(0.1) ? prng.below(200) : prng.below(4)
        const text = Array.from({ length }, () => prng.pick(["a", "b", "é", "日", "😀", "\0", "\ufeff"])).join("")
        const expected = codes.get(text)
        const bytes = encoder.encode(`<${text}>`)
        expect(dictionary.findBytes(bytes, 1, bytes.length - 1)).toBe(expected ?? -1)
        expect(dictionary.find(text)).toBe(expected ?? -1)
        const fold = bytes.subarray(1, -1).reduce((fold, byte) => Math.imul(fold ^ byte, FOLD_PRIME), FOLD_SEED)
        const code = prng.pick([
          () => dictionary.codeOf(text),
          () => dictionary.codeOfBytes(bytes, 1, bytes.length - 1),
          () => dictionary.codeOfHashedBytes(bytes, 1, bytes.length - 1, fold),
        ])()
        expect(code).toBe(expected ?? codes.size)
        codes.set(text, code)
        expect(dictionary.size).toBe(codes.size)
      }
      let byteLength = 0
      for (const [text, code] of codes) {
        expect(dictionary.text(code)).toBe(text)
        expect(decoder.decode(dictionary.bytes(code))).toBe(text)
        byteLength += dictionary.bytes(code).length
      }
      expect(dictionary.byteLength).toBe(byteLength)
    })
  })

  it("I1 tells many texts apart", () => {
    const dictionary = new Dictionary()
    const count = 50_000
    for (let index = 0; index < count; index++) dictionary.codeOf(`key-${index}`)
    expect(dictionary.size).toBe(count)
    let wrong = 0
    for (let index = 0; index < count; index++) if (dictionary.codeOf(`key-${index}`) !== index) wrong++
    expect(wrong).toBe(0)
  })

  it.each([
    ["a", "aw4123va"],
    ["k0174628", "k1872066"],
  ])("I1 tells %s and %s apart, whose hashes are the same", (one, other) => {
    const dictionary = Dictionary.of([one, other])
    expect([dictionary.codeOf(one), dictionary.codeOf(other), dictionary.size]).toEqual([0, 1, 2])
    expect([dictionary.text(0), dictionary.text(1)]).toEqual([one, other])
  })

  it("I1 does not take the end of one text and the start of the next for another", () => {
    // "aw4123va" has the hash of "a", and its bytes stand in the dictionary already.
    const dictionary = Dictionary.of(["a", "w4123va"])
    expect(dictionary.codeOf("aw4123va")).toBe(2)
  })

  it("I2 makes a string once", () => {
    const dictionary = new Dictionary()
    const code = dictionary.codeOf("x".repeat(100))
    const first = dictionary.text(code)
    dictionary.codeOf("y".repeat(10_000))
    expect(Object.is(dictionary.text(code), first)).toBe(true)
  })

  it("starts empty, with the empty text like any other", () => {
    const dictionary = new Dictionary()
    expect([dictionary.size, dictionary.byteLength, dictionary.findBytes(encoder.encode("a"), 0, 1)]).toEqual([
      0, 0, -1,
    ])
    expect([dictionary.codeOf(""), dictionary.codeOf("a"), dictionary.codeOf("")]).toEqual([0, 1, 0])
    expect([dictionary.text(0), dictionary.byteLength]).toEqual(["", 1])
    expect(new Dictionary().size).toBe(0)
  })

  it("stores a lone surrogate as U+FFFD", () => {
    const dictionary = new Dictionary()
    expect(dictionary.text(dictionary.codeOf("a\ud800"))).toBe("a\ufffd")
    expect(dictionary.codeOf("a\udc00")).toBe(0)
    expect(dictionary.find("a\udc00")).toBe(-1)
  })

  it("knows no code that it has not given", () => {
    const dictionary = Dictionary.of(["a"])
    for (const code of [-1, 1]) {
      expect(() => dictionary.text(code)).toThrow(AssertionError)
      expect(() => dictionary.bytes(code)).toThrow(AssertionError)
    }
  })

  it("starts with given texts in order, and goes on from there", () => {
    const dictionary = Dictionary.of(["b", "a"])
    expect([dictionary.codeOf("a"), dictionary.codeOf("b"), dictionary.codeOf("c")]).toEqual([1, 0, 2])
    expect(() => Dictionary.of(["a", "a"])).toThrow(AssertionError)
  })

  it("I3 takes no new text where it is fixed, and is one for all users of a list", () => {
    const symbols = ["EUR", "USD"]
    const dictionary = Dictionary.fixed(symbols)
    expect([dictionary.codeOf("USD"), dictionary.size]).toEqual([1, 2])
    expect(() => dictionary.codeOf("GBP")).toThrow(AssertionError)
    expect(dictionary.findBytes(encoder.encode("GBP"), 0, 3)).toBe(-1)
    expect(Dictionary.fixed(symbols)).toBe(dictionary)
  })

  it("copy texts, one or those of neighbouring codes", () => {
    const dictionary = Dictionary.of(["a", "Zürich", "", "b"])
    const bytes = new Uint8Array(9)
    const starts = new Int32Array(4)
    expect(dictionary.bytesOfRange(1, 3)).toBe(8)
    dictionary.copyTexts(1, 3, bytes, starts)
    expect([decoder.decode(bytes.subarray(0, 8)), [...starts]]).toEqual(["Zürichb", [0, 7, 7, 8]])
    expect(dictionary.copyText(0, bytes, 8)).toBe(9)
    expect(decoder.decode(bytes)).toBe("Zürichba")
    expect(dictionary.copyText(1, bytes, 3)).toBe(-1)
    expect(() => dictionary.copyText(4, bytes, 0)).toThrow(AssertionError)
  })
})
