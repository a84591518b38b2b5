/**
 * DuckDB on one thread, over the same file: the sums of all columns; and from a table of them in memory to nowhere.
 * `node duckdb.mjs FORMAT FILE`
 */
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

/** The file's rows as a table, once somebody asks for them. */
let isLoaded = false

async function copyTo(file, options = "") {
  if (!isLoaded) await connection.run(`CREATE TABLE loaded AS SELECT * FROM ${SOURCE}`)
  isLoaded = true
  return timed(() => connection.run(`COPY loaded TO '${file}' (FORMAT ${format === "csv" ? "csv" : "json"}${options})`))
}

await answer({
  check,
  decode: () => timed(() => connection.run(QUERY)),
  write: (file) => copyTo(file, ", TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%gZ'"),
  encode: () => copyTo("/dev/null"),
})
