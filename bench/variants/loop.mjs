/**
 * The same pipeline as a hand-written loop over the same decoder: no epochs, no state, no recovery. It is what one would
 * write who needs speed and no guarantee: typed columns in, nested maps, JSON.stringify out.
 */
import { createWriteStream } from "node:fs"
import { mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { finished } from "node:stream/promises"
import { Arena } from "../../dist/modules/batch/arena.js"
import { schema } from "../../dist/modules/batch/schema.js"
import { t } from "../../dist/modules/batch/types.js"
import { createDecoder } from "./decoder.mjs"
import { report } from "./report.mjs"

const CHUNK_BYTES = 256 * 1024
const MINUTE = 60_000_000
const [format, input, directory] = process.argv.slice(2)

const startMillis = performance.now()
await mkdir(directory, { recursive: true })
const out = createWriteStream(join(directory, "loop.jsonl"))
const windows = new Map()
let watermark = -Infinity
let rowsIn = 0
let rowsOut = 0

function fire(upTo) {
  for (const [start, sensors] of [...windows].sort(([one], [other]) => one - other)) {
    if (start + MINUTE - 1 > upTo) break
    windows.delete(start)
    for (const [sensor, { count, total }] of sensors) {
      const windowStart = new Date(start / 1000).toISOString()
      const windowEnd = new Date((start + MINUTE) / 1000).toISOString()
      out.write(`${JSON.stringify({ sensor, windowStart, windowEnd, readings: count, total, mean: total / count })}\n`)
      rowsOut++
    }
  }
}

function take(batch) {
  const [at, sensor, value, ok] = batch.columns
  for (let row = 0; row < batch.length; row++) {
    if (((ok.values[row >> 3] >> (row & 7)) & 1) === 0 || !(value.values[row] > 0)) continue
    const time = at.halves[row * 2 + 1] * 4294967296 + (at.halves[row * 2] >>> 0)
    const start = Math.floor(time / MINUTE) * MINUTE
    if (start + MINUTE - 1 <= watermark) continue
    let sensors = windows.get(start)
    if (sensors === undefined) windows.set(start, (sensors = new Map()))
    const name = sensor.dictionary.text(sensor.values[row])
    const entry = sensors.get(name)
    if (entry === undefined) sensors.set(name, { count: 1, total: value.values[row] })
    else {
      entry.count++
      entry.total += value.values[row]
    }
    watermark = Math.max(watermark, time - 5_000_000 - 1)
  }
  rowsIn += batch.length
  fire(watermark)
}

const columns = schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool })
const arena = new Arena({ maxBytes: 64 << 20 })
const file = await open(input)
const { decode, start } = await createDecoder(format, columns, arena, file)
const { size } = await file.stat()
const bytes = new Uint8Array(CHUNK_BYTES * 2)
let carried = 0
let offset = start.offset
for (let position = start; position.offset < size;) {
  const { bytesRead } = await file.read(bytes, carried, CHUNK_BYTES, offset)
  offset += bytesRead
  const to = carried + bytesRead
  const decoded = decode({ bytes, from: 0, to, position, atEnd: offset >= size })
  if (decoded.batch !== undefined) take(decoded.batch)
  decoded.release()
  const used = decoded.next.offset - position.offset
  bytes.copyWithin(0, used, to)
  carried = to - used
  position = decoded.next
}
fire(Infinity)
out.end()
await finished(out)
report(startMillis, { rowsIn, rowsOut })
