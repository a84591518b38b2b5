/**
 * A job whose keys take more memory than it may have: `node larger.mjs OPTIONS`, as JSON. First each of `keys` keys gets a record. Then
 * `records` more come, with keys drawn uniformly, or nine of ten of them with one of a hundredth of the keys. It prints a line of JSON
 * with what these took.
 */
import { join } from "node:path"
import { nodeEnv } from "../../dist/modules/env/node/node-env.js"
import { generate, job, schema, t, valueState } from "../../dist/modules/index.js"
import { jsonl } from "../../dist/modules/files.js"
import { runJob } from "../../dist/modules/runtime/run-job.js"

const { keys, records, draw, stateMemoryBytes, directory } = JSON.parse(process.argv[2])

const HOT_KEYS = Math.ceil(keys / 100)
const NOTE = "what is known of a key besides: some sixty bytes of text of it"

const keyed = job({
  name: "larger",
  inputs: { rows: schema({ key: t.int32, value: t.float64 }) },
  flow: ({ rows }) => ({
    results: rows.keyBy("key").process(
      {
        emits: { key: t.int32, total: t.float64 },
        state: {
          total: valueState(t.float64.default(0)),
          note: valueState(t.string),
        },
        onRecord(row, { state, emit }) {
          const total = state.total.get() + row.value
          state.total.set(total)
          state.note.set(NOTE)
          if (row.value === 0) emit({ key: row.key, total })
        },
      },
      { id: "keyed" },
    ),
  }),
})

function keyOf(id, random) {
  if (id < keys) return id
  if (draw === "skewed" && random.float() < 0.9) return random.int(0, HOT_KEYS - 1)
  return random.int(0, keys - 1)
}

let begin
let spilledBytes = 0
const bound = keyed.with({
  inputs: {
    rows: generate({
      seed: 1,
      rows: keys + records,
      row: (id, random) => ({ key: keyOf(id, random), value: id % 1000 }),
    }),
  },
  outputs: { results: jsonl(join(directory, "results")) },
})
const handle = await runJob(bound, {
  env: nodeEnv(),
  directory: join(directory, "state"),
  baseDirectory: directory,
  stateMemoryBytes: stateMemoryBytes ?? Infinity,
  onEvent: ({ kind }) => {
    if (kind !== "committed") return
    const status = handle.status()
    spilledBytes = Math.max(spilledBytes, status.spilledBytes)
    if (begin === undefined && status.rowsIn >= keys) begin = { ...measured(), rowsIn: status.rowsIn }
  },
})
const { status } = await handle.finished
const end = measured()
const rows = status.rowsIn - begin.rowsIn
process.stdout.write(
  `${JSON.stringify({
    kind: "measured",
    cpuMicrosARecord: (end.cpuMicros - begin.cpuMicros) / rows,
    microsARecord: ((end.millis - begin.millis) * 1000) / rows,
    rssMaxBytes: process.resourceUsage().maxRSS * 1024,
    spilledBytes,
  })}\n`,
)

function measured() {
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, millis: performance.now() }
}
