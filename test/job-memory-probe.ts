/**
 * What a job holds while it runs: run by `memory.test.ts` in a process of its own. Prints a JSON object:
 *
 * - `leftBytes`: by epoch, the bytes a batch that scavenges did not collect. The young generation is small, so that there
 *   are many, and the old one so large that it is never collected: garbage there that refers to younger garbage keeps it.
 * - `heldBytes`: all that is in use, after a full collection, at some moments of one long epoch.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Prng } from "../src/base/prng.ts"
import { nodeEnv } from "../src/env/node/node-env.ts"
import { csv, jsonl } from "../src/files.ts"
import { count, job, mean, schema, sum, t, tumbling } from "../src/index.ts"
import { runJob, type JobHandle } from "../src/runtime/run-job.ts"
import type { RunJobOptions } from "../src/runtime/run-options.ts"

declare const gc: (options?: { type: "minor" }) => void

const BATCH_ROWS = 64
const EPOCH_ROWS = 64_000
const EPOCHS = 10
const ROWS = EPOCH_ROWS * EPOCHS
const KEYS = 200
const START_MILLIS = Date.UTC(2024, 0, 1)

const directory = mkdtempSync(join(tmpdir(), "tidemark-memory-"))

/** Called with each row that is good. */
let onRow = (): void => undefined

let handle: JobHandle | undefined

/** On the heap, beside it, and in the arena. */
function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers + (handle?.status().arenaUsedBytes ?? 0)
}

/** Rows of which 1,000 fall into ten seconds; two thirds of them are good. */
function writeInput(): void {
  const prng = new Prng(1)
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const at = new Date(START_MILLIS + index * 10 - prng.below(2000)).toISOString()
    return `${at},sensor-${prng.below(KEYS)},${(prng.float() * 200 - 50).toFixed(3)},${prng.chance(0.9)}\n`
  })
  writeFileSync(join(directory, "in.csv"), `at,sensor,value,ok\n${lines.join("")}`)
}

async function runJobOnce(name: string, options: Partial<RunJobOptions>): Promise<void> {
  const readings = schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool })
  const bound = job({
    name,
    inputs: { readings },
    flow: (inputs) => {
      const good = inputs.readings
        .filter((r) => r.ok && r.value > 0)
        .filter((r) => (onRow(), r.ok))
        .eventTime("at", { outOfOrder: "5s" })
      const aggregates = { readings: count(), total: sum("value"), mean: mean("value") }
      const results = good.keyBy("sensor").window(tumbling("10s")).aggregate(aggregates, { id: "results" })
      // How far buffers for output have grown is not the question.
      return { results: results.filter((r) => r.readings > 16) }
    },
  }).with({
    inputs: { readings: csv("in.csv") },
    outputs: { results: jsonl(`out-${name}`) },
    epoch: { min: "1h", max: "1h" },
  })
  const paths = { directory: join(directory, name), baseDirectory: directory }
  handle = await runJob(bound, { env: nodeEnv(), ...paths, batchRows: BATCH_ROWS, ...options })
  await handle.finished
}

async function measureLeft(): Promise<number[]> {
  const used: number[] = []
  await runJobOnce("left", {
    epochRows: EPOCH_ROWS,
    onEvent: ({ kind }) => {
      if (kind !== "committed") return
      // Whatever survives two scavenges is tenured.
      gc({ type: "minor" })
      gc({ type: "minor" })
      used.push(usedBytes())
    },
  })
  const batches = EPOCH_ROWS / BATCH_ROWS
  return used.slice(1, EPOCHS).map((bytes, index) => (bytes - used[index]!) / batches)
}

async function measureHeld(): Promise<number[]> {
  const used: number[] = []
  let rows = 0
  onRow = () => {
    if (++rows % (ROWS / 10) !== 0) return
    gc()
    used.push(usedBytes())
  }
  await runJobOnce("held", {})
  return used
}

try {
  writeInput()
  gc()
  console.log(JSON.stringify({ leftBytes: await measureLeft(), heldBytes: await measureHeld() }))
} finally {
  rmSync(directory, { recursive: true })
}
