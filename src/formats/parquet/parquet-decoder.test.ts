import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { DuckDb, readFile, usedBytes } from "../../connectors/files/parquet-file.fixture.ts"

let duckDb: DuckDb
beforeAll(async () => {
  duckDb = await DuckDb.open()
})
afterAll(() => {
  duckDb.close()
  expect(usedBytes()).toBe(0)
})

/** Rows of every type, with nulls in columns `n…` and none in the others. */
const MANY_ROWS = 30_000
const QUERY = `
  SELECT i::INTEGER AS i32, (i * 1234567891 - 9000000000)::BIGINT AS i64, (i * 0.37 - 500)::DOUBLE AS f64,
    i % 3 = 0 AS b, 'sensor-' || (i * 7919 % 500) AS word, 'unlike ' || (i * 31) AS text,
    make_timestamptz(1704067200000000 + i * 1001) AS at,
    CASE WHEN i % 7 > 0 THEN i::INTEGER - 5000 END AS ni32, CASE WHEN i % 11 > 3 THEN i * 1000003 END AS ni64,
    CASE WHEN i % 5 > 0 THEN i / 7 END AS nf64, CASE WHEN i % 4 > 0 THEN i % 3 = 1 END AS nb,
    CASE WHEN i % 2 > 0 THEN 'w' || (i % 40) END AS nword, CASE WHEN i < 20000 THEN NULL ELSE 'late ' || i END AS ntext
  FROM range(${MANY_ROWS}) t(i)`

const SCHEMA = schema({
  ni32: t.int32.nullable(),
  ni64: t.int64.nullable(),
  nf64: t.float64.nullable(),
  nb: t.bool.nullable(),
  nword: t.string.nullable(),
  ntext: t.string.nullable(),
  i32: t.int32,
  i64: t.int64,
  f64: t.float64,
  b: t.bool,
  word: t.string,
  text: t.string,
  at: t.timestamp(),
})

/** The row that the query gives for `i`. */
function expectedRow(i: number): Record<string, unknown> {
  return {
    ni32: i % 7 > 0 ? i - 5000 : null,
    ni64: i % 11 > 3 ? BigInt(i) * 1000003n : null,
    nf64: i % 5 > 0 ? i / 7 : null,
    nb: i % 4 > 0 ? i % 3 === 1 : null,
    nword: i % 2 > 0 ? `w${i % 40}` : null,
    ntext: i < 20000 ? null : `late ${i}`,
    i32: i,
    i64: BigInt(i) * 1234567891n - 9000000000n,
    f64: expect.closeTo(i * 0.37 - 500, 9) as number,
    b: i % 3 === 0,
    word: `sensor-${(i * 7919) % 500}`,
    text: `unlike ${i * 31}`,
    at: 1704067200000000 + i * 1001,
  }
}

describe("PQ6 codecs and versions", () => {
  const variants = [
    "COMPRESSION uncompressed",
    "COMPRESSION snappy",
    "COMPRESSION zstd",
    "COMPRESSION gzip",
    "COMPRESSION snappy, ROW_GROUP_SIZE 2048",
    "COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1",
    "COMPRESSION uncompressed, PARQUET_VERSION v2",
    "COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 5000",
    "COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1",
  ]
  for (const options of variants) {
    it(`DuckDB, ${options}`, async () => {
      const { rows, bad, ordinals } = readFile(await duckDb.write(QUERY, options), SCHEMA)
      expect(bad).toEqual([])
      expect(ordinals).toEqual(Array.from({ length: MANY_ROWS }, (_, i) => i))
      // Comparing all rows by `expect` would take longer than reading them a hundred times.
      for (let i = 0; i < MANY_ROWS; i += 997) expect(rows[i]).toEqual(expectedRow(i))
      const differs = rows.findIndex((row, i) => {
        const { f64: _, ...expected } = expectedRow(i)
        return Object.entries(expected).some(([name, value]) => row[name] !== value)
      })
      expect(differs).toBe(-1)
    })
  }
})

it("PQ1 CT1 any row can be the first that is read, with any number of rows at a time", async () => {
  const bytes = await duckDb.write(QUERY, "COMPRESSION snappy, ROW_GROUP_SIZE 6144, PARQUET_VERSION v2")
  const all = readFile(bytes, SCHEMA).rows
  const prng = new Prng(3)
  for (let round = 0; round < 20; round++) {
    const from = prng.below(MANY_ROWS)
    const most = prng.pick([7, 300, 5000])
    const { rows, ordinals } = readFile(bytes, SCHEMA, { from, limit: () => 1 + prng.below(most) })
    expect(ordinals[0]).toBe(from)
    expect(rows).toEqual(all.slice(from))
  }
})

