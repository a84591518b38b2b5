/** PQ5 CT1 CT3: files of every encoding, whole and damaged, against the twin. */
import { gzipSync } from "node:zlib"
import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { TidemarkError } from "../../base/errors.ts"
import { schema, type ColumnTypes, type Schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { DuckDb, readFile, usedBytes, type ReadFile } from "../../connectors/files/parquet-file.fixture.ts"
import { readParquet } from "../../connectors/files/parquet-twin.fixture.ts"

/** Damaged copies of each document. */
const COPIES = 40
/** Documents of a run, times the scale. */
const DOCUMENTS = 60

interface Made {
  readonly bytes: Uint8Array
  readonly schema: Schema
}

type Encoding = NonNullable<ColumnSource["encoding"]>

/** A kind of column: how values are drawn, and how they may be written and read. */
interface Kind {
  readonly type: NonNullable<ColumnSource["type"]>
  readonly encodings: readonly (Encoding | undefined)[]
  readonly columns: readonly ColumnTypes[string][]
  draw(prng: Prng): unknown
}

const WORDS = ["", "a", "b", "Zoë", "🦉 owl", "a much longer text that is no short one", "c".repeat(300)]

const KINDS: readonly Kind[] = [
  {
    type: "INT32",
    encodings: [undefined, "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    columns: [t.int32, t.int53, t.int64, t.float64, t.int8, t.uint16, t.uint32, t.uint64],
    draw: (prng) => (prng.chance(0.7) ? prng.below(50) : prng.uint32() | 0),
  },
  {
    type: "INT64",
    encodings: [undefined, "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    columns: [t.int64, t.int53, t.int32, t.int16, t.uint8, t.uint32, t.uint64],
    draw: (prng) => {
      if (prng.chance(0.7)) return BigInt(prng.below(50))
      return BigInt.asIntN(64, (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32()))
    },
  },
  {
    type: "TIMESTAMP",
    encodings: [undefined, "PLAIN", "DELTA_BINARY_PACKED"],
    columns: [t.timestamp()],
    draw: (prng) => new Date(1_700_000_000_000 + prng.below(1e9)),
  },
  {
    type: "DOUBLE",
    encodings: [undefined, "PLAIN", "BYTE_STREAM_SPLIT"],
    columns: [t.float64],
    draw: (prng) => (prng.chance(0.1) ? prng.pick([NaN, -0, Infinity]) : prng.below(1000) / 8),
  },
  {
    type: "FLOAT",
    encodings: [undefined, "PLAIN", "BYTE_STREAM_SPLIT"],
    columns: [t.float64, t.float32],
    draw: (prng) => (prng.chance(0.1) ? prng.pick([NaN, -0, -Infinity]) : Math.fround(prng.below(1000) / 7)),
  },
  { type: "BOOLEAN", encodings: ["PLAIN", "RLE"], columns: [t.bool], draw: (prng) => prng.chance(0.6) },
  {
    type: "STRING",
    encodings: [undefined, "PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    columns: [t.string, t.string, t.enum("a", "b", "Zoë")],
    draw: (prng) => (prng.chance(0.8) ? prng.pick(WORDS) : `text ${prng.below(1e6)}`),
  },
]

/** Runs as well as changes, so that runs of equal values are written as runs. */
function drawValues(prng: Prng, kind: Kind, rows: number, nulls: number): unknown[] {
  const values: unknown[] = []
  while (values.length < rows) {
    const value = prng.chance(nulls) ? null : kind.draw(prng)
    for (let count = prng.chance(0.1) ? prng.below(40) : 1; count > 0 && values.length < rows; count--)
      values.push(value)
  }
  return values
}

function randomDocument(prng: Prng): Made {
  const rows = prng.pick([1, 7, 60, 300])
  const columns: ColumnTypes[string][] = []
  const columnData = Array.from({ length: 1 + prng.below(3) }, (_, index): ColumnSource => {
    const kind = prng.pick(KINDS)
    const nullable = prng.chance(0.6)
    const column = prng.pick(kind.columns)
    columns.push(prng.chance(0.7) ? column.nullable() : column)
    const data = drawValues(prng, kind, rows, nullable ? prng.pick([0, 0.1, 0.9]) : 0)
    const encoding = prng.pick(kind.encodings)
    return { name: `c${index}`, data, type: kind.type, nullable, ...(encoding === undefined ? {} : { encoding }) }
  })
  const bytes = parquetWriteBuffer({
    columnData,
    codec: prng.pick(["UNCOMPRESSED", "UNCOMPRESSED", "SNAPPY", "GZIP"] as const),
    compressors: { GZIP: (input: Uint8Array) => gzipSync(input) },
    pageSize: prng.pick([60, 500, 1 << 20]),
    rowGroupSize: prng.pick([50, 1000]),
    statistics: prng.chance(0.5),
  })
  return {
    bytes: new Uint8Array(bytes),
    schema: schema(Object.fromEntries(columns.map((column, index) => [`c${index}`, column]))),
  }
}

/** Some bytes changed, or the file cut, or a piece of it put elsewhere. */
function damaged(prng: Prng, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const at = () => prng.below(copy.length)
  for (let count = 1 + prng.below(3); count > 0; count--) {
    const kind = prng.below(10)
    if (kind < 5) copy[at()]! ^= 1 << prng.below(8)
    else if (kind < 7) copy[at()] = prng.pick([0, 1, 0x7f, 0x80, 0xff, prng.below(256)])
    else if (kind < 8) copy.fill(prng.pick([0, 0xff]), at(), at())
    else if (kind < 9) copy.copyWithin(at(), at(), at())
    else {
      const from = at()
      const to = Math.min(copy.length, from + 1 + prng.below(20))
      // The trailer is kept, or every cut would be refused for the same reason.
      return Uint8Array.from([...copy.subarray(0, from), ...copy.subarray(to, copy.length - 8), ...copy.subarray(-8)])
    }
  }
  return copy
}

/** Ours, or why not. */
function readOurs(prng: Prng, { bytes, schema: rowSchema }: Made): ReadFile | undefined {
  const limit = prng.chance(0.5) ? undefined : () => 1 + prng.below(30)
  try {
    return readFile(bytes, rowSchema, { pageBytesMax: 1 << 20, ...(limit === undefined ? {} : { limit }) })
  } catch (error) {
    if (error instanceof TidemarkError && error.code === "source-unreadable") return undefined
    throw error
  }
}

/** What the twin reads of a file that ours has read; `undefined` where it throws. */
async function readTwin({ bytes, schema: rowSchema }: Made): Promise<(Record<string, unknown> | "bad")[] | undefined> {
  return readParquet(bytes, rowSchema).catch(() => undefined)
}

function inOrder({ rows, ordinals, bad }: ReadFile): (Record<string, unknown> | "bad")[] {
  const all: (Record<string, unknown> | "bad")[] = []
  rows.forEach((row, index) => (all[ordinals[index]!] = row))
  for (const { position } of bad) all[position.ordinal] = "bad"
  return all
}

const CORPUS = [
  "SELECT i::INTEGER AS c0, 'w' || (i % 5) AS c1, CASE WHEN i % 3 > 0 THEN (i * 1.5)::DOUBLE END AS c2 FROM range(200) t(i)",
  "SELECT CASE WHEN i % 4 > 0 THEN (i * 77777777777)::BIGINT END AS c0, 'text ' || i AS c1, (i / 3)::DOUBLE AS c2 FROM range(120) t(i)",
  // Differences of 33 bits, where they are packed.
  "SELECT (CASE WHEN i % 2 > 0 THEN i - 2147483648 ELSE 2147483647 - i * i END)::INTEGER AS c0, 'w' || i AS c1, i::DOUBLE AS c2 FROM range(300) t(i)",
]
const CORPUS_OPTIONS = ["uncompressed", "snappy", "zstd", "gzip"].flatMap((codec) =>
  ["v1", "v2", "v2, DICTIONARY_SIZE_LIMIT 1"].map(
    (version) => `COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 64`,
  ),
)
const CORPUS_SCHEMA = schema({ c0: t.int53.nullable(), c1: t.string.nullable(), c2: t.float64.nullable() })

describe("ParquetDecoder", () => {
  const corpus: Made[] = []
  beforeAll(async () => {
    const duckDb = await DuckDb.open()
    for (const query of CORPUS) {
      for (const options of CORPUS_OPTIONS) {
        corpus.push({ bytes: await duckDb.write(query, options), schema: CORPUS_SCHEMA })
      }
    }
    duckDb.close()
  })
  afterAll(() => {
    expect(usedBytes()).toBe(0)
  })

  it("CT1 PQ6 reads files of every encoding as its twin does", { timeout: 36_000_000 }, async () => {
    await forEachSeedInTurn(DOCUMENTS * 4, async (prng, seed) => {
      const made = corpus[seed] ?? randomDocument(prng)
      const ours = readOurs(prng, made)
      if (ours === undefined) expect.fail(`it is refused: ${refusalOf(made)}`)
      expect(inOrder(ours)).toEqual(await readParquet(made.bytes, made.schema))
    })
  })

  it("CT3 PQ5 reads damaged files as its twin does, or refuses them", { timeout: 36_000_000 }, async () => {
    const tally = { read: 0, refused: 0, twinRefused: 0 }
    await forEachSeedInTurn(DOCUMENTS, async (prng) => {
      const made = prng.chance(0.3) ? prng.pick(corpus) : randomDocument(prng)
      for (let copy = 0; copy < COPIES; copy++) {
        const bytes = damaged(prng, made.bytes)
        const ours = readOurs(prng, { ...made, bytes })
        const twin = ours === undefined ? undefined : await readTwin({ ...made, bytes })
        if (ours === undefined) tally.refused++
        else if (twin === undefined) tally.twinRefused++
        else {
          tally.read++
          expectSame(inOrder(ours), twin, copy)
        }
      }
    })
    console.log(`damaged files: ${JSON.stringify(tally)}`)
    expect(tally.read).toBeGreaterThan(0)
    expect(tally.refused).toBeGreaterThan(0)
  })
})

/** Compares row by row, so that a failure shows the first that differs. */
function expectSame(ours: readonly unknown[], twin: readonly unknown[], copy: number): void {
  for (let row = 0; row < twin.length; row++) expect(ours[row], `copy ${copy}, row ${row}`).toEqual(twin[row])
  expect(ours.length).toBe(twin.length)
}

function refusalOf({ bytes, schema: rowSchema }: Made): string {
  try {
    readFile(bytes, rowSchema)
    return "not when it is read at once"
  } catch (error) {
    return String(error)
  }
}
