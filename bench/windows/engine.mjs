/**
 * One setting of one sweep on the engine, in a process of its own. `node engine.mjs AGGREGATE SETTING_AS_JSON RING_ROWS`
 *
 *   run TUPLES      that many at least, in whole batches
 *   runFor MILLIS   so long at least
 */
import { hopping, job, max, schema, sum, t, tumbling } from "../../dist/modules/index.js"
import { Arena } from "../../dist/modules/batch/arena.js"
import { DataflowRun } from "../frame/dataflow-run.mjs"
import { answer } from "../frame/measured-process.mjs"
import { generator } from "../frame/random.mjs"
import { StreamRing } from "../frame/stream-ring.mjs"
import { StreamRunner } from "../frame/stream-runner.mjs"

const aggregate = process.argv[2]
const { overlap, queries, keys, delay, isOpen } = JSON.parse(process.argv[3])
/** At least; where keys are many, what is read in order must not fit into a cache that few keys leave empty. */
const ringRows = isOpen ? Number(process.argv[4]) : 1 << 20
const PER_SECOND = 1000
const BATCH_ROWS = 16_384
const STEP_MICROS = 1_000_000 / PER_SECOND

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

const random = generator(6)

/** All keys in an order drawn at random: each comes once before any comes again. */
function drawnOrder() {
  const order = Int32Array.from({ length: keys }, (_, key) => key)
  for (let at = keys - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const key = order[at]
    order[at] = order[other]
    order[other] = key
  }
  return order
}

function cycle(rows, order) {
  return {
    rows,
    periodMicros: rows * STEP_MICROS,
    columns: {
      at: Float64Array.from({ length: rows }, (_, row) => row * STEP_MICROS - Math.floor(random() * delay * 1_000_000)),
      key: Int32Array.from({ length: rows }, (_, row) => order[row % keys]),
      value: Float64Array.from({ length: rows }, () => Math.floor(random() * 1000) / 8),
    },
  }
}

const arena = new Arena({ maxBytes: 2 ** 32 })
let results = 0
const run = new DataflowRun(windows, arena, (batch) => (results += batch.count))
if (isOpen) await introduceKeys()
const made = cycle(Math.max(ringRows, keys), drawnOrder())
const ring = new StreamRing(arena, Event, made, made.rows)
// It begins behind the records that have introduced the keys.
if (isOpen) ring.advance()
const runner = new StreamRunner(ring, run, BATCH_ROWS)

/**
 * Each key once, in order: the operator numbers keys as they come, and if they came again in the order in which they came
 * first, nothing that lies by number would be read at random.
 */
async function introduceKeys() {
  const inOrder = Int32Array.from({ length: keys }, (_, key) => key)
  const introduction = new StreamRing(arena, Event, cycle(keys, inOrder), keys)
  await new StreamRunner(introduction, run, BATCH_ROWS).runUntil(keys, 0)
}

async function measure(leastTuples, leastSeconds) {
  const [before, cutBefore] = [results, run.cutCpuSeconds]
  const measured = await runner.runUntil(leastTuples, leastSeconds)
  return { ...measured, rows: results - before, cutCpuSeconds: run.cutCpuSeconds - cutBefore }
}

await answer({
  run: (tuples) => measure(Number(tuples), 0),
  runFor: (millis) => measure(0, Number(millis) / 1000),
})
