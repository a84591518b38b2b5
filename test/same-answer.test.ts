/** The same data through CSV, JSON lines, Arrow and Parquet, written and read by jobs, gives the same answer; DuckDB agrees. */
import { DuckDBInstance } from "@duckdb/node-api"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Prng } from "../src/base/prng.ts"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { arrow, csv, jsonl, parquet } from "../src/connectors/files/file-connector.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { run } from "../src/embedded/run.ts"
import { count, last, max, sum } from "../src/stream/aggregates.ts"
import { countDistinct } from "../src/stream/distinct-aggregates.ts"
import { job } from "../src/stream/job.ts"
import { collect } from "../src/stream/list-aggregates.ts"
import { tumbling } from "../src/stream/windows.ts"
import { randomValue } from "./random-values.ts"

const Event = schema({
  id: t.int32,
  at: t.timestamp(),
  key: t.enum("a", "b", "c"),
  units: t.uint64,
  small: t.int8.nullable(),
  ratio: t.float64.nullable(),
  single: t.float32,
  day: t.date,
  took: t.duration().nullable(),
  isPaid: t.bool.nullable(),
  note: t.string.nullable(),
  place: t.object({ x: t.float64, tags: t.list(t.string) }).nullable(),
  items: t.list(t.object({ id: t.int64, of: t.list(t.int53.nullable()) })),
  payload: t.json.nullable(),
  raw: t.binary.nullable(),
})

const FORMATS = { csv, jsonl, arrow, parquet } as const
const ROWS = 3000

const rows = Array.from({ length: ROWS }, (_, id) => {
  const prng = new Prng(id)
  const row = Object.fromEntries(Event.fields.map(({ name, type }) => [name, randomValue(prng, type)]))
  // No output of windows has an infinite sum, and units add up below 2⁶³.
  return {
    ...row,
    id,
    at: 1_700_000_000_000_000 + id * 10_000,
    ratio: row["ratio"] === null ? null : prng.below(1000) / 8,
  }
})

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-"))
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

const copy = job({
  name: "copy",
  inputs: { events: Event },
  flow: ({ events }) => ({ out: events.filter(() => true) }),
})

const windows = job({
  name: "windows",
  inputs: { events: Event },
  flow: ({ events }) => ({
    out: events
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("key")
      .window(tumbling("5s"))
      .aggregate({
        n: count(),
        ratio: sum("ratio"),
        most: max("units"),
        took: last("took"),
        items: last("items"),
        payload: last("payload"),
        raws: countDistinct("raw"),
        places: collect("place", { limit: 3 }),
      }),
  }),
})

/** Runs a job of these to its end. */
async function finish(bound: Parameters<typeof run>[0], name: string): Promise<void> {
  const handle = await run(bound, { directory: join(directory, "state", name), baseDirectory: directory })
  await handle.finished
}

describe("what jobs write, jobs read", () => {
  const answers: string[] = []

  test.each(Object.entries(FORMATS))(
    "%s",
    async (name, connector) => {
      const bad = memory<{ reason: string }>()
      const output = connector(`out/${name}`, { rollBytes: 64 * 1024 } as never)
      await finish(copy.with({ inputs: { events: memory(rows as never) }, outputs: { out: output } }), `write-${name}`)
      const parts = readdirSync(join(directory, "out", name)).filter((file) => file.endsWith(`.${name}`))
      expect(parts.length).toBeGreaterThan(0)
      const input = connector(`out/${name}/*.${name}`)
      const [read, results] = [memory<Record<string, unknown>>(), memory<Record<string, unknown>>()]
      await finish(
        copy.with({ inputs: { events: input }, outputs: { out: read as never }, deadLetter: bad as never }),
        `read-${name}`,
      )
      expect(bad.rows).toEqual([])
      expect([...read.rows].sort((one, other) => (one["id"] as number) - (other["id"] as number))).toEqual(rows)
      await finish(windows.with({ inputs: { events: input }, outputs: { out: results as never } }), `windows-${name}`)
      answers.push(
        JSON.stringify(results.rows, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)),
      )
      expect(results.rows.length).toBeGreaterThan(10)
      expect(answers.at(-1) === answers[0]).toBe(true)
    },
    60_000,
  )

  test("DuckDB has the same rows of Parquet as of JSON lines", async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const ask = async (from: string) => {
      const columns =
        'count(*), sum(id), sum(ratio), count(note), count(DISTINCT key), max(epoch_us("at"::TIMESTAMPTZ))'
      return (await connection.runAndReadAll(`SELECT ${columns} FROM ${from}`)).getRowsJson()
    }
    const byParquet = await ask(`read_parquet('${directory}/out/parquet/*.parquet')`)
    expect(byParquet).toEqual(await ask(`read_json('${directory}/out/jsonl/*.jsonl')`))
    expect(byParquet[0]![0]).toBe(String(ROWS))
    connection.closeSync()
  })
})
