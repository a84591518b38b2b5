/** Shows what the example's job has published: the worst days, what was late or bad, and where the files are. */
import { createReadStream } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"

/** The rows of all published files of an output, one by one. */
export async function* publishedRows(directory) {
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((name) => /^part-\d+\.jsonl$/.test(name)).sort()) {
    for await (const line of createInterface({ input: createReadStream(join(directory, name)), crlfDelay: Infinity })) {
      yield JSON.parse(line)
    }
  }
}

function table(headings, rows) {
  const cells = [headings, ...rows.map((row) => row.map(String))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const line = (row) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ")
  return [line(headings), widths.map((width) => "─".repeat(width)).join("  "), ...cells.slice(1).map(line)].join("\n")
}

const TOP = 10

/** Prints the result. `shown` is the output's path as the reader knows it. */
export async function showResult(out, shown) {
  let airportDays = 0
  let flights = 0
  const worst = []
  for await (const row of publishedRows(join(out, "daily"))) {
    airportDays++
    flights += row.flights
    if (row.flights < 100) continue
    worst.push(row)
    worst.sort((one, other) => other.meanDelay - one.meanDelay)
    worst.length = Math.min(worst.length, TOP)
  }
  console.log(`\nThe worst days among airports with at least 100 departures:\n`)
  const cells = (row) => [
    row.windowStart.slice(0, 10),
    row.origin,
    row.flights,
    `${Math.round((100 * row.late) / row.flights)} %`,
    row.meanDelay.toFixed(1),
    row.worstDelay,
  ]
  console.log(table(["day", "airport", "flights", "late", "mean delay", "worst (min)"], worst.map(cells)))
  console.log(`\n${airportDays} airport-days of ${flights} flights   ${join(shown, "daily")}`)
  await showAside(
    "too late for its day",
    join(out, "too-late"),
    join(shown, "too-late"),
    (row) => `${row.date} from ${row.origin}`,
  )
  await showAside("bad", join(out, "bad"), join(shown, "bad"), (row) => `${row.partition}:${row.record}: ${row.reason}`)
}

async function showAside(what, directory, shown, describe) {
  let count = 0
  let example
  for await (const row of publishedRows(directory)) {
    count++
    example ??= describe(row)
  }
  console.log(`${count} ${what}${example === undefined ? "" : ` (such as ${example})`}   ${shown}`)
}
