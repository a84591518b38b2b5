/** Footers that were made to hurt: they are refused before anything is made of them. */
import { describe, expect, it } from "vitest"
import { readFooter } from "./footer.ts"

const STOP = 0
const [LIST_FIELD, STRUCT_FIELD, I32] = [0x19, 0x1c, 5]

/** Metadata as the end of a file whose pages take so many bytes. */
function footerWith(metadata: Uint8Array, pagesBytes = 100) {
  const bytes = new Uint8Array(metadata.length + 8)
  bytes.set(metadata)
  new DataView(bytes.buffer).setUint32(metadata.length, metadata.length, true)
  bytes.set([0x50, 0x41, 0x52, 0x31], metadata.length + 4)
  return { bytes, fileBytes: 4 + pagesBytes + bytes.length, label: "the file a.parquet" }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** The list of so many values that the header of a field says. */
function list(count: number, type: number): number[] {
  return [LIST_FIELD, 0xf0 | type, ...varint(count)]
}

const LEVELS = 100_000
const VALUES = 5_000_000

const HOSTILE: readonly (readonly [what: string, metadata: Uint8Array, reason: RegExp])[] = [
  ["structs in structs", new Uint8Array(LEVELS).fill(STRUCT_FIELD), /structs are nested too deep/],
  [
    "lists in lists",
    Uint8Array.from([LIST_FIELD, ...new Array<number>(LEVELS).fill(0x19)]),
    /structs are nested too deep/,
  ],
  ["a list of four billion values", Uint8Array.from([...list(2 ** 32 - 1, I32), 2, STOP]), /a list is longer than/],
  [
    "a text of four billion bytes",
    Uint8Array.from([0x18, ...varint(2 ** 32 - 1), 0x61, STOP]),
    /a string of bytes is cut short/,
  ],
  ["a number that does not end", new Uint8Array(1000).fill(0xff).fill(0x15, 0, 1), /a number has too many bytes/],
  [
    "five million values",
    Uint8Array.from([...list(VALUES, I32), ...new Array<number>(VALUES).fill(2), STOP]),
    /it has 500000\d values, and at most 4000000 are read/,
  ],
  ["no end", Uint8Array.from([0x15, 2]), /is damaged/],
  ["nothing", new Uint8Array(0), /is damaged/],
  ["a struct that says nothing", Uint8Array.from([STOP]), /it does not say what a footer must say/],
]

describe("CT3 PQ5 a footer", () => {
  it.each(HOSTILE)("of %s is refused, and takes no memory to speak of", (_what, metadata, reason) => {
    const footer = footerWith(metadata)
    const before = process.memoryUsage().rss
    let error: unknown
    try {
      readFooter(footer)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: "source-unreadable", message: expect.stringMatching(reason) as string })
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20)
  })

  it("of more bytes than are read, or than the file has, is refused by its length", () => {
    for (const [length, fileBytes, reason] of [
      [65 << 20, 2 ** 31, "at most 67108864 are read"],
      [2 ** 32 - 1, 2 ** 33, "at most 67108864 are read"],
      [1000, 500, "it would begin before the file does"],
    ] as const) {
      const { bytes } = footerWith(new Uint8Array(0))
      new DataView(bytes.buffer).setUint32(0, length, true)
      expect(() => readFooter({ bytes, fileBytes, label: "the file a.parquet" })).toThrow(reason)
    }
  })
})
