/** The job of `npm run bench:http`, in a process of its own: `job.mjs DIRECTORY`. It reads what is sent, and keeps none of it. */
import { join } from "node:path"
import { fromDist } from "../../scripts/dist.mjs"

const { job, run, schema, t } = await fromDist("index")
const { jsonl } = await fromDist("files")
const { httpServer } = await fromDist("http")

const [directory] = process.argv.slice(2)
const server = httpServer({ port: 0 })
const reading = job({
  name: "bench-http",
  inputs: { events: schema({ at: t.timestamp(), device: t.string, value: t.float64, text: t.string }) },
  flow: ({ events }) => ({ wrong: events.filter((row) => row.value < 0) }),
}).with({ inputs: { events: server.input("/events") }, outputs: { wrong: jsonl(join(directory, "out")) } })
const handle = await run(reading, { directory: join(directory, "state") })
process.on("message", () => void handle.stop())
process.send(Number(new URL(server.address.url).port))
await handle.finished
process.disconnect()
