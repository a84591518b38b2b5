/** Whole files that appear in a followed directory: Parquet and Arrow, over restarts, with one event time. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { arrow, csv, parquet, type FileConnector, type FollowOptions } from "../src/files.ts"
import { job, memory, run, schema, sum, t, tumbling, type JobEvent, type TypedSource } from "../src/index.ts"

const Reading = schema({ at: t.timestamp({ format: "us" }), value: t.float64 })

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "tidemark-containers-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const pause = (millis: number) => new Promise((done) => setTimeout(done, millis))
const rowsOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ at: (from + at) * 1_000_000, value: (from + at) / 10 }))

/** Writes rows as one file that appears under its name as a whole. */
async function deliver(connector: (path: string) => FileConnector, name: string, from: number, count: number) {
  const copying = job({ name: "writer", inputs: { rows: Reading }, flow: ({ rows }) => ({ rows }) })
  const staging = join(directory, `staging-${name}`)
  const rows = memory(rowsOf(from, count)) as unknown as TypedSource<{ at: number; value: number }>
  const bound = copying.with({ inputs: { rows }, outputs: { rows: connector(staging) } })
  await (
    await run(bound, { directory: join(directory, `state-${name}`) })
  ).finished
  const [part] = readdirSync(staging).filter((each) => each.startsWith("part-"))
  mkdirSync(join(directory, "in"), { recursive: true })
  renameSync(join(staging, part!), join(directory, "in", name))
}

const sums = job({
  name: "sums",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    sums: readings
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy()
      .window(tumbling("10s"))
      .aggregate({ total: sum("value") }, { id: "sums" }),
  }),
})

test.each([
  ["parquet", (path: string, follow?: FollowOptions) => parquet(path, follow && { follow })],
  ["arrow", (path: string, follow?: FollowOptions) => arrow(path, follow && { follow })],
] as const)("FO8 %s files that appear are read each once, over restarts", async (name, connector) => {
  const follow: FollowOptions = { every: "10ms" }
  const source = () => connector(join(directory, "in", `*.${name}`), follow)
  const events: JobEvent[] = []
  let rowsIn = 0
  const results = memory<{ windowStart: number; total: number }>()
  const live = async (until: number): Promise<void> => {
    const bound = sums.with({ inputs: { readings: source() }, outputs: { sums: results } })
    const handle = await run(bound, {
      directory: join(directory, "state"),
      onEvent: (event) => void events.push(event),
    })
    for (let tries = 0; tries < 400 && handle.status().rowsIn < until; tries++) await pause(10)
    rowsIn = handle.status().rowsIn
    await handle.stop()
  }
  await deliver(connector, `b.${name}`, 0, 30)
  await live(30)
  await deliver(connector, `a.${name}`, 30, 30)
  await deliver(connector, `0.${name}`, 60, 1)
  await live(61)
  expect(rowsIn).toBe(61)
  await live(61)
  expect(rowsIn).toBe(61)
  // 0 came before a, by name, so that the rest is late: but for its own window nothing of a counts.
  expect(results.rows.map(({ total }) => Math.round(total * 10))).toEqual([45, 145, 245])
  expect(events.filter(({ kind }) => kind === "input-gap" || kind === "warning")).toEqual([])
})

test("U5 an input that was read file by file is not followed from its start", async () => {
  await deliver(csv, "a.csv", 0, 3)
  const bind = (source: FileConnector) => sums.with({ inputs: { readings: source }, outputs: { sums: memory() } })
  const state = { directory: join(directory, "state") }
  const path = join(directory, "in", "*.csv")
  await (
    await run(bind(csv(path)), state)
  ).finished
  await expect(run(bind(csv(path, { follow: true })), state)).rejects.toMatchObject({ code: "source-changed" })
})

test("TG3 a job does not follow files that it will write", async () => {
  const copying = job({ name: "copies", inputs: { rows: Reading }, flow: ({ rows }) => ({ rows }) })
  const source = csv(join(directory, "*/*.csv"), { follow: true })
  const bound = copying.with({ inputs: { rows: source }, outputs: { rows: csv(join(directory, "out")) } })
  await expect(run(bound, { directory: join(directory, "state") })).rejects.toMatchObject({ code: "invalid-options" })
})

test("options of follow are checked", () => {
  expect(csv("a.csv", { follow: { every: "1s", order: "modified" } }).describe()).toBe(
    'csv("a.csv", { follow: { every: "1s", order: "modified" } })',
  )
  expect(() => csv("a.csv", { follow: { every: "1ms" } })).toThrow("too often")
  expect(() => csv("a.csv", { follow: { order: "size" as "name" } })).toThrow("order")
  expect(() => csv("a.csv", { follow: true, compression: "gzip" })).toThrow("compressed")
})
