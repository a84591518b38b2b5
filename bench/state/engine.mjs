/**
 * A job of a bench in a process of its own, which is killed in the end: `node engine.mjs OPTIONS`, as JSON. It prints lines of JSON: `durable`
 * with the first results that are, and `measured` when so many epochs and snapshots have passed; then it goes on.
 */
import { join } from "node:path"
import { nodeEnv } from "../../dist/modules/env/node/node-env.js"
import { jsonl } from "../../dist/modules/files.js"
import { EpochStore } from "../../dist/modules/state/epoch-store.js"
import { Snapshots } from "../../dist/modules/runtime/snapshots.js"
import { runJob } from "../../dist/modules/runtime/run-job.js"
import { arrivingRows } from "./arriving-rows.mjs"
import { keyedJob } from "./keyed-jobs.mjs"
import { SnapshotStops } from "./snapshot-stops.mjs"

/** A job is measured for so long at most, however few snapshots there were. */
const SECONDS_MAX = 60

const { kind, keys, dirty, directory, epochs, snapshots, isResumed = false } = JSON.parse(process.argv[2])

const stops = new SnapshotStops()
/** Bytes of changes by epoch, and what was handed to the log's files. */
const epochBytes = []
let logBytes = 0
/** Whether all keys are there. */
let isFull = false
let fullMillis = 0
let isMeasured = false
let lastResults

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** What epochs change, seen where they are committed. */
function watchCommits() {
  const commit = EpochStore.prototype.commit
  EpochStore.prototype.commit = function (record) {
    let bytes = 0
    for (const changes of record.operators.values()) bytes += changes.length
    if (isFull) epochBytes.push(bytes)
    return commit.call(this, record)
  }
}

/** How long the stream has waited for calls to snapshots, in milliseconds: what of stops is theirs. */
const ownMillis = []
function watchSnapshots() {
  for (const name of ["step", "beforeCommit", "writeSlices"]) {
    const method = Snapshots.prototype[name]
    Snapshots.prototype[name] = function (...args) {
      const start = performance.now()
      const took = () => {
        const millis = performance.now() - start
        if (isFull && millis > 0.05) ownMillis.push(millis)
      }
      const result = method.apply(this, args)
      return name === "step" ? took() : result.finally(took)
    }
  }
}

function watchedEnv() {
  const env = nodeEnv()
  const open = async (path, mode, step) => {
    const file = await env.disk.open(path, mode, step)
    if (file === undefined || !path.includes("/log/")) return file
    return new Proxy(file, {
      get: (target, name) => {
        const value = target[name]
        if (typeof value !== "function") return value
        if (name !== "write") return value.bind(target)
        return (bytes, ...rest) => {
          if (isFull) logBytes += bytes.length
          return target.write(bytes, ...rest)
        }
      },
    })
  }
  return { ...env, disk: Object.assign(Object.create(env.disk), { open }) }
}

watchCommits()
watchSnapshots()
/** Also how long it took to load the modules. */
const started = performance.now()
const bound = keyedJob(kind).with({
  inputs: {
    rows: arrivingRows({ keys, rowsASecond: rowsASecond(), onRead: (rows, lag) => isFull && stops.read(rows, lag) }),
  },
  outputs: { kept: jsonl(join(directory, "kept")), results: jsonl(join(directory, "results")) },
  epoch: isResumed ? { min: "1ms", max: "20ms" } : { min: "1m", max: "1m" },
})
const handle = await runJob(bound, {
  env: watchedEnv(),
  directory: join(directory, "state"),
  baseDirectory: directory,
  ...(isResumed ? {} : { epochRows: dirty }),
  // A snapshot each four epochs or so, however large they are.
  snapshotPolicy: { minBytes: 1 << 16, growth: (4 * dirty) / keys },
  onEvent,
})

lastResults = handle.status().rowsOut.results

function rowsASecond() {
  return Math.min(100_000, Math.max(20_000, dirty * 4))
}

function onEvent(event) {
  if (isFull) stops.event(event)
  if (event.kind === "recovered") {
    tell({ kind: "recovered", loadMillis: started, millis: performance.now() - started })
  }
  if (event.kind !== "committed") return
  const { rowsIn, rowsOut } = handle.status()
  if (rowsOut.results > lastResults) tell({ kind: "durable" })
  lastResults = rowsOut.results
  if (isResumed) return
  if (rowsIn >= keys && !isFull) {
    isFull = true
    stops.begin()
    fullMillis = performance.now()
  } else if (isFull && !isMeasured) endWhereEnough()
}

function endWhereEnough() {
  const isLong = performance.now() - fullMillis > SECONDS_MAX * 1000
  if (!isLong && (epochBytes.length < epochs || stops.snapshots < snapshots)) return
  isMeasured = true
  const { p99, max } = quantiles(ownMillis)
  tell({
    kind: "measured",
    ...stops.end(),
    own: { p99, max },
    epochBytes,
    logBytes,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })
}

function quantiles(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other)
  return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, max: sorted.at(-1) ?? 0 }
}
