/**
 * The slow twin: for one window after the other it looks at every row of the prefix, and computes what the query's words
 * say. It knows nothing of slices, of state or of the engine. Sums differ from others' by rounding.
 */
import { STREAM_START_MICROS } from "../frame/stream-start.mjs"

const SECOND = 1_000_000

/** How many tuples of the stream hold a full window and the slides behind it that are checked. */
export function prefixTuples(query, cycle) {
  const micros = (query.size + query.checkedSlides * query.slide) * SECOND
  let row = 0
  while (timeOf(cycle, row) - STREAM_START_MICROS <= micros) row += 1
  return row + 1
}

/** Ends of the windows that are checked: the first three, and those that are full. */
export function checkedEnds(query) {
  const slide = query.slide * SECOND
  const first = STREAM_START_MICROS - (STREAM_START_MICROS % slide) + slide
  const full = STREAM_START_MICROS + query.size * SECOND
  const ends = new Set()
  for (let index = 0; index < 3; index++) ends.add(first + index * slide)
  for (let index = 0; index < query.checkedSlides; index++) ends.add(full + index * slide)
  return ends
}

function timeOf(cycle, row) {
  const turn = Math.floor(row / cycle.rows)
  return STREAM_START_MICROS + turn * cycle.periodMicros + cycle.columns.at[row % cycle.rows]
}

/** The result rows of the checked windows, from the first `tuples` tuples. */
export function twinRows(query, cycle, tuples) {
  const times = Float64Array.from({ length: tuples }, (_, row) => timeOf(cycle, row))
  const last = times[tuples - 1]
  return [...checkedEnds(query)].filter((end) => end <= last).flatMap((end) => windowRows(query, cycle, times, end))
}

function windowRows(query, cycle, times, end) {
  const start = end - query.size * SECOND
  const groups = new Map()
  for (let row = 0; row < times.length; row++) {
    if (times[row] < start || times[row] >= end) continue
    const inCycle = row % cycle.rows
    if (query.where !== undefined && !query.where(cycle.columns, inCycle)) continue
    const key = query.key(cycle.columns, inCycle)
    const name = key.join(" ")
    if (!groups.has(name)) groups.set(name, { key, rows: [], times: [] })
    groups.get(name).rows.push(inCycle)
    groups.get(name).times.push(times[row])
  }
  const results = [...groups.values()].flatMap(({ key, rows, times: own }) => {
    const aggregates = query.aggregate(cycle.columns, rows, own)
    if (query.having !== undefined && !query.having(aggregates)) return []
    return [[...key.map(Number), start, end, ...aggregates]]
  })
  return query.behind === undefined || results.length === 0 ? results : query.behind(results)
}