it("PQ2 fetches the columns only that the schema has", async () => {
  const bytes = await duckDb.write(QUERY, "COMPRESSION uncompressed")
  const { rows, fetchedBytes } = readFile(bytes, schema({ i32: t.int32 }))
  expect(rows[12_345]).toEqual({ i32: 12_345 })
  expect(fetchedBytes).toBeLessThan(MANY_ROWS * 4 + 1000)
})

describe("PQ3", () => {
  const CASES = [
    { sql: "1::TINYINT", type: t.int32, value: 1 },
    { sql: "65535::USMALLINT", type: t.int32, value: 65_535 },
    { sql: "4294967295::UINTEGER", type: t.int53, value: 4_294_967_295 },
    { sql: "4294967295::UINTEGER", type: t.float64, value: 4_294_967_295 },
    { sql: "4294967295::UINTEGER", type: t.int64, value: 4_294_967_295n },
    { sql: "(-2147483648)::INTEGER", type: t.int64, value: -2_147_483_648n },
    { sql: "9223372036854775807::UBIGINT", type: t.int64, value: 9_223_372_036_854_775_807n },
    { sql: "-9007199254740991::BIGINT", type: t.int53, value: -9_007_199_254_740_991 },
    { sql: "-17::BIGINT", type: t.int32, value: -17 },
    { sql: "(-128)::TINYINT", type: t.int8, value: -128 },
    { sql: "-5::BIGINT", type: t.int16, value: -5 },
    { sql: "255::UTINYINT", type: t.uint8, value: 255 },
    { sql: "4294967295::UINTEGER", type: t.uint32, value: 4_294_967_295 },
    { sql: "18446744073709551615::UBIGINT", type: t.uint64, value: 18_446_744_073_709_551_615n },
    { sql: "4294967295::UINTEGER", type: t.uint64, value: 4_294_967_295n },
    { sql: "5::INTEGER", type: t.uint64, value: 5n },
    { sql: "0.1::FLOAT", type: t.float32, value: Math.fround(0.1) },
    { sql: "'-inf'::FLOAT", type: t.float32, value: -Infinity },
    { sql: "65535::USMALLINT", type: t.float32, value: 65_535 },
    { sql: "1.5::FLOAT", type: t.float64, value: 1.5 },
    { sql: "'nan'::DOUBLE", type: t.float64, value: NaN },
    { sql: "12.34::DECIMAL(4, 2)", type: t.float64, value: 12.34 },
    { sql: "-1234567890.123::DECIMAL(18, 3)", type: t.float64, value: -1_234_567_890.123 },
    { sql: "98765432109876543.21::DECIMAL(19, 2)", type: t.float64, value: 98_765_432_109_876_543.21 },
    { sql: "-0.000001::DECIMAL(38, 6)", type: t.float64, value: -0.000001 },
    { sql: "77::DECIMAL(9, 0)", type: t.int32, value: 77 },
    { sql: "'Zoë 🦉'", type: t.string, value: "Zoë 🦉" },
    { sql: "'b'", type: t.enum("a", "b"), value: "b" },
    { sql: "'[1, 2]'", type: t.list(t.int64), value: [1n, 2n] },
    { sql: "'{\"a\": [1, null]}'::JSON", type: t.json, value: { a: [1, null] } },
    {
      sql: "'{\"a\": 12345678901234567890}'",
      type: t.object({ a: t.uint64 }),
      value: { a: 12_345_678_901_234_567_890n },
    },
    { sql: "'\\x00\\xFF'::BLOB", type: t.binary, value: Uint8Array.of(0, 255) },
    { sql: "''::BLOB", type: t.binary, value: Uint8Array.of() },
    { sql: "TIMESTAMPTZ '2024-03-10 07:30:00.123456+00'", type: t.timestamp(), value: 1_710_055_800_123_456 },
    {
      sql: "TIMESTAMP '2024-03-10 03:30:00'",
      type: t.timestamp({ zone: "America/New_York" }),
      value: 1_710_055_800_000_000,
    },
    { sql: "TIMESTAMP_MS '2024-03-10 07:30:00.123'", type: t.timestamp({ zone: "UTC" }), value: 1_710_055_800_123_000 },
    {
      sql: "TIMESTAMP_NS '1969-12-31 23:59:59.999999999'",
      type: t.timestamp({ zone: "UTC" }),
      value: -1,
    },
    { sql: "DATE '1970-01-02'", type: t.timestamp({ zone: "UTC" }), value: 86_400_000_000 },
    { sql: "DATE '1970-01-02'", type: t.timestamp({ zone: "+01:00" }), value: 82_800_000_000 },
    { sql: "DATE '2024-02-29'", type: t.date, value: 19_782 },
    { sql: "-90::INTEGER", type: t.duration({ format: "s" }), value: -90_000_000 },
    { sql: "1500::BIGINT", type: t.duration({ format: "ns" }), value: 1 },
    { sql: "1710055800::INTEGER", type: t.timestamp({ format: "s" }), value: 1_710_055_800_000_000 },
    { sql: "1710055800123456789::BIGINT", type: t.timestamp({ format: "ns" }), value: 1_710_055_800_123_456 },
  ]
  for (const { sql, type, value } of CASES) {
    it(`${sql} is ${typeof value === "object" ? "a value" : String(value)} as ${type.label}`, async () => {
      // Once as a dictionary, and once beside a null.
      for (const query of [`SELECT ${sql} AS v FROM range(5000)`, `SELECT unnest([${sql}, NULL, ${sql}]) AS v`]) {
        const { rows, bad } = readFile(await duckDb.write(query), schema({ v: type.nullable() }))
        expect(bad).toEqual([])
        expect(rows[0]).toEqual({ v: value })
        expect(rows.at(-1)).toEqual({ v: value })
        if (rows.length === 3) expect(rows[1]).toEqual({ v: null })
      }
    })
  }

  const REFUSED = [
    { sql: "1::BIGINT", type: t.float64, hint: "t.int64 or t.int53" },
    { sql: "1.5::DOUBLE", type: t.int32, hint: "t.float64" },
    { sql: "0.1::DOUBLE", type: t.float32, hint: "t.float64" },
    { sql: "16777217::INTEGER", type: t.float32, hint: "t.int32" },
    { sql: "'x'", type: t.bool, hint: "t.string" },
    { sql: "TIMESTAMP '2024-03-10 03:30:00'", type: t.timestamp(), hint: "Its times are local ones" },
    { sql: "DATE '2024-03-10'", type: t.timestamp(), hint: "Its times are local ones" },
    { sql: "TIME '03:30:00'", type: t.timestamp({ zone: "UTC" }), hint: "No column type has such values" },
    { sql: "1::INTEGER", type: t.date, hint: "t.int32" },
    { sql: "1::INTEGER", type: t.duration(), hint: "Say what its numbers count, as in t.duration" },
    { sql: "TIMESTAMP '2024-03-10 03:30:00'", type: t.date, hint: "t.timestamp" },
    { sql: "'ab'::BLOB", type: t.int32, hint: "t.string" },
    { sql: "'YQ=='", type: t.binary, hint: "t.string or t.enum(...), or as t.json" },
    { sql: "'ab'::BLOB", type: t.bool, hint: "t.binary, or as t.string where it is text" },
    { sql: "uuid()", type: t.string, hint: "No column type has such values" },
    { sql: "[1, 2]", type: t.int32, hint: "Declare the column as t.list(t.int32.nullable()).nullable()." },
    { sql: "[1.5::DOUBLE]", type: t.list(t.int32), hint: "Declare the column as t.float64" },
    { sql: "[[1]]", type: t.list(t.int32), hint: "Declare the column as t.list(t.int32.nullable()).nullable()." },
    { sql: "[uuid()]", type: t.object({}), hint: "Declare lists as t.list(...) and objects as t.object({ ... })" },
    { sql: '{ "a b": 1 }', type: t.json, hint: 'as t.object({ "a b": t.int32.nullable() }).nullable().' },
    { sql: "{ a: 1 }", type: t.object({ b: t.int32 }), hint: 'Its objects have no field "b".' },
    { sql: "{ a: 1 }", type: t.list(t.int32), hint: "Declare the column as t.object({ a: t.int32.nullable() })" },
  ]
  for (const { sql, type, hint } of REFUSED) {
    it(`${sql} is refused as ${type.label}`, async () => {
      const bytes = await duckDb.write(`SELECT ${sql} AS v, 7::INTEGER AS other`)
      expect(() => readFile(bytes, schema({ v: type.nullable() }))).toThrow(
        expect.objectContaining({
          code: "source-unreadable",
          message: expect.stringMatching(/^The column "v" of the file f\.parquet holds .+, and the schema asks for /),
          hint: expect.stringContaining(hint),
        }),
      )
      expect(readFile(bytes, schema({ other: t.int32 })).rows).toEqual([{ other: 7 }])
    })
  }
})

