/** The process of `soak.mjs`: runs the job for so long, and tells its memory, and the files it has made, as it goes. */
import { createSecretKey } from "node:crypto"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { getHeapStatistics } from "node:v8"
import { fromDist } from "./dist.mjs"
import { makeJob } from "./soak-job.mjs"

const { nodeEnv } = await fromDist("env/node/node-env")
const { runJob } = await fromDist("runtime/run-job")

const { directory, seconds, everyMs, rowsPerSecond, leakBytes, leakIn } = JSON.parse(process.argv[2])

const handle = await runJob(makeJob(rowsPerSecond), {
  env: nodeEnv(),
  directory: join(directory, "state"),
  baseDirectory: directory,
})
/** What keeps bytes, by where they lie: a control for each way in which a program can lose memory. */
const LEAKS = {
  heap: (bytes) => Array.from({ length: bytes / 8 }, () => kept.length),
  buffers: (bytes) => new Uint8Array(bytes).fill(1),
  // The key's bytes are a copy that OpenSSL holds: neither V8 nor Node count them.
  malloc: (bytes) => createSecretKey(Buffer.alloc(bytes, 1)),
}

const started = performance.now()
const kept = []
const timer = setInterval(() => {
  if (leakBytes > 0) kept.push(LEAKS[leakIn](Math.ceil((leakBytes * everyMs) / 1000)))
  // Behind a collection: else one sees when the last one was.
  global.gc()
  const at = (performance.now() - started) / 1000
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const { arenaUsedBytes, rowsIn, epoch } = handle.status()
  const log = sizeOf(join(directory, "state"))
  const v8Pages = getHeapStatistics().total_physical_size
  const memory = { rss, v8Pages, native: rss - v8Pages, heapUsed, external, arrayBuffers, arena: arenaUsedBytes }
  process.send({ at, rows: rowsIn, epoch, ...memory, stateBytes: log.bytes, files: log.files + hiddenFiles() })
  if (at >= seconds) {
    clearInterval(timer)
    handle.stop()
  }
}, everyMs)
await handle.finished
process.disconnect()

/** The files below a directory: log generations, snapshots. */
function sizeOf(path) {
  let bytes = 0
  let files = 0
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    files++
    // It may be gone by now.
    bytes += statSync(join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return { bytes, files }
}

/** Files of outputs that are not published. */
function hiddenFiles() {
  const names = readdirSync(join(directory, "out"), { recursive: true })
  return names.filter((name) => String(name).split("/").at(-1).startsWith(".")).length
}
