import { expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { Prng } from "./prng.ts"
import { BLOCK_BYTES, Crc32cKernel, WORD_DISTANCES } from "./crc32c-kernel.ts"
import { crc32c, crc32cBehind, crc32cByTables, crc32cOfWords } from "./crc32c.ts"

/** Bit by bit, as the definition has it. */
function crcBitwise(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed
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

it("the checksum of four words is that of their bytes", () => {
  forEachSeed(100, (prng) => {
    const words = Array.from({ length: 4 }, () => prng.pick([0, 1, 0xffffffff, prng.uint32()]))
    const [one, two, three, four] = words as [number, number, number, number]
    expect(crc32cOfWords(one, two, three, four)).toBe(crcBitwise(new Uint8Array(Uint32Array.from(words).buffer)))
  })
})

it("a word that is taken away is added to others so that the sum is a multiple of the polynomial", () => {
  const power = (exponent: number): number => {
    let value = 1 << 31
    for (let index = 0; index < exponent; index++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    return value
  }
  const reach = Math.max(...WORD_DISTANCES)
  const terms = [reach, ...WORD_DISTANCES.map((distance) => reach - distance)]
  expect(terms.reduce((sum, term) => sum ^ power(32 * term), 0)).toBe(0)
})

/** Lengths at which the kernel's ways part, and any other. */
function drawLength(prng: Prng): number {
  const near = prng.pick([0, 260, 836, 852, 1672, BLOCK_BYTES, BLOCK_BYTES + 864, 2 * BLOCK_BYTES + 864])
  return prng.chance(0.7) ? Math.max(0, near + prng.below(40) - 20) : prng.below(3 * BLOCK_BYTES)
}

it("CK1 the kernel equals the bitwise definition at all lengths, offsets and seeds, one after the other", () => {
  const kernel = new Crc32cKernel()
  forEachSeed(300, (prng) => {
    const length = drawLength(prng)
    const start = prng.below(20)
    const buffer = prng.chance(0.2) ? new SharedArrayBuffer(start + length + 7) : new ArrayBuffer(start + length + 7)
    const bytes = new Uint8Array(buffer)
    for (let index = 0; index < bytes.length; index++) bytes[index] = prng.below(256)
    const seed = prng.pick([0, 0xffffffff, prng.uint32()])
    const expected = crcBitwise(bytes.subarray(start, start + length), seed)
    expect(kernel.checksum(bytes, seed, start, start + length)).toBe(expected)
    expect(crc32cByTables(bytes, seed, start, start + length)).toBe(expected)
  })
})

it("the kernel equals the tables at each length up to some thousands, and where one bit is set", () => {
  const kernel = new Crc32cKernel()
  const prng = new Prng(1)
  const bytes = Uint8Array.from({ length: 4000 }, () => prng.below(256))
  for (let length = 0; length < 3000; length++) {
    expect(kernel.checksum(bytes, length, 3, 3 + length)).toBe(crc32cByTables(bytes, length, 3, 3 + length))
  }
  bytes.fill(0)
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = 1 << (at % 8)
    expect(kernel.checksum(bytes, 0xffffffff, 0, bytes.length)).toBe(crc32cByTables(bytes, 0xffffffff, 0, bytes.length))
    bytes[at] = 0
  }
})

it("C2 long inputs have the same checksum before there is a kernel and behind that", () => {
  const prng = new Prng(2)
  const bytes = Uint8Array.from({ length: 300_000 }, () => prng.below(256))
  for (let round = 0; round < 20; round++) {
    const cut = prng.below(bytes.length)
    const expected = crc32cByTables(bytes, round, 0, bytes.length)
    expect(crc32c(bytes, round)).toBe(expected)
    expect(crc32c(bytes, crc32c(bytes, round, 0, cut), cut)).toBe(expected)
  }
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
