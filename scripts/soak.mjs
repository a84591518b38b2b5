/**
 * `npm run soak -- [--minutes N]`: whether the memory of a job that runs for long grows. A job over live input (`soak-job.mjs`) runs in a process of its
 * own; its memory and the files that it keeps are sampled, and a slope is fitted to each (`soak-slope.mjs`), behind a start in which caches fill.
 *
 * The exit code is 1 where one of them grows by more than its noise, or the job fails.
 */
import { fork } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { machineText } from "../bench/frame/machine.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, runMain, StepFailed } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"
import { blocksOf, POINTS_MIN, slopeOf } from "./soak-slope.mjs"

const CHILD = fileURLToPath(new URL("./soak-child.mjs", import.meta.url))
const SAMPLE_MS = 500
/** The part of the time that counts as start. */
const START_SHARE = 0.25
const BLOCKS = 24
/** How often memory is printed. */
const LINES = 20
const MEBIBYTE = 2 ** 20
/** Of a column, in characters. */
const WIDTH = 16

const SERIES = [
  { name: "rss", what: "resident set", unit: MEBIBYTE },
  { name: "heapUsed", what: "heap in use", unit: MEBIBYTE },
  { name: "external", what: "external", unit: MEBIBYTE },
  { name: "arrayBuffers", what: "array buffers", unit: MEBIBYTE },
  { name: "arena", what: "arena in use", unit: MEBIBYTE },
  { name: "stateBytes", what: "state on disk", unit: MEBIBYTE },
  { name: "files", what: "files not published", unit: 1 },
]

await runMain(async () => {
  const values = readOptions({
    command: "npm run soak --",
    what: "Runs a job over live input (the machine's own load, and rows made at a rate, whose keys come and go) with windows, timers, values that expire, calls and files, and tells whether its memory grows: the slope of each series in MiB an hour, with the interval that holds it 99 times in 100. Samples are taken behind a collection of garbage; the first quarter of the time, in which caches fill and code is compiled, does not count. Short runs know little: a minute sees leaks of many MiB an hour, ten minutes small ones. The exit code is 1 where something grows by more than its noise.",
    options: {
      minutes: { value: "N", kind: "number", least: 1, default: 10, help: "How long the job runs." },
      rate: {
        value: "N",
        kind: "number",
        least: 1,
        default: 5000,
        help: "Rows a second, beside those of the machine.",
      },
      leak: {
        value: "BYTES",
        kind: "number",
        default: 0,
        help: "The process keeps so many bytes a second, which must show.",
      },
      json: { value: "FILE", help: "Writes samples and slopes there, too." },
    },
  })
  await prepare()
  const directory = mkdtempSync(join(tmpdir(), "tidemark-soak-"))
  const options = {
    directory,
    seconds: values.minutes * 60,
    everyMs: SAMPLE_MS,
    rowsPerSecond: values.rate,
    leakBytes: values.leak,
  }
  console.log(machineText())
  try {
    const samples = await soak(options)
    const slopes = slopesOf(samples, options.seconds)
    print(samples, slopes)
    if (values.json !== undefined)
      writeFileSync(
        values.json,
        `${JSON.stringify({ machine: machineText(), ...options, slopes, samples }, null, 1)}\n`,
      )
    if (slopes.some(({ grows }) => grows)) process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

/** Runs the job, and prints as it goes. */
function soak(options) {
  /** @type {any[]} */
  const samples = []
  const every = options.seconds / LINES
  const child = fork(CHILD, [JSON.stringify(options)], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  console.log(headLine())
  child.on("message", (/** @type {any} */ sample) => {
    const line = Math.floor(sample.at / every)
    if (samples.length === 0 || line > Math.floor(samples.at(-1).at / every)) console.log(sampleLine(sample))
    samples.push(sample)
  })
  return new Promise((resolve, reject) => {
    child.on("exit", (code, signal) => {
      if (code === 0) resolve(samples)
      else reject(new StepFailed(`the job has failed (${signal ?? code})`, 1))
    })
  })
}

function headLine() {
  return ["seconds", "rows in", ...SERIES.map(({ name, unit }) => (unit === 1 ? name : `${name} MiB`))]
    .map((text) => text.padStart(WIDTH))
    .join(" ")
}

function sampleLine(sample) {
  const numbers = SERIES.map(({ name, unit }) => (unit === 1 ? String(sample[name]) : (sample[name] / unit).toFixed(2)))
  return [sample.at.toFixed(0), sample.rows.toLocaleString("en"), ...numbers]
    .map((text) => text.padStart(WIDTH))
    .join(" ")
}

/** The slope of each series behind the start, an hour. */
function slopesOf(samples, seconds) {
  const counted = samples.filter(({ at }) => at >= seconds * START_SHARE)
  if (counted.length < POINTS_MIN) throw new StepFailed("there are too few samples", 1)
  return SERIES.map(({ name, what, unit }) => {
    const points = blocksOf(
      counted.map((sample) => ({ at: sample.at / 3600, value: sample[name] / unit })),
      Math.min(BLOCKS, counted.length),
    )
    const { slope, low, high } = slopeOf(points)
    const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length
    return { name, what, unit: unit === 1 ? "an hour" : "MiB an hour", mean, slope, low, high, grows: low > 0 }
  })
}

function print(samples, slopes) {
  const last = samples.at(-1)
  console.log(`\n${last.rows.toLocaleString("en")} rows in ${last.at.toFixed(0)} s, ${last.epoch} epochs\n`)
  const rows = slopes.map(({ what, mean, slope, low, high, unit, grows }) => [
    what,
    mean.toFixed(2),
    `${slope.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`,
    unit,
    grows ? "grows" : low <= 0 && high >= 0 ? "zero is within the noise" : "shrinks",
  ])
  console.log(tableText(["series", "mean", "slope (99 % interval)", "unit", "so"], rows))
  const growing = slopes.filter(({ grows }) => grows).map(({ what }) => what)
  console.log(
    growing.length === 0
      ? "\nNothing grows by more than its noise."
      : `\nGrows by more than its noise: ${growing.join(", ")}.`,
  )
}
