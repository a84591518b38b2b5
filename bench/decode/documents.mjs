/**
 * The rows that all sides decode, as CSV and as JSON lines: eight fields of the usual kinds, in one order, drawn from a
 * seed. Floats are multiples of 1/8, so that sums are exact in any order and answers can be compared for equality.
 */
import { openSync, closeSync, writeSync } from "node:fs"
import { generator } from "../frame/random.mjs"

const ZONES = Array.from({ length: 260 }, (_, zone) => `zone-${zone + 1}`)
const STATUSES = ["requested", "accepted", "under way", "completed", "cancelled"]
const BLOCK_ROWS = 8192

/** The columns, in the files' order. */
export const NAMES = ["at", "trip", "zone", "status", "fare", "tip", "riders", "shared"]

/** Writes `rows` rows to a file, and gives how many bytes it has. */
export function writeDocument(file, format, rows) {
  const random = generator(1)
  const descriptor = openSync(file, "w")
  let bytes = 0
  const write = (text) => (bytes += writeSync(descriptor, text))
  try {
    if (format === "csv") write(`${NAMES.join(",")}\n`)
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      let block = ""
      for (let row = first; row < Math.min(rows, first + BLOCK_ROWS); row++) {
        const record = recordOf(random, row)
        block += format === "csv" ? csvLine(record) : `${JSON.stringify(record)}\n`
      }
      write(block)
    }
  } finally {
    closeSync(descriptor)
  }
  return bytes
}

function recordOf(random, row) {
  const below = (bound) => Math.floor(random() * bound)
  return {
    at: new Date(1.7e12 + row * 500 + below(500)).toISOString(),
    trip: 4_000_000_000 + row,
    zone: ZONES[below(ZONES.length)],
    status: STATUSES[below(STATUSES.length)],
    fare: below(80_000) / 8,
    tip: random() < 0.3 ? null : below(8000) / 8,
    riders: 1 + below(6),
    shared: random() < 0.5,
  }
}

/** A record as CSV. */
export function csvLine({ at, trip, zone, status, fare, tip, riders, shared }) {
  return `${at},${trip},${zone},${status},${fare},${tip ?? ""},${riders},${shared}\n`
}

/** What the rows come to: exact, and equal only where what was decoded is. */
export class Answer {
  rows = 0
  millis = 0
  trips = 0
  zoneLetters = 0
  statusLetters = 0
  fares = 0
  tips = 0
  tipped = 0
  riders = 0
  shared = 0

  /** Adds a row; `millis` is its time. */
  add(millis, { trip, zone, status, fare, tip, riders, shared }) {
    this.rows += 1
    this.millis += millis % 1_000_000
    this.trips += trip % 1_000_000
    this.zoneLetters += zone.length
    this.statusLetters += status.length
    this.fares += fare
    if (tip !== null) {
      this.tips += tip
      this.tipped += 1
    }
    this.riders += riders
    if (shared) this.shared += 1
  }
}
