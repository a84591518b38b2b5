/** DuckDB on one thread, over a table in its memory; the result stays there, too. `node duckdb.mjs ROWS KEYS` */
import { DuckDBInstance } from "@duckdb/node-api"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { rowsSql } from "./rows.mjs"

const QUERY = "SELECT key, sum(value) AS total, count(*) AS rows FROM events WHERE value > 0 GROUP BY key"

const [rows, keys] = process.argv.slice(2).map(Number)
const connection = await (await DuckDBInstance.create(":memory:")).connect()
await connection.run("SET threads = 1")
await connection.run(`CREATE TABLE events AS ${rowsSql(rows, keys)}`)

async function check() {
  const sums = "count(*), sum(rows), sum(total), sum(key * rows), sum((key % 1009) * total)"
  const [row] = (await connection.runAndReadAll(`SELECT ${sums} FROM (${QUERY})`)).getRows()
  const [groups, all, total, keyedRows, keyedTotal] = row.map(Number)
  return { groups, rows: all, total, keyedRows, keyedTotal }
}

await answer({ check, query: () => timed(() => connection.run(QUERY)) })
