/**
 * One cycle of each data set, as columns: read from the published samples where they are at hand, else drawn with the
 * same shape (rows a second, keys and how often each comes) from a fixed seed. Ads and auctions are always drawn.
 *
 * Times are microseconds from the cycle's start; a unit of the samples' timestamps is a second.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { generator, weighted } from "../frame/random.mjs"

const SECOND = 1_000_000

/** The cycle that a query reads: only its columns. */
export function cycleOf(query, directory) {
  const { isReal, seconds, ...columns } = DATA_SETS[query.data](directory)
  const rows = seconds.length
  const periodMicros = (seconds[rows - 1] + 1) * SECOND
  const of = { timestamp: () => Float64Array.from(seconds, (second) => second * SECOND) }
  of.int32 = (name) => Int32Array.from(columns[name])
  of.int53 = (name) => BigInt64Array.from(columns[name], BigInt)
  of.float64 = (name) => Float64Array.from(columns[name])
  const made = Object.fromEntries(query.columns.map(([name, type]) => [name, of[type](name)]))
  return { rows, periodMicros, columns: made, isReal }
}

const DATA_SETS = { cluster, plugs, cars, machines, ads, auctions }

/** The lines of a sample as lists of words, or `undefined` where it is not at hand. */
function sample(directory, file) {
  let text
  try {
    text = readFileSync(join(directory, file), "utf8")
  } catch (error) {
    if (error.code === "ENOENT") return undefined
    throw error
  }
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
}

/** Columns by name, from words by place; seconds are counted from the first. */
function columnsOf(lines, places) {
  const columns = Object.fromEntries(
    Object.entries(places).map(([name, place]) => [name, lines.map((words) => Number(words[place]))]),
  )
  return { isReal: true, ...columns, seconds: columns.seconds.map((second) => second - columns.seconds[0]) }
}

/** Draws `rows` rows over `seconds` seconds; `draw` gives a row's columns. */
function drawn(rows, seconds, draw) {
  const list = Array.from({ length: rows }, (_, row) => draw(row))
  const columns = Object.fromEntries(Object.keys(list[0]).map((name) => [name, list.map((each) => each[name])]))
  return { isReal: false, ...columns, seconds: list.map((_, row) => Math.floor((row * seconds) / rows)) }
}

/** Events of a compute cluster: 25 a second, four categories. */
function cluster(directory) {
  const lines = sample(directory, "google-cluster-data.txt")
  if (lines !== undefined) return columnsOf(lines, { seconds: 0, jobId: 1, eventType: 4, category: 6, cpu: 8 })
  const random = generator(1)
  const category = weighted(random, [
    [0, 13313],
    [2, 2437],
    [1, 590],
    [3, 45],
  ])
  const eventType = weighted(random, [
    [0, 5349],
    [1, 5306],
    [4, 4478],
    [5, 981],
    [2, 191],
    [3, 80],
  ])
  return drawn(16_385, 647, () => ({
    category: category(),
    eventType: eventType(),
    jobId: 6_251_637_538 + Math.floor(random() ** 4 * 240) * 291,
    cpu: Math.round(random() ** 3 * 400) / 1000,
  }))
}

/** Readings of smart plugs: 400 a second, of 470 plugs. */
function plugs(directory) {
  const lines = sample(directory, "smartgrid-data.txt")
  if (lines !== undefined) return columnsOf(lines, { seconds: 0, value: 1, plug: 3, household: 4, house: 5 })
  const random = generator(2)
  const all = Array.from({ length: 470 }, (_, index) => ({
    plug: index % 14,
    household: Math.floor(index / 14) % 14,
    house: index % 10,
  }))
  return drawn(33_628, 84, () => ({
    ...all[Math.floor(random() * all.length)],
    value: random() < 0.32 ? 0 : Math.round(random() ** 4 * 666_000) / 1000,
  }))
}

/** Cars that report every 30 seconds where they are: 31 a second, on one highway. */
function cars(directory) {
  const lines = sample(directory, "lrb-data-small-ht.txt")
  if (lines !== undefined)
    return columnsOf(lines, { seconds: 0, vehicle: 1, speed: 2, highway: 3, direction: 5, position: 6 })
  const random = generator(3)
  const place = Array.from({ length: 1499 }, () => random() * 527_000)
  return drawn(16_384, 520, (row) => {
    const vehicle = row % 945 < 900 ? row % 945 : 900 + Math.floor(random() * 599)
    const speed = Math.floor(20 + random() * random() * 55)
    place[vehicle] = (place[vehicle] + speed * 44) % 527_000
    return { vehicle, speed, highway: 0, direction: vehicle & 1, position: Math.floor(place[vehicle]) }
  })
}

/** A machine's sensors: 100 readings a second. */
function machines(directory) {
  const lines = sample(directory, "DEBS2012-small.txt")
  if (lines === undefined) {
    const random = generator(4)
    return drawn(17_000, 170, () => ({
      phase1: 12_466 + Math.floor(random() * 5758),
      phase2: 13_698 + Math.floor(random() * 6633),
      phase3: 7275 + Math.floor(random() * 2113),
    }))
  }
  const start = Date.parse(lines[0][0])
  const seconds = lines.map(([time]) => Math.floor((Date.parse(time) - start) / 1000))
  return { ...columnsOf(lines, { seconds: 1, phase1: 2, phase2: 3, phase3: 4 }), seconds }
}

/** Events of ads: 1,000 a second; 1,000 ads, ten a campaign; one event in three is a view. */
function ads() {
  const random = generator(5)
  return drawn(100_000, 100, () => ({ eventType: Math.floor(random() * 3), ad: Math.floor(random() * 1000) }))
}

/**
 * Events of auctions as NEXMark draws them: 1,000 a second; of 50, one is a person, three open an auction, 46 bid, and
 * those are in the auction that was opened last. As in the original the cycle is short: its 480 auctions come again.
 */
function auctions() {
  return drawn(8000, 8, (event) => {
    const group = Math.floor(event / 50)
    const place = event % 50
    const last = place === 0 ? group * 3 - 1 : group * 3 + Math.min(place - 1, 2)
    return { auction: 1000 + last }
  })
}
