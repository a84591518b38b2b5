/**
 * `npm run bench:versus`: filter → one-minute windows a sensor → JSON lines, from CSV, JSON lines and Parquet files and from memory:
 * Tidemark with exactly-once on, beside DuckDB and Polars with as many threads, RxJS and a loop written by hand, in turn in one
 * run, each cold and warm. See docs/internals/benchmarks.md.
 *
 *   npm run bench:versus -- [--quick] [--json FILE] [--rows 25000000] [--rounds 3] [--threads 1|2|both]
 *     [--inputs csv,jsonl,parquet,memory,objects] [--clock wall|cpu] [--profile missed|all|none]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { machineText } from "../bench/frame/machine.mjs"
import { spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { hasPolars } from "../bench/rivals/polars-installation.mjs"
import { compare, INPUTS, makeInput, profiled, SIDES } from "../bench/versus/comparison.mjs"
import { judged } from "../bench/versus/goals.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench:versus --",
  what: "Filters and groups readings by minute and key, from files and from memory, with exactly-once on, beside DuckDB and Polars with as many threads, RxJS and a loop written by hand, in turn in one run.",
  options: {
    quick: { help: "Fewer rows, one round: an impression in less than a minute." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rows: {
      value: "N",
      kind: "number",
      least: 1,
      help: "Rows of an input; Parquet has four times as many, objects a fifth. Default: 25000000 (1.2 GB as CSV, 2 GB as JSON lines, 1.1 GB as Parquet), with --quick 1000000.",
    },
    inputs: {
      value: "NAME,…",
      kind: "texts",
      choices: INPUTS,
      default: INPUTS,
      help: "What is read: files, columns in memory, or plain objects in memory.",
    },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 3, with --quick 1." },
    threads: {
      value: "1|2|both",
      choices: ["1", "2", "both"],
      default: "both",
      help: "How many threads sides have that can have several. Ours has one more, which computes and commits.",
    },
    clock: {
      value: "wall|cpu",
      choices: ["wall", "cpu"],
      default: "wall",
      help: "Whether the clock on the wall counts or the processor's time: that where the machine has other work.",
    },
    profile: {
      value: "missed|all|none",
      choices: ["missed", "all", "none"],
      default: "missed",
      help: "Where one more run shows what our time goes into. Default: where a goal is missed.",
    },
  },
})
const baseRows = values.rows ?? (values.quick ? 1_000_000 : 25_000_000)
const rounds = values.rounds ?? (values.quick ? 1 : 3)
/** What each number of threads is measured with. */
const THREADS = values.threads === "both" ? [1, 2] : [Number(values.threads)]

const work = mkdtempSync(join(tmpdir(), "tidemark-versus-"))

await runMain(async () => {
  await prepare()
  const sides = Object.keys(SIDES).filter((side) => side !== "polars" || hasPolars())
  console.log(machineText())
  console.log(`${baseRows.toLocaleString("en")} rows; ${rounds} rounds in turn, median (min … max); load ${loadText()}`)
  if (values.clock === "cpu") console.log("by processor time, not by the clock on the wall")
  if (!sides.includes("polars")) console.log("without Polars, which could not be installed")
  const [results, profiles] = [[], []]
  try {
    for (const format of values.inputs) await measureInput(format, sides, results, profiles)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  print(results, profiles)
  console.log(`\nload ${loadText()} after`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ results, profiles }, null, 2)}\n`)
})

function loadText() {
  return loadavg()[0].toFixed(1)
}

async function measureInput(format, sides, results, profiles) {
  process.stderr.write(`${format}: writing the input …\n`)
  const input = await makeInput(format, baseRows, work)
  for (const threads of THREADS) {
    const tell = (text) => process.stderr.write(`${format}, ${threads === 1 ? "1 thread" : "2 threads"}: ${text}\n`)
    const options = { threads, rounds, sides, clock: values.clock, root: ROOT, work, tell }
    const some = await compare(input, options)
    results.push(...some)
    const isMissed = judged(some).some(({ isReached }) => !isReached)
    if (values.profile === "all" || (values.profile === "missed" && isMissed)) profiles.push(profiled(input, options))
  }
  for (const file of input.files) rmSync(file)
}

function print(results, profiles) {
  const one = ({ median: middle, min, max }) => spreadText([min, middle, max], threeDigits)
  const cells = (run, side) =>
    run === undefined ? ["–", "–"] : [one(run.nanosPerRow), side === "tidemark" ? "–" : one(run.overOurs)]
  console.log()
  console.log(
    tableText(
      ["input", "threads", "side", "ns a row, cold", "× ours", "ns a row, warm", "× ours", "MB/s", "peak MiB"],
      results.map(({ format, workers, side, cold, warm, peakMiB }) => [
        format,
        workers,
        side,
        ...cells(cold, side),
        ...cells(warm, side),
        threeDigits((warm ?? cold).megabytesPerSecond ?? NaN).replace("NaN", "–"),
        Math.round(peakMiB),
      ]),
    ),
  )
  const isFile = ({ bytes }) => bytes !== undefined
  if (results.some((result) => isFile(result) && !result.isEvicted))
    console.log("\nFiles could not be taken out of the page cache: cold is a new process only.")
  printGoals(results)
  for (const { format, workers, rows, functions, millis } of profiles) {
    console.log(`\n${format}, threads ${workers}: where our time goes, both runs, ns a row of each thread's`)
    const perRow = (time) => threeDigits((time * 1e6) / rows / 2)
    const rest = millis - functions.reduce((sum, each) => sum + each.millis, 0)
    for (const { name, millis: own } of [...functions, { name: "all else", millis: rest }])
      console.log(`  ${perRow(own).padStart(6)}  ${name}`)
  }
}

function printGoals(results) {
  const all = judged(results)
  const missed = all.filter(({ isReached }) => !isReached)
  console.log(`\n${all.length - missed.length} of ${all.length} goals are reached.`)
  for (const { format, workers, side, goal } of missed)
    console.log(`Missed: ${format}, threads ${workers}: ${side} is to take ${threeDigits(goal)} of our time at least.`)
}
