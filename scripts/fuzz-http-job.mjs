/**
 * The job of `fuzz-http.mjs`, in a process of its own: `fuzz-http-job.mjs DIRECTORY`. It copies what is sent to `/events`, where wrong records are
 * refused, and to `/scrap`, where they become dead letters. It tells where it listens, and of its memory; at the message
 * `stop` it stops.
 */
import { join } from "node:path"
import { fromDist } from "./dist.mjs"
import { LIMITS, TOKEN_VARIABLE } from "./fuzz-http-limits.mjs"

const { job, run, schema, t } = await fromDist("index")
const { jsonl } = await fromDist("files")
const { httpServer } = await fromDist("http")

const SAMPLE_MS = 250

const [directory] = process.argv.slice(2)
const Event = schema({ id: t.int53, tag: t.string.nullable() })
const copy = job({
  name: "fuzz-http",
  inputs: { events: Event, scrap: Event },
  flow: ({ events, scrap }) => ({ events, scrap }),
})
const { maxInFlightBytes, maxConnections, headersTimeout, requestTimeout, ...input } = LIMITS
const token = { env: TOKEN_VARIABLE }
const server = httpServer({ port: 0, token, maxInFlightBytes, maxConnections, headersTimeout, requestTimeout })
const out = (name) => jsonl(join(directory, "out", name))
const bound = copy.with({
  inputs: {
    events: server.input("/events", input),
    scrap: server.input("/scrap", { ...input, onBadRecord: "dead-letter" }),
  },
  outputs: { events: out("events"), scrap: out("scrap") },
  deadLetter: out("dead-letters"),
  epoch: { min: "10ms", max: "500ms" },
})
const handle = await run(bound, { directory: join(directory, "state") })

const read = () => handle.status().rowsIn + handle.status().badRecords

/** What is kept, garbage left aside. */
function keptBytes() {
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

process.send({ kind: "listening", url: server.address.url, keptBytes: keptBytes() })
const sampling = setInterval(
  () => process.send({ kind: "sample", rss: process.memoryUsage.rss(), read: read() }),
  SAMPLE_MS,
)
process.on("message", (wish) => {
  if (wish === "stop") void handle.stop()
  else process.send({ kind: "kept", keptBytes: keptBytes() })
})
await handle.finished
clearInterval(sampling)
process.disconnect()
