/**
 * Makes the example's input: three million real flights (US, first half of 2001; from the npm package vega-datasets)
 * as eight feeds of JSON lines, the way feeds arrive. Within a feed records come up to 20 minutes out of order, across
 * feeds by months; a few come hours late, and a few are broken. The same seed makes the same files every time.
 */
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { mkdir, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { finished } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from "hyparquet"
import { compressors } from "hyparquet-compressors"

const FEEDS = 8
const MINUTE_MS = 60_000
/** Most records are delayed by less than this; the job waits for 30 minutes. */
const USUAL_DELAY_MS = 20 * MINUTE_MS
/** One record in so many is delayed by one to three days, and so is late for its window. */
const LATE_ONE_IN = 20_000
/** One line in so many is followed by a broken one. */
const BROKEN_ONE_IN = 100_000

/** A small seeded generator (mulberry32): the files must not differ from run to run. */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Reads the flights as columns. */
async function readFlights(limit) {
  const main = fileURLToPath(import.meta.resolve("vega-datasets"))
  const file = await asyncBufferFromFile(join(dirname(main), "../data/flights-3m.parquet"))
  const metadata = await parquetMetadataAsync(file)
  const rows = Math.min(limit, Number(metadata.num_rows))
  const columns = {}
  for (const name of ["date", "delay", "distance", "origin", "destination"]) columns[name] = new Array(rows)
  await parquetRead({
    file,
    metadata,
    compressors,
    rowEnd: rows,
    onChunk: ({ columnName, columnData, rowStart }) => {
      const target = columns[columnName]
      for (let at = 0; at < columnData.length; at++) if (rowStart + at < rows) target[rowStart + at] = columnData[at]
    },
  })
  return { rows, columns }
}

function line({ date, delay, distance, origin, destination }, row) {
  const at = date[row].toISOString().slice(0, 16)
  return `{"date":"${at}Z","origin":"${origin[row]}","destination":"${destination[row]}","delay":${delay[row]},"distance":${distance[row]}}\n`
}

/** A broken line, of one of the kinds that feeds have. */
function broken(whole, random) {
  const kinds = [
    () => whole.slice(0, Math.floor(whole.length / 2)) + "\n",
    () => whole.replace(/"delay":-?\d+/, '"delay":"n/a"'),
    () => whole.replace(/"date":"[^"]*"/, '"date":"yesterday"'),
    () => whole.replace(/,"origin":"[^"]*"/, ""),
  ]
  return kinds[Math.floor(random() * kinds.length)]()
}

/** The feed of an airport: all flights from one airport come through one feed. */
function feedOf(origin) {
  let hash = 7
  for (let at = 0; at < origin.length; at++) hash = (hash * 31 + origin.charCodeAt(at)) % 1_000_003
  return hash % FEEDS
}

async function writeFeed(path, rows, columns, random) {
  const out = createWriteStream(path)
  let text = ""
  for (const row of rows) {
    const whole = line(columns, row)
    text += whole
    if (random() < 1 / BROKEN_ONE_IN) text += broken(whole, random)
    if (text.length < 1 << 20) continue
    if (!out.write(text)) await once(out, "drain")
    text = ""
  }
  out.end(text)
  await finished(out)
}

/**
 * Writes the feeds into a directory, unless they are there already.
 *
 * @param {string} directory
 * @param {{ limit?: number, say?: (line: string) => void }} [options] `limit`: at most so many flights
 */
export async function prepareFlights(directory, { limit = Infinity, say = () => {} } = {}) {
  const exists = await stat(directory).then(
    () => true,
    () => false,
  )
  if (exists) return
  say("reading three million flights from vega-datasets …")
  const { rows, columns } = await readFlights(limit)
  const random = generator(2001)
  const feeds = Array.from({ length: FEEDS }, () => ({ rows: [], arrivals: new Float64Array(rows) }))
  for (let row = 0; row < rows; row++) {
    const isLate = random() < 1 / LATE_ONE_IN
    const delay = isLate ? (24 + 48 * random()) * 60 * MINUTE_MS : random() * USUAL_DELAY_MS
    const feed = feeds[feedOf(columns.origin[row])]
    feed.arrivals[row] = columns.date[row].getTime() + delay
    feed.rows.push(row)
  }
  const draft = `${directory}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  for (const [index, { rows: members, arrivals }] of feeds.entries()) {
    say(`writing feed ${index + 1} of ${FEEDS} …`)
    members.sort((one, other) => arrivals[one] - arrivals[other])
    await writeFeed(join(draft, `feed-${index + 1}.jsonl`), members, columns, random)
  }
  await rename(draft, directory)
}
