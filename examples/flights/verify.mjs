/** Recounts the example's result with a plain loop over the feeds, and compares it with what the job has published. */
import { createReadStream } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { publishedRows } from "./result.mjs"

const DAY_MS = 86_400_000
const OUT_OF_ORDER_MS = 30 * 60_000

function parseFlight(line) {
  try {
    const flight = JSON.parse(line)
    const at = Date.parse(flight.date)
    const isGood = !Number.isNaN(at) && typeof flight.origin === "string" && Number.isInteger(flight.delay)
    return isGood ? { ...flight, at } : undefined
  } catch {
    return undefined
  }
}

/** What the job should have published: a record is late when its own feed's watermark had passed its day's end. */
async function recount(data) {
  const days = new Map()
  const counts = { tooLate: 0, bad: 0 }
  for (const name of await readdir(data)) {
    let latest = -Infinity
    for await (const line of createInterface({ input: createReadStream(join(data, name)), crlfDelay: Infinity })) {
      const flight = parseFlight(line)
      if (flight === undefined) {
        counts.bad++
        continue
      }
      if (!(flight.distance > 0)) continue
      const start = Math.floor(flight.at / DAY_MS) * DAY_MS
      const isLate = latest - OUT_OF_ORDER_MS >= start + DAY_MS
      latest = Math.max(latest, flight.at)
      if (isLate) {
        counts.tooLate++
        continue
      }
      const key = `${new Date(start).toISOString()} ${flight.origin}`
      const day = days.get(key) ?? { flights: 0, late: 0, delay: 0, worst: -Infinity }
      day.flights++
      day.late += flight.delay > 15 ? 1 : 0
      day.delay += flight.delay
      day.worst = Math.max(day.worst, flight.delay)
      days.set(key, day)
    }
  }
  return { days, counts }
}

/** Compares, prints what it found, and tells whether everything is equal. */
export async function verifyResult(data, out) {
  const { days, counts } = await recount(data)
  let wrong = 0
  for await (const row of publishedRows(join(out, "daily"))) {
    const key = `${new Date(row.windowStart).toISOString()} ${row.origin}`
    const day = days.get(key)
    const isRight =
      day !== undefined &&
      day.flights === row.flights &&
      day.late === row.late &&
      day.worst === row.worstDelay &&
      day.delay / day.flights === row.meanDelay
    if (!isRight) wrong++
    days.delete(key)
  }
  const published = { tooLate: 0, bad: 0 }
  for await (const _ of publishedRows(join(out, "too-late"))) published.tooLate++
  for await (const _ of publishedRows(join(out, "bad"))) published.bad++
  console.log(`\nrecounted with a plain loop: ${wrong} rows wrong or repeated, ${days.size} lost`)
  console.log(
    `too late: ${published.tooLate} published, ${counts.tooLate} counted; bad: ${published.bad} published, ${counts.bad} counted`,
  )
  return wrong === 0 && days.size === 0 && published.tooLate === counts.tooLate && published.bad === counts.bad
}
