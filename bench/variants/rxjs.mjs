/** The same pipeline in RxJS: lines parsed to objects, or objects from memory, filtered, grouped by minute and sensor, reduced. */
import { createReadStream, createWriteStream } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { finished } from "node:stream/promises"
import { filter, from, groupBy, map, mergeMap, Observable, reduce } from "rxjs"
import { report } from "./report.mjs"
import { readObjects } from "./rows-in-memory.mjs"

const MINUTE_MS = 60_000
const [format, input, directory, , runs = "1", rows] = process.argv.slice(2)

const lines = new Observable((subscriber) => {
  const reader = createInterface({ input: createReadStream(input, { highWaterMark: 1 << 18 }), crlfDelay: Infinity })
  reader.on("line", (line) => subscriber.next(line))
  reader.on("close", () => subscriber.complete())
})

function parseCsv(line) {
  const [at, sensor, value, ok] = line.split(",")
  return { at, sensor, value: Number(value), ok: ok === "true" }
}

async function readingsOf() {
  if (format === "objects") return from(await readObjects(`${input}.csv`, Number(rows)))
  return lines.pipe(
    filter((line, index) => line !== "" && !(format === "csv" && index === 0)),
    map((line) => (format === "csv" ? parseCsv(line) : JSON.parse(line))),
  )
}

const millisOf = format === "objects" ? ({ at }) => at / 1000 : ({ at }) => Date.parse(at)

const readings = await readingsOf()
const perMinute = readings.pipe(
  filter((r) => r.ok && r.value > 0),
  map((r) => ({ ...r, start: Math.floor(millisOf(r) / MINUTE_MS) * MINUTE_MS })),
  groupBy((r) => `${r.start} ${r.sensor}`),
  mergeMap((group) =>
    group.pipe(
      reduce(
        (acc, r) => ({
          ...acc,
          sensor: r.sensor,
          start: r.start,
          count: acc.count + 1,
          total: acc.total + r.value,
        }),
        {
          count: 0,
          total: 0,
        },
      ),
    ),
  ),
)

await report(directory, Number(runs), async (own) => {
  const out = createWriteStream(join(own, "rxjs.jsonl"))
  let rowsOut = 0
  await new Promise((resolve, reject) => {
    perMinute.subscribe({
      next: ({ sensor, start, count, total }) => {
        rowsOut++
        const windowStart = new Date(start).toISOString()
        const windowEnd = new Date(start + MINUTE_MS).toISOString()
        out.write(
          `${JSON.stringify({ sensor, windowStart, windowEnd, readings: count, total, mean: total / count })}\n`,
        )
      },
      error: reject,
      complete: resolve,
    })
  })
  out.end()
  await finished(out)
  return { rowsOut }
})
