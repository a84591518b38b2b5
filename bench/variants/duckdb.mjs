/** The same pipeline in DuckDB: one query over the file, its result copied to JSON lines. Nothing of it is exactly-once. */
import { DuckDBInstance } from "@duckdb/node-api"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { report } from "./report.mjs"

const [format, input, directory, threads] = process.argv.slice(2)
const COLUMNS = "columns = {'at': 'TIMESTAMPTZ', sensor: 'VARCHAR', value: 'DOUBLE', ok: 'BOOLEAN'}"

await mkdir(directory, { recursive: true })
const connection = await (await DuckDBInstance.create(":memory:")).connect()
await connection.run(`SET threads = ${threads}`)
await connection.run("SET TimeZone = 'UTC'")
const startMillis = performance.now()
const source = {
  csv: `read_csv('${input}', header = true, ${COLUMNS})`,
  jsonl: `read_json('${input}', format = 'newline_delimited', ${COLUMNS})`,
  parquet: `read_parquet('${input}')`,
}[format]
const query = `
  SELECT sensor, time_bucket(INTERVAL '1 minute', "at") AS "windowStart", count(*) AS readings, sum(value) AS total,
    avg(value) AS mean
  FROM ${source} WHERE ok AND value > 0 GROUP BY ALL`
const result = await connection.run(`COPY (${query}) TO '${join(directory, "duckdb.jsonl")}' (FORMAT JSON)`)
report(startMillis, { rowsOut: Number(result.rowsChanged) })
