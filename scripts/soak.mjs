/**
 * `npm run soak -- [--minutes N]`: whether the memory of a job that runs for long grows. A job over live input (`soak-job.mjs`) runs in a process of its
 * own; its memory and the files that it keeps are sampled, and a slope is fitted to each (`soak-series.mjs`), behind a start in which caches fill.
 * In that process large buffers go back to the system when they are freed (`MALLOC`), so memory beside V8's heap is about what is held, not what glibc keeps.
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
import { SERIES, slopesOf } from "./soak-series.mjs"

const CHILD = fileURLToPath(new URL("./soak-child.mjs", import.meta.url))
const SAMPLE_MS = 500
/** A machine that takes less of the rows than this is too busy to say much. */
const BUSY_SHARE = 0.9
/** How often memory is printed. */
const LINES = 20
/** Of a column, in characters. */
const WIDTH = 16

/**
 * One pool for all threads, and limits that stay where they are. By default glibc raises both with the sizes that it sees, and then keeps what was
 * once in use (docs/decisions/0055-memory-that-malloc-keeps.md). docs/guide/operating.md names the same.
 */
const MALLOC = { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "65536" }

await runMain(async () => {
  const values = readOptions({
    command: "npm run soak --",
    what: "Runs a job over live input (the machine's own load, and rows made at a rate, whose keys come and go) with windows, timers, values that expire, calls and files, and tells whether its memory grows: the slope of each series in MiB an hour, with an interval each; all of them hold in 99 of 100 runs. Samples are taken behind a collection of garbage, and glibc is told to give large buffers back; the first quarter of the time, in which caches fill and code is compiled, does not count. Short runs know little: a minute sees leaks of many MiB an hour, ten minutes small ones. The exit code is 1 where something grows by more than its noise.",
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
      "leak-in": {
        value: "PLACE",
        kind: "text",
        choices: ["heap", "buffers", "malloc"],
        default: "heap",
        help: "Where it keeps them: V8's heap, array buffers, or memory that only the resident set shows.",
      },
      "default-malloc": {
        help: "Leaves glibc's allocator as it is: what it keeps for later counts, too, and may grow for a quarter of an hour.",
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
    leakIn: values["leak-in"],
    defaultMalloc: values["default-malloc"],
  }
  console.log(machineText())
  try {
    const samples = await soak(options)
    const slopes = slopesOf(samples, options.seconds)
    if (slopes === undefined) throw new StepFailed("there are too few samples", 1)
    print(samples, slopes, options.rowsPerSecond)
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
    env: options.defaultMalloc ? process.env : { ...process.env, ...MALLOC },
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

function print(samples, slopes, rowsPerSecond) {
  const last = samples.at(-1)
  console.log(`\n${last.rows.toLocaleString("en")} rows in ${last.at.toFixed(0)} s, ${last.epoch} epochs\n`)
  const came = last.rows / last.at
  if (came < BUSY_SHARE * rowsPerSecond)
    console.log(
      `Only ${came.toFixed(0)} rows a second of ${rowsPerSecond} could be taken: the machine was busy. Epochs are then longer and hold more, so memory follows the load; a run on a quieter machine tells more.\n`,
    )
  const rows = slopes.map(({ what, judged, mean, slope, low, high, unit, grows }) => [
    what,
    mean.toFixed(2),
    `${slope.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`,
    unit,
    !judged ? "not judged" : grows ? "grows" : low <= 0 && high >= 0 ? "zero is within the noise" : "shrinks",
  ])
  console.log(tableText(["series", "mean", "slope (interval)", "unit", "verdict"], rows))
  console.log(
    "\nThe resident set and V8's pages are not judged, as V8 keeps free room in its pages: what is used of them is judged as heap in use, and memory beside them by itself.",
  )
  const growing = slopes.filter(({ grows }) => grows).map(({ what }) => what)
  console.log(
    growing.length === 0
      ? "Nothing that is judged grows by more than its noise."
      : `Grows by more than its noise: ${growing.join(", ").replaceAll("· ", "")}. Run it for longer: a leak goes on growing, a cache that fills does not.`,
  )
}
