/** What becomes of rows in tables of PostgreSQL: types, modes, tables that are there already, and rows that are refused. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import type { ColumnType } from "../src/batch/type.ts"
import { missingServer, startServer, type TestServer } from "../src/connectors/postgres/postgres-server.fixture.ts"
import { run } from "../src/embedded/run.ts"
import { job, memory, schema, t } from "../src/index.ts"
import { postgres, type PostgresOptions } from "../src/postgres.ts"
import type { JobHandle } from "../src/runtime/run-job.ts"
import type { JobEvent } from "../src/trace/events.ts"
import { CommitCutter } from "./commit-cutter.fixture.ts"

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let server: TestServer
let directory = ""
let cases = 0
let place = ""
const handles: JobHandle[] = []

/** Those of a test, which need not have a meaning. */
type Options = Partial<Record<keyof PostgresOptions, unknown>>

/** Copies rows into a table to their end. `fields` are the schema of the rows. */
async function copy(
  fields: Readonly<Record<string, ColumnType>>,
  rows: readonly object[],
  options: Options & { readonly table: string },
): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  const copied = job({
    name: "copy",
    inputs: { rows: schema(fields) },
    flow: ({ rows: stream }) => ({ copied: stream }),
  })
  const bound = copied.with({
    inputs: { rows: memory([...rows]) },
    outputs: {
      copied: postgres({ connection: server.address, ...options, table: `${place}.${options.table}` } as never),
    },
  })
  const state = join(directory, options.table)
  const handle = await run(bound as never, { directory: state, onEvent: (event) => void events.push(event) })
  handles.push(handle)
  await handle.finished
  return events
}

const read = (columns: string, table: string, order = "1") =>
  server.query(`SELECT ${columns} FROM ${place}.${table} ORDER BY ${order}`)

interface Sample {
  readonly type: ColumnType
  readonly values: readonly unknown[]
  /** How a column is read back ... */
  readonly sql?: (column: string) => string
  /** ... and what that gives of a value. */
  readonly expected?: (value: unknown) => unknown
  /** Types of tables that are there. */
  readonly also?: readonly string[]
}

