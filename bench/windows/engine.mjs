/**
 * One setting of one sweep on the engine, in a process of its own. `node engine.mjs AGGREGATE SETTING_AS_JSON`
 *
 *   run TUPLES      that many at least, in whole batches
 *   runFor MILLIS   so long at least
 */
import { hopping, job, max, schema, sum, t, tumbling } from "tidemark"
import { Arena } from "../../dist/batch/arena.js"
import { DataflowRun } from "../frame/dataflow-run.mjs"
import { answer } from "../frame/measured-process.mjs"
import { generator } from "../frame/random.mjs"
import { StreamRing } from "../frame/stream-ring.mjs"
import { StreamRunner } from "../frame/stream-runner.mjs"

const PER_SECOND = 1000
const LEAST_ROWS = 1 << 20
const BATCH_ROWS = 16_384
const STEP_MICROS = 1_000_000 / PER_SECOND
/** Coprime to all numbers of keys, so that each key comes once before any comes again. */
const STRIDE = 7_654_321

const aggregate = process.argv[2]
const { overlap, queries, keys, delay, isOpen } = JSON.parse(process.argv[3])
const Event = schema({ at: t.timestamp(), key: t.int32, value: t.float64 })

function windowOf(query) {
  if (isOpen) return tumbling("3650d")
  if (queries === 1) return hopping(`${overlap}s`, { every: "1s" })
  return hopping(`${queries + query}s`, { every: `${queries}s` })
}

const windows = job({
  name: "windows",
  inputs: { events: Event },
  flow: ({ events }) => {
    const keyed = events.eventTime("at", { outOfOrder: `${delay}s` }).keyBy("key")
    const what = aggregate === "sum" ? { value: sum("value") } : { value: max("value") }
    const names = Array.from({ length: queries }, (_, query) => `q${query}`)
    return Object.fromEntries(
      names.map((name, query) => [name, keyed.window(windowOf(query)).aggregate(what, { id: name })]),
    )
  },
})

function cycle() {
  const rows = Math.max(LEAST_ROWS, keys)
  const random = generator(6)
  return {
    rows,
    periodMicros: rows * STEP_MICROS,
    columns: {
      at: Float64Array.from({ length: rows }, (_, row) => row * STEP_MICROS - Math.floor(random() * delay * 1_000_000)),
      key: Int32Array.from({ length: rows }, (_, row) => (row * STRIDE) % keys),
      value: Float64Array.from({ length: rows }, () => Math.floor(random() * 1000) / 8),
    },
  }
}

const arena = new Arena({ maxBytes: 2 ** 32 })
const made = cycle()
const ring = new StreamRing(arena, Event, made, made.rows)
let results = 0
const run = new DataflowRun(windows, arena, (batch) => (results += batch.count))
const runner = new StreamRunner(ring, run, BATCH_ROWS)

function measure(leastTuples, leastSeconds) {
  const before = results
  const measured = runner.runUntil(leastTuples, leastSeconds)
  return { ...measured, rows: results - before }
}

await answer({
  run: (tuples) => measure(Number(tuples), 0),
  runFor: (millis) => measure(0, Number(millis) / 1000),
})
