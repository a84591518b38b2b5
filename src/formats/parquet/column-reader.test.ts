import { crc32 } from "node:zlib"
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import { nodeCodecs } from "../../connectors/files/parquet-format.ts"
import { ColumnReader } from "./column-reader.ts"
import type { FileColumn } from "./file-column.ts"
import { readingOf } from "./reading.ts"

const COLUMN: FileColumn = {
  name: "n",
  physical: "INT32",
  valueBytes: 0,
  isOptional: false,
  isFlat: true,
  meaning: { kind: "integer", bits: 32, isSigned: true },
  words: "INT32",
}

/** Of fields that stand one behind the other: each an i32, or a struct of such. */
type Fields = readonly (number | undefined | Fields)[]

/** A struct in Thrift's compact protocol. */
function struct(fields: Fields): number[] {
  const bytes: number[] = []
  let last = 0
  fields.forEach((value, index) => {
    if (value === undefined) return
    const step = (index + 1 - last) << 4
    last = index + 1
    if (typeof value !== "number") bytes.push(step | 12, ...struct(value))
    else bytes.push(step | 5, ...varint(BigInt(value < 0 ? -2 * value - 1 : 2 * value)))
  })
  return [...bytes, 0]
}

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)]
}

/** A page of two numbers, with the header's fields replaced. */
function page(
  replaced: { type?: number; size?: number; packed?: number; crc?: number; values?: number } = {},
): Uint8Array {
  const body = [7, 0, 0, 0, 9, 0, 0, 0]
  const { type = 0, size = body.length, packed = body.length, crc, values = 2 } = replaced
  return Uint8Array.from([...struct([type, size, packed, crc, [values, 0, 3, 3]]), ...body])
}

/** Goes to the page's first row. */
function begin(bytes: Uint8Array): ColumnReader {
  const arena = new Arena({ maxBytes: 1 << 16 })
  const options = { pageBytesMax: 1 << 20, platform: nodeCodecs, arena }
  const reader = new ColumnReader(COLUMN, readingOf(COLUMN, t.int32)!, t.int32, options)
  const chunk = { start: 4, end: 4 + bytes.length, codec: "UNCOMPRESSED" } as const
  const group = { firstRow: 0, rows: 2, chunks: [chunk] }
  for (let wanted = reader.wanted(group, chunk, 0); wanted !== undefined; wanted = reader.wanted(group, chunk, 0)) {
    wanted.target.set(bytes.subarray(wanted.offset - 4, wanted.offset - 4 + wanted.target.length))
    reader.supplied()
  }
  return reader
}

const BODY_CRC = crc32(Uint8Array.of(7, 0, 0, 0, 9, 0, 0, 0)) | 0

describe("CR2 PQ5", () => {
  it("takes a page that is as it says, with its checksum", () => {
    expect(begin(page()).pageEnd).toBe(2)
    expect(begin(page({ crc: BODY_CRC })).pageEnd).toBe(2)
  })

  const WRONG = [
    { name: "another checksum", bytes: page({ crc: BODY_CRC ^ 1 }), reason: "a page's bytes do not have its checksum" },
    { name: "a size of gigabytes", bytes: page({ size: 2 ** 31 - 1 }), reason: "a page takes 2147483647 bytes" },
    { name: "a size that is negative", bytes: page({ size: -1 }), reason: "a page's header has no size" },
    { name: "a body that is not there", bytes: page({ packed: 9, size: 9 }), reason: "a page goes on behind the end" },
    { name: "more values than there are rows", bytes: page({ values: 3 }), reason: "a column has more values than" },
    { name: "fewer values than there are rows", bytes: page({ values: 0 }), reason: "a column (it has fewer values" },
    { name: "two sizes without a codec", bytes: page({ size: 9 }), reason: "not compressed has two sizes" },
    { name: "the header of another type", bytes: page({ type: 2 }), reason: "a page's header is not that of its type" },
    { name: "a header that does not end", bytes: Uint8Array.of(0x15, 0x80, 0x80), reason: "a struct is cut short" },
  ]
  for (const { name, bytes, reason } of WRONG) {
    it(`refuses a page with ${name}`, () => {
      expect(() => begin(bytes)).toThrow(reason)
    })
  }
})
