/**
 * What the job of the scenario `operators` must give, by plain loops over its rows that know the semantics of `docs/spec` and share no code with
 * the engine. Rows are texts: the columns that count, joined by `|`; times are microseconds.
 *
 * What depends on the clock is not said here; `chaos-clock-judge.mjs` holds it to what must be so nevertheless.
 */
import { CALLS, isRefused, isUnlucky, PARTITIONED, STRETCHED_DISORDER, stretched } from "./chaos-operators-data.mjs"

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const OUT_OF_ORDER = 4 * SECOND
const SESSION_GAP = 7 * SECOND
const RANGE = 30 * SECOND

/** The rows of each output of which all is determined, in the order in which they come. */
export function referenceOf({ clicks, trips, walks, job }) {
  const rows = goodRows(clicks.rows)
  const timed = withWatermarks(rows)
  const answered = rows.filter(({ id }) => !CALLS.failsAlways(id))
  const machine = machineOf(timed)
  return {
    asked: answered.map(({ id, value }) => `${id}|${2 * value}`),
    answered: answered.map(({ id, value }) => `${id}|${2 * value}`),
    askedMinutes: minutesOf(timed.filter(({ id }) => !CALLS.failsAlways(id)).map(doubled)),
    counted: countedOf(timed),
    ...updatesOf(timed),
    ...itemsOf(rows, job.itemsEverySeconds * SECOND),
    ...visitsOf([...trips, ...walks]),
    ...recentOf(trips),
    ...machine,
    paired: pairedOf(trips, walks),
    sorted: sortedOf(timed),
    ...Object.fromEntries(
      Object.entries(partitionedOf(rows)).map(([output, those]) => [output, those.map(({ row }) => row)]),
    ),
    bad: badOf(clicks, rows),
    printed: rows.filter(({ id }) => id % 7 === 0).map(({ id }) => String(id)),
    kept: rows.filter(({ id }) => id % 5 === 0).map(({ id }) => String(id)),
  }
}

/** Minutes by key, at the end: `key|start` and what they hold. */
export function minutesByPlace(timed) {
  const minutes = new Map()
  for (const row of timed) {
    const start = row.at - (row.at % MINUTE)
    if (row.watermark >= start + MINUTE - 1) continue
    add(minutes, `${row.key}|${start}`, row)
  }
  return minutes
}

/** The rows that can be read. */
export function goodRows(rows) {
  return rows.flatMap(({ row }) => (row === undefined ? [] : [row]))
}

/** Rows of a partition, each with the watermark before it. */
export function withWatermarks(rows, outOfOrder = OUT_OF_ORDER) {
  let watermark = -Infinity
  return rows.map((row) => {
    const timed = { ...row, watermark }
    watermark = Math.max(watermark, row.at - outOfOrder - 1)
    return timed
  })
}

function doubled(row) {
  return { ...row, value: 2 * row.value }
}

