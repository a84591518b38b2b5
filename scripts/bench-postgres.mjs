/**
 * `npm run bench:postgres`: a job from CSV into a table of PostgreSQL, exactly once, beside COPY by itself, in turn in one run. See
 * docs/internals/benchmarks.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { machineText } from "../bench/frame/machine.mjs"
import { spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { copyAlone, makeRows, runJob } from "../bench/postgres/copying.mjs"
import { startDurableServer } from "../bench/postgres/server.mjs"
import { prepare, runMain } from "./bootstrap.mjs"
import { fromDist } from "./dist.mjs"
import { readOptions } from "./options.mjs"

const CASES = [
  { what: "append", mode: "append" },
  { what: "upsert of new keys", mode: "upsert" },
]

const values = readOptions({
  command: "npm run bench:postgres --",
  what: "Reads a file of CSV into a table of PostgreSQL by a job, exactly once, and writes the same rows by COPY alone in as many transactions, in turn in one run. The server is the one that npm has installed, or that of the directory in TIDEMARK_TEST_POSTGRES_BIN; it syncs what it commits.",
  options: {
    quick: { help: "Fewer rows and rounds: an impression in some seconds." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 7, with --quick 3." },
    rows: { value: "N", kind: "number", least: 1, help: "How many rows. Default: 1,000,000, with --quick 200,000." },
  },
})
const rounds = values.rounds ?? (values.quick ? 3 : 7)
const count = values.rows ?? (values.quick ? 200_000 : 1_000_000)

await runMain(async () => {
  await prepare()
  console.log(machineText())
  const doors = {
    tidemark: await fromDist("index"),
    files: await fromDist("files"),
    postgres: await fromDist("postgres"),
  }
  const sessions = await fromDist("connectors/postgres/session")
  const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-postgres-"))
  const server = await startDurableServer()
  const results = CASES.map(({ what }) => ({ what, epochs: [], ours: [], copy: [], ratio: [] }))
  try {
    const [version] = await server.query("SELECT version()")
    console.log(`${String(version.version).split(",")[0]}, ${count.toLocaleString("en")} rows`)
    const rows = makeRows(folder, count)
    // The first round compiles code and fills caches, and does not count.
    for (let round = -1; round < rounds; round++) {
      for (const [index, each] of CASES.entries()) {
        const { seconds, epochs } = await runJob(doors, server, folder, rows, each)
        const alone = await copyAlone(sessions, server, rows, each, epochs)
        if (round < 0) continue
        const result = results[index]
        result.epochs.push(epochs)
        result.ours.push(count / seconds)
        result.copy.push(count / alone)
        result.ratio.push(alone / seconds)
      }
    }
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
})

function print(results) {
  const textOf = (numbers) => spreadText(numbers, threeDigits)
  const rows = results.map(({ what, epochs, ours, copy, ratio }) => {
    return [what, textOf(epochs), textOf(ours), textOf(copy), textOf(ratio)]
  })
  console.log(tableText(["what", "epochs", "job: rows/s, median (min … max)", "COPY alone: rows/s", "ratio"], rows))
}
