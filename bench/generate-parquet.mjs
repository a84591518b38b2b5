/** The benchmark's input as Parquet: the CSV of `generate`, written by DuckDB as it does unless told otherwise (Snappy). */
import { DuckDBInstance } from "@duckdb/node-api"
import { PER_SECOND } from "./generate.mjs"

/** Writes the readings of a CSV file to `path`, so many times: each time later by as long as they last. */
export async function generateParquet(path, text, rows, copies = 1) {
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  await connection.run("SET TimeZone = 'UTC'")
  const columns = "{'at': 'TIMESTAMPTZ', sensor: 'VARCHAR', value: 'DOUBLE', ok: 'BOOLEAN'}"
  const readings = Array.from({ length: copies }, (_, copy) => {
    const later = `INTERVAL ${(copy * rows) / PER_SECOND} SECONDS`
    return `SELECT "at" + ${later} AS "at", sensor, value, ok FROM read_csv('${text}', header = true, columns = ${columns})`
  })
  await connection.run(`COPY (${readings.join(" UNION ALL ")}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
}
