/**
 * The same pipeline in DuckDB: one query over the file, or over a table in its memory, its result copied to JSON lines. Nothing of it
 * is exactly-once.
 */
import { DuckDBInstance } from "@duckdb/node-api"
import { join } from "node:path"
import { report } from "./report.mjs"

const [format, input, directory, threads, runs] = process.argv.slice(2)
const COLUMNS = "columns = {'at': 'TIMESTAMPTZ', sensor: 'VARCHAR', value: 'DOUBLE', ok: 'BOOLEAN'}"

const connection = await (await DuckDBInstance.create(":memory:")).connect()
await connection.run(`SET threads = ${threads}`)
await connection.run("SET TimeZone = 'UTC'")
const source = {
  csv: `read_csv('${input}', header = true, ${COLUMNS})`,
  jsonl: `read_json('${input}', format = 'newline_delimited', ${COLUMNS})`,
  parquet: `read_parquet('${input}')`,
  memory: "readings",
}[format]
if (format === "memory") await connection.run(`CREATE TABLE readings AS SELECT * FROM read_parquet('${input}.parquet')`)
const query = `
  SELECT sensor, time_bucket(INTERVAL '1 minute', "at") AS "windowStart", count(*) AS readings, sum(value) AS total,
    avg(value) AS mean
  FROM ${source} WHERE ok AND value > 0 GROUP BY ALL`

await report(directory, Number(runs), async (own) => {
  const result = await connection.run(`COPY (${query}) TO '${join(own, "duckdb.jsonl")}' (FORMAT JSON)`)
  return { rowsOut: Number(result.rowsChanged) }
})
