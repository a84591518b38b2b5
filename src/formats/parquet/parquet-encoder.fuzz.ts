/** PE1 PE2 PQ7: what is written reads back by our reader, by hyparquet and by DuckDB. */
import { parquetReadObjects } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, test } from "vitest"
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api"
import { randomRow, randomSchema } from "../../../test/random-values.ts"
import { forEachSeed, forEachSeedInTurn } from "../../../test/seeds.ts"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { readFile } from "../../connectors/files/parquet-file.fixture.ts"
import { ByteOutput } from "../byte-output.ts"
import { fileOf } from "../trailer.fixture.ts"
import { randomTree, randomValue, typeOf } from "./nested-file.fixture.ts"
import { ParquetEncoder } from "./parquet-encoder.ts"
import { unpackSnappy } from "./snappy.ts"
import { packSnappy } from "./snappy-packing.ts"

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

type Row = Readonly<Record<string, unknown>>

/** A file of rows, in batches with and without selections and in blocks as chance has it. */
function written(prng: Prng, of: Schema, rows: readonly Row[]): Uint8Array {
  const encoder = new ParquetEncoder({ schema: of })
  const out = new ByteOutput()
  for (let at = 0; at < rows.length;) {
    const some = rows.slice(at, at + 1 + prng.below(rows.length))
    // Rows that do not count stand between those that do.
    const { batch, release } = batchOfRows(
      arena,
      of,
      some.flatMap((row) => [row, row]),
    )
    encoder.encode(batch.with({ selection: Int32Array.from(some, (_, row) => row * 2), count: some.length }), out)
    release()
    at += some.length
    if (prng.chance(0.5)) encoder.finish(out)
  }
  encoder.finish(out)
  expect(encoder.heldBytes).toBe(0)
  return fileOf(encoder, out.finish())
}

describe("ParquetEncoder", () => {
  it("PE1 PE2 TY9 writes files of 500 random schemas that read back as they were", () => {
    let count = 0
    forEachSeed(500, (prng) => {
      const of = randomSchema(prng)
      const rows = Array.from({ length: prng.below(prng.pick([4, 40, 400])) }, () => randomRow(prng, of))
      const read = readFile(written(prng, of, rows), of)
      expect(read.bad).toEqual([])
      expect(read.rows).toEqual(rows)
      count += rows.length
    })
    expect(count).toBeGreaterThan(5000)
  })

  it("PE1 an encoder that is given much makes row groups of a bounded size", () => {
    const of = schema({ n: t.int64, text: t.string })
    const encoder = new ParquetEncoder({ schema: of })
    const out = new ByteOutput()
    const rows = Array.from({ length: 50_000 }, (_, n) => ({ n: BigInt(n), text: `${n} ${"x".repeat(100)}` }))
    for (let times = 0; times < 6; times++) {
      const { batch, release } = batchOfRows(arena, of, rows)
      encoder.encode(batch, out)
      release()
      expect(encoder.heldBytes).toBeLessThan(32 * 1024 * 1024)
    }
    encoder.finish(out)
    const { rows: read } = readFile(fileOf(encoder, out.finish()), of)
    expect(read.length).toBe(300_000)
    expect(read[299_999]).toEqual(rows[49_999])
  })

  it("PE2 a part that was begun with lists as text is refused, and not misread", () => {
    const of = schema({ v: t.list(t.int32) })
    const encoder = new ParquetEncoder({ schema: of })
    const out = new ByteOutput()
    const { batch, release } = batchOfRows(arena, of, [{ v: [1, 2] }])
    encoder.encode(batch, out)
    release()
    encoder.finish(out)
    const block = out.finish()
    // Behind two sizes: the mark of what is new, and the number of rows.
    expect([...block.subarray(8, 10)]).toEqual([0, 1])
    const old = block.slice()
    old[8] = 1
    expect(() => fileOf(encoder, old)).toThrow(expect.objectContaining({ code: "sink-failed" }))
  })
})

