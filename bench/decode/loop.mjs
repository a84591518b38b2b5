/** What one would write by hand: lines split and parsed to objects, from the file's bytes in memory. `node loop.mjs FORMAT FILE` */
import { readFileSync } from "node:fs"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer } from "./documents.mjs"

/** Strings are as long as V8 lets them be, so the text is made a part at a time. */
const PART_BYTES = 2 ** 24
const LINE_FEED = 10

const [format, file] = process.argv.slice(2)
const bytes = readFileSync(file)

function rowOfCsv(line) {
  const [at, trip, zone, status, fare, tip, riders, shared] = line.split(",")
  return {
    at: Date.parse(at),
    trip: Number(trip),
    zone,
    status,
    fare: Number(fare),
    tip: tip === "" ? null : Number(tip),
    riders: Number(riders),
    shared: shared === "true",
  }
}

function rowOfJson(line) {
  const row = JSON.parse(line)
  row.at = Date.parse(row.at)
  return row
}

function decode() {
  const whole = new Answer()
  const rowOf = format === "csv" ? rowOfCsv : rowOfJson
  let from = format === "csv" ? bytes.indexOf(LINE_FEED) + 1 : 0
  while (from < bytes.length) {
    const to = bytes.lastIndexOf(LINE_FEED, from + PART_BYTES) + 1
    for (const line of bytes.toString("utf8", from, to - 1).split("\n")) {
      const row = rowOf(line)
      whole.add(row.at, row)
    }
    from = to
  }
  return whole
}

await answer({ check: decode, query: () => timed(decode) })
