import { afterAll, beforeAll, describe, expect, it } from "vitest"
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

describe("PQ8 lists and objects are read", () => {
  const CASES = [
    { sql: "[1, 2]", type: t.list(t.int32), value: [1, 2] },
    { sql: "[1, NULL]", type: t.list(t.int32.nullable()), value: [1, null] },
    { sql: "[]::INTEGER[]", type: t.list(t.int32), value: [] },
    { sql: "[[1, 2], [], [3]]", type: t.list(t.list(t.int64)), value: [[1n, 2n], [], [3n]] },
    {
      sql: "[[1, NULL], NULL, []]::BIGINT[][]",
      type: t.list(t.list(t.int64.nullable()).nullable()),
      value: [[1n, null], null, []],
    },
    { sql: "{ a: 1, b: 'x' }", type: t.object({ b: t.string, a: t.int32 }), value: { b: "x", a: 1 } },
    { sql: "{ a: 1 }", type: t.object({ a: t.int32, b: t.string.default("none") }), value: { a: 1, b: "none" } },
    { sql: "{ a: 1 }", type: t.object({ b: t.string.nullable() }), value: { b: null } },
    { sql: "[{ a: 1 }, { a: 2 }]", type: t.list(t.object({ n: t.int32.from("a") })), value: [{ n: 1 }, { n: 2 }] },
    {
      sql: "[{ a: [1] }, NULL, { a: NULL }]",
      type: t.list(t.object({ a: t.list(t.int32).nullable() }).nullable()),
      value: [{ a: [1] }, null, { a: null }],
    },
    {
      sql: "[{ a: [1, 2] }, { a: [] }]",
      type: t.list(t.object({ b: t.int32.nullable() })),
      value: [{ b: null }, { b: null }],
    },
    {
      sql: "{ point: { x: 1.5::DOUBLE }, tags: ['a', 'b'] }",
      type: t.object({ point: t.object({ x: t.float64 }), tags: t.list(t.enum("a", "b")) }),
      value: { point: { x: 1.5 }, tags: ["a", "b"] },
    },
    {
      sql: "MAP { 'a': 1, 'b': NULL }",
      type: t.list(t.object({ key: t.string, value: t.int32.nullable() })),
      value: [
        { key: "a", value: 1 },
        { key: "b", value: null },
      ],
    },
    { sql: "['[1, 2]', '[]']", type: t.list(t.list(t.int32)), value: [[1, 2], []] },
    { sql: "['{\"a\": 1}']", type: t.list(t.object({ a: t.int32 })), value: [{ a: 1 }] },
    { sql: "[TIMESTAMPTZ '1970-01-01 00:00:01+00']", type: t.list(t.timestamp()), value: [1_000_000] },
    { sql: "['\\x00\\xFF'::BLOB]", type: t.list(t.binary), value: [Uint8Array.of(0, 255)] },
    { sql: "[true, false]", type: t.list(t.bool), value: [true, false] },
  ]
  for (const { sql, type, value } of CASES) {
    it(`${sql} as ${type.label}`, async () => {
      for (const options of ["PARQUET_VERSION v1", "PARQUET_VERSION v2", "COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 1"]) {
        // Once as a dictionary, and once beside a null.
        for (const query of [`SELECT ${sql} AS v FROM range(3000)`, `SELECT unnest([${sql}, NULL, ${sql}]) AS v`]) {
          const { rows, bad } = readFile(await duckDb.write(query, options), schema({ v: type.nullable() }))
          expect(bad).toEqual([])
          expect(rows[0]).toEqual({ v: value })
          expect(rows.at(-1)).toEqual({ v: value })
          if (rows.length === 3) expect(rows[1]).toEqual({ v: null })
        }
      }
    })
  }
})
