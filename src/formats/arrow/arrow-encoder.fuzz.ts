/** AE1 AE2 AR5: what is written reads back by our reader, and by the Arrow project's own library. */
import { tableFromIPC } from "apache-arrow"
import { expect, it, test } from "vitest"
import { randomRow, randomSchema } from "../../../test/random-values.ts"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { arrowFormat } from "../../connectors/files/arrow-format.ts"
import { ByteOutput } from "../byte-output.ts"
import { fileOf } from "../trailer.fixture.ts"
import { randomTree, randomValue, typeOf } from "../parquet/nested-file.fixture.ts"
import { ArrowEncoder } from "./arrow-encoder.ts"

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })

type Row = Readonly<Record<string, unknown>>

function written(prng: Prng, of: Schema, rows: readonly Row[]): Uint8Array {
  const encoder = new ArrowEncoder({ schema: of })
  const out = new ByteOutput()
  for (let at = 0; at < rows.length;) {
    const some = rows.slice(at, at + 1 + prng.below(rows.length))
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
  return fileOf(encoder, out.finish())
}

async function read(bytes: Uint8Array, of: Schema): Promise<Row[]> {
  const steps = { readHead: "source.open.read-head", readFooter: "source.open.read-footer" } as const
  const file = {
    size: () => Promise.resolve(bytes.length),
    read: (target: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + target.length)
      target.set(part)
      return Promise.resolve(part.length)
    },
  }
  const { footer } = await arrowFormat.readEnds(file as never, "the file", steps as never)
  const decoder = arrowFormat.container.openContainer(footer, { arena, schema: of })
  const rows: Row[] = []
  for (let record = 0; record < decoder.records;) {
    for (let wanted = decoder.wanted(record); wanted !== undefined; wanted = decoder.wanted(record)) {
      wanted.target.set(bytes.subarray(wanted.offset, wanted.offset + wanted.target.length))
      decoder.supplied()
    }
    const { batch, bad, records, release } = decoder.decode(record, 65_536, 0)
    expect(bad).toEqual([])
    rows.push(...(batch?.toRows() ?? []))
    release()
    record += records
  }
  return rows
}

it("AE1 AE2 TY9 writes files of 500 random schemas that read back as they were", async () => {
  let count = 0
  await forEachSeedInTurn(500, async (prng) => {
    const of = randomSchema(prng)
    const rows = Array.from({ length: prng.below(prng.pick([4, 40, 400])) }, () => randomRow(prng, of))
    expect(await read(written(prng, of, rows), of)).toEqual(rows)
    count += rows.length
  })
  expect(count).toBeGreaterThan(5000)
  expect(arena.usedBytes).toBe(0)
})

test("AR5 Arrow's own library reads what we write, with its types", async () => {
  const of = schema({
    flag: t.bool.nullable(),
    i8: t.int8,
    u16: t.uint16.nullable(),
    u32: t.uint32,
    i53: t.int53.nullable(),
    u64: t.uint64,
    f32: t.float32.nullable(),
    f64: t.float64,
    text: t.string.nullable(),
    at: t.timestamp({ format: "s" }).nullable(),
    day: t.date,
    lasted: t.duration({ format: "ms" }).nullable(),
    tags: t.list(t.string).nullable(),
    raw: t.binary.nullable(),
  })
  await forEachSeedInTurn(50, async (prng) => {
    const rows = Array.from({ length: prng.below(100) }, () => randomRow(prng, of)) as Record<string, never>[]
    const table = tableFromIPC(written(prng, of, rows))
    expect(
      table.schema.fields.map(({ name, type, nullable }) => `${name} ${String(type)}${nullable ? "?" : ""}`),
    ).toEqual([
      ...[
        "flag Bool?",
        "i8 Int8",
        "u16 Uint16?",
        "u32 Uint32",
        "i53 Int64?",
        "u64 Uint64",
        "f32 Float32?",
        "f64 Float64",
      ],
      ...["text Utf8?", "at Timestamp<MICROSECOND, UTC>?", "day Date32<DAY>", "lasted Duration<MICROSECOND>?"],
      ...["tags List<Utf8>?", "raw Binary?"],
    ])
    expect(table.numRows).toBe(rows.length)
    const names = ["flag", "i8", "u16", "u32", "i53", "u64", "f32", "f64", "lasted"] as const
    for (const name of names) {
      const values = [...table.getChild(name)!].map((value: unknown) =>
        typeof value === "bigint" ? BigInt(value) : value,
      )
      const expected = rows.map((row) => {
        const value: unknown = row[name]
        return (name === "i53" || name === "lasted") && value !== null ? BigInt(value as number) : value
      })
      expect(values, name).toEqual(expected)
    }
    expect([...table.getChild("tags")!].map((tags: Iterable<string> | null) => tags && [...tags])).toEqual(
      // The library takes a byte order mark at a text's start away.
      rows.map(({ tags }) => (tags as readonly string[] | null)?.map((tag) => tag.replace(/^\ufeff/, "")) ?? null),
    )
    expect([...table.getChild("raw")!].map((raw: Uint8Array | null) => raw && [...raw])).toEqual(
      rows.map(({ raw }) => (raw === null ? null : [...(raw as Uint8Array)])),
    )
  })
})

test("AR5 Arrow's own library has the lists and objects of random trees", async () => {
  let count = 0
  await forEachSeedInTurn(100, async (prng) => {
    const tree = randomTree(prng, 3)
    const of = schema({ v: typeOf(tree) })
    const rows = Array.from({ length: 1 + prng.below(40) }, () => ({ v: randomValue(prng, tree) }))
    const bytes = written(prng, of, rows)
    expect(await read(bytes, of)).toEqual(rows)
    const values = [...tableFromIPC(bytes).getChild("v")!] as unknown[]
    expect(JSON.parse(JSON.stringify(values))).toEqual(rows.map(({ v }) => v))
    count += rows.length
  })
  expect(count).toBeGreaterThan(500)
})

it("AE2 a part that was begun with other columns is refused, and not misread", () => {
  const [asText, asList] = [schema({ v: t.string }), schema({ v: t.list(t.string) })].map(
    (of) => new ArrowEncoder({ schema: of }),
  )
  expect(() => fileOf(asList!, new Uint8Array(0))).not.toThrow()
  const begun = { ...asList!, header: asText!.header, trailer: (end: number) => asList!.trailer(end) }
  expect(() => fileOf(begun as never, new Uint8Array(0))).toThrow(expect.objectContaining({ code: "sink-failed" }))
})
