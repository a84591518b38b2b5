import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { Prng } from "../../base/prng.ts"
import { nestedFile, typeOf, type Entries, type Tree } from "./nested-file.fixture.ts"
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

describe("PQ4 a part that is not of its type makes a bad record, and is told with its place", () => {
  const CASES = [
    {
      sql: "[1, 300]",
      type: t.list(t.int8),
      reason: "a list whose element [1] is 300, outside the range of int8 (-128 to 127)",
    },
    {
      sql: "[1, NULL]",
      type: t.list(t.int8),
      reason: "a list whose element [1] is null, and the column is not nullable",
    },
    {
      sql: "[[1], NULL]",
      type: t.list(t.list(t.int32)),
      reason: "a list whose element [1] is null, and the column is not nullable",
    },
    {
      sql: "{ a: NULL::INTEGER, b: [{ c: 'x' }] }",
      type: t.object({ a: t.int32.nullable(), b: t.list(t.object({ d: t.enum("y").from("c") })) }),
      reason:
        'an object whose field "b" is a list whose element [0] is an object whose field "c" is "x", which is not one of its symbols',
    },
    { sql: "NULL::INTEGER[]", type: t.list(t.int32), reason: "null, and the column is not nullable" },
    {
      sql: "['{}']",
      type: t.list(t.object({ a: t.int32 })),
      reason: 'a list whose element [0] is an object whose field "a" is missing',
    },
  ]
  for (const { sql, type, reason } of CASES) {
    it(`${sql} as ${type.label}`, async () => {
      const bytes = await duckDb.write(`SELECT ${sql} AS v, i::INTEGER AS id FROM range(3) t(i)`)
      const { rows, bad } = readFile(bytes, schema({ id: t.int32, v: type }))
      expect(rows).toEqual([])
      expect(bad.map(({ field, reason: told, raw }) => [field, told, raw])).toEqual(
        [0, 1, 2].map((id) => ["v", `the field "v" is ${reason}`, `{"id":${id}}`]),
      )
    })
  }
})

describe("PQ8 much in few rows, and little in many", () => {
  it("any row can be the first, in files of lists of all lengths, beside flat columns", async () => {
    const query = `SELECT i::INTEGER AS id, range(i % 7) AS few, [{ a: 'text ' || i, b: range(i % 3) }] AS objects,
      CASE WHEN i % 1000 = 0 THEN range(40000) END AS many FROM range(20000) t(i)`
    const bytes = await duckDb.write(query, "ROW_GROUP_SIZE 6144")
    const Row = schema({
      id: t.int32,
      few: t.list(t.int53),
      objects: t.list(t.object({ a: t.string, b: t.list(t.int53) })),
      many: t.list(t.int53).nullable(),
    })
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
    for (const from of [0, 6143, 12_345, 19_999]) {
      const { rows, ordinals } = readFile(bytes, Row, { from })
      expect(ordinals).toEqual(numbers(20_000 - from).map((index) => index + from))
      const wrong = rows.findIndex(({ id, few, objects, many }, index) => {
        const i = from + index
        const [object] = objects as [{ a: string; b: number[] }]
        const isMany = i % 1000 === 0 ? (many as number[]).length === 40_000 : many === null
        const isFew = (few as number[]).join() === numbers(i % 7).join() && object.b.length === i % 3
        return id !== i || object.a !== `text ${i}` || !isMany || !isFew
      })
      expect(wrong).toBe(-1)
    }
  })

  it("NL1 a row of more than a million values is refused", async () => {
    const bytes = await duckDb.write("SELECT range(1200000) AS v")
    expect(() => readFile(bytes, schema({ v: t.list(t.int53) }))).toThrow(
      expect.objectContaining({
        code: "source-unreadable",
        message: expect.stringMatching(
          /^The column "v" of the file f\.parquet cannot be read, near byte \d+: a row has more than 1048576 values in it\.$/,
        ),
      }),
    )
    expect(readFile(bytes, schema({ w: t.int32.nullable() })).rows).toEqual([{ w: null }])
  })

  it("NL1 a dictionary's text counts wherever it stands", async () => {
    const tree = {
      kind: "list",
      form: "three",
      isOptional: false,
      element: { kind: "text", isOptional: false },
    } as const
    const values = [Array.from({ length: 80 }, () => "x".repeat(1_000_000))]
    // A file whose texts stand once each, in a dictionary.
    let bytes = new Uint8Array(2_000_000)
    for (let seed = 1; bytes.length >= 2_000_000; seed++)
      bytes = new Uint8Array(nestedFile(new Prng(seed), tree, values))
    expect(() => readFile(bytes, schema({ v: t.list(t.string) }))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/the texts in a row have more than 67108864 bytes/) }),
    )
  })
})

describe("PQ5 levels that make up no rows are damage", () => {
  const int = { kind: "int", isOptional: true } as const
  const pair = {
    kind: "object",
    isOptional: true,
    fields: [
      ["a", int],
      ["b", int],
    ],
  } as const
  const list = (element: Tree): Tree => ({ kind: "list", form: "three", isOptional: true, element })
  const UNSOUND = "the levels of a row are not those of its schema"
  const CASES: readonly (readonly [string, Tree, unknown, (leaves: readonly Entries[]) => void, string])[] = [
    [
      "leaves that have different numbers of elements",
      list(pair),
      [{ a: 1, b: 2 }],
      ([, b]) => b!.push({ repetition: 1, definition: 4, value: 3 }),
      UNSOUND,
    ],
    [
      "leaves that disagree on what is null",
      list(pair),
      [{ a: 1, b: 2 }, null],
      ([, b]) => (b![1] = { repetition: 1, definition: 3, value: undefined }),
      UNSOUND,
    ],
    [
      "a list that is null and goes on",
      list(int),
      null,
      ([v]) => v!.push({ repetition: 1, definition: 3, value: 1 }),
      UNSOUND,
    ],
    [
      "an element that is null by the list around it",
      list(int),
      [1],
      ([v]) => v!.push({ repetition: 1, definition: 1, value: undefined }),
      UNSOUND,
    ],
    [
      "an element of a deeper list than there is",
      list(list(int)),
      [null],
      ([v]) => v!.push({ repetition: 2, definition: 5, value: 1 }),
      UNSOUND,
    ],
    [
      "a level beyond those of the schema",
      list(list(int)),
      [[1]],
      ([v]) => v!.push({ repetition: 3, definition: 5, value: 1 }),
      "a level is beyond those of its schema",
    ],
    [
      "a first value that begins no row",
      list(int),
      [1],
      ([v]) => (v![0] = { repetition: 1, definition: 3, value: 1 }),
      "does not begin with a row|another number of rows",
    ],
    [
      "more rows than there are",
      list(int),
      [1],
      ([v]) => v!.push({ repetition: 0, definition: 3, value: 1 }),
      "a column has more rows than its row group",
    ],
    [
      "fewer rows than there are",
      list(int),
      [1],
      ([v]) => (v!.length = 0),
      "a column has another number of rows than its row group",
    ],
  ]
  it.each(CASES)("%s", (_, tree, value, tamper, reason) => {
    for (let seed = 1; seed <= 20; seed++) {
      const bytes = nestedFile(new Prng(seed), tree, [value], tamper)
      expect(() => readFile(bytes, schema({ v: typeOf(tree) }))).toThrow(
        expect.objectContaining({ code: "source-unreadable", message: expect.stringMatching(reason) }),
      )
    }
  })
})
