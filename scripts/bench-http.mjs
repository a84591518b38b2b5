/**
 * `npm run bench:http`: from sending a record to its durable acknowledgement, by HTTP and WebSocket into a job, beside NATS JetStream and Redis Streams, in
 * turn in one run. See docs/internals/benchmarks.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { machineText } from "../bench/frame/machine.mjs"
import { spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { makeRecords, measureSending } from "../bench/http/sending.mjs"
import { startTargets } from "../bench/http/targets.mjs"
import { prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const RECORDS = 10_000
const CASES = [1, 100].flatMap((batch) => [1, 16, 64].map((senders) => ({ batch, senders })))

const values = readOptions({
  command: "npm run bench:http --",
  what: "Sends records by HTTP and by WebSocket to a job, and the same bytes to NATS JetStream (sync_interval: always) and to Redis Streams (appendfsync always), each until it is durable, in turn in one run. The two servers are those of the path, or of TIDEMARK_BENCH_NATS and TIDEMARK_BENCH_REDIS; one that is not there is left out.",
  options: {
    quick: { help: "Shorter, and fewer rounds: an impression in half a minute." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 5, with --quick 3." },
    directory: { value: "DIR", help: "Where the files lie. Default: the system's directory for temporary files." },
  },
})
const rounds = values.rounds ?? (values.quick ? 3 : 5)
const seconds = values.quick ? 0.3 : 1.5

await runMain(async () => {
  await prepare()
  console.log(machineText())
  const directory = mkdtempSync(join(values.directory ?? tmpdir(), "tidemark-bench-http-"))
  const { targets, absent } = await startTargets(directory)
  console.log(targets.map(({ name, version }) => `${name} (${version})`).join(", "))
  for (const name of absent) console.log(`${name} is absent: no server of it is installed`)
  const results = CASES.flatMap((each) =>
    targets.map(({ name }) => ({ ...each, name, perSecond: [], p50: [], p99: [] })),
  )
  try {
    const records = makeRecords(RECORDS)
    // The first round compiles code and makes files, and does not count.
    for (let round = -1; round < rounds; round++) {
      for (const [index, result] of results.entries()) {
        const { batch, senders } = result
        const measured = await measureSending(targets[index % targets.length], { batch, senders, records, seconds })
        if (round < 0) continue
        for (const [what, value] of Object.entries(measured)) result[what].push(value)
      }
    }
  } finally {
    for (const { close } of targets) await close()
    rmSync(directory, { recursive: true, force: true })
  }
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
})

function print(results) {
  const textOf = (numbers) => spreadText(numbers, threeDigits)
  const rows = results.map(({ batch, senders, name, perSecond, p50, p99 }) => {
    return [`${senders} × ${batch}`, name, textOf(perSecond), textOf(p50), textOf(p99)]
  })
  console.log(tableText(["senders × records", "into", "records/s, median (min … max)", "p50, ms", "p99, ms"], rows))
}
