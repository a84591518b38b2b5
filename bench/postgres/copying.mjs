/**
 * What `npm run bench:postgres` measures: a job that reads a file of CSV into a table, and the same rows by COPY alone, as text that is at hand,
 * in as many transactions.
 */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const ZONES = ["JFK", "LGA", "EWR", "SoHo", "Harlem", "Astoria", "Bushwick"]

/** Rows of one seed, as a file of CSV and as lines that COPY reads. */
export function makeRows(folder, count) {
  const csv = ["id,at,zone,fare"]
  const copy = []
  for (let id = 0; id < count; id++) {
    const values = [
      id,
      new Date(1_700_000_000_000 + id * 1000).toISOString(),
      ZONES[id % 7],
      ((id * 37) % 10_000) / 100,
    ]
    csv.push(values.join(","))
    copy.push(values.join("\t"))
  }
  const path = join(folder, "rows.csv")
  writeFileSync(path, `${csv.join("\n")}\n`)
  return { path, count, copy }
}

/** The job. Gives its seconds, and how many epochs had rows. */
export async function runJob({ tidemark, files, postgres }, server, folder, rows, { mode }) {
  const { job, run, schema, t } = tidemark
  const copied = job({
    name: "copied",
    inputs: { rows: schema({ id: t.int53, at: t.timestamp(), zone: t.string, fare: t.float64 }) },
    flow: ({ rows: stream }) => ({ copied: stream }),
  })
  const how = mode === "upsert" ? { mode, key: ["id"] } : { mode }
  const bound = copied.with({
    inputs: { rows: files.csv(rows.path) },
    outputs: { copied: postgres.postgres({ connection: server.address, table: "copied", ...how }) },
  })
  const directory = join(folder, "state")
  rmSync(directory, { recursive: true, force: true })
  await server.query("DROP TABLE IF EXISTS copied, tidemark_outputs")
  await server.query("CHECKPOINT")
  let epochs = 0
  const onEvent = (event) => void (event.kind === "committed" && event.rows > 0 && epochs++)
  const start = performance.now()
  const handle = await run(bound, { directory, onEvent, parallelism: 1 })
  await handle.finished
  const seconds = (performance.now() - start) / 1000
  await checkCount(server, rows.count)
  return { seconds, epochs }
}

/** COPY alone, into a table as the job makes it. Gives its seconds. */
export async function copyAlone({ connectByPg }, server, rows, { mode }, epochs) {
  const key = mode === "upsert" ? ", PRIMARY KEY (id)" : ""
  await server.query("DROP TABLE IF EXISTS copied")
  await server.query(
    `CREATE TABLE copied (id bigint NOT NULL, at timestamptz NOT NULL, zone text NOT NULL, fare float8 NOT NULL${key})`,
  )
  await server.query("CHECKPOINT")
  const each = Math.ceil(rows.count / epochs)
  const pieces = Array.from({ length: Math.ceil(rows.count / each) }, (_, index) => {
    return Buffer.from(`${rows.copy.slice(index * each, (index + 1) * each).join("\n")}\n`)
  })
  const session = await connectByPg(server.address, "bench")
  const start = performance.now()
  for (const piece of pieces) {
    await session.query("BEGIN")
    await session.copyIn("COPY copied FROM STDIN", chunksOf(piece))
    await session.query("COMMIT")
  }
  const seconds = (performance.now() - start) / 1000
  await session.close()
  await checkCount(server, rows.count)
  return seconds
}

async function* chunksOf(bytes) {
  for (let at = 0; at < bytes.length; at += 2 ** 18) yield bytes.subarray(at, at + 2 ** 18)
}

async function checkCount(server, count) {
  const [row] = await server.query("SELECT count(*)::int AS count FROM copied")
  if (row.count !== count) throw new Error(`The table has ${row.count} rows, and not ${count}.`)
}
