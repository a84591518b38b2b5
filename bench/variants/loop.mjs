/**
 * The same pipeline as a hand-written loop, over files by the same decoder, over typed arrays, or over objects: no epochs, no state, no
 * recovery. It is what one would write who needs speed and no guarantee: nested maps, JSON.stringify out.
 */
import { createWriteStream } from "node:fs"
import { join } from "node:path"
import { finished } from "node:stream/promises"
import { decodeFile, timeOf } from "./decoder.mjs"
import { report } from "./report.mjs"
import { readColumns, readObjects } from "./rows-in-memory.mjs"

const MINUTE = 60_000_000
/** After so many rows it looks for windows that are over. */
const PIECE_ROWS = 16_384
const [format, input, directory, , runs = "1", rows] = process.argv.slice(2)

/** Windows by minute and sensor, and what has been written of them. */
class Windows {
  #windows = new Map()
  #watermark = -Infinity
  #out
  rowsOut = 0

  constructor(out) {
    this.#out = out
  }

  add(time, sensor, value) {
    const start = Math.floor(time / MINUTE) * MINUTE
    if (start + MINUTE - 1 <= this.#watermark) return
    let sensors = this.#windows.get(start)
    if (sensors === undefined) this.#windows.set(start, (sensors = new Map()))
    const entry = sensors.get(sensor)
    if (entry === undefined) sensors.set(sensor, { count: 1, total: value })
    else {
      entry.count++
      entry.total += value
    }
    this.#watermark = Math.max(this.#watermark, time - 5_000_000 - 1)
  }

  fire(upTo = this.#watermark) {
    for (const [start, sensors] of [...this.#windows].sort(([one], [other]) => one - other)) {
      if (start + MINUTE - 1 > upTo) break
      this.#windows.delete(start)
      const [windowStart, windowEnd] = [start, start + MINUTE].map((micros) => new Date(micros / 1000).toISOString())
      for (const [sensor, { count, total }] of sensors) {
        const row = { sensor, windowStart, windowEnd, readings: count, total, mean: total / count }
        this.#out.write(`${JSON.stringify(row)}\n`)
        this.rowsOut++
      }
    }
  }
}

function takeBatch(windows, batch) {
  const [at, sensor, value, ok] = batch.columns
  const { dictionary } = sensor
  for (let row = 0; row < batch.length; row++) {
    if (((ok.values[row >> 3] >> (row & 7)) & 1) === 0 || !(value.values[row] > 0)) continue
    windows.add(timeOf(at, row), dictionary.text(sensor.values[row]), value.values[row])
  }
  windows.fire()
}

function takeColumns(windows, { at, sensor, value, ok, names, length }) {
  for (let row = 0; row < length; row++) {
    if (row % PIECE_ROWS === 0) windows.fire()
    if (ok[row] === 0 || !(value[row] > 0)) continue
    windows.add(at[row], names[sensor[row]], value[row])
  }
}

function takeObjects(windows, list) {
  for (let row = 0; row < list.length; row++) {
    if (row % PIECE_ROWS === 0) windows.fire()
    const { at, sensor, value, ok } = list[row]
    if (ok && value > 0) windows.add(at, sensor, value)
  }
}

/** What gives all rows to windows. */
async function feeder() {
  if (format === "memory") {
    const columns = await readColumns(`${input}.csv`, Number(rows))
    return (windows) => takeColumns(windows, columns)
  }
  if (format === "objects") {
    const objects = await readObjects(`${input}.csv`, Number(rows))
    return (windows) => takeObjects(windows, objects)
  }
  return (windows) => decodeFile(format, input, (batch) => takeBatch(windows, batch))
}

const feed = await feeder()
await report(directory, Number(runs), async (own) => {
  const out = createWriteStream(join(own, "loop.jsonl"))
  const windows = new Windows(out)
  await feed(windows)
  windows.fire(Infinity)
  out.end()
  await finished(out)
  return { rowsOut: windows.rowsOut }
})
