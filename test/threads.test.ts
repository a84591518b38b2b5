/** Threads of the real kind on real files: they change nothing in what is published, and may die. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, expect, test } from "vitest"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { csv, jsonl } from "../src/connectors/files/file-connector.ts"
import { nodeEnv } from "../src/env/node/node-env.ts"
import { nodeThreads } from "../src/env/node/node-threads.ts"
import { runJob } from "../src/runtime/run-job.ts"
import { count, mean, sum } from "../src/stream/aggregates.ts"
import { job } from "../src/stream/job.ts"
import { tumbling } from "../src/stream/windows.ts"
import type { RunJobOptions } from "../src/runtime/run-options.ts"
import type { JobEvent } from "../src/trace/events.ts"

const PROGRAM = pathToFileURL(resolve("dist/decode-thread.js"))
const ROWS = 150_000
const START = Date.UTC(2024, 0, 1)

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-threads-"))
  let text = "at,shop,amount,note\n"
  for (let row = 0; row < ROWS; row++) {
    const note = row % 1000 === 0 ? '"two\nlines"' : row % 5000 === 1 ? '"not closed' : `note ${row % 90}`
    const amount = row % 777 === 0 ? "much" : (row % 5003) / 7
    text += `${new Date(START + row * 37).toISOString()},shop-${row % 7},${amount},${note}${row % 5000 === 1 ? '"' : ""}\n`
  }
  writeFileSync(join(directory, "in.csv"), text)
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const shops = job({
  name: "shops",
  inputs: { sales: schema({ at: t.timestamp(), shop: t.string, amount: t.float64, note: t.string }) },
  flow: ({ sales }) => {
    const notes = sales.filter((sale) => sale.note.length > 8)
    const perMinute = sales
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy("shop")
      .window(tumbling("1m"))
      .aggregate({ sales: count(), total: sum("amount"), mean: mean("amount") }, { id: "per-minute" })
    return { notes, perMinute }
  },
})

/** Runs the job and gives what it has published, and what it has told. */
async function publishedWith(
  name: string,
  program: URL,
  parallelism: number,
  onEvent?: (event: JobEvent) => void,
  more: Partial<RunJobOptions> = {},
) {
  const bound = shops.with({
    inputs: { sales: csv("in.csv") },
    outputs: { notes: jsonl(`${name}/notes`), perMinute: jsonl(`${name}/per-minute`) },
    deadLetter: jsonl(`${name}/bad`),
  })
  const events: JobEvent[] = []
  const handle = await runJob(bound, {
    env: nodeEnv(nodeThreads(program)),
    directory: join(directory, `${name}-state`),
    baseDirectory: directory,
    parallelism,
    stretchesBeforeThreads: 2,
    // Short, so that threads are asked often enough to die.
    morselBytes: 65_536,
    onEvent: onEvent ?? ((event) => void events.push(event)),
    ...more,
  })
  const { status } = await handle.finished
  const outputs = ["notes", "per-minute", "bad"].map((output) => textOf(join(directory, name, output)))
  return { outputs, status, events }
}

function textOf(target: string): string {
  const parts = readdirSync(target).filter((part) => part.startsWith("part-"))
  return parts
    .sort()
    .map((part) => readFileSync(join(target, part), "utf8"))
    .join("")
}

test("E7 what is published with three threads is what is published with none, to the last byte", async () => {
  const alone = await publishedWith("alone", PROGRAM, 1)
  const threads = await publishedWith("threads", PROGRAM, 3)
  expect(alone.status.rowsIn).toBe(ROWS)
  expect(alone.status.badRecords).toBeGreaterThan(100)
  expect(threads.outputs).toEqual(alone.outputs)
})

const IN_PARTS: Partial<RunJobOptions> = { partRows: 5000, epochRows: 20_000, batchRows: 1000 }

test("E7 PF1 what is published where threads compute is what is published with none, to the last byte", async () => {
  const alone = await publishedWith("alone", PROGRAM, 1)
  const { outputs, status, events } = await publishedWith("parts", PROGRAM, 2, undefined, IN_PARTS)
  expect(events).toContainEqual({ kind: "threads-compute", threads: 2 })
  expect(events.filter(({ kind }) => kind === "threads-lost")).toEqual([])
  expect(outputs).toEqual(alone.outputs)
  const { lateRows, rowsIn, rowsOut, badRecords, watermarkMicros } = alone.status
  expect(status).toMatchObject({ lateRows, rowsIn, rowsOut, badRecords, watermarkMicros })
})

test("E3 WT2 where a thread that computes dies, the job goes on behind its last commit", async () => {
  const alone = await publishedWith("alone", PROGRAM, 1)
  const { outputs, events } = await publishedWith("mortal", mortalProgram(), 2, undefined, IN_PARTS)
  expect(events).toContainEqual({ kind: "threads-lost", reason: "a thread has died: it ended with the code 7" })
  expect(outputs).toEqual(alone.outputs)
})

/** A program whose threads die by themselves after some messages. */
function mortalProgram(): URL {
  const mortal = join(directory, "mortal.mjs")
  writeFileSync(
    mortal,
    `import { parentPort } from "node:worker_threads"
     import ${JSON.stringify(String(PROGRAM))}
     let messages = 0
     parentPort.on("message", () => { if (++messages === 12) process.exit(7) })`,
  )
  return pathToFileURL(mortal)
}

test("a listener that throws when a thread has died fails the job, and not the process", async () => {
  const run = publishedWith("listened", mortalProgram(), 2, ({ kind }) => {
    if (kind === "thread-died") throw new Error("the listener is not well")
  })
  await expect(run).rejects.toThrow("the listener is not well")
})

test("E3 nothing is lost or repeated where threads die again and again", async () => {
  const alone = await publishedWith("alone", PROGRAM, 1)
  const { outputs, events } = await publishedWith("mortal", mortalProgram(), 2)
  const deaths = events.filter(({ kind }) => kind === "thread-died")
  expect(deaths.length).toBeGreaterThan(0)
  expect(deaths[0]).toMatchObject({ reason: "it ended with the code 7", isReplaced: true })
  expect(outputs).toEqual(alone.outputs)
})

test("DP3 a job whose keys fill most of the memory ends with threads, too", async () => {
  const ids = Array.from({ length: 100_000 }, (_, row) => `2024-01-01T00:00:00Z,${(row * 7919) % 4_294_967}\n`)
  writeFileSync(join(directory, "ids.csv"), `at,id\n${ids.join("")}`)
  const visits = job({
    name: "visits",
    inputs: { visits: schema({ at: t.timestamp(), id: t.int32 }) },
    flow: ({ visits: rows }) => ({
      hourly: rows
        .eventTime("at", { outOfOrder: "0s" })
        .keyBy("id")
        .window(tumbling("1h"))
        .aggregate({ visits: count(), first: sum("id") }, { id: "hourly" }),
    }),
  })
  const bound = visits.with({
    inputs: { visits: csv("ids.csv") },
    outputs: { hourly: jsonl("hourly") },
    deadLetter: jsonl("bad"),
  })
  const handle = await runJob(bound, {
    env: nodeEnv(nodeThreads(PROGRAM)),
    directory: join(directory, "visits-state"),
    baseDirectory: directory,
    // Four threads take half of it, and the window's table moves to twice its size.
    arenaBytes: 16 * 1024 * 1024,
    parallelism: 4,
    stretchesBeforeThreads: 2,
    // Little is under way when they give way.
    morselBytes: 16_384,
    onEvent: () => undefined,
  })
  const { status } = await handle.finished
  expect(status.rowsOut["hourly"]).toBe(100_000)
})
