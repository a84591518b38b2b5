import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { isValidUtf8, rawOf, textOfUtf8 } from "./utf8.ts"

const strict = new TextDecoder("utf-8", { fatal: true })

function isValidToPlatform(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

describe("isValidUtf8", () => {
  it("U1 agrees with TextDecoder on every lead byte with the edges of those behind it", () => {
    const disagreed: number[][] = []
    for (let lead = 0; lead < 256; lead++) {
      for (const second of [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
        for (const rest of [
          [],
          [0x7f],
          [0x80],
          [0xbf],
          [0xc0],
          [0x80, 0x7f],
          [0x80, 0x80],
          [0xbf, 0xbf],
          [0x80, 0xc0],
        ]) {
          const bytes = [lead, second, ...rest]
          const array = Uint8Array.from(bytes)
          if (isValidUtf8(array, 0, array.length) !== isValidToPlatform(array)) disagreed.push(bytes)
        }
      }
    }
    expect(disagreed).toEqual([])
  })

  it("U1 agrees with TextDecoder on 10,000 random mixtures of text and bytes", () => {
    const pieces = ["a", "é", "日", "😀", "\u{10ffff}", "\ud7ff", "\ue000"].map((text) =>
      new TextEncoder().encode(text),
    )
    let valid = 0
    forEachSeed(10_000, (prng) => {
      const bytes = Uint8Array.from(Array.from({ length: prng.below(6) }, () => [...prng.pick(pieces)]).flat())
      if (bytes.length > 0 && prng.chance(0.5)) bytes[prng.below(bytes.length)] = prng.below(256)
      const from = prng.below(3)
      if (isValidToPlatform(bytes.subarray(from))) valid++
      if (isValidUtf8(bytes, from, Math.max(from, bytes.length)) !== isValidToPlatform(bytes.subarray(from))) {
        expect(bytes).toBe("bytes on whose validity both agree")
      }
    })
    expect(valid).toBeGreaterThan(2_000)
  })
})

describe("text of bytes", () => {
  it("keeps byte order marks, cuts at 4 KiB, and shows invalid bytes as U+FFFD", () => {
    const marked = new TextEncoder().encode("\ufeffa")
    expect(textOfUtf8(marked, 0, 4)).toBe("\ufeffa")
    expect(rawOf(marked, 0, 4)).toBe("\ufeffa")
    expect(rawOf(Uint8Array.of(0x61, 0xff), 0, 2)).toBe("a\ufffd")
    expect(rawOf(new Uint8Array(5000).fill(0x61), 0, 5000)).toBe("a".repeat(4096))
  })
})
