/**
 * What the outputs of the scenario `operators` that depend on the clock must hold, whatever it says: each row counts once, each timer has
 * fired once and not early, states follow each other without a gap, and updates end with what is so.
 */
import { BEAT_TTL, beatOf, delayOf, LAST_KEY } from "./chaos-operators-data.mjs"
import { differenceOf, grouped } from "./chaos-differences.mjs"
import { goodRows, minutesByPlace, withWatermarks } from "./chaos-operators-reference.mjs"
import { microsOf } from "./chaos-times.mjs"

/** The differences of these outputs; `differenceOf` says what they are. */
export function clockDifferences(data, published) {
  // The last one comes when the job is run again.
  const beats = Array.from({ length: data.beats + 1 }, (_, id) => beatOf(id, data.beats))
  return [
    ...partsDifferences("live", beats, published.live),
    ...partsDifferences("seen", beats, published.seen),
    ...partsDifferences("batched", beats, published.batched),
    ...windowDifferences(published.seen),
    ...beatenDifferences(beats, published.beaten),
    ...minuteDifferences(data, published.liveMinutes),
    ...sumDifferences(published),
  ]
}

const wrong = (output, row) => ({ output, kind: "wrong", count: 1, row })
const whole = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toNumber(value)]))

/** CSV files give texts. */
function toNumber(value) {
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value
}

/** Parts of the rows of each key: together they are all of its rows. */
function partsDifferences(output, beats, published) {
  const parts = grouped(published.map(whole), ({ key }) => key)
  return [...grouped(beats, ({ key }) => key)].flatMap(([key, those]) => {
    const given = parts.get(key) ?? []
    const rows = given.reduce((total, each) => total + each.rows, 0)
    const total = given.reduce((all, each) => all + each.total, 0)
    if (rows < those.length) return [{ output, kind: "lost", count: those.length - rows, row: `rows of ${key}` }]
    if (rows > those.length) return [{ output, kind: "repeated", count: rows - those.length, row: `rows of ${key}` }]
    const expected = those.reduce((all, { value }) => all + value, 0)
    return total === expected && given.every((each) => each.rows > 0) ? [] : [wrong(output, `the total of ${key}`)]
  })
}

/** A window of a key has one result. */
function windowDifferences(published) {
  const windows = published.map(({ key, windowStart }) => `${key}|${windowStart}`)
  return differenceOf({ output: "seen", expected: [...new Set(windows)], rows: windows })
}

/** A state machine by the clock: what it has seen, and what its timers have done. */
function beatenDifferences(beats, published) {
  const rows = published.map(whole)
  const output = "beaten"
  const expected = beats.flatMap(({ id, key, value }) => {
    const seen = `seen|${key}|${id}|${value}`
    return key === LAST_KEY ? [seen] : [seen, `fired|${key}|${id}|${value}`]
  })
  const texts = rows.map(({ kind, key, id, value }) => `${kind}|${key}|${id}|${value}`)
  const differences = differenceOf({ output, expected, rows: texts })
  for (const [key, those] of grouped(rows, (row) => row.key)) {
    const seenAt = new Map()
    let before = null
    those.forEach(({ kind, id, place, now, other }, index) => {
      const name = `${kind} ${id} of ${key}`
      if (place !== index) differences.push(wrong(output, `${name} has the place ${place} and not ${index}`))
      if (kind === "seen") {
        const lives = before !== null && now < before + BEAT_TTL ? before : null
        if (other !== lives) differences.push(wrong(output, `${name} finds ${other} and not ${lives}`))
        before = now
        seenAt.set(id, now)
      } else if (other !== seenAt.get(id) + delayOf(id) || now < other) {
        differences.push(wrong(output, `${name} was due at ${other} and fired at ${now}`))
      }
    })
  }
  return [...differences, ...orderDifferences(rows)]
}

/** The clock does not go back, and what is due at one of its times fires in order. */
function orderDifferences(rows) {
  const differences = []
  rows.forEach((row, index) => {
    const before = rows[index - 1]
    if (before === undefined) return
    if (row.now < before.now)
      differences.push(wrong("beaten", `${row.kind} ${row.id} at ${row.now}, before ${before.now}`))
    const isPair = row.kind === "fired" && before.kind === "fired" && row.now === before.now
    if (isPair && row.other < before.other) differences.push(wrong("beaten", `${row.id} fired before ${before.id}`))
  })
  return differences
}

/** Windows that fire by the clock: an insert, updates with more rows each, and at last all rows. */
function minuteDifferences({ clicks }, published) {
  const output = "liveMinutes"
  const minutes = minutesByPlace(withWatermarks(goodRows(clicks.rows)))
  const given = grouped(published.map(whole), ({ key, windowStart }) => `${key}|${microsOf(windowStart)}`)
  const differences = [...given.keys()].filter((place) => !minutes.has(place)).map((place) => wrong(output, place))
  for (const [place, those] of minutes) {
    const updates = given.get(place) ?? []
    const last = updates.at(-1)
    const total = those.reduce((all, { value }) => all + value, 0)
    if (last === undefined) differences.push({ output, kind: "lost", count: 1, row: place })
    else if (last.rows !== those.length || last.total !== total) differences.push(wrong(output, `the last of ${place}`))
    const isStep = ({ op, rows }, index) =>
      index === 0 ? op === "insert" : op === "update" && rows > updates[index - 1].rows
    if (!updates.every(isStep)) differences.push(wrong(output, `the updates of ${place}`))
  }
  return differences
}

/** What the state machine has emitted is in one window, or late. */
function sumDifferences({ machine, machineMinutes, machineLate }) {
  const output = "machineMinutes"
  const counts = new Map()
  const count = (key, more) => counts.set(key, (counts.get(key) ?? 0) + more)
  for (const { key } of machine) count(key, 1)
  for (const { key, rows } of machineMinutes) count(key, -Number(rows))
  for (const { key } of machineLate) count(key, -1)
  return [...counts].flatMap(([key, left]) => {
    if (left === 0) return []
    return [{ output, kind: left > 0 ? "lost" : "repeated", count: Math.abs(left), row: `rows of ${key}` }]
  })
}
