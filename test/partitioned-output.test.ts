/** Partitioned outputs of whole jobs: markers as the watermark goes on, and what others read. */
import { DuckDBInstance } from "@duckdb/node-api"
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { jsonl, parquet } from "../src/files.ts"
import { count, job, run, schema, t, tumbling } from "../src/index.ts"

const HOUR = 3_600_000
const START = Date.UTC(2026, 10, 27)

const hourly = job({
  name: "hourly",
  inputs: { visits: schema({ at: t.timestamp({ format: "ms" }), country: t.string }) },
  flow: ({ visits }) => ({
    counts: visits
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("country")
      .window(tumbling("1h"))
      .aggregate({ visits: count() }),
  }),
})

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-partitions-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis))

/** Writes a visit at each of these hours, counted from the start of the first day. */
function visit(country: string, ...at: readonly number[]): void {
  const lines = at.map((hour) => `${JSON.stringify({ at: START + hour * HOUR, country })}\n`)
  appendFileSync(join(directory, "in.jsonl"), lines.join(""))
}

const parts = (path: string) => readdirSync(join(directory, "out", path)).filter((name) => name.startsWith("part-"))
const lines = (path: string) =>
  parts(path).flatMap((name) =>
    readFileSync(join(directory, "out", path, name), "utf8")
      .trim()
      .split("\n"),
  )

const partitionBy = [{ column: "windowStart", by: "day", as: "dt" }, "country"] as const

test("K12 a day is marked when the watermark has passed it, over a restart, and not before", async () => {
  const start = () =>
    run(
      hourly.with({
        inputs: { visits: jsonl(join(directory, "in.jsonl"), { follow: { every: "10ms" } }) },
        outputs: { counts: jsonl(join(directory, "out"), { partitionBy, rollAfter: "100ms" }) },
      }),
      { directory: join(directory, "state") },
    )
  const seen = async (rowsIn: number, path: string, handle: Awaited<ReturnType<typeof start>>) => {
    const isThere = () => existsSync(join(directory, "out", path))
    for (let tries = 0; tries < 500 && (handle.status().rowsIn < rowsIn || !isThere()); tries++) await pause(20)
    return isThere()
  }
  const [first, second] = ["dt=2026-11-27/country=DE", "dt=2026-11-28/country=DE"]
  visit("DE", 1, 2, 22.5, 23.5)
  let handle = await start()
  expect(await seen(4, first, handle)).toBe(true)
  await pause(300)
  // The last hour of the day is open: a visit in it may come yet.
  expect(existsSync(join(directory, "out", first, "_SUCCESS"))).toBe(false)
  visit("DE", 23.7)
  await handle.stop()
  handle = await start()
  visit("DE", 24.5)
  expect(await seen(6, `${first}/_SUCCESS`, handle)).toBe(true)
  expect(lines(first)).toHaveLength(4)
  expect(lines(first).at(-1)).toContain('"visits":2')
  visit("DE", 26)
  expect(await seen(7, second, handle)).toBe(true)
  await pause(300)
  expect(existsSync(join(directory, "out", second, "_SUCCESS"))).toBe(false)
  await handle.stop()
})

test("DuckDB reads the directories as partitions, of Parquet as of JSON lines; the end of the input marks all", async () => {
  for (let hour = 0; hour < 72; hour++) for (const country of ["DE", "FR"]) visit(country, hour, hour + 0.5)
  const connection = await (await DuckDBInstance.create()).connect()
  const answers: unknown[] = []
  for (const format of [jsonl, parquet]) {
    const out = join(directory, "out", format.name)
    const bound = hourly.with({
      inputs: { visits: jsonl(join(directory, "in.jsonl")) },
      outputs: { counts: format(out, { partitionBy, rollBytes: 2_000 }) },
    })
    await (
      await run(bound, { directory: join(directory, format.name) })
    ).finished
    for (const day of ["27", "28", "29"]) {
      for (const country of ["DE", "FR"]) {
        expect(existsSync(join(out, `dt=2026-11-${day}/country=${country}/_SUCCESS`))).toBe(true)
      }
    }
    const reader = format === jsonl ? "read_json" : "read_parquet"
    const from = `${reader}('${out}/*/*/part-*', hive_partitioning = true)`
    const query = `SELECT dt::VARCHAR, country, count(*)::INT, sum(visits)::INT FROM ${from} GROUP BY ALL ORDER BY ALL`
    answers.push((await connection.runAndReadAll(query)).getRowsJson())
  }
  connection.closeSync()
  const expected = ["27", "28", "29"].flatMap((day) =>
    ["DE", "FR"].map((country) => [`2026-11-${day}`, country, 24, 48]),
  )
  expect(answers).toEqual([expected, expected])
})
