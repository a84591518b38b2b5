/** The same pipeline in RxJS: lines parsed to objects, filtered, grouped by minute and sensor, reduced. */
import { createReadStream, createWriteStream } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { finished } from "node:stream/promises"
import { filter, groupBy, map, mergeMap, Observable, reduce } from "rxjs"
import { report } from "./report.mjs"

const MINUTE_MS = 60_000
const [format, input, directory] = process.argv.slice(2)

const startMillis = performance.now()
await mkdir(directory, { recursive: true })
const out = createWriteStream(join(directory, "rxjs.jsonl"))
let rowsIn = 0
let rowsOut = 0

const lines = new Observable((subscriber) => {
  const reader = createInterface({ input: createReadStream(input, { highWaterMark: 1 << 18 }), crlfDelay: Infinity })
  reader.on("line", (line) => subscriber.next(line))
  reader.on("close", () => subscriber.complete())
})

function parseCsv(line) {
  const [at, sensor, value, ok] = line.split(",")
  return { at, sensor, value: Number(value), ok: ok === "true" }
}

await new Promise((resolve, reject) => {
  lines
    .pipe(
      filter((line, index) => line !== "" && !(format === "csv" && index === 0)),
      map((line) => (format === "csv" ? parseCsv(line) : JSON.parse(line))),
      filter((r) => (rowsIn++, r.ok && r.value > 0)),
      map((r) => ({ ...r, start: Math.floor(Date.parse(r.at) / MINUTE_MS) * MINUTE_MS })),
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
    .subscribe({
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
report(startMillis, { rowsIn, rowsOut })
