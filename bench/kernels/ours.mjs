/** The engine's side: filter, key, one large window, aggregates, drained. `node ours.mjs ROWS KEYS BATCH_ROWS` */
import { count, job, schema, sum, t, tumbling } from "../../dist/modules/index.js"
import { Arena } from "../../dist/modules/batch/arena.js"
import { readInt53 } from "../../dist/modules/batch/column.js"
import { DataflowRun } from "../frame/dataflow-run.mjs"
import { answer } from "../frame/measured-process.mjs"
import { memoryKernels } from "../frame/memory-kernels.mjs"
import { ResultSums } from "../frame/result-sums.mjs"
import { StreamRing } from "../frame/stream-ring.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer, columnsOf } from "./rows.mjs"

const [rows, keys, batchRows] = process.argv.slice(2).map(Number)
const Event = schema({ at: t.timestamp(), key: t.int32, value: t.float64 })
const totals = job({
  name: "totals",
  inputs: { events: Event },
  flow: ({ events }) => ({
    totals: events
      .filter((r) => r.value > 0)
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("key")
      .window(tumbling("1d"))
      .aggregate({ total: sum("value"), rows: count() }, { id: "totals" }),
  }),
})

const arena = new Arena({ maxBytes: 2 ** 32 })
const at = Float64Array.from({ length: rows }, (_, row) => row)
const ring = new StreamRing(arena, Event, { rows, periodMicros: rows, columns: { at, ...columnsOf(rows, keys) } }, rows)
const batches = ring.batches(batchRows)
const sums = new ResultSums(arena)
const kernels = memoryKernels(arena)

function query(emit) {
  const run = new DataflowRun(totals, arena, emit)
  for (const batch of batches) run.push(batch)
  run.drain()
}

function check() {
  const whole = new Answer()
  query((batch) => {
    const [key, , , total, counts] = batch.columns
    batch.forEachRow((row) => whole.add(key.values[row], total.values[row], readInt53(counts.halves, row)))
  })
  return whole
}

await answer({
  check,
  query: () => timed(() => query((batch) => sums.add(batch))),
  read: () => {
    const { blocks } = ring
    const bytes = blocks.reduce((total, block) => total + block.bytes, 0)
    return { bytes, ...timed(() => blocks.forEach((block) => kernels.read(block.offset, block.bytes))) }
  },
})
