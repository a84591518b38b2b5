/** Parquet files pass the conformance suite of sources, and are refused in words where they cannot be read. */
import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer"
import { expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { START } from "../../batch/position.ts"
import { schema, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSourceConformance, type ExpectedRecord } from "../../connect/source.conformance.ts"
import type { SourceBatch, SourceBinding } from "../../connect/source.ts"
import { RECORD_OFFSETS } from "../../formats/container.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { parquet } from "./file-connector.ts"
import { BASE_DIRECTORY, SOURCE_SCHEMA, withBaseDirectory } from "./file-world.conformance.ts"
import { parquetCode } from "./on-demand.ts"

// What is loaded while a world is simulated would take time that the world does not have.
await parquetCode.get()

/** Beyond int32: a bad record of `SOURCE_SCHEMA`. */
const TOO_GREAT = 2n ** 40n

type Row = readonly [id: bigint, text: string | null]

interface WrittenFile {
  readonly bytes: Uint8Array
  readonly records: readonly ExpectedRecord[]
}

/** A file of some rows, with pages and row groups so small that there are many. */
function writeRows(rows: readonly Row[], codec: "SNAPPY" | "UNCOMPRESSED" = "SNAPPY"): WrittenFile {
  const columnData: ColumnSource[] = [
    { name: "text", data: rows.map(([, text]) => text), type: "STRING" },
    { name: "ignored", data: rows.map(() => 1.5), type: "DOUBLE" },
    { name: "id", data: rows.map(([id]) => id), type: "INT64", nullable: false },
  ]
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData, codec, pageSize: 3000, rowGroupSize: 700 }))
  const records = rows.map(([id, text], ordinal): ExpectedRecord => {
    const isBad = id === TOO_GREAT || text === null
    return { offset: ordinal * RECORD_OFFSETS, ordinal, row: isBad ? "bad" : { id: Number(id), text } }
  })
  return { bytes, records }
}

function manyRows(): Row[] {
  const prng = new Prng(42)
  return Array.from({ length: 3000 }, (_, id): Row => {
    const text = "0123456789ä🦉".repeat(prng.below(20)).slice(0, prng.below(60))
    return [prng.chance(0.01) ? TOO_GREAT : BigInt(id), prng.chance(0.01) ? null : text.replace(/[\ud800-\udbff]$/, "")]
  })
}

const FILES: ReadonlyMap<string, WrittenFile> = new Map([
  ["trips/a-no-records.parquet", writeRows([])],
  [
    "trips/b-small.parquet",
    writeRows([
      [1n, "one"],
      [2n, "zwö 🦉"],
      [3n, ""],
    ]),
  ],
  [
    "trips/c-bad.parquet",
    writeRows(
      [
        [TOO_GREAT, "x"],
        [4n, "good"],
        [5n, null],
        [TOO_GREAT, null],
      ],
      "UNCOMPRESSED",
    ),
  ],
  ["trips/d-large.parquet", writeRows(manyRows())],
])

const pathOf = (id: string): string => `${BASE_DIRECTORY}/${id}`

function replaceFile(world: SimWorld, id: string, bytes: Uint8Array): void {
  world.image.remove(pathOf(id))
  world.image.install(pathOf(id), bytes)
}

describeSourceConformance<SimWorld>("parquet", {
  createWorld(seed) {
    const world = withBaseDirectory(new SimWorld({ seed }))
    for (const [id, { bytes }] of FILES) world.image.install(pathOf(id), bytes)
    return world
  },
  baseDirectory: BASE_DIRECTORY,
  binding: parquet("trips/*.parquet"),
  schema: SOURCE_SCHEMA,
  expected: new Map([...FILES].map(([id, { records }]) => [id, records])),
  changes: [
    {
      name: "has other bytes",
      code: "source-changed",
      apply: (world, id) =>
        replaceFile(
          world,
          id,
          writeRows([
            [1n, "two"],
            [2n, "zwö 🦉"],
            [3n, ""],
          ]).bytes,
        ),
    },
    {
      name: "has become longer",
      code: "source-changed",
      apply: (world, id) =>
        replaceFile(
          world,
          id,
          writeRows([
            [1n, "one"],
            [2n, "zwö 🦉"],
            [3n, ""],
            [4n, ""],
          ]).bytes,
        ),
    },
    {
      name: "is cut short",
      code: "source-changed",
      apply: (world, id) => replaceFile(world, id, FILES.get(id)!.bytes.slice(0, -9)),
    },
    { name: "has vanished", code: "source-missing", apply: (world, id) => world.image.remove(pathOf(id)) },
    {
      name: "is a directory now",
      code: "source-unreadable",
      apply(world, id) {
        world.image.remove(pathOf(id))
        world.image.installDirectory(pathOf(id))
      },
    },
  ],
  grow: undefined,
})