const asText = (column: string): string => `${column}::text`
const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::numeric(30,0)::text`
const days = (column: string): string => `(${column}::date - date '1970-01-01')::text`
const whole = (values: readonly (number | bigint)[], type: ColumnType, also: readonly string[]): Sample => ({
  type,
  values,
  sql: asText,
  also,
})
const json = (type: ColumnType, values: readonly unknown[]): Sample => ({
  type,
  values,
  sql: (column) => `${column}::jsonb`,
  expected: (value) => value,
  also: ["json", "text"],
})
const TEXTS = [
  "",
  "a",
  "tab\tand\nline\r\n",
  "\\N",
  "\\.",
  "back\\slash\\t",
  "'quoted' \"twice\"",
  "naïve 水 🦉",
  "x".repeat(3000),
]

const SAMPLES: Readonly<Record<string, Sample>> = {
  bool: { type: t.bool, values: [true, false], sql: (column) => `${column}::boolean::text`, also: ["text"] },
  int8: whole([-128, 0, 127], t.int8, ["integer", "numeric", "text"]),
  int16: whole([-32_768, 0, 32_767], t.int16, ["bigint", "numeric"]),
  uint8: whole([0, 255], t.uint8, ["integer", "varchar(3)"]),
  int32: whole([-(2 ** 31), 0, 2 ** 31 - 1], t.int32, ["bigint", "double precision"]),
  uint16: whole([0, 65_535], t.uint16, ["bigint", "numeric(5,0)"]),
  uint32: whole([0, 2 ** 32 - 1], t.uint32, ["numeric", "text"]),
  int53: whole([-(2 ** 53) + 1, 0, 2 ** 53 - 1], t.int53, ["numeric", "text"]),
  int64: whole([-(2n ** 63n), 0n, 2n ** 63n - 1n], t.int64, ["numeric", "text"]),
  uint64: whole([0n, 2n ** 63n, 2n ** 64n - 1n], t.uint64, ["numeric", "text"]),
  float32: {
    type: t.float32,
    values: [0, -0, 0.1, 1e-40, 3.4e38, NaN, Infinity, -Infinity],
    // In a wider column it is the shortest number that is the same single.
    sql: (column) => `${column}::real::float8`,
    expected: (value) => Math.fround(value as number),
    also: ["double precision"],
  },
  float64: {
    type: t.float64,
    values: [0, -0, 0.1, 5e-324, Number.MAX_VALUE, 1 / 3, NaN, Infinity, -Infinity],
    sql: (column) => `${column}::float8`,
    expected: (value) => value,
    also: ["text"],
  },
  string: { type: t.string, values: TEXTS, sql: asText, also: ["varchar(3000)"] },
  enum: { type: t.enum("sad", "happy\\"), values: ["sad", "happy\\"], sql: asText, also: ["mood", "varchar(9)"] },
  uuid: { type: t.string, values: ["00000000-0000-0000-0000-0000000000ff"], sql: asText, also: ["uuid"] },
  address: { type: t.string, values: ["10.0.0.1", "::1"], sql: (column) => `host(${column}::inet)`, also: ["inet"] },
  timestamp: {
    type: t.timestamp(),
    values: [0, -1, 1, 1_700_000_000_123_456, -9_000_000_000_000_000, 9_000_000_000_000_000],
    sql: (column) => micros(`${column}::timestamp`),
    also: ["timestamp", "timestamp(6) with time zone", "text"],
  },
  date: { type: t.date, values: [0, -719_162, -719_163, -719_528, 2_932_896], sql: days, also: ["text"] },
  duration: {
    type: t.duration(),
    values: [0, 1, -1, 86_400_000_000, -90_061_000_001, 2 ** 53 - 1],
    sql: (column) => micros(`${column}::interval`),
    also: ["text"],
  },
  binary: {
    type: t.binary,
    values: [new Uint8Array(0), Uint8Array.of(0, 9, 10, 92, 255)],
    sql: (column) => `encode(${column}, 'hex')`,
    expected: (value) => Buffer.from(value as Uint8Array).toString("hex"),
  },
  json: json(t.json, [{ a: [1, "two\\\n", null] }, "text", 1.5, false, []]),
  list: json(t.list(t.string), [[], TEXTS]),
  object: json(t.object({ n: t.int32, text: t.string.nullable() }), [
    { n: 1, text: "\t" },
    { n: -1, text: null },
  ]),
}

describe.skipIf(missingServer !== undefined)(`tables of PostgreSQL ${missingServer ?? ""}`, () => {
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "tidemark-postgres-tables-"))
    place = `case_${++cases}`
    await server.query(`CREATE SCHEMA ${place}`)
  })
  afterEach(async () => {
    for (const handle of handles.splice(0)) await handle.stop().catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
  })

  describe("types", () => {
    const names = Object.keys(SAMPLES)
    const fields = Object.fromEntries(
      names.flatMap((name) => [
        [name, SAMPLES[name]!.type],
        [`${name}OrNull`, SAMPLES[name]!.type.nullable()],
      ]),
    )
    const length = Math.max(...names.map((name) => SAMPLES[name]!.values.length))
    const rows = Array.from({ length }, (_, index) =>
      Object.fromEntries(
        names.flatMap((name) => {
          const { values } = SAMPLES[name]!
          return [
            [name, values[index % values.length]],
            [`${name}OrNull`, index % 2 === 0 ? null : values[index % values.length]],
          ]
        }),
      ),
    )
    const expected = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          const { expected: of = String } = SAMPLES[name.replace("OrNull", "")]!
          return [name, value === null ? null : of(value)]
        }),
      ),
    )
    const all = (): Promise<Record<string, unknown>[]> => {
      const columns = Object.keys(fields).map((name) => {
        const sql = SAMPLES[name.replace("OrNull", "")]!.sql!(`"${name}"`)
        return `${sql} AS "${name}"`
      })
      return read(columns.join(", "), "values", "ctid")
    }

    test("PG8 a table is made with the types of the rows, and each value comes back as it was", async () => {
      await copy(fields, rows, { table: "values" })
      expect(await all()).toEqual(expected)
      const types =
        await server.query(`SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS "isRequired"
        FROM pg_attribute WHERE attrelid = '${place}.values'::regclass AND attnum > 0`)
      const made = Object.fromEntries(types.map(({ name, type }) => [name, type]))
      expect(made).toMatchObject({
        bool: "boolean",
        int8: "smallint",
        uint8: "smallint",
        int32: "integer",
        uint16: "integer",
        uint32: "bigint",
        int53: "bigint",
        int64: "bigint",
        uint64: "numeric(20,0)",
        float32: "real",
        float64: "double precision",
        string: "text",
        enum: "text",
        timestamp: "timestamp with time zone",
        date: "date",
        duration: "interval",
        binary: "bytea",
        json: "jsonb",
        list: "jsonb",
        object: "jsonb",
      })
      for (const { name, isRequired } of types) expect(isRequired).toBe(!String(name).endsWith("OrNull"))
    })

    test("PG8 values come back as they were from a table with other types that may take them", async () => {
      await server.query(`CREATE TYPE ${place}.mood AS ENUM ('sad', E'happy\\\\')`)
      const others = Math.max(...names.map((name) => SAMPLES[name]!.also?.length ?? 0))
      for (let other = 0; other < others; other++) {
        const columns = names.flatMap((name) => {
          const { also = ["bytea"] } = SAMPLES[name]!
          const type = also[other % also.length]!.replace("mood", `${place}.mood`)
          return [`"${name}" ${type} NOT NULL`, `"${name}OrNull" ${type}`]
        })
        await server.query(`CREATE TABLE ${place}.values (number serial, ${columns.join(", ")})`)
        await copy(fields, rows, { table: "values", create: false })
        expect(await all()).toEqual(expected)
        await server.query(`DROP TABLE ${place}.values, ${place}.tidemark_outputs`)
        rmSync(join(directory, "values"), { recursive: true })
      }
    })
  })

  test("PG7 upserts leave the last row of each key, also in tables with other columns", async () => {
    await server.query(`CREATE TABLE ${place}.latest (note text DEFAULT 'new', k text, v int, UNIQUE (k))`)
    const fields = { k: t.string, v: t.int32 }
    const rows = Array.from({ length: 500 }, (_, n) => ({ k: `k${n % 7}`, v: n }))
    await copy(fields, rows, { table: "latest", mode: "upsert", key: ["k"] })
    const last = new Map(rows.map(({ k, v }) => [k, v]))
    expect(await read("k, v, note", "latest")).toEqual([...last].sort().map(([k, v]) => ({ k, v, note: "new" })))
    // Keys alone are columns, too.
    await copy(
      { k: t.string },
      rows.map(({ k }) => ({ k })),
      { table: "keys", mode: "upsert", key: ["k"] },
    )
    expect(await read("k", "keys")).toHaveLength(7)
  })

  describe("tables that do not fit", () => {
    const fields = { n: t.int53, ratio: t.float64, name: t.string }
    const fails = (options: Options = {}) =>
      copy(fields, [{ n: 1, ratio: 0.5, name: "one" }], { ...options, table: "results" })

    test.each([
      ["a column that is missing", "n bigint, ratio float8", 'it has no column "name" (text)'],
      [
        "a type that would round",
        "n bigint, ratio real, name text",
        'its column "ratio" is real, and the rows have double precision',
      ],
      ["a scale that would round", "n bigint, ratio numeric(9,2), name text", 'its column "ratio" is numeric'],
      [
        "a column that others must fill",
        "n bigint, ratio float8, name text, more int NOT NULL",
        'its column "more" must not be null',
      ],
      [
        "a column that is generated",
        "n bigint GENERATED ALWAYS AS IDENTITY, ratio float8, name text",
        'its column "n" is generated',
      ],
      ["texts in numbers", "n bigint, ratio float8, name int", 'its column "name" is integer, and the rows have text'],
    ])("PG8 %s is refused", async (_, columns, difference) => {
      await server.query(`CREATE TABLE ${place}.results (${columns})`)
      await expect(fails()).rejects.toMatchObject({
        code: "sink-mismatch",
        message: expect.stringContaining(difference) as string,
        hint: expect.stringContaining("CREATE TABLE") as string,
      })
      expect(await server.query(`SELECT FROM ${place}.results`)).toEqual([])
    })

    test("PG8 a table that is not there is not made where `create` is false", async () => {
      await expect(fails({ create: false })).rejects.toMatchObject({ code: "sink-mismatch" })
      await expect(fails({ mode: "upsert", key: ["else"] })).rejects.toMatchObject({
        code: "sink-mismatch",
        message: 'The output copied has the key "else", which is no column of its rows.',
      })
      await server.query(`CREATE TABLE ${place}.results (n bigint, ratio float8, name text UNIQUE)`)
      await expect(fails({ mode: "upsert", key: ["n"] })).rejects.toMatchObject({
        message: expect.stringContaining('it has no unique index on just "n"') as string,
      })
      await server.query(`DROP TABLE ${place}.results; CREATE VIEW ${place}.results AS SELECT 1 AS n`)
      await expect(fails()).rejects.toMatchObject({ message: expect.stringContaining("it is no table") as string })
    })

    test("a login, a database and an address that are refused are told at once, without the password", async () => {
      const url = new URL(server.address)
      const at = (path: string) => `postgres://postgres:secret@127.0.0.1:${url.port}/${path}`
      const refused = await fails({ connection: at("nowhere") }).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: "sink-unreachable", message: expect.stringContaining("3D000") as string })
      const malformed = await fails({ connection: "postgres://postgres:secret@127.0.0.1:port/x" }).catch(
        (e: unknown) => e,
      )
      expect(malformed).toMatchObject({ code: "invalid-options" })
      for (const error of [refused, malformed])
        expect(JSON.stringify([(error as Error).message, error])).not.toContain("secret")
      await expect(fails({ connection: { env: "TIDEMARK_NO_SUCH" } })).rejects.toMatchObject({ code: "invalid-params" })
    })
  })

  describe("rows that are refused", () => {
    const fields = { n: t.int32, name: t.string }
    const rows = Array.from({ length: 1000 }, (_, n) => ({ n, name: n % 250 === 17 ? "too long" : `n${n}` }))
    const good = rows.filter(({ name }) => name !== "too long" && name !== "n500")
    const make = () =>
      server.query(
        `CREATE TABLE ${place}.results (n int PRIMARY KEY, name varchar(5), CONSTRAINT few CHECK (n <> 500))`,
      )

    test("PG6 stop the job with row, column and constraint, and are written when the table is mended", async () => {
      await make()
      await expect(copy(fields, rows, { table: "results" })).rejects.toMatchObject({
        code: "sink-refused",
        message: expect.stringMatching(
          /^The table case_\d+\.results refuses a row of the output copied: value too long .*The row is \{"n":17,"name":"too long"\}\.$/,
        ) as string,
      })
      expect(await read("n", "results")).toEqual([])
      await server.query(`ALTER TABLE ${place}.results ALTER name TYPE text`)
      await expect(copy(fields, rows, { table: "results" })).rejects.toMatchObject({
        message: expect.stringMatching(/23514, constraint "few"\)\. The row is \{"n":500/) as string,
      })
      await server.query(`ALTER TABLE ${place}.results DROP CONSTRAINT few`)
      await copy(fields, rows, { table: "results" })
      expect(await read("n, name", "results")).toEqual(rows)
    })

    test.each(["append", "upsert"] as const)(
      "PG1 PG6 go to a table beside in one transaction with the others: %s",
      async (mode) => {
        await make()
        const cutter = await CommitCutter.start(Number(new URL(server.address).port))
        // Of the epoch the first COMMIT is lost, and of the second the answer.
        cutter.fateOf = (commit) => (commit === 1 ? "cut-before" : commit === 2 ? "cut-after" : "pass")
        const connection = cutter.throughIt(server.address)
        const how = mode === "upsert" ? ({ mode, key: ["n"] } as const) : ({ mode } as const)
        const events = await copy(fields, rows, { table: "results", onViolation: "dead-letter", connection, ...how })
        await cutter.close()
        expect(cutter.commits).toBe(3)
        expect(await read("n, name", "results")).toEqual(good)
        const letters = await read("row, sqlstate, constraint_name", "results_dead_letters", "(row->>'n')::int")
        const refused = rows.filter((row) => !good.includes(row))
        expect(letters).toEqual(
          refused.map((row) => ({
            row,
            sqlstate: row.n === 500 ? "23514" : "22001",
            constraint_name: row.n === 500 ? "few" : null,
          })),
        )
        expect(await read("row_count::int, dead_letter_count::int", "tidemark_outputs")).toEqual([
          { row_count: good.length, dead_letter_count: refused.length },
        ])
        // Whether the first or the second attempt has told depends on nothing but the lost answer.
        expect(events.filter(({ kind }) => kind === "rows-refused").length).toBeLessThanOrEqual(1)
      },
    )

    test("PG6 a text with NUL is one, and so is a number that the column has not", async () => {
      const wide = [
        { n: 1, name: "a\0b" },
        { n: 40_000, name: "b" },
        { n: 3, name: "c" },
      ]
      await server.query(`CREATE TABLE ${place}.results (n smallint, name text)`)
      const events = await copy(fields, wide, { table: "results", onViolation: "dead-letter" })
      expect(await read("n", "results")).toEqual([{ n: 3 }])
      expect(await read("row::text AS row, sqlstate", "results_dead_letters", "number")).toEqual([
        { row: String.raw`{"n":1,"name":"a\u0000b"}`, sqlstate: "22021" },
        { row: '{"n":40000,"name":"b"}', sqlstate: "22003" },
      ])
      expect(events).toContainEqual(expect.objectContaining({ kind: "rows-refused", output: "copied", rows: 2 }))
    })
  })
})
