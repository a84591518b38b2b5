/**
 * The scenario `http` of `chaos.mjs`: a client sends records by HTTP and WebSocket to a job that is killed and started again. It is a scenario by itself
 * since such an input does not end: the job is stopped when all that the client had to send was acknowledged.
 *
 * The client sends each request until it is answered 200, some of them several times at once, some again when they were acknowledged, and some
 * with a connection that it cuts in the middle; each has an `Idempotency-Key`. The twin is the list of what was acknowledged: each record of it
 * counts exactly once (H1, H2), in what the job copies, in its windows and in the state of its process.
 */
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Company } from "./chaos-company.mjs"
import { differenceOf } from "./chaos-differences.mjs"
import { found } from "./chaos-findings.mjs"
import { rowsOfOutput } from "./chaos-published.mjs"
import { SmallDisk } from "./chaos-small-disk.mjs"

const CLIENT = fileURLToPath(new URL("./chaos-http-client.mjs", import.meta.url))
const OUTPUTS = ["events", "counted", "windows"]
const MINUTE_MILLIS = 60_000
/** Below the ports that systems give to whoever connects. */
const PORTS = { from: 20_000, count: 10_000 }

/** See the head of this file. */
export const http = {
  outputs: OUTPUTS,
  phases: 1,
  killsMax: 25,
  /** What is acknowledged and committed is not there any more for a job that begins anew. */
  canBeReset: false,
  lastMs: 4000,
  isPaused: true,
  setsClock: true,
  lifeMs: 2500,
  draw: (prng) => ({
    seed: 1 + prng.below(1e6),
    port: PORTS.from + prng.below(PORTS.count),
    // Less than comes in a second or two, so that senders are told to wait.
    maxBacklogBytes: prng.pick([20_000, 200_000, 1 << 30]),
    isSmall: prng.chance(0.4),
  }),
  write: (directory) => mkdirSync(directory, { recursive: true }),
  job: ({ port, maxBacklogBytes, disk }) => ({
    port,
    maxBacklogBytes,
    place: disk === undefined ? "state" : "disk/state",
  }),
  /** Where its disk is full a job may end, and is started again. */
  excuseOf: (errors, { disk }) =>
    disk !== undefined && errors.includes("disk-full") ? "the job ended as its disk was full" : undefined,

  async accompany(directory, data) {
    return new Company(new Client(directory, data.seed, data.port), diskOf(directory, data))
  },

  async judge(directory) {
    const records = acknowledgedIn(directory)
    const [events, counted, windows] = await Promise.all(OUTPUTS.map((output) => rowsOfOutput(directory, output)))
    return [
      ...differenceOf({ output: "events", expected: records.map(rowOf), rows: events.map(rowOf) }),
      ...differenceOf({ output: "counted", expected: placesOf(records).map(placeOf), rows: counted.map(placeOf) }),
      ...differenceOf({ output: "windows", expected: windowsOf(records).map(windowOf), rows: windows.map(windowOf) }),
    ]
  },
}

export const rowOf = ({ id, key, value }) => `${id}|${key}|${value}`
export const windowOf = ({ key, windowStart, records, sum }) => {
  return `${key}|${new Date(windowStart).getTime()}|${records}|${sum}`
}
export const placeOf = ({ key, place }) => `${key}|${place}`

/** The small disk of a round that has one, in a list: for the job's directory and its files. */
export function diskOf(directory, data) {
  if (!data.isSmall) return []
  const path = join(directory, "disk")
  data.disk = SmallDisk.mount(path)
  if (data.disk === undefined) {
    console.log("no small disk, as this process may not mount one: the job's directory has room")
    return []
  }
  mkdirSync(join(path, "out"))
  symlinkSync(join(path, "out"), join(directory, "out"))
  return [data.disk]
}

/** The process that sends, from when the job is started first. */
export class Client {
  #directory
  #child

  constructor(directory, seed, port) {
    this.#directory = directory
    this.#child = spawn(process.execPath, [CLIENT, directory, String(seed), String(port)], {
      stdio: ["ignore", "ignore", "inherit"],
    })
    // It says itself which answer it has not expected.
    this.#child.once("exit", (code) => {
      if (code !== null && code !== 0) found.problems.push(`the client has failed: exit code ${code}`)
    })
  }

  /** Lets it come to its end, for which it needs a job that answers: who waits for that looks for what `acknowledgedIn` reads. */
  end() {
    writeFileSync(join(this.#directory, "end"), "")
  }

  kill() {
    this.#child.kill("SIGKILL")
  }
}

/** What the client has written at its end: all records that were acknowledged. */
export function acknowledgedIn(directory) {
  return readFileSync(join(directory, "acknowledged"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
}

/** The records of each key, numbered. */
export function placesOf(records) {
  const counts = new Map()
  return records.map(({ key }) => {
    const place = counts.get(key) ?? 0
    counts.set(key, place + 1)
    return { key, place }
  })
}

/** What each key has in each minute. The last one has not ended. */
export function windowsOf(records) {
  const startOf = ({ at }) => Math.floor(Date.parse(at) / MINUTE_MILLIS) * MINUTE_MILLIS
  const last = records.reduce((latest, record) => Math.max(latest, startOf(record)), 0)
  const windows = new Map()
  for (const record of records) {
    const start = startOf(record)
    if (start === last) continue
    const name = `${record.key}|${start}`
    const window = windows.get(name) ?? { key: record.key, windowStart: new Date(start), records: 0, sum: 0 }
    windows.set(name, { ...window, records: window.records + 1, sum: window.sum + record.value })
  }
  return [...windows.values()]
}