describe("PQ7 others read what we write", () => {
  let connection: DuckDBConnection
  let directory: string

  beforeAll(async () => {
    connection = await (await DuckDBInstance.create()).connect()
    directory = mkdtempSync(join(tmpdir(), "tidemark-"))
  })
  afterAll(() => {
    connection.closeSync()
    rmSync(directory, { recursive: true })
  })

  const Everything = schema({
    flag: t.bool.nullable(),
    i8: t.int8,
    u16: t.uint16.nullable(),
    i32: t.int32,
    u32: t.uint32,
    i53: t.int53.nullable(),
    i64: t.int64,
    u64: t.uint64,
    f32: t.float32.nullable(),
    f64: t.float64,
    text: t.string.nullable(),
    kind: t.enum("red", "green"),
    at: t.timestamp({ format: "s" }).nullable(),
    day: t.date,
    lasted: t.duration().nullable(),
    tags: t.list(t.string).nullable(),
    more: t.json,
    point: t.object({ x: t.float64 }).nullable(),
    raw: t.binary.nullable(),
  })

  async function byDuckDb(bytes: Uint8Array, sql: string): Promise<unknown[][]> {
    const path = join(directory, "written.parquet")
    writeFileSync(path, bytes)
    const reader = await connection.runAndReadAll(sql.replace("FILE", `read_parquet('${path}')`))
    return reader.getRowsJson() as unknown[][]
  }

  it("DuckDB has the types", async () => {
    const bytes = written(new Prng(1), Everything, [randomRow(new Prng(1), Everything)])
    const described = await byDuckDb(bytes, "DESCRIBE SELECT * FROM FILE")
    expect(described.map(([name, type]) => `${String(name)} ${String(type)}`)).toEqual([
      ...["flag BOOLEAN", "i8 TINYINT", "u16 USMALLINT", "i32 INTEGER", "u32 UINTEGER", "i53 BIGINT", "i64 BIGINT"],
      ...["u64 UBIGINT", "f32 FLOAT", "f64 DOUBLE", "text VARCHAR", "kind VARCHAR", "at TIMESTAMP WITH TIME ZONE"],
      ...["day DATE", "lasted VARCHAR", "tags VARCHAR[]", "more JSON", "point STRUCT(x DOUBLE)", "raw BLOB"],
    ])
  })

  it("DuckDB has the lists and objects of random trees, nulls and empty lists at each level among them", async () => {
    let count = 0
    await forEachSeedInTurn(60, async (prng) => {
      const tree = randomTree(prng, 3)
      const of = schema({ id: t.int32, v: typeOf(tree) })
      const rows = Array.from({ length: 1 + prng.below(60) }, (_, id) => ({ id, v: randomValue(prng, tree) }))
      const bytes = written(prng, of, rows)
      expect(readFile(bytes, of).rows).toEqual(rows)
      const seen = await byDuckDb(bytes, "SELECT id, to_json(v)::VARCHAR FROM FILE")
      expect(seen.map(([id, v]) => ({ id, v: v === null ? null : (JSON.parse(v as string) as unknown) }))).toEqual(rows)
      count += rows.length
    })
    expect(count).toBeGreaterThan(300)
  })

  it("DuckDB and hyparquet have the values, and DuckDB finds them by their bounds", async () => {
    await forEachSeedInTurn(30, async (prng) => {
      const rows = Array.from({ length: 1 + prng.below(200) }, () => randomRow(prng, Everything)) as Record<
        string,
        never
      >[]
      const bytes = written(prng, Everything, rows)
      const simple =
        "i8, u16, i32, u32, i53, i64, u64, hex(text), kind, day - DATE '1970-01-01', more::VARCHAR, to_json(tags)::VARCHAR"
      const seen = await byDuckDb(bytes, `SELECT ${simple}, epoch_us("at"), lasted, hex(raw) FROM FILE`)
      const told = (value: unknown) => (value === null ? null : String(value as string | number))
      expect(seen.map((row) => row.map(told))).toEqual(
        rows.map((row) => {
          const { fields } = Everything
          const textOf = (name: string) =>
            row[name] === null ? null : fields.find((field) => field.name === name)!.type.toText(row[name])
          const raw = row["raw"] === null ? null : Buffer.from(row["raw"]!).toString("hex").toUpperCase()
          const numbers = ["i8", "u16", "i32", "u32", "i53", "i64", "u64"].map((name) => told(row[name]))
          // Clients drop a byte order mark.
          numbers.push(hexOf(row["text"]), told(row["kind"]), told(row["day"]))
          return [...numbers, textOf("more"), textOf("tags"), told(row["at"]), textOf("lasted"), raw]
        }),
      )
      const one = prng.pick(rows)
      const [found] = await byDuckDb(
        bytes,
        `SELECT count(*) FROM FILE WHERE i64 = ${String(one["i64"])} AND i32 = ${String(one["i32"])}`,
      )
      expect(Number(found![0])).toBe(rows.filter(({ i64, i32 }) => i64 === one["i64"] && i32 === one["i32"]).length)
      const [doubles] = await byDuckDb(bytes, "SELECT count(*) FROM FILE WHERE f64 >= 0 AND NOT isnan(f64)")
      expect(Number(doubles![0])).toBe(rows.filter(({ f64 }) => f64 >= 0).length)
      const objects = await parquetReadObjects({ file: bytes.slice().buffer, compressors })
      expect(objects.map(({ i64, kind, f64 }) => [i64, kind, f64])).toEqual(
        rows.map(({ i64, kind, f64 }) => [i64, kind, f64]),
      )
    })
  })
})

function hexOf(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : Buffer.from(text).toString("hex").toUpperCase()
}

test("packs as Snappy what it unpacks again", () => {
  forEachSeed(2000, (prng) => {
    const few = 1 + prng.below(4)
    const source = Uint8Array.from({ length: prng.below(prng.pick([3, 100, 70_000])) }, () =>
      prng.below(prng.pick([few, few, 256])),
    )
    if (prng.chance(0.3)) source.copyWithin(source.length >> 1, 0)
    const packed = packSnappy(source)
    const target = new Uint8Array(source.length + 64)
    unpackSnappy(packed, 0, packed.length, target, source.length)
    expect(Buffer.compare(target.subarray(0, source.length), source)).toBe(0)
  })
})
