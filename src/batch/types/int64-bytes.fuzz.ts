import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { int64FromBytes, int64ToBytes } from "./int64-bytes.ts"

const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n
const EDGES = [
  0n,
  1n,
  9n,
  10n,
  2n ** 16n,
  10n ** 9n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  10n ** 18n,
  2n ** 62n,
  MAX,
  2n ** 64n,
  10n ** 19n - 1n,
]

const values = new BigInt64Array(3)
const halves = new Int32Array(values.buffer)
const out = new Uint8Array(40)

function randomInteger(prng: Prng): bigint {
  const sign = prng.chance(0.5) ? 1n : -1n
  if (prng.chance(0.4)) return sign * (prng.pick(EDGES) + BigInt(prng.below(5) - 2))
  return sign * (((BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32())) >> BigInt(prng.below(64)))
}

describe("int64 in bytes", () => {
  it("IW1 IW2 reads and writes 100,000 random whole numbers as BigInt does, and knows all that have up to 19 digits", () => {
    let known = 0
    forEachSeed(100_000, (prng) => {
      const value = randomInteger(prng)
      const text = String(value)
      const bytes = new TextEncoder().encode(`x${text}x`)
      values[1] = 77n
      const isKnown = int64FromBytes(bytes, 1, bytes.length - 1, halves, 1)
      const isInRange = value >= MIN && value <= MAX
      if (isKnown !== isInRange || (isKnown && values[1] !== value))
        expect(text).toBe(`read as ${isKnown} ${values[1]}`)
      if (!isInRange) return
      known++
      values[1] = value
      const end = int64ToBytes(halves, 1, out, 3)
      const written = new TextDecoder().decode(out.subarray(3, end))
      if (written !== text) expect(written).toBe(text)
    })
    expect(known).toBeGreaterThan(50_000)
  })

  it.each(["", "-", "+1", "1.0", "1e3", " 1", "1 ", "--1", "12a", "٣", "00000000000000000000"])(
    "IW1 does not know %j",
    (text) => {
      const bytes = new TextEncoder().encode(text)
      expect(int64FromBytes(bytes, 0, bytes.length, halves, 0)).toBe(false)
    },
  )
})
