/**
 * One comparison: an input, some sides, in turn. Each side's run is a process of its own, which does the work twice: *cold*, in a
 * process that has just started and from a file that is not in memory, and *warm*, once more.
 *
 * The results of all runs are read, and must be the same.
 */
import { spawnSync } from "node:child_process"
import { createReadStream, readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { median, spread } from "../frame/spread.mjs"
import { generate } from "../generate.mjs"
import { generateParquet } from "../generate-parquet.mjs"
import { evict } from "./page-cache.mjs"
import { profileOf } from "./profile.mjs"

/** What is read: files, columns in memory, plain objects in memory. */
export const INPUTS = ["csv", "jsonl", "parquet", "memory", "objects"]

/** Which inputs each side reads, and whether it can have several threads. */
export const SIDES = {
  tidemark: { reads: INPUTS, hasThreads: true },
  duckdb: { reads: ["csv", "jsonl", "parquet", "memory"], hasThreads: true },
  polars: { reads: ["csv", "jsonl", "parquet", "memory"], hasThreads: true },
  loop: { reads: ["csv", "jsonl", "memory", "objects"], hasThreads: false },
  rxjs: { reads: ["csv", "jsonl", "objects"], hasThreads: false },
}

/** Parquet needs so many more rows to be as large as the others. */
const PARQUET_COPIES = 4
/** So many objects fewer, or they would not fit into JavaScript's memory. */
const OBJECTS_SHARE = 1 / 5
const HEAP_MIB_MAX = 8192
/** RxJS takes thousands of nanoseconds a row: once is enough to see it. */
const MEASURED_ONCE = new Set(["rxjs"])
/** Sums of doubles in another order differ by rounding. */
const TOLERANCE = 1e-9

/** The input of a format, made for `baseRows`. What is in memory is read from files by each process before its time starts. */
export async function makeInput(format, baseRows, work) {
  const path = join(work, `input.${format}`)
  if (format === "csv" || format === "jsonl") {
    await generate(path, format, baseRows)
    return { format, path, rows: baseRows, bytes: statSync(path).size, files: [path] }
  }
  const rows = format === "objects" ? Math.ceil(baseRows * OBJECTS_SHARE) : baseRows
  const text = `${path}.csv`
  await generate(text, "csv", rows)
  if (format === "parquet") {
    await generateParquet(path, text, rows, PARQUET_COPIES)
    rmSync(text)
    return { format, path, rows: rows * PARQUET_COPIES, bytes: statSync(path).size, files: [path] }
  }
  await generateParquet(`${path}.parquet`, text, rows)
  return { format, path, rows, bytes: undefined, files: [text, `${path}.parquet`] }
}

/**
 * Measures the sides over an input, in turn, and gives a result for each.
 *
 * @param options `{ threads, rounds, sides, clock, root, work, tell }`
 */
export async function compare(input, options) {
  const { threads, rounds, tell } = options
  const able = options.sides.filter((side) => {
    const { reads, hasThreads } = SIDES[side]
    return reads.includes(input.format) && (threads === 1 || hasThreads)
  })
  const measured = Object.fromEntries(able.map((side) => [side, []]))
  let expected
  for (let round = 0; round < rounds; round++) {
    for (const side of able) {
      if (round > 0 && MEASURED_ONCE.has(side)) continue
      tell(`round ${round + 1} of ${rounds}, ${side} …`)
      const directory = join(options.work, side)
      const run = measure(side, input, { ...options, directory })
      measured[side].push(run)
      for (const one of readdirSync(directory)) {
        const answer = await answerIn(join(directory, one))
        expected ??= answer
        refuseDifference(side, answer, expected)
      }
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return able.map((side) => resultOf(side, input, measured, options))
}

function measure(side, { format, path, rows, files, bytes }, { threads, root, directory, flags = [] }) {
  const own = side === "tidemark" && format === "memory" ? "tidemark-columns" : side
  const file = side === "polars" ? "rivals/polars-files.mjs" : `variants/${own}.mjs`
  const isEvicted = bytes !== undefined && files.every(evict)
  const runs = MEASURED_ONCE.has(side) ? 1 : 2
  const given = [format, path, directory, threads, runs, rows].map(String)
  const env = { ...process.env, POLARS_MAX_THREADS: String(threads) }
  const heap = format === "objects" ? [`--max-old-space-size=${HEAP_MIB_MAX}`] : []
  const run = spawnSync(process.execPath, [...heap, ...flags, join(root, "bench", file), ...given], {
    encoding: "utf8",
    env,
  })
  if (run.status !== 0) throw new Error(`${side} failed:\n${run.stderr}`)
  return { ...JSON.parse(run.stdout), isEvicted }
}

/** Where our time over an input goes: of one more run, with V8's profiler. */
export function profiled(input, options) {
  const [directory, profiles] = ["out", "profiles"].map((name) => join(options.work, name))
  const flags = ["--cpu-prof", `--cpu-prof-dir=${profiles}`]
  measure("tidemark", input, { ...options, directory, flags })
  const profile = profileOf(profiles)
  for (const path of [directory, profiles]) rmSync(path, { recursive: true, force: true })
  return { format: input.format, workers: options.threads, rows: input.rows, ...profile }
}

/** What the result files below a directory come to. */
async function answerIn(directory) {
  const answer = { rows: 0, readings: 0, total: 0, means: 0 }
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"))
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(join(directory, file)) })) {
      const { readings, total, mean } = JSON.parse(line)
      answer.rows += 1
      answer.readings += readings
      answer.total += total
      answer.means += mean
    }
  }
  return answer
}

function refuseDifference(side, answer, expected) {
  for (const [name, value] of Object.entries(expected)) {
    if (Math.abs(answer[name] - value) <= TOLERANCE * Math.abs(value)) continue
    throw new Error(`${side} answers ${JSON.stringify(answer)}, and others ${JSON.stringify(expected)}`)
  }
}

function resultOf(side, { format, rows, bytes }, measured, { threads, clock }) {
  const secondsOf = ({ seconds, cpuSeconds }) => (clock === "cpu" ? cpuSeconds : seconds)
  const own = measured[side]
  const summary = (place) => {
    if (own[0].runs[place] === undefined) return undefined
    const nanos = own.map(({ runs }) => (secondsOf(runs[place]) / rows) * 1e9)
    const ours = measured.tidemark.map(({ runs }) => secondsOf(runs[place]))
    return {
      nanosPerRow: spread(nanos),
      overOurs: spread(own.map(({ runs }, round) => secondsOf(runs[place]) / ours[round])),
      ...(bytes !== undefined && { megabytesPerSecond: (bytes / rows / median(nanos)) * 1e3 }),
    }
  }
  return {
    format,
    query: `${format}, minutes by sensor`,
    side,
    workers: threads,
    rows,
    bytes,
    cold: summary(0),
    warm: summary(1),
    isEvicted: own.every(({ isEvicted }) => isEvicted),
    peakMiB: Math.max(...own.map(({ peakMiB }) => peakMiB)),
  }
}
