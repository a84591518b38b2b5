import { describe, expect, it } from "vitest"
import { forEachSeed } from "../../test/seeds.ts"
import { AssertionError } from "./assert.ts"
import { ByteReader, ByteWriter } from "./bytes.ts"
import type { Prng } from "./prng.ts"

const VARINTS = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1]
const TEXTS = [
  "",
  "a",
  "Zürich",
  "\ufeffmark",
  "日本",
  "😀",
  "x".repeat(63),
  "x".repeat(64),
  "é".repeat(63),
  "x".repeat(5000),
]
const DOUBLES = [0, -0, 1.5, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE]

type Entry = readonly [write: (writer: ByteWriter) => void, read: (reader: ByteReader) => unknown, value: unknown]

function randomEntry(prng: Prng): Entry {
  const kind = prng.below(9)
  if (kind === 0) {
    const value = prng.below(256)
    return [(w) => w.uint8(value), (r) => r.uint8(), value]
  }
  if (kind === 1) {
    const value = prng.below(65_536)
    return [(w) => w.uint16(value), (r) => r.uint16(), value]
  }
  if (kind === 2) {
    const value = prng.uint32()
    return [(w) => w.uint32(value), (r) => r.uint32(), value]
  }
  if (kind === 3) {
    const value = BigInt.asIntN(64, (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32()))
    return [(w) => w.int64(value), (r) => r.int64(), value]
  }
  if (kind === 4) {
    const value = prng.chance(0.5) ? prng.pick(DOUBLES) : prng.float() * 10 ** prng.below(300)
    return [(w) => w.float64(value), (r) => r.float64(), value]
  }
  if (kind === 5) {
    const value = prng.chance(0.5) ? prng.pick(VARINTS) : prng.below(2 ** prng.below(54))
    return [(w) => w.varint(value), (r) => r.varint(), value]
  }
  if (kind === 6) {
    const value = Uint8Array.from({ length: prng.below(300) }, () => prng.below(256))
    return [(w) => w.bytes(value), (r) => r.bytes(), value]
  }
  if (kind === 7) {
    const [low, high] = [prng.uint32(), prng.uint32()]
    const value = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
    return [(w) => w.halves(low | 0, high), (r) => r.int64(), value]
  }
  const value = prng.pick(TEXTS)
  return [(w) => w.text(value), (r) => r.text(), value]
}

describe("bytes", () => {
  it("B1 reads back what was written, in order, bit for bit", () => {
    forEachSeed(200, (prng) => {
      const entries = Array.from({ length: prng.below(40) }, () => randomEntry(prng))
      const writer = new ByteWriter(prng.below(64))
      for (const [write] of entries) write(writer)
      const reader = new ByteReader(writer.finish())
      for (const [, read, value] of entries) expect(read(reader)).toStrictEqual(value)
      expect(reader.remaining).toBe(0)
    })
  })

  it.each(VARINTS)("B1 writes %d as a varint of the fewest bytes", (value) => {
    const writer = new ByteWriter()
    writer.varint(value)
    expect(writer.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
  })

  it.each([-1, 1.5, 2 ** 53, NaN, Infinity])("refuses to write %d as a varint", (value) => {
    expect(() => new ByteWriter().varint(value)).toThrow(AssertionError)
  })

  it("B2 throws RangeError wherever written bytes are cut off, and reads no further", () => {
    forEachSeed(100, (prng) => {
      const [write, read] = randomEntry(prng)
      const writer = new ByteWriter()
      write(writer)
      const bytes = writer.finish()
      for (let length = 0; length < Math.min(bytes.length, 20); length++) {
        expect(() => read(new ByteReader(bytes.subarray(0, length)))).toThrow(RangeError)
      }
    })
  })

  it.each([
    ["beyond 2⁵³ − 1", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ["of nine bytes", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ["that never ends", new Array<number>(200).fill(0x80)],
  ])("B2 throws RangeError at a varint %s", (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from([...bytes, 0])).varint()).toThrow(RangeError)
  })

  it("B2 throws RangeError at a text that is not UTF-8", () => {
    expect(() => new ByteReader(Uint8Array.from([2, 0xc3, 0x28])).text()).toThrow(RangeError)
  })

  it("reads within a part of a larger buffer", () => {
    const bytes = Uint8Array.from([9, 9, 1, 0, 0, 0, 9]).subarray(2, 6)
    const reader = new ByteReader(bytes)
    expect([reader.uint32(), reader.remaining, reader.position]).toEqual([1, 0, 4])
  })

  it("overwrites four bytes that were written, and no others", () => {
    const writer = new ByteWriter()
    writer.uint32(0)
    writer.uint8(7)
    writer.setUint32(0, 0xfedcba98)
    expect([...writer.view()]).toEqual([0x98, 0xba, 0xdc, 0xfe, 7])
    expect(writer.buffer.subarray(0, writer.length)).toEqual(writer.view())
    expect(() => writer.setUint32(2, 0)).toThrow(AssertionError)
  })

  it("writes the same, before and behind room that was made", () => {
    const writer = new ByteWriter(16)
    writer.uint32(1)
    writer.makeRoom(1000)
    expect(writer.length).toBe(4)
    writer.raw(new Uint8Array(1000).fill(7))
    writer.uint8(9)
    expect([...writer.finish()]).toEqual([1, 0, 0, 0, ...new Array<number>(1000).fill(7), 9])
  })

  it("forgets on recycle, and lets a buffer go that uses of late have not needed", () => {
    const writer = new ByteWriter()
    const use = (bytes: number) => {
      writer.recycle()
      writer.raw(new Uint8Array(bytes))
      return writer.view()
    }
    const { buffer } = use(1 << 20)
    expect(use(100).buffer).toBe(buffer)
    expect(use(100)).toHaveLength(100)
    let uses = 0
    while (use(100).buffer === buffer) uses++
    expect(uses).toBeLessThan(100)
    expect(use(100).buffer.byteLength).toBe(4096)
  })

  it("forgets on clear, and finish is a copy", () => {
    const writer = new ByteWriter()
    writer.text("first")
    const finished = writer.finish()
    writer.clear()
    writer.text("2nd")
    expect(new ByteReader(finished).text()).toBe("first")
    expect(new ByteReader(writer.view()).text()).toBe("2nd")
  })

  it("writes a lone surrogate as U+FFFD", () => {
    const writer = new ByteWriter()
    writer.text("a\ud800")
    expect(new ByteReader(writer.view()).text()).toBe("a\ufffd")
  })
})
