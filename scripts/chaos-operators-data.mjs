/**
 * The data of a round of the scenario `operators`, and what its job is drawn from: which formats, which lengths. The job
 * (`chaos-operators-job.mjs`) and its twin (`chaos-operators-reference.mjs`) both read what stands here, and share nothing else.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const MILLISECOND = 1000
const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const START = Date.UTC(2024, 0, 1) * MILLISECOND

const CLICKS = 2500
const KEYS = 40
/** How many rows come by the clock, and how fast: a round lasts for some seconds. */
const BEATS = 2500
const BEATS_PER_SECOND = 800

const FORMATS = ["csv", "jsonl", "parquet", "arrow"]

/** Outputs that only append, which take files of any format. */
const ANY_FORMAT = [
  "asked",
  "askedMinutes",
  "answered",
  "visits",
  "visitsLate",
  "counted",
  "recent",
  "recentLate",
  "updatesLate",
  "live",
  "seen",
  "machine",
  "again",
  "machineMinutes",
  "machineLate",
  "beaten",
  "items",
  "itemsLate",
  "paired",
  "sorted",
  "batched",
  "hours",
  "dealt",
]

/** How event times are stretched, so that the minutes of a round are many hours: directories are for hours at least. */
const STRETCH = 120
/** How far rows of stretched times may be out of order, and how far behind an hour's end rows are waited for: in words, and microseconds. */
export const STRETCHED_DISORDER = { text: "8m", micros: 4 * STRETCH * SECOND }
const DEALT_AFTER = { text: "30m", micros: 30 * MINUTE }

/** Outputs that are directories by a column and by hours: their options, the column whose hour it is, and how long an hour is waited for. */
export const PARTITIONED = {
  hours: {
    time: "windowStart",
    afterMicros: 0,
    options: { partitionBy: ["lane", { column: "windowStart", by: "hour", as: "hour" }] },
  },
  dealt: {
    time: "at",
    afterMicros: DEALT_AFTER.micros,
    options: { partitionBy: ["lane", { column: "at", by: "hour", as: "hour" }], successAfter: DEALT_AFTER.text },
  },
}

/** A row of clicks with a stretched time. */
export function stretched({ id, value, at }) {
  return { id, value, lane: `lane ${Math.abs(value) % 2}`, at: START + STRETCH * (at - START) }
}

/** How long, in microseconds, the connected process keeps a minute: longer than any row is behind. */
export const PAIRED_FOR = 4 * MINUTE

/** Which rows the sorting operator refuses. */
export function isRefused(id) {
  return id % 113 === 9
}

/** Outputs whose rows take the place of others. */
const CHANGELOGS = ["updates", "liveMinutes"]

/** Outputs that are files. */
export const FILE_OUTPUTS = [...ANY_FORMAT, ...CHANGELOGS, "bad"]

/** A beat that comes when all others have, so that all timers by the clock that they have set are due before it. */
export const LAST_KEY = "last"

/** The beat of a number, of so many and a last one. */
export function beatOf(id, beats) {
  return { id, key: id < beats ? `b${(id * 7919) % 23}` : LAST_KEY, value: (id * 31) % 101 }
}

/** For how long, in microseconds, a beat's timer runs. */
export function delayOf(id) {
  return (20 + ((id * 13) % 200)) * MILLISECOND
}

/** For how long, in microseconds, beats of a key are gathered. */
export const BATCH_LENGTH = 30 * MILLISECOND

/** How a value by the clock lives, in microseconds. */
export const BEAT_TTL = 150 * MILLISECOND

/** What becomes of a row's calls, by its id: some fail once, some hang once, some fail always. */
export const CALLS = {
  failsAlways: (id) => id % 97 === 13,
  failsOnce: (id) => id % 41 === 7,
  hangsOnce: (id) => id % 607 === 100,
}

/** Which rows the handler of the state machine throws for, when it has done all else. */
export function isUnlucky(id) {
  return id % 31 === 4
}

/** Draws a round: its rows (this share of what there usually are), and what its job is made of. */
export function drawRound(prng, share = 1) {
  const beats = BEATS * share
  const drawn = prng.below(FORMATS.length)
  const formats = ANY_FORMAT.map((output, index) => [output, FORMATS[(drawn + index) % FORMATS.length]])
  const ids = { next: 1 }
  const clicks = drawFile(prng, { ids, rows: CLICKS * share, badShare: 0.004 })
  const clicksFormat = prng.pick(["csv", "jsonl"])
  return {
    clicks: { ...clicks, format: clicksFormat, isPacked: prng.chance(0.3) },
    trips: [1, 2, 3].map((file) => ({ name: `t${file}`, ...drawFile(prng, { ids, rows: 1200 * share, badShare: 0 }) })),
    walks: [1, 2].map((file) => ({ name: `w${file}`, ...drawFile(prng, { ids, rows: 800 * share, badShare: 0 }) })),
    beats,
    job: {
      formats: Object.fromEntries(formats),
      clicksFormat,
      rollBytes: prng.pick([1, 2000, 20_000]),
      callTimeoutMs: 400,
      itemsEverySeconds: prng.pick([60, 30, 25]),
      beatsPerSecond: BEATS_PER_SECOND,
      beats,
    },
  }
}

/** Rows of a file: mostly in order, some too late, some broken (`undefined`). All times are whole milliseconds. */
function drawFile(prng, { ids, rows, badShare }) {
  let clock = START + prng.below(60) * SECOND
  const drawn = []
  for (let index = 0; index < rows; index++) {
    clock += prng.below(400) * MILLISECOND
    const id = ids.next++
    if (prng.chance(badShare)) {
      drawn.push({ id, row: undefined })
      continue
    }
    const behind = prng.chance(0.02) ? prng.below(3 * MINUTE) : prng.below(6 * SECOND)
    const at = clock - behind - ((clock - behind) % MILLISECOND)
    drawn.push({ id, row: { id, key: `k${prng.below(KEYS)}`, value: prng.below(2001) - 1000, at } })
  }
  return { rows: drawn }
}

/** Writes the input of a round. */
export function writeInput(directory, { clicks, trips, walks }) {
  mkdirSync(join(directory, "in"), { recursive: true })
  const write = (name, content) => writeFileSync(join(directory, "in", name), content)
  const text = clicks.format === "csv" ? csvText(clicks.rows) : jsonText(clicks.rows)
  const name = `clicks.${clicks.format}`
  if (clicks.isPacked) write(`${name}.gz`, gzipSync(text))
  else write(name, text)
  for (const { name: trip, rows } of trips) write(`trips-${trip}.jsonl`, jsonText(rows, trip))
  for (const { name: walk, rows } of walks) write(`walks-${walk}.csv`, csvText(rows, walk))
}

function jsonText(rows, file) {
  return rows
    .map(({ id, row }) => (row === undefined ? { id, key: "k1", value: "none" } : { ...row, ...(file && { file }) }))
    .map((each) => `${JSON.stringify(each)}\n`)
    .join("")
}

function csvText(rows, file) {
  const lines = rows.map(({ id, row }) => {
    if (row === undefined) return `${id},k1,none,`
    return [row.id, row.key, row.value, row.at, ...(file === undefined ? [] : [file])].join(",")
  })
  return `${["id,key,value,at" + (file === undefined ? "" : ",file"), ...lines].join("\n")}\n`
}