/** Reads all of a file; `rows` are those that are good. */
async function readAll(
  bytes: Uint8Array,
  rowSchema: Schema,
  binding: SourceBinding = parquet("*.parquet"),
): Promise<{ rows: unknown[]; bad: SourceBatch["bad"][number][] }> {
  const world = withBaseDirectory(new SimWorld({ seed: 1 }))
  world.image.install(pathOf("a.parquet"), bytes)
  const arena = new Arena({ maxBytes: 1 << 24 })
  const rows: unknown[] = []
  const bad: SourceBatch["bad"][number][] = []
  const program = async (): Promise<void> => {
    const context = { env: world.boot(), arena, schema: rowSchema, input: "trips", baseDirectory: BASE_DIRECTORY }
    const source = await binding.openSource(context)
    const [partition] = await source.partitions()
    const reader = await source.open(partition!, 0, START)
    for (let isAtEnd = false; !isAtEnd;) {
      const taken = await reader.read({ rows: 1000, untilOffset: Infinity })
      rows.push(...(taken.batch?.toRows() ?? []))
      bad.push(...taken.bad)
      taken.release()
      isAtEnd = taken.end
    }
    await source.close()
  }
  const promise = program()
  await world.run(promise)
  await promise
  expect(arena.usedBytes).toBe(0)
  return { rows, bad }
}

it("tells bad records with the row, the field and the reason", async () => {
  const { rows, bad } = await readAll(FILES.get("trips/c-bad.parquet")!.bytes, SOURCE_SCHEMA)
  expect(rows).toEqual([{ id: 4, text: "good" }])
  expect(bad).toEqual([
    {
      position: { offset: 0, ordinal: 0 },
      field: "id",
      reason: 'the field "id" is 1099511627776, outside the range of int32 (-2147483648 to 2147483647)',
      raw: '{"text":"x"}',
    },
    {
      position: { offset: 32, ordinal: 2 },
      field: "text",
      reason: 'the field "text" is null, and the column is not nullable',
      raw: '{"id":5}',
    },
    {
      position: { offset: 48, ordinal: 3 },
      field: "id",
      reason: 'the field "id" is 1099511627776, outside the range of int32 (-2147483648 to 2147483647)',
      raw: "{}",
    },
  ])
})

it("finds columns by name and reads those only that the schema has", async () => {
  const { rows } = await readAll(
    FILES.get("trips/b-small.parquet")!.bytes,
    schema({ number: t.int64.from("id"), tip: t.float64.nullable(), kind: t.string.default("taxi") }),
  )
  expect(rows).toEqual([1n, 2n, 3n].map((number) => ({ number, tip: null, kind: "taxi" })))
})

const REFUSED = [
  {
    name: "a column that is missing",
    rowSchema: schema({ texd: t.string }),
    message: 'The file "a.parquet" of the input trips has no column "texd".',
    hint: "text",
  },
  {
    name: "a column of another type",
    rowSchema: schema({ id: t.float64 }),
    message: 'The column "id" of the file "a.parquet" of the input trips holds INT64, and the schema asks for float64.',
    hint: "Declare the column as t.int64 or t.int53, or convert it when the file is written.",
  },
  {
    name: "numbers that may be times",
    rowSchema: schema({ id: t.timestamp() }),
    message:
      'The column "id" of the file "a.parquet" of the input trips holds INT64, and the schema asks for timestamp.',
    hint: 'Say what its numbers count, as in t.timestamp({ format: "ms" }).',
  },
]

for (const { name, rowSchema, message, hint } of REFUSED) {
  it(`refuses ${name} in words`, async () => {
    const error: unknown = await readAll(FILES.get("trips/b-small.parquet")!.bytes, rowSchema).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "source-unreadable", message, hint: expect.stringContaining(hint) as string })
  })
}

it("is shown by explain as it was written", () => {
  expect(parquet(["a/*.parquet", "b.parquet"]).describe()).toBe('parquet(["a/*.parquet", "b.parquet"])')
  expect(parquet("a/*.parquet").describe()).toBe('parquet("a/*.parquet")')
})

it("refuses what is no Parquet file, or ends too early", async () => {
  const { bytes } = FILES.get("trips/b-small.parquet")!
  for (const wrong of [new Uint8Array(0), bytes.subarray(0, 40), bytes.subarray(0, -1)]) {
    const error: unknown = await readAll(wrong, SOURCE_SCHEMA).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: "source-unreadable",
      message: 'The file "a.parquet" of the input trips is no Parquet file, or is cut short.',
    })
  }
})

it("refuses pages beyond maxPageBytes", async () => {
  const binding = parquet("*.parquet", { maxPageBytes: 1000 })
  const error: unknown = await readAll(FILES.get("trips/d-large.parquet")!.bytes, SOURCE_SCHEMA, binding).catch(
    (e: unknown) => e,
  )
  expect(error).toMatchObject({
    code: "source-unreadable",
    message: expect.stringMatching(/near byte \d+: a page takes \d+ bytes, and maxPageBytes is 1000\.$/) as string,
    hint: expect.stringContaining("give parquet(...) the option maxPageBytes") as string,
  })
  expect(() => parquet("a", { maxPageBytes: 0 })).toThrow("parquet(...): maxPageBytes is 0.")
})
