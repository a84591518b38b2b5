import { describe, expect, it } from "vitest"
import { ByteWriter } from "../../base/bytes.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { DuckDb, readFile } from "../../connectors/files/parquet-file.fixture.ts"
import { DeltaReader } from "./delta.ts"
import { SLACK_BYTES } from "./hybrid.ts"

const [LEAST, GREATEST] = [-(2 ** 31), 2 ** 31 - 1]

/** A page of two values of 32 bits, whose difference less the least one has so many bits. */
function page({
  first,
  least,
  width,
  delta,
}: {
  first: bigint
  least: bigint
  width: number
  delta: bigint
}): Uint8Array {
  const out = new ByteWriter()
  const zigzag = (value: bigint) => {
    let rest = value < 0n ? -2n * value - 1n : 2n * value
    for (; rest >= 0x80n; rest >>= 7n) out.uint8(Number(rest & 0x7fn) | 0x80)
    out.uint8(Number(rest))
  }
  for (const number of [128, 4, 2]) out.varint(number)
  zigzag(first)
  zigzag(least)
  for (const bits of [width, 0, 0, 0]) out.uint8(bits)
  for (let at = 0; at < 4 * width; at++) out.uint8(Number((delta >> BigInt(8 * at)) & 0xffn))
  return out.finish()
}

/** What a page's two values are read as, some at a time. */
function read(bytes: Uint8Array, words: 1 | 2 = 1): number[] {
  const padded = new Uint8Array(bytes.length + SLACK_BYTES)
  padded.set(bytes)
  const reader = new DeltaReader(padded, 0, bytes.length, words)
  const target = new Int32Array(2 * words)
  reader.read(2, target)
  expect(reader.end).toBe(bytes.length)
  return [...target]
}

describe("PQ6 differences of values of 32 bits wrap around", () => {
  it("reckoned in 32 bits or in more", () => {
    const [first, step] = [BigInt(GREATEST), BigInt(LEAST) - BigInt(GREATEST)]
    expect(read(page({ first, least: 1n, width: 0, delta: 0n }))).toEqual([GREATEST, LEAST])
    expect(read(page({ first, least: step, width: 0, delta: 0n }))).toEqual([GREATEST, LEAST])
    expect(read(page({ first, least: 0n, width: 33, delta: (1n << 32n) | 1n }))).toEqual([GREATEST, LEAST])
    expect(read(page({ first: -1n, least: step, width: 33, delta: -step + 8n }))).toEqual([-1, 7])
  })

  it("what is no difference of such values is refused", () => {
    const refused = "a delta has more bits than a difference of its type"
    expect(() => read(page({ first: 0n, least: 0n, width: 34, delta: 1n }))).toThrow(refused)
    expect(() => read(page({ first: 0n, least: 1n << 32n, width: 0, delta: 0n }))).toThrow(refused)
    expect(() => read(page({ first: 0n, least: -(1n << 32n) - 1n, width: 0, delta: 0n }))).toThrow(refused)
    expect(() => read(page({ first: 1n << 31n, least: 0n, width: 0, delta: 0n }))).toThrow(
      "the first of a page's numbers",
    )
    expect(read(page({ first: 0n, least: 1n << 32n, width: 34, delta: 1n << 33n }), 2)).toEqual([0, 0, 0, 3])
  })

  it("in DuckDB's files, too", async () => {
    const duckDb = await DuckDb.open()
    const query = `SELECT (CASE WHEN i % 2 = 0 THEN ${GREATEST} ELSE ${LEAST} END)::INTEGER AS v FROM range(1000) t(i)`
    const bytes = await duckDb.write(query, "PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1")
    duckDb.close()
    const { rows, bad } = readFile(bytes, schema({ v: t.int32.nullable() }))
    expect(bad).toEqual([])
    expect(rows).toEqual(Array.from({ length: 1000 }, (_, i) => ({ v: i % 2 === 0 ? GREATEST : LEAST })))
  })
})
