/**
 * What starting costs without an engine: reading a log's bytes and their checksum; and a `Map` of the same keys that V8 writes and reads as a
 * whole. `node limits.mjs OPTIONS`, as JSON; prints one line of JSON.
 */
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import { deserialize, serialize } from "node:v8"
import { crc32c } from "../../dist/modules/base/crc32c.js"

const CHUNK_BYTES = 1 << 20
const { kind, directory, keys } = JSON.parse(process.argv[2])

const millisOf = (work) => {
  const start = performance.now()
  const result = work()
  return { millis: performance.now() - start, result }
}

/** All segments of a log, and the checksum of each chunk. */
function readLog() {
  const folder = join(directory, "state/log")
  const chunk = new Uint8Array(CHUNK_BYTES)
  let bytes = 0
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".wal"))) {
    const file = openSync(join(folder, name), "r")
    for (let count = 1; count > 0; bytes += count) {
      count = readSync(file, chunk, 0, CHUNK_BYTES, null)
      crc32c(chunk, 0, 0, count)
    }
    closeSync(file)
  }
  return bytes
}

/** What a program without an engine would do now and then: all at once. */
function mapByV8() {
  const map = new Map()
  for (let key = 0; key < keys; key++) map.set(key, { total: key * 1.5, last: key + 0.5 })
  const path = join(directory, "map.v8")
  const written = millisOf(() => {
    const bytes = serialize(map)
    const file = openSync(path, "w")
    writeSync(file, bytes)
    fdatasyncSync(file)
    closeSync(file)
    return bytes.length
  })
  map.clear()
  const read = millisOf(() => deserialize(readFileSync(path)).size)
  return { stopMillis: written.millis, bytes: written.result, readMillis: read.millis }
}

if (kind === "log") {
  const { millis, result } = millisOf(readLog)
  process.stdout.write(`${JSON.stringify({ millis, bytes: result })}\n`)
} else process.stdout.write(`${JSON.stringify(mapByV8())}\n`)
