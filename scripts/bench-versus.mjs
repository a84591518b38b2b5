/**
 * `npm run bench:versus`: CSV, JSON lines and Parquet → filter → one-minute windows a sensor → JSON lines, from file to file: Tidemark with
 * exactly-once on, beside DuckDB and Polars with as many threads, RxJS and a loop written by hand over our decoder, in turn in one
 * run. See docs/internals/benchmarks.md.
 *
 *   npm run bench:versus -- [--quick] [--json FILE] [--rows 25000000] [--rounds 3] [--threads 1|2|both]
 *     [--formats csv,jsonl,parquet] [--clock wall|cpu]
 */
import { spawnSync } from "node:child_process"
import { createReadStream, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { machineText } from "../bench/frame/machine.mjs"
import { median, spread, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { generate } from "../bench/generate.mjs"
import { generateParquet } from "../bench/generate-parquet.mjs"
import { hasPolars } from "../bench/rivals/polars-installation.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const FORMATS = ["csv", "jsonl", "parquet"]

const values = readOptions({
  command: "npm run bench:versus --",
  what: "Filters and groups CSV, JSON lines and Parquet by minute and key, from file to file, with exactly-once on, beside DuckDB and Polars with as many threads, RxJS and a loop written by hand, in turn in one run.",
  options: {
    quick: { help: "Fewer rows: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rows: {
      value: "N",
      kind: "number",
      least: 1,
      help: "Rows of a file. Default: 25000000 (1.2 GB as CSV), with --quick 2000000.",
    },
    formats: {
      value: "NAME,…",
      kind: "texts",
      choices: FORMATS,
      default: FORMATS,
      help: "The formats that are measured.",
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
  },
})
const rows = values.rows ?? (values.quick ? 2_000_000 : 25_000_000)
const rounds = values.rounds ?? (values.quick ? 1 : 3)
/** What each number of threads is measured with. */
const THREADS = values.threads === "both" ? [1, 2] : [Number(values.threads)]
/** These have one thread, whatever one wants, and read no Parquet. */
const SINGLE_THREADED = new Set(["loop", "rxjs"])
/** RxJS takes thousands of nanoseconds a row: once is enough to see it. */
const MEASURED_ONCE = new Set(["rxjs"])
/** Sums of doubles in another order differ by rounding. */
const TOLERANCE = 1e-9

const work = mkdtempSync(join(tmpdir(), "tidemark-versus-"))

await runMain(async () => {
  await prepare()
  const sides = ["tidemark", "duckdb", ...(hasPolars() ? ["polars"] : []), "loop", "rxjs"]
  console.log(machineText())
  console.log(`${rows.toLocaleString("en")} rows a file, ${rounds} rounds in turn; ns a row, median (min … max)`)
  if (values.clock === "cpu") console.log("by processor time, not by the clock on the wall")
  if (!sides.includes("polars")) console.log("without Polars, which could not be installed")
  const results = []
  try {
    for (const format of values.formats) results.push(...(await compareFormat(format, sides)))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
})

async function compareFormat(format, sides) {
  const input = join(work, `input.${format}`)
  process.stderr.write(`${format}: writing the input …\n`)
  if (format === "parquet") await generateParquet(input, rows)
  else await generate(input, format, rows)
  const results = []
  for (const threads of THREADS) {
    const able = sides.filter((side) => !SINGLE_THREADED.has(side) || (threads === 1 && format !== "parquet"))
    results.push(...(await compare({ format, input, threads, sides: able })))
  }
  rmSync(input)
  return results
}

async function compare({ format, input, threads, sides }) {
  const { size } = statSync(input)
  const measured = Object.fromEntries(sides.map((side) => [side, []]))
  let expected
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      if (round > 0 && MEASURED_ONCE.has(side)) continue
      process.stderr.write(`${format}, ${counted(threads)}: round ${round + 1} of ${rounds}, ${side} …\n`)
      const directory = join(work, side)
      measured[side].push(measure(side, [format, input, directory, String(threads)]))
      const answer = await answerIn(directory)
      expected ??= answer
      refuseDifference(side, answer, expected)
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return sides.map((side) => result({ side, format, threads, bytes: size, measured }))
}

function counted(threads) {
  return threads === 1 ? "1 thread" : `${threads} threads`
}

function measure(side, given) {
  const file = side === "polars" ? "rivals/polars-files.mjs" : `variants/${side}.mjs`
  const env = { ...process.env, POLARS_MAX_THREADS: given.at(-1) }
  const run = spawnSync(process.execPath, [join(ROOT, "bench", file), ...given], {
    encoding: "utf8",
    env,
  })
  if (run.status !== 0) throw new Error(`${side} failed:\n${run.stderr}`)
  return JSON.parse(run.stdout)
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

function secondsOf(run) {
  return values.clock === "cpu" ? run.cpuSeconds : run.seconds
}

function result({ side, format, threads, bytes, measured }) {
  const runs = measured[side]
  const nanos = runs.map((run) => (secondsOf(run) / rows) * 1e9)
  const overOurs = runs.map((run, round) => secondsOf(run) / secondsOf(measured.tidemark[round]))
  return {
    query: `${format}, minutes by sensor`,
    side,
    workers: threads,
    rows,
    bytes,
    mtuplesPerSecond: 1e3 / median(nanos),
    megabytesPerSecond: (bytes / rows / median(nanos)) * 1e3,
    nanosPerRow: spread(nanos),
    overOurs: spread(overOurs),
    peakMiB: Math.max(...runs.map((run) => run.peakMiB)),
  }
}

function print(results) {
  const one = ({ median: middle, min, max }) => spreadText([min, middle, max], threeDigits)
  console.log()
  console.log(
    tableText(
      ["query", "threads", "side", "ns a row", "× ours", "MB/s", "peak MiB"],
      results.map((r) => [
        r.query,
        r.workers,
        r.side,
        one(r.nanosPerRow),
        r.side === "tidemark" ? "–" : one(r.overOurs),
        threeDigits(r.megabytesPerSecond),
        Math.round(r.peakMiB),
      ]),
    ),
  )
}
