/**
 * `npm run bench:kernels`: filter and group (sum and count) over columns in memory, at three numbers of keys, one thread:
 * the engine beside DuckDB, Polars, a loop with a `Map` and what one would write by hand in C, in turn in one run. See docs/internals/benchmarks.md.
 *
 *   npm run bench:kernels -- [--quick] [--json FILE] [--rows 16777216] [--keys 1023,100000,1000000] [--rounds 5]
 *                            [--batch-rows 32768] [--clock wall|cpu]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compileC } from "../bench/frame/c-program.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { MeasuredProcess, refuseOtherAnswers } from "../bench/frame/measured-process.mjs"
import { median, spread, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { hasPolars } from "../bench/rivals/polars-installation.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench:kernels --",
  what: "Filters and groups (sum and count) columns in memory by numbers of keys, one thread, beside DuckDB, Polars, a loop with a Map and C by hand, in turn in one run.",
  options: {
    quick: { help: "Fewer rows and rounds: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rows: { value: "N", kind: "number", least: 1, help: "Rows of a round. Default: 16777216, with --quick 2097152." },
    keys: {
      value: "N,…",
      kind: "numbers",
      least: 1,
      default: [1023, 100_000, 1_000_000],
      help: "How many keys there are.",
    },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 5, with --quick 3." },
    "batch-rows": { value: "N", kind: "number", least: 1, default: 32_768, help: "Rows of a batch of ours." },
    clock: {
      value: "wall|cpu",
      choices: ["wall", "cpu"],
      default: "wall",
      help: "Whether the clock on the wall counts or the processor's time: that where the machine has other work.",
    },
  },
})
const rows = values.rows ?? (values.quick ? 2 ** 21 : 2 ** 24)
const rounds = values.rounds ?? (values.quick ? 3 : 5)
/** So often everyone answers before anything is measured: what is compiled while it runs is done by then. */
const WARM_UP_ROUNDS = 4
/** Timestamp, key and value; the others have no timestamp. */
const OUR_ROW_BYTES = 20
/** Of a group in memory: key, sum, count, and a slot of the table that finds it. */
const GROUP_BYTES = 24
/** A processor's own cache, about. */
const CACHE_BYTES = 2 ** 20

await runMain(async () => {
  await prepare()
  const work = mkdtempSync(join(tmpdir(), "tidemark-bench-"))
  try {
    await compareAll(compileC(join(ROOT, "bench/kernels/hand.c"), work))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})

/** @param hand The compiled kernel by hand; `undefined` where there is no compiler. */
async function compareAll(hand) {
  const sides = ["ours", "duckdb", ...(hasPolars() ? ["polars"] : []), "loop", ...(hand === undefined ? [] : ["hand"])]
  console.log(machineText())
  console.log(
    `${rows.toLocaleString("en")} rows, one thread each, ${rounds} rounds in turn; ns a row, median (min … max)`,
  )
  if (values.clock === "cpu") console.log("by processor time, not by the clock on the wall")
  if (!sides.includes("polars")) console.log("without Polars, which could not be installed")
  console.log(hand === undefined ? "nothing by hand, as this machine has no C compiler" : `by hand: C, ${hand.label}`)
  const results = []
  for (const keys of values.keys) {
    process.stderr.write(`${keys} keys …\n`)
    results.push(...(await compare(sides, keys, hand)))
  }
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
}

function start(side, keys, hand) {
  if (side === "hand") return new MeasuredProcess(side, hand.program, [String(rows), String(keys)])
  const file = join(ROOT, "bench", side === "polars" ? "rivals" : "kernels", `${side}.mjs`)
  const environment = { ...process.env, POLARS_MAX_THREADS: "1" }
  const args = [file, String(rows), String(keys), String(values["batch-rows"])]
  return new MeasuredProcess(side, process.execPath, args, { env: environment })
}

/** All sides at one number of keys: first the answers, then rounds that do not count, then those that do. */
async function compare(sides, keys, hand) {
  const processes = Object.fromEntries(sides.map((side) => [side, start(side, keys, hand)]))
  try {
    const answers = {}
    for (const side of sides) answers[side] = await processes[side].ask("check")
    refuseOtherAnswers(`at ${keys} keys`, answers)
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      for (const side of sides) await processes[side].ask("query")
    }
    const measured = Object.fromEntries(sides.map((side) => [side, []]))
    const reads = []
    for (let round = 0; round < rounds; round++) {
      for (const side of sides) measured[side].push(await processes[side].ask("query"))
      reads.push(await processes.ours.ask("read"))
    }
    return sides.map((side) => result(side, keys, measured, reads, answers.ours.groups))
  } finally {
    await Promise.all(Object.values(processes).map((each) => each.close()))
  }
}

function result(side, keys, measured, reads, groups) {
  const secondsOf = (each) => (values.clock === "cpu" ? each.cpuSeconds : each.seconds)
  const nanos = measured[side].map((each) => (secondsOf(each) / rows) * 1e9)
  const overOurs = measured[side].map((each, round) => secondsOf(each) / secondsOf(measured.ours[round]))
  const overHand = (measured.hand ?? measured.loop).map(
    (each, round) => secondsOf(each) / secondsOf(measured[side][round]),
  )
  const readGBs = median(reads.map((each) => each.bytes / secondsOf(each) / 1e9))
  const bandwidthShare = OUR_ROW_BYTES / median(nanos) / readGBs
  return {
    query: `group by, ${keys} keys`,
    side,
    workers: 1,
    mtuplesPerSecond: 1e3 / median(nanos),
    ofHandKernel: median(overHand),
    limit: bandwidthShare > 0.5 ? "read bandwidth" : groups * GROUP_BYTES > CACHE_BYTES ? "cache misses" : "tuples",
    keys,
    groups,
    rows,
    nanosPerRow: spread(nanos),
    overOurs: spread(overOurs),
    cpuNanosPerRow: median(measured[side].map((each) => (each.cpuSeconds / rows) * 1e9)),
    bandwidthShare: side === "ours" ? bandwidthShare : undefined,
    readGBs,
    peakMiB: Math.max(...measured[side].map((each) => each.peakMiB)),
  }
}

function print(results) {
  const one = ({ median: middle, min, max }) => spreadText([min, middle, max], threeDigits)
  console.log()
  console.log(
    tableText(
      ["keys", "side", "ns a row", "× ours", "CPU ns", "peak MiB"],
      results.map((r) => [
        r.keys.toLocaleString("en"),
        r.side,
        one(r.nanosPerRow),
        r.side === "ours" ? "–" : one(r.overOurs),
        threeDigits(r.cpuNanosPerRow),
        Math.round(r.peakMiB),
      ]),
    ),
  )
  const ours = results.filter((r) => r.side === "ours")
  const limits = ours.map(
    (r) => `${r.keys.toLocaleString("en")} keys: ${r.limit} (${(r.bandwidthShare * 100).toFixed(0)}% of bandwidth)`,
  )
  console.log(`\nours is limited by: ${limits.join("; ")}`)
  console.log(
    `sequential reading with 128-bit loads in WebAssembly: ${spreadText(
      ours.map((r) => r.readGBs),
      threeDigits,
    )} GB/s`,
  )
}
