/**
 * `npm run bench:lightsaber`: nine queries with overlapping windows over a stream in memory, through the engine, beside
 * kernels written by hand for each query, in turn in one run. What it measures and how to read it stands in
 * docs/internals/benchmarks.md.
 *
 *   npm run bench:lightsaber -- [--quick] [--json FILE] [--query CM1,SG1] [--rounds 5] [--round-ms 1000]
 *                               [--ring-mib 1024] [--batch-rows ROWS] [--data DIRECTORY] [--clock wall|cpu]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compileC } from "../bench/frame/c-program.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { median, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { compareQuery } from "../bench/lightsaber/comparison.mjs"
import { QUERIES, queryNamed } from "../bench/lightsaber/queries.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench:lightsaber --",
  what: "Nine queries with windows over a stream in memory, through the engine, beside kernels written by hand, in turn in one run.",
  options: {
    quick: { help: "A short stream and few rounds: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    query: {
      value: "NAME,…",
      kind: "texts",
      choices: QUERIES.map(({ name }) => name),
      help: `Only these of ${QUERIES.map(({ name }) => name).join(", ")}.`,
    },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 5, with --quick 3." },
    "round-ms": {
      value: "MS",
      kind: "number",
      least: 1,
      help: "How long a round is. Default: 1000, with --quick 150.",
    },
    "ring-mib": {
      value: "MIB",
      kind: "number",
      least: 1,
      help: "How long the stream is before it comes again. Default: 1024, with --quick 128.",
    },
    "batch-rows": { value: "N", kind: "number", least: 1, help: "Rows of a batch. Default: what is best of some." },
    clock: {
      value: "wall|cpu",
      choices: ["wall", "cpu"],
      default: "wall",
      help: "Whether the clock on the wall counts or the processor's time: that where the machine has other work.",
    },
    data: {
      value: "DIRECTORY",
      default: join(ROOT, "../shared/data/lightsaber"),
      help: "Where samples of the queries' data are; what is not there is drawn from a seed.",
    },
  },
})

/** Waiting for a processor this much of the time says that the machine has other work. */
const BUSY = 0.1

const kernelsFile = join(ROOT, "bench/lightsaber/kernels.c")

await runMain(async () => {
  await prepare()
  const work = mkdtempSync(join(tmpdir(), "tidemark-bench-"))
  try {
    const compiled = compileC(kernelsFile, work)
    const settings = settingsOf(work, compiled?.program)
    printHead(settings, compiled?.label)
    const queries = values.query === undefined ? QUERIES : values.query.map(queryNamed)
    const results = []
    for (const query of queries) {
      process.stderr.write(`${query.name} …\n`)
      results.push(...(await compareQuery(query, settings)))
    }
    print(results)
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})

function settingsOf(work, kernels) {
  const { quick } = values
  const number = (given, usual, whenQuick) => given ?? (quick ? whenQuick : usual)
  const roundMs = number(values["round-ms"], 1000, 150)
  return {
    work,
    kernels,
    data: values.data,
    ringBytes: number(values["ring-mib"], 1024, 128) * 2 ** 20,
    rounds: number(values.rounds, 5, 3),
    roundMs,
    clock: values.clock,
    warmMs: quick ? 200 : 1500,
    batchRows: values["batch-rows"],
  }
}

function printHead({ ringBytes, rounds, roundMs, clock }, label) {
  console.log(machineText())
  if (clock === "cpu") console.log("rates are by processor time, not by the clock on the wall")
  console.log(
    `a ring of ${Math.round(ringBytes / 2 ** 20)} MiB a query, ${rounds} rounds of ${roundMs} ms in turn; median (min … max)`,
  )
  console.log(label === undefined ? "by hand: JavaScript, as this machine has no C compiler" : `by hand: C, ${label}`)
}

function print(all) {
  const results = all.filter(({ workers }) => workers === 1)
  printAlone(results)
  printTwo(all.filter(({ workers }) => workers === 2))
  printMachine(results)
}

function printTwo(results) {
  console.log(
    "\nTwo workers, by the clock on the wall; their results have the bits of one worker's, in the same order.\n",
  )
  console.log(
    tableText(
      ["query", "two workers", "× one", "published", "× publ.", "CPU ns", "× one's", "processors"],
      results.map((r) => [
        r.query,
        rates(r.ours),
        threeDigits(r.ofOneWorker),
        r.publishedLarge === undefined ? r.published : `${r.published} (1 GiB: ${r.publishedLarge})`,
        threeDigits(r.ofPublished),
        threeDigits(r.cpuNanosPerTuple),
        threeDigits(r.cpuOfOneWorker),
        threeDigits(r.busy),
      ]),
    ),
  )
}

function printAlone(results) {
  console.log(
    "\nMillions of tuples a second, one thread each. The published figure is LightSaber's, on two cores of another machine.\n",
  )
  const share = (number) => `${(number * 100).toFixed(0)}%`
  console.log(
    tableText(
      ["query", "ours", "by hand", "ours/hand", "published", "ours/publ."],
      results.map((r) => [
        r.query,
        rates(r.ours),
        rates(r.hand),
        threeDigits(r.ofHandKernel),
        r.publishedLarge === undefined ? r.published : `${r.published} (1 GiB: ${r.publishedLarge})`,
        threeDigits(r.ofPublished),
      ]),
    ),
  )
  console.log("\nWhat a tuple costs.\n")
  console.log(
    tableText(
      [
        "query",
        "bytes read",
        "of bandwidth",
        "by hand",
        "tuples/slice",
        "groups/slice",
        "rows out",
        "CPU ns",
        "by hand",
        "batch",
        "peak MiB",
        "limit",
      ],
      results.map((r) => [
        r.query,
        threeDigits(r.bytesRead),
        share(r.bandwidthShare),
        share(r.handBandwidthShare),
        threeDigits(r.tuplesPerSlice),
        threeDigits(r.groupsPerSlice),
        threeDigits(r.rowsPerTuple),
        threeDigits(r.cpuNanosPerTuple),
        threeDigits(r.handCpuNanosPerTuple),
        r.batchRows,
        Math.round(r.peakMiB),
        r.limit,
      ]),
    ),
  )
}

function printMachine(results) {
  const share = (number) => `${(number * 100).toFixed(0)}%`
  const reading = (name) =>
    spreadText(
      results.map((r) => r[name]),
      (number) => number.toFixed(1),
    )
  console.log(
    `\nsequential reading with 128-bit loads, GB/s: WebAssembly ${reading("readGBs")}, by hand ${reading("handReadGBs")}`,
  )
  const waiting = median(results.map((r) => r.handWaiting))
  if (waiting > BUSY) {
    const hint = values.clock === "cpu" ? "" : "; --clock cpu counts only what they ran"
    console.log(`the machine was busy: threads waited ${share(waiting)} of the time${hint}`)
  }
  const drawn = results.filter((r) => !r.isReal).map((r) => r.query)
  if (drawn.length > 0)
    console.log(`drawn from a seed, as samples are not at hand or there are none: ${drawn.join(", ")}`)
}

function rates({ median, min, max }) {
  return `${threeDigits(median)} (${threeDigits(min)} … ${threeDigits(max)})`
}
