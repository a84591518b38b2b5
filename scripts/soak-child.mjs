/** The process of `soak.mjs`: runs the job for so long, and tells its memory, and the files it has made, as it goes. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fromDist } from "./dist.mjs"
import { makeJob } from "./soak-job.mjs"

const { nodeEnv } = await fromDist("env/node/node-env")
const { runJob } = await fromDist("runtime/run-job")

const { directory, seconds, everyMs, rowsPerSecond, leakBytes } = JSON.parse(process.argv[2])

const handle = await runJob(makeJob(rowsPerSecond), {
  env: nodeEnv(),
  directory: join(directory, "state"),
  baseDirectory: directory,
})
const started = performance.now()
const kept = []
const timer = setInterval(() => {
  if (leakBytes > 0) kept.push(Array.from({ length: (leakBytes * everyMs) / 8000 }, () => kept.length))
  // Behind a collection: else one sees when the last one was.
  global.gc()
  const at = (performance.now() - started) / 1000
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const { arenaUsedBytes, rowsIn, epoch } = handle.status()
  const log = sizeOf(join(directory, "state"))
  const memory = { rss, heapUsed, external, arrayBuffers, arena: arenaUsedBytes }
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
