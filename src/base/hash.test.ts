import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { fingerprint } from "./hash.ts"

function differingBits(one: string, other: string): number {
  return (BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2).replaceAll("0", "").length
}

describe("fingerprint", () => {
  it("never changes: fingerprints are stored", () => {
    expect([fingerprint(""), fingerprint("tidemark"), fingerprint("Zürich 😀")]).toEqual([
      "ab3e7c0ba183f3bb",
      "e9b0de8c16e786d0",
      "791b20ddc459913c",
    ])
  })

  it("changes about half of its bits where one character changes, swaps or goes", () => {
    let bits = 0
    let cases = 0
    forEachSeed(300, (prng) => {
      const text = Array.from({ length: 2 + prng.below(200) }, () => String.fromCharCode(32 + prng.below(95))).join("")
      const at = prng.below(text.length - 1)
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
      const swapped = text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2)
      const shortened = text.slice(0, at) + text.slice(at + 1)
      for (const other of [changed, swapped, shortened, `${text} `, `${text}\0`]) {
        if (other === text) continue
        const differing = differingBits(fingerprint(text), fingerprint(other))
        expect(differing).toBeGreaterThan(8)
        bits += differing
        cases++
      }
    })
    expect(bits / cases).toBeGreaterThan(31)
    expect(bits / cases).toBeLessThan(33)
  })

  it("tells a hundred thousand short texts apart", () => {
    const seen = new Set<string>()
    for (let index = 0; index < 100_000; index++) seen.add(fingerprint(`node-${index}`))
    expect(seen.size).toBe(100_000)
  })

  it("is sixteen hexadecimal digits", () => {
    for (let index = 0; index < 2000; index++) expect(fingerprint(String(index))).toMatch(/^[0-9a-f]{16}$/)
  })
})
