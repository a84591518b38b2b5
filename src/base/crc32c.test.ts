import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { crc32c, crc32cBehind } from "./crc32c.ts"

/** Bit by bit, as the definition has it. */
function crcBitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

it("C1 has the check value of the standard", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283)
})

it.each([
  ["32 bytes of 0", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of 255", new Uint8Array(32).fill(255), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
  ["nothing", new Uint8Array(0), 0],
])("gives the values of RFC 3720 for %s", (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

it("C2 equals the bitwise definition on any range, in one piece or in several", () => {
  forEachSeed(200, (prng) => {
    const bytes = Uint8Array.from({ length: prng.below(100) }, () => prng.below(256))
    const start = prng.below(bytes.length + 1)
    const end = start + prng.below(bytes.length - start + 1)
    const cut = start + prng.below(end - start + 1)
    const expected = crcBitwise(bytes.subarray(start, end))
    expect(crc32c(bytes, 0, start, end)).toBe(expected)
    expect(crc32c(bytes, crc32c(bytes, 0, start, cut), cut, end)).toBe(expected)
  })
})

it("C3 puts checksums behind each other as if the bytes were there", () => {
  forEachSeed(200, (prng) => {
    const bytes = Uint8Array.from({ length: prng.below(300) }, () => prng.below(256))
    const first = prng.uint32()
    expect(crc32cBehind(first, crc32c(bytes), bytes.length)).toBe(crc32c(bytes, first))
  })
  const zeros = new Uint8Array(5_000_000)
  expect(crc32cBehind(0x12345678, crc32c(zeros), zeros.length)).toBe(crc32c(zeros, 0x12345678))
})