describe("PQ4 a value that the type does not have makes a bad record", () => {
  const CASES = [
    {
      values: "1::BIGINT, 3000000000",
      type: t.int32,
      reason: "3000000000, outside the range of int32 (-2147483648 to 2147483647)",
    },
    {
      values: "1::UINTEGER, 4294967295",
      type: t.int32,
      reason: "4294967295, outside the range of int32 (-2147483648 to 2147483647)",
    },
    {
      values: "1::UBIGINT, 18446744073709551615",
      type: t.int64,
      reason: "18446744073709551615, outside the range of int64 (-9223372036854775808 to 9223372036854775807)",
    },
    {
      values: "1::UBIGINT, 18446744073709551615",
      type: t.int32,
      reason: "18446744073709551615, outside the range of int32 (-2147483648 to 2147483647)",
    },
    {
      values: "1::BIGINT, 9007199254740992",
      type: t.int53,
      reason: "9007199254740992, outside the range of int53 (-9007199254740991 to 9007199254740991)",
    },
    { values: "'[1]', '[\"a\"]'", type: t.list(t.int32), reason: "a list whose element [0] is not a number" },
    { values: "'{\"a\": 1}', '{'", type: t.object({ a: t.int32 }), reason: "not an object" },
    { values: "'1', 'x'", type: t.json, reason: "not JSON" },
    { values: "1::INTEGER, 128", type: t.int8, reason: "128, outside the range of int8 (-128 to 127)" },
    { values: "1::INTEGER, -1", type: t.uint16, reason: "-1, outside the range of uint16 (0 to 65535)" },
    {
      values: "1::BIGINT, 4294967296",
      type: t.uint32,
      reason: "4294967296, outside the range of uint32 (0 to 4294967295)",
    },
    { values: "1::BIGINT, -1", type: t.uint64, reason: "-1, outside the range of uint64 (0 to 18446744073709551615)" },
    {
      values: "DATE '2024-02-29', DATE '12024-02-29'",
      type: t.date,
      reason: "the day 3672207 since 1970-01-01, not a date: whole days within the years 0000 to 9999",
    },
    {
      values: "1::BIGINT, 9007199254741",
      type: t.duration({ format: "ms" }),
      reason: "a time outside the range of duration (-9007199254740991 to 9007199254740991 microseconds)",
    },
    { values: "1::INTEGER, NULL", type: t.int32, reason: "null, and the column is not nullable" },
    { values: "'a', 'c'", type: t.enum("a", "b"), reason: '"c", which is not one of its symbols' },
    {
      values: "TIMESTAMPTZ '2024-03-10 00:00:00+00', TIMESTAMPTZ '9999-01-01 00:00:00+00'",
      type: t.timestamp(),
      reason: "253370764800000000, outside the range of timestamp",
    },
  ]
  for (const { values, type, reason } of CASES) {
    it(`${values} as ${type.label}`, async () => {
      const [first, second] = values.split(", ")
      const cast = /::\w+/.exec(first!)?.[0] ?? ""
      const list = `[${first!}, ${second!}${cast}]`
      const bytes = await duckDb.write(`SELECT unnest(flatten([${list}, ${list}])) AS v, 5::INTEGER AS id`)
      const { rows, bad, ordinals } = readFile(bytes, schema({ id: t.int32, v: type }))
      expect(ordinals).toEqual([0, 2])
      expect(rows).toHaveLength(2)
      expect(bad).toEqual(
        [1, 3].map((ordinal) => ({
          position: { offset: 16 * ordinal, ordinal },
          field: "v",
          reason: `the field "v" is ${reason}`,
          raw: '{"id":5}',
        })),
      )
    })
  }
})

