/**
 * The scenario `operators` of `chaos.mjs`: `process` with state of every kind, values that expire and timers by event time and by the clock;
 * `asyncMap` in both orders, with answers that fail and hang; unions, `flatMap`, windows of every kind that runs on plain values; `connect` over
 * two inputs; operators of the program's own; and every sink, partitioned ones with their markers among them (`chaos-markers.mjs`).
 *
 * It is judged by a twin where all is determined (`chaos-operators-reference.mjs`), and where results depend on the clock by what must hold
 * whatever it says (`chaos-clock-judge.mjs`). When the job has finished, one more row comes by the clock, behind all timers.
 */
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { clockDifferences } from "./chaos-clock-judge.mjs"
import { differenceOf } from "./chaos-differences.mjs"
import { drawRound, FILE_OUTPUTS, writeInput } from "./chaos-operators-data.mjs"
import { Markers, markerDifferences } from "./chaos-markers.mjs"
import { pathOf, referenceOf } from "./chaos-operators-reference.mjs"
import { rowsOfOutput } from "./chaos-published.mjs"
import { rowText } from "./chaos-times.mjs"

/** What counts of the rows of each output that is determined. */
const COLUMNS = {
  asked: ["id", "twice"],
  answered: ["id", "twice"],
  askedMinutes: ["key", "windowStart", "rows", "total"],
  counted: ["key", "windowStart", "windowEnd", "rows", "total", "oldest"],
  updates: ["op", "key", "windowStart", "rows", "total"],
  updatesLate: ["id"],
  items: ["key", "windowStart", "rows", "total"],
  itemsLate: ["id", "item"],
  visits: ["file", "key", "windowStart", "windowEnd", "rows", "total", "least", "newest"],
  visitsLate: ["id"],
  recent: ["id", "rows", "total"],
  recentLate: ["id"],
  machine: ["key", "kind", "id", "at", "rows", "total", "ids"],
  again: ["key", "id", "before"],
  paired: ["key", "minute", "trips", "tripsTotal", "walks", "walksTotal"],
  sorted: ["key", "id", "at", "place"],
  hours: ["lane", "windowStart", "rows", "total"],
  dealt: ["id", "lane", "at"],
}

const wholly = () => ""

/** Outputs whose order the specification says: of which rows together. */
const ORDERED = {
  asked: wholly,
  counted: wholly,
  updates: wholly,
  updatesLate: wholly,
  itemsLate: wholly,
  machine: wholly,
  again: wholly,
  sorted: (row) => row.split("|")[0],
  dealt: (row) => pathOfDealt(...row.split("|")),
}

function pathOfDealt(_id, lane, at) {
  return pathOf(lane, Number(at))
}

/** See the head of this file. */
export const operators = {
  outputs: FILE_OUTPUTS,
  phases: 2,
  killsMax: 15,
  draw: (prng) => drawRound(prng),
  write: writeInput,
  job: ({ job }) => job,
  watch: (directory, data) => new Markers(directory, data),

  async judge(directory, data, heard) {
    /** @type {Record<string, any[]>} */
    const published = {}
    for (const output of FILE_OUTPUTS) published[output] = await rowsOfOutput(directory, output)
    const callsFile = join(directory, "calls")
    const calls = existsSync(callsFile) ? readFileSync(callsFile, "utf8").trimEnd().split("\n") : []
    rmSync(callsFile, { force: true })
    return [...differencesOf({ data, published, heard, calls }), ...markerDifferences(directory, data)]
  },
}

/**
 * All differences of a round.
 *
 * @param {object} round
 * @param {any} round.data what was drawn
 * @param {Record<string, any[]>} round.published the rows of each output of files, in order
 * @param {readonly { rows: readonly string[] }[]} round.heard what each child has said: rows that it printed, and those it had in memory
 * @param {readonly string[]} round.calls the calls that were made: operator, row and key
 */
export function differencesOf({ data, published, heard, calls }) {
  const reference = referenceOf(data)
  const differences = Object.entries(COLUMNS).flatMap(([output, columns]) => {
    const rows = published[output].map((row) => rowText(row, columns))
    return differenceOf({ output, expected: reference[output], rows, groupOf: ORDERED[output] })
  })
  differences.push(...differenceOf({ output: "bad", expected: reference.bad, rows: published.bad.map(letterText) }))
  differences.push(...printedDifferences(reference.printed, heard), ...keptDifferences(reference.kept, heard))
  differences.push(...callDifferences(reference, calls), ...clockDifferences(data, published))
  return differences
}

function letterText({ operator, raw }) {
  const [id] = /\d+/.exec(raw)
  return `${operator ?? "read"}|${id}`
}

/** The standard output: each row at least once, and nothing else; of one process, each at most once. */
function printedDifferences(expected, heard) {
  const printed = heard.map(({ rows }) =>
    rows.filter((line) => /^\{.*\}$/.test(line)).map((line) => String(JSON.parse(line).id)),
  )
  const known = new Set(printed.flat())
  const once = printed.flatMap((rows) =>
    differenceOf({ output: "printed", expected, rows }).filter(({ kind }) => kind !== "lost"),
  )
  const lost = expected
    .filter((row) => !known.has(row))
    .map((row) => ({ output: "printed", kind: "lost", count: 1, row }))
  return [...once, ...lost]
}

/** An array in memory: what its process has committed and what the log still had, each once and in order. */
function keptDifferences(expected, heard) {
  const places = new Map(expected.map((row, place) => [row, place]))
  return heard.flatMap(({ rows }) => {
    const kept = rows
      .filter((line) => line.startsWith("rows "))
      .flatMap((line) => JSON.parse(line.slice(5)).map(String))
    const doubtful = differenceOf({ output: "kept", expected, rows: kept }).filter(({ kind }) => kind !== "lost")
    const gap = kept.findIndex((row, index) => index > 0 && places.get(row) !== places.get(kept[index - 1]) + 1)
    return gap === -1
      ? doubtful
      : [...doubtful, { output: "kept", kind: "wrong", count: 1, row: `${kept[gap]} (out of its place)` }]
  })
}

/** Calls: at least one of each row of each operator, always by the row's own key. */
function callDifferences({ bad, asked, answered }, calls) {
  const keys = new Map()
  const owners = new Map()
  const wrong = []
  for (const call of calls) {
    const [operator, id, key] = call.split(" ")
    const row = `${operator}|${id}`
    if ((keys.get(row) ?? key) !== key || (owners.get(key) ?? row) !== row)
      wrong.push({ output: "calls", kind: "wrong", count: 1, row: call })
    keys.set(row, key)
    owners.set(key, row)
  }
  const expected = [
    ...asked.map((row) => `asked|${row.split("|")[0]}`),
    ...answered.map((row) => `answered|${row.split("|")[0]}`),
    ...bad.filter((row) => /^(asked|answered)/.test(row)),
  ]
  const lost = expected.filter((row) => !keys.has(row)).map((row) => ({ output: "calls", kind: "lost", count: 1, row }))
  return [...wrong, ...lost]
}
