/**
 * `npm run bench:state`: how long snapshots of the state of N keys stop a job, how many bytes epochs write where a share of the keys
 * changes, and how long a killed job takes to its first new durable result. See docs/internals/benchmarks.md.
 */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { build } from "esbuild"
import { machineText } from "../bench/frame/machine.mjs"
import { median, threeDigits } from "../bench/frame/spread.mjs"
import { plotPanels } from "../bench/frame/svg-plot.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, ROOT, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const KINDS = ["window", "process"]

const values = readOptions({
  command: "npm run bench:state --",
  what: "Runs jobs with state of N keys, of which a share changes in each epoch: measures stops by snapshots, bytes by epoch, and the start after SIGKILL, beside the reading of the same bytes and a Map that V8 writes.",
  options: {
    larger: {
      help: "Only process, with memory for a tenth of the keys and for all, in turn: what spilling costs. Default: 1000000 and 10000000 keys.",
    },
    quick: { help: "100,000 keys, of which all and a tenth change: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    plot: { value: "FILE", help: "Bytes of an epoch against keys that changed, as SVG." },
    kinds: { value: "KIND,…", kind: "texts", choices: KINDS, default: KINDS, help: "Where the state is." },
    keys: { value: "N,…", kind: "numbers", least: 1000, help: "How many keys. Default: 100000, 1000000, 10000000." },
    percent: {
      value: "N,…",
      kind: "numbers",
      least: 1,
      help: "How many of a hundred keys change. Default: 1, 10, 100.",
    },
    starts: {
      value: "N",
      kind: "number",
      least: 1,
      help: "How often each killed job is started. Default: 3, with --quick 1.",
    },
  },
})
const keyCounts =
  values.keys ?? (values.larger ? [1_000_000, 10_000_000] : values.quick ? [100_000] : [100_000, 1_000_000, 10_000_000])
const percents = values.percent ?? (values.quick ? [10, 100] : [1, 10, 100])
const starts = values.starts ?? (values.quick ? 1 : 3)
const enough = values.quick ? { epochs: 6, snapshots: 1 } : { epochs: 12, snapshots: 3 }

/** The job's program as one file, as programs are that are deployed: what they load is no hundreds of modules. */
const ENGINE = join(ROOT, "node_modules/.cache/tidemark/state-engine.mjs")
/** Bytes of a key in `larger.mjs`, packed: the key, what became of it, a number, and a text of 62 characters. */
const KEY_BYTES = 8 + 1 + 9 + 64
const LIMITS = join(ROOT, "bench/state/limits.mjs")

const work = mkdtempSync(join(tmpdir(), "tidemark-state-"))

await runMain(async () => {
  await prepare()
  await build({
    entryPoints: [join(ROOT, "bench/state/engine.mjs")],
    outfile: ENGINE,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "warning",
  })
  console.log(machineText())
  console.log(`load ${loadavg()[0].toFixed(1)} before`)
  try {
    const keep = (results) => {
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
    }
    if (values.larger) keep(await measureLarger())
    else {
      const results = await measureAll()
      print(results)
      keep(results)
      if (values.plot !== undefined) writeFileSync(values.plot, plot(results.jobs))
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  console.log(`load ${loadavg()[0].toFixed(1)} after`)
})

async function measureAll() {
  const jobs = []
  const maps = []
  for (const keys of keyCounts) {
    for (const kind of values.kinds) for (const percent of percents) jobs.push(await measureJob(kind, keys, percent))
    maps.push({ keys, ...(await mapOf(keys)) })
  }
  return { jobs, maps }
}

/** Records of keys that are drawn, where memory has room for a tenth of the keys, and where it has for all. */
async function measureLarger() {
  const rows = []
  for (const keys of keyCounts) {
    for (const draw of ["uniform", "skewed"]) {
      for (const share of [1, 1 / 10]) {
        const directory = join(work, `larger-${keys}-${draw}-${share}`)
        mkdirSync(directory)
        const stateMemoryBytes = share === 1 ? undefined : keys * KEY_BYTES * share
        const options = { keys, records: 2_000_000, draw, stateMemoryBytes, directory }
        rows.push({ keys, draw, share, ...(await lineOf(join(ROOT, "bench/state/larger.mjs"), options, "measured")) })
        rmSync(directory, { recursive: true, force: true })
      }
    }
  }
  const mebibytes = (bytes) => Math.round(bytes / 2 ** 20)
  console.log(
    tableText(
      ["", "memory for", "µs of the processor a record", "µs a record", "MiB spilled", "most resident, MiB"],
      rows.map(({ keys, draw, share, cpuMicrosARecord, microsARecord, spilledBytes, rssMaxBytes }) => [
        `${keys.toLocaleString("en")} keys, ${draw}`,
        share === 1 ? "all" : "a tenth",
        threeDigits(cpuMicrosARecord),
        threeDigits(microsARecord),
        mebibytes(spilledBytes),
        mebibytes(rssMaxBytes),
      ]),
    ),
  )
  return rows
}

async function measureJob(kind, keys, percent) {
  process.stderr.write(`${kind}, ${keys.toLocaleString("en")} keys, ${percent} % …\n`)
  const directory = join(work, `${kind}-${keys}-${percent}`)
  mkdirSync(directory)
  const options = { kind, keys, dirty: Math.ceil((keys * percent) / 100), directory, ...enough }
  const measured = await lineOf(ENGINE, options, "measured")
  const started = []
  for (let start = 0; start < starts; start++) {
    const limit = await lineOf(LIMITS, { kind: "log", directory })
    const { sinceStartMillis, recovered } = await lineOf(ENGINE, { ...options, isResumed: true }, "durable")
    const { loadMillis, millis: openMillis } = recovered
    started.push({ millis: sinceStartMillis, loadMillis, openMillis, readMillis: limit.millis, bytes: limit.bytes })
  }
  rmSync(directory, { recursive: true, force: true })
  return { ...measured, kind, keys, percent, dirty: options.dirty, started }
}

async function mapOf(keys) {
  const directory = join(work, `map-${keys}`)
  mkdirSync(directory)
  return await lineOf(LIMITS, { kind: "map", directory, keys })
}

/** The first line of that kind that a program prints, and since when it ran; then it is killed, as by a crash. */
async function lineOf(program, options, kind) {
  const start = performance.now()
  const heap = Math.max(2048, Math.ceil((options.keys ?? 0) / 1000))
  const args = [`--max-old-space-size=${heap}`, program, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((resolve) => child.on("close", resolve))
  let recovered
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text)
    if (line.kind === "recovered") recovered = line
    if (line.kind !== kind) continue
    const sinceStartMillis = performance.now() - start
    child.kill("SIGKILL")
    await ended
    return { ...line, sinceStartMillis, recovered }
  }
  throw new Error(`${program} ended with ${await ended}`)
}

function print({ jobs, maps }) {
  const of = (pick, job) => threeDigits(pick(job))
  const rows = jobs.map((job) => [
    `${job.kind}, ${job.keys.toLocaleString("en")} keys, ${job.percent} %`,
    job.snapshots,
    of(({ own }) => own.p99, job),
    of(({ own }) => own.max, job),
    ...["during", "else"].flatMap((when) => [of((j) => j[when].lags.p99, job), of((j) => j[when].stops.max, job)]),
    threeDigits(median(job.epochBytes) / job.dirty),
    of((j) => j.logBytes / j.epochBytes.reduce((sum, bytes) => sum + bytes, 0), job),
    Math.round(job.peakBytes / 2 ** 20),
  ])
  const titles = ["", "snapshots", "theirs p99", "theirs max", "lag p99", "stop max", "lag p99, else", "stop max, else"]
  console.log(`\nmilliseconds while snapshots are under way, and else; bytes\n`)
  console.log(tableText([...titles, "bytes a changed key", "× written", "peak MiB"], rows))
  const startRows = jobs.map(({ kind, keys, percent, started }) => {
    const middle = (pick) => threeDigits(median(started.map(pick)))
    const mebibytes = (started[0].bytes / 2 ** 20).toFixed(1)
    const name = `${kind}, ${keys.toLocaleString("en")} keys, ${percent} %`
    const cells = ["millis", "loadMillis", "openMillis", "readMillis"].map((field) => middle((start) => start[field]))
    return [name, ...cells, mebibytes]
  })
  console.log(`\nmilliseconds from the start of a process, behind SIGKILL, to its first new durable result\n`)
  console.log(
    tableText(["", "to the result", "of it loading", "recovery", "read and checksum alone", "MiB"], startRows),
  )
  const mapRows = maps.map(({ keys, stopMillis, bytes, readMillis }) => [
    `Map of ${keys.toLocaleString("en")} objects`,
    ...[stopMillis, readMillis, bytes / 2 ** 20].map(threeDigits),
  ])
  console.log(`\nv8.serialize to a file, synced; and back: milliseconds\n`)
  console.log(tableText(["", "stop", "read", "MiB"], mapRows))
}

/** Bytes of an epoch against keys that changed. */
function plot(jobs) {
  const panels = [...new Set(jobs.map(({ kind }) => kind))].map((kind) => ({
    title: `${kind}: bytes of an epoch`,
    axis: "keys that changed",
    lines: keyCounts.map((keys) => ({
      name: keys.toExponential().replace("+", ""),
      points: jobs
        .filter((job) => job.kind === kind && job.keys === keys)
        .map((job) => /** @type {const} */ ([job.dirty, median(job.epochBytes)])),
    })),
  }))
  return plotPanels(panels, "bytes")
}