describe("PQ5 damage stops the job, with the file, the column and the place", () => {
  const BYTES = "SELECT i::BIGINT AS n, 'text ' || i AS word FROM range(9000) t(i)"
  const rowSchema = schema({ n: t.int64, word: t.string })

  it("bytes of a page that are none", async () => {
    const bytes = await duckDb.write(BYTES, "COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1")
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 100)
    expect(() => readFile(bytes, rowSchema)).toThrow(
      expect.objectContaining({
        code: "source-unreadable",
        message: expect.stringMatching(
          /^The column "word" of the file f\.parquet cannot be read, near byte \d+: a value is cut short\.$/,
        ),
        hint: "The file is damaged: write or copy it again, or take it out of the pattern.",
      }),
    )
  })

  it("a packed page that is not what its codec makes", async () => {
    for (const codec of ["snappy", "zstd", "gzip"]) {
      const bytes = await duckDb.write(BYTES, `COMPRESSION ${codec}`)
      bytes.fill(0xff, 60, 1000)
      expect(() => readFile(bytes, rowSchema), codec).toThrow(
        expect.objectContaining({
          code: "source-unreadable",
          message: expect.stringMatching(/^The column "n" of the file f\.parquet cannot be read, near byte 4: a/),
        }),
      )
    }
  })

  it("a footer that is none", async () => {
    const bytes = await duckDb.write(BYTES)
    bytes.fill(0xff, bytes.length - 60, bytes.length - 30)
    expect(() => readFile(bytes, rowSchema)).toThrow(
      expect.objectContaining({
        code: "source-unreadable",
        message: expect.stringMatching(/^The footer of the file f\.parquet is damaged: /),
      }),
    )
  })
})
