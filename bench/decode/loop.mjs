/**
 * What one would write by hand: lines split and parsed to objects, from the file's bytes in memory; objects to lines, a part
 * of the text at a time, to nowhere. `node loop.mjs FORMAT FILE`
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer, csvLine, NAMES } from "./documents.mjs"

/** Strings are as long as V8 lets them be, so the text is made a part at a time. */
const PART_BYTES = 2 ** 24
const LINE_FEED = 10
/** So many lines are written at a time. */
const PART_ROWS = 4096

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

function decode(take) {
  const rowOf = format === "csv" ? rowOfCsv : rowOfJson
  let from = format === "csv" ? bytes.indexOf(LINE_FEED) + 1 : 0
  while (from < bytes.length) {
    const to = bytes.lastIndexOf(LINE_FEED, from + PART_BYTES) + 1
    for (const line of bytes.toString("utf8", from, to - 1).split("\n")) {
      take(rowOf(line))
    }
    from = to
  }
}

function sum() {
  const whole = new Answer()
  decode((row) => whole.add(row.at, row))
  return whole
}

/** The file's rows, once somebody asks for them. */
let rows

function encode(file) {
  const descriptor = openSync(file, "w")
  if (format === "csv") writeSync(descriptor, `${NAMES.join(",")}\n`)
  for (let first = 0; first < rows.length; first += PART_ROWS) {
    let part = ""
    for (const row of rows.slice(first, first + PART_ROWS)) {
      const record = { ...row, at: new Date(row.at).toISOString() }
      part += format === "csv" ? csvLine(record) : `${JSON.stringify(record)}\n`
    }
    writeSync(descriptor, part)
  }
  closeSync(descriptor)
}

function encodeTo(file) {
  if (rows === undefined) {
    rows = []
    decode((row) => rows.push(row))
  }
  return timed(() => encode(file))
}

await answer({ check: sum, decode: () => timed(sum), write: encodeTo, encode: () => encodeTo("/dev/null") })
