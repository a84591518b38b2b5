/** The benchmark's input as Parquet: the CSV of `generate`, written by DuckDB as it does unless told otherwise (Snappy). */
import { DuckDBInstance } from "@duckdb/node-api"
import { rm } from "node:fs/promises"
import { generate } from "./generate.mjs"

/** Writes `rows` readings to `path`. */
export async function generateParquet(path, rows) {
  const text = `${path}.csv`
  await generate(text, "csv", rows)
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  await connection.run("SET TimeZone = 'UTC'")
  const columns = "{'at': 'TIMESTAMPTZ', sensor: 'VARCHAR', value: 'DOUBLE', ok: 'BOOLEAN'}"
  const readings = `SELECT * FROM read_csv('${text}', header = true, columns = ${columns})`
  await connection.run(`COPY (${readings}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  await rm(text)
}
