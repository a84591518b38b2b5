/** DuckDB on one thread, over the same file: the sums of all columns. `node duckdb.mjs FORMAT FILE` */
import { DuckDBInstance } from "@duckdb/node-api"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"

const [format, file] = process.argv.slice(2)
const TYPES = {
  at: "TIMESTAMP",
  trip: "BIGINT",
  zone: "VARCHAR",
  status: "VARCHAR",
  fare: "DOUBLE",
  tip: "DOUBLE",
  riders: "INTEGER",
  shared: "BOOLEAN",
}
const columns = `columns = {${Object.entries(TYPES).map(([name, type]) => `"${name}": '${type}'`)}}`
const SOURCE =
  format === "csv"
    ? `read_csv('${file}', ${columns}, auto_detect = false, header = true, delim = ',', quote = '"', parallel = false)`
    : `read_ndjson('${file}', ${columns})`
const SUMS = {
  rows: "count(*)",
  millis: 'sum(epoch_ms("at") % 1000000)',
  trips: "sum(trip % 1000000)",
  zoneLetters: "sum(length(zone))",
  statusLetters: "sum(length(status))",
  fares: "sum(fare)",
  tips: "sum(tip)",
  tipped: "count(tip)",
  riders: "sum(riders)",
  shared: "sum(shared::INTEGER)",
}
const QUERY = `SELECT ${Object.values(SUMS)} FROM ${SOURCE}`

const connection = await (await DuckDBInstance.create(":memory:")).connect()
await connection.run("SET threads = 1")

async function check() {
  const [row] = (await connection.runAndReadAll(QUERY)).getRows()
  return Object.fromEntries(Object.keys(SUMS).map((name, index) => [name, Number(row[index])]))
}

await answer({ check, query: () => timed(() => connection.run(QUERY)) })