function add(map, key, value) {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

const totalOf = (rows) => rows.reduce((total, { value }) => total + value, 0)

function minutesOf(timed) {
  return [...minutesByPlace(timed)].map(([place, rows]) => `${place}|${rows.length}|${totalOf(rows)}`)
}

/** A window of seven rows of a key with each third of them. */
function countedOf(rows) {
  const byKey = new Map()
  const counted = []
  for (const row of rows) {
    add(byKey, row.key, row)
    const those = byKey.get(row.key)
    if (those.length % 3 !== 0) continue
    const window = those.slice(-7)
    const times = window.map(({ at }) => at)
    const oldest = window.find(({ at }) => at === Math.min(...times))
    const bounds = `${Math.min(...times)}|${Math.max(...times) + 1}`
    counted.push(`${row.key}|${bounds}|${window.length}|${totalOf(window)}|${oldest.id}`)
  }
  return counted
}

/** Rows of hopping windows of items, each late or not by the watermark of items. */
function itemsOf(rows, slide) {
  const given = rows.flatMap((row) =>
    Array.from({ length: Math.abs(row.value) % 3 }, (_, item) => ({
      ...row,
      item,
      value: item,
      at: row.at + item * 1_700_000,
    })),
  )
  const windows = new Map()
  const itemsLate = []
  for (const row of withWatermarks(given)) {
    let isLate = true
    for (let start = Math.floor(row.at / slide) * slide; start > row.at - MINUTE; start -= slide) {
      if (row.watermark >= start + MINUTE - 1) continue
      isLate = false
      add(windows, `${row.key}|${start}`, row)
    }
    if (isLate) itemsLate.push(`${row.id}|${row.item}`)
  }
  const items = [...windows].map(([place, those]) => `${place}|${those.length}|${totalOf(those)}`)
  return { items, itemsLate }
}

/** Sessions of each key of each file (W31 to W33). */
function visitsOf(files) {
  const visits = []
  const visitsLate = []
  for (const { name, rows } of files) {
    const sessions = new Map()
    for (const row of withWatermarks(goodRows(rows))) {
      const own = { start: row.at, end: row.at + SESSION_GAP, rows: [row] }
      const those = sessions.get(row.key) ?? []
      const joined = those.filter(({ start, end }) => row.watermark < end - 1 && own.start <= end && start <= own.end)
      if (joined.length === 0 && row.watermark >= own.end - 1) {
        visitsLate.push(String(row.id))
        continue
      }
      const whole = [own, ...joined]
      const session = {
        start: Math.min(...whole.map(({ start }) => start)),
        end: Math.max(...whole.map(({ end }) => end)),
        rows: whole.flatMap((each) => each.rows),
      }
      sessions.set(row.key, [...those.filter((each) => !joined.includes(each)), session])
    }
    for (const [key, those] of sessions) {
      for (const { start, end, rows: held } of those) {
        const ids = held.map(({ id }) => id)
        const range = `${Math.min(...ids)}|${Math.max(...ids)}`
        visits.push(`${name}|${key}|${start}|${end}|${held.length}|${totalOf(held)}|${range}`)
      }
    }
  }
  return { visits, visitsLate }
}

/** Each row with those of its key in the thirty seconds before it, of all files (W80 to W82). */
function recentOf(files) {
  const all = files.flatMap(({ rows }) => withWatermarks(goodRows(rows)))
  const inTime = all.filter(({ watermark, at }) => watermark < at)
  const byKey = new Map()
  for (const row of inTime) add(byKey, row.key, row)
  const recent = inTime.map(({ id, key, at }) => {
    const range = byKey.get(key).filter((other) => other.at >= at - RANGE && other.at <= at)
    return `${id}|${range.length}|${totalOf(range)}`
  })
  const recentLate = all.filter(({ watermark, at }) => watermark >= at).map(({ id }) => String(id))
  return { recent, recentLate }
}

/** Minutes that fire with each fifth row, at each twenty seconds of event time, and for late rows (W70 to W73). */
function updatesOf(rows) {
  const lateness = 30 * SECOND
  const tickLength = 20 * SECOND
  const windows = []
  const updates = []
  const updatesLate = []
  let watermark = -Infinity
  const fire = (window) => {
    if (window.news.length === 0) return
    window.news = []
    const { key, start, rows: held } = window
    updates.push(`${window.isGiven ? "update" : "insert"}|${key}|${start}|${held.length}|${totalOf(held)}`)
    window.isGiven = true
  }
  const momentOf = ({ start, news }) =>
    Math.min(watermark < start + MINUTE - 1 ? start + MINUTE - 1 : Infinity, ...news.map((tick) => tick - 1))
  const advance = (to) => {
    for (;;) {
      const moments = windows.map(momentOf)
      const moment = Math.min(Infinity, ...moments)
      if (moment > to) break
      const due = windows.filter((_, index) => moments[index] === moment)
      watermark = moment
      for (const window of due.sort((one, other) => one.start - other.start || one.place - other.place)) fire(window)
    }
    watermark = Math.max(watermark, to)
    const gone = windows.filter(({ start }) => start + MINUTE - 1 + lateness <= watermark)
    for (const window of gone) windows.splice(windows.indexOf(window), 1)
  }
  rows.forEach((row, place) => {
    advance(row.watermark)
    const start = row.at - (row.at % MINUTE)
    if (watermark >= start + MINUTE - 1 + lateness) {
      updatesLate.push(String(row.id))
      return
    }
    let window = windows.find((each) => each.key === row.key && each.start === start)
    if (window === undefined) {
      window = { key: row.key, start, place, rows: [], news: [], isGiven: false }
      windows.push(window)
    }
    window.rows.push(row)
    const from = Math.max(row.at, watermark + 1)
    window.news.push((Math.floor(from / tickLength) + 1) * tickLength)
    if (window.news.length >= 5 || watermark >= start + MINUTE - 1) fire(window)
  })
  advance(Math.max(watermark, ...windows.map(({ start }) => start + MINUTE - 1)))
  return { updates, updatesLate }
}

/** The state machine: rows, timers and values that expire, by the watermark. */
function machineOf(rows) {
  const keys = new Map()
  const out = { machine: [], again: [] }
  let timers = []
  let watermark = -Infinity
  let sequence = 0
  const setTimer = (key, name, tag, time) => {
    timers = timers.filter((each) => each.key !== key || each.name !== name || each.tag !== tag)
    if (time !== undefined) timers.push({ key, name, tag, time, sequence: sequence++ })
  }
  const fire = ({ key, name, tag, time }) => {
    const state = keys.get(key)
    const totals = `${time}|${state.ids.length}|${totalOf(state.values)}`
    if (name === "idle") {
      out.machine.push(`${key}|idle|${state.ids.at(-1) ?? 0}|${totals}|${state.ids.join("+")}`)
      state.ids = []
      state.values = []
    } else {
      const id = Number.parseInt(tag, 10)
      out.machine.push(`${key}|${tag}|${id}|${totals}|`)
      if (id % 2 === 0 && !tag.endsWith("x")) setTimer(key, "echo", `${tag}x`, time + 3 * SECOND)
    }
  }
  const advance = (to) => {
    for (;;) {
      const due = timers.filter(({ time }) => time <= to)
      if (due.length === 0) break
      const next = due.reduce((one, other) =>
        one.time < other.time || (one.time === other.time && one.sequence < other.sequence) ? one : other,
      )
      setTimer(next.key, next.name, next.tag, undefined)
      fire(next)
    }
    watermark = Math.max(watermark, to)
  }
  for (const row of rows) {
    advance(row.watermark)
    if (!keys.has(row.key)) keys.set(row.key, { before: new Map(), ids: [], values: [] })
    if (isUnlucky(row.id)) continue
    const state = keys.get(row.key)
    const kind = Math.abs(row.value) % 20
    const before = state.before.get(kind)
    if (before !== undefined && watermark < before.expires) out.again.push(`${row.key}|${row.id}|${before.id}`)
    else state.before.set(kind, { id: row.id, expires: Math.max(row.at, watermark) + 20 * SECOND })
    state.ids.push(row.id)
    state.values.push(row)
    setTimer(row.key, "idle", "", row.at + 15 * SECOND)
    if (row.id % 5 === 0) setTimer(row.key, "echo", String(row.id), row.at + (row.id % 11) * SECOND)
    if (row.id % 17 === 0) setTimer(row.key, "echo", String(row.id - 2), undefined)
  }
  // The job drains twice, as it is run again when it has finished: what a timer sets for later waits for the second time.
  advance(Math.max(...timers.map(({ time }) => time)))
  if (timers.length > 0) advance(Math.max(...timers.map(({ time }) => time)))
  return out
}

/** What the trips and the walks of a key have of each minute: nothing is late for so long a wait. */
function pairedOf(trips, walks) {
  const minutes = new Map()
  const take = (stream, files) => {
    for (const { key, value, at } of files.flatMap(({ rows }) => goodRows(rows))) {
      const place = `${key}|${at - (at % MINUTE)}`
      if (!minutes.has(place)) minutes.set(place, { trips: [], walks: [] })
      minutes.get(place)[stream].push({ value })
    }
  }
  take("trips", trips)
  take("walks", walks)
  return [...minutes].map(
    ([place, each]) =>
      `${place}|${each.trips.length}|${totalOf(each.trips)}|${each.walks.length}|${totalOf(each.walks)}`,
  )
}

/** Rows of each key in the order of their times, as far as the watermark lets them wait (P13). */
function sortedOf(rows) {
  const sorted = []
  for (const key of new Set(rows.map((row) => row.key))) {
    let held = []
    let place = 0
    const release = (watermark) => {
      const due = held.filter(({ at }) => at <= watermark).sort((one, other) => one.at - other.at || one.id - other.id)
      for (const { id, at } of due) sorted.push(`${key}|${id}|${at}|${place++}`)
      held = held.filter(({ at }) => at > watermark)
    }
    for (const row of rows) {
      release(row.watermark)
      if (row.key === key && !isRefused(row.id)) held.push(row)
      release(row.watermark)
    }
    release(Infinity)
  }
  return sorted
}

/** The rows of outputs that are directories: each with its directory, and whether that may have its marker before. */
export function partitionedOf(rows) {
  const timed = withWatermarks(rows.map(stretched), STRETCHED_DISORDER.micros)
  const windows = new Map()
  for (const row of timed) {
    const start = row.at - (row.at % (10 * MINUTE))
    if (row.watermark < start + 10 * MINUTE - 1) add(windows, `${row.lane}|${start}`, row)
  }
  const hours = [...windows].map(([place, those]) => {
    const [lane, start] = place.split("|")
    return { row: `${place}|${those.length}|${totalOf(those)}`, path: pathOf(lane, Number(start)), isLate: false }
  })
  const dealt = timed.map(({ id, lane, at, watermark }) => {
    const end = at - (at % HOUR) + HOUR
    const isLate = watermark >= end + PARTITIONED.dealt.afterMicros
    return { row: `${id}|${lane}|${at}`, path: pathOf(lane, at), isLate }
  })
  return { hours, dealt }
}

/** The directory of a lane and the hour of a time. */
export function pathOf(lane, micros) {
  const hour = new Date(micros / 1000).toISOString().slice(0, 13).replace("T", "-")
  return `lane=${lane}/hour=${hour}`
}

/** Dead letters: what cannot be read, and rows of operators that have failed. */
function badOf(clicks, rows) {
  const unread = clicks.rows.filter(({ row }) => row === undefined).map(({ id }) => `read|${id}`)
  const failed = rows.filter(({ id }) => CALLS.failsAlways(id))
  return [
    ...unread,
    ...failed.flatMap(({ id }) => [`asked|${id}`, `answered|${id}`]),
    ...rows.filter(({ id }) => isUnlucky(id)).map(({ id }) => `machine|${id}`),
    ...rows.filter(({ id }) => isRefused(id)).map(({ id }) => `sorted|${id}`),
  ]
}
