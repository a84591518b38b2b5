/**
 * `npm run bench:latency`: how long a record's result takes to be durable, at shares of what the job can take; beside a batch
 * job in the same process; and how long a job takes to start. See docs/internals/benchmarks.md.
 *
 *   npm run bench:latency -- [--quick] [--json FILE] [--rounds 5] [--seconds 8] [--window-ms 5]
 */
import { spawn } from "node:child_process"
import { linkSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { generate } from "../bench/generate.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { MeasuredProcess } from "../bench/frame/measured-process.mjs"
import { median, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, ROOT, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench:latency --",
  what: "Measures from a record's scheduled arrival to its durable result, at shares of the sustainable rate and beside a batch job; and the start of a job.",
  options: {
    quick: { help: "One short round: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 5, with --quick 1." },
    seconds: { value: "N", kind: "number", least: 1, help: "How long each lasts. Default: 8, with --quick 2." },
    "window-ms": { value: "N", kind: "number", least: 1, default: 5, help: "The length of a window. Default: 5." },
  },
})
const rounds = values.rounds ?? (values.quick ? 1 : 5)
const seconds = values.seconds ?? (values.quick ? 2 : 8)
const STARTS = values.quick ? 5 : 15
const SHARES = [0.1, 0.5, 0.9]
/** Files of the batch job's input: links to one, which they fill the time with. */
const FILE_ROWS = 1_000_000
const BATCH_ROWS_A_SECOND_MAX = 10_000_000

const work = mkdtempSync(join(tmpdir(), "tidemark-latency-"))

await runMain(async () => {
  await prepare()
  console.log(machineText())
  console.log(`${rounds} rounds of ${seconds} s each, median (min … max); load ${loadavg()[0].toFixed(1)} before`)
  try {
    const files = await batchFiles()
    const results = { start: await starts(), ...(await latencies(files)) }
    print(results)
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})

async function batchFiles() {
  const directory = join(work, "csv")
  mkdirSync(directory)
  await generate(join(work, "one.csv"), "csv", FILE_ROWS)
  const count = Math.ceil((BATCH_ROWS_A_SECOND_MAX * (seconds + 2)) / FILE_ROWS)
  for (let file = 0; file < count; file++) linkSync(join(work, "one.csv"), join(directory, `${file}.csv`))
  return join(directory, "*.csv")
}

/** A line that a fresh process prints, and when, in milliseconds from before it was started. */
async function lineOf(program, directory) {
  const startMillis = performance.now()
  const child = spawn(process.execPath, [join(ROOT, "bench/latency", program), directory], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const heard = []
  child.stdout.on("data", (chunk) => heard.push({ text: String(chunk), millis: performance.now() - startMillis }))
  const code = await new Promise((resolve) => child.on("close", resolve))
  const [first] = heard
  if (code !== 0 || first === undefined) throw new Error(`${program} ended with ${code}`)
  return first
}

async function starts() {
  const startMillis = []
  const idleBytes = []
  for (let round = 0; round < STARTS; round++) {
    const directory = join(work, `start-${round}`)
    mkdirSync(directory)
    await generate(join(directory, "small.csv"), "csv", 100)
    startMillis.push((await lineOf("start.mjs", directory)).millis)
  }
  for (let round = 0; round < rounds; round++) {
    idleBytes.push(Number((await lineOf("idle.mjs", join(work, `idle-${round}`))).text))
  }
  return { startMillis, idleBytes }
}

async function latencies(files) {
  const measured = { sustainable: [], disk: [], alone: [], beside: [] }
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`round ${round + 1} of ${rounds} …\n`)
    const args = [join(ROOT, "bench/latency/engine.mjs"), work, values["window-ms"], seconds, files]
    const engine = new MeasuredProcess("engine", process.execPath, args.map(String))
    const { ratePerSecond: sustainable } = await engine.ask("alone Infinity")
    measured.sustainable.push(sustainable)
    measured.disk.push(await engine.ask("disk"))
    for (const share of SHARES) measured.alone.push({ share, ...(await engine.ask(`alone ${sustainable * share}`)) })
    measured.beside.push({ what: "batch alone", ...(await engine.ask("batch")) })
    const rate = sustainable * SHARES[0]
    for (const [what, priority] of [
      ["both, none yields", "batch"],
      ["both, batch yields", "latency"],
    ])
      measured.beside.push({ what, ...(await engine.ask(`beside ${rate} ${priority}`)) })
    await engine.close()
  }
  return measured
}

function print({ start, sustainable, disk, alone, beside }) {
  const text = (numbers) => spreadText(numbers, threeDigits)
  const cells = (runs, pick) => ["p50", "p99", "p999"].map((name) => text(runs.map((run) => pick(run)[name])))
  console.log(`\nsustainable rate: ${text(sustainable.map((rate) => rate / 1e6))} million records a second`)
  const titles = ["", "p50 ms", "p99 ms", "p99.9 ms", "commit ms"]
  const rows = [["disk alone: append, sync", ...cells(disk, (run) => run), "–"]]
  for (const share of SHARES) {
    const runs = alone.filter((run) => run.share === share)
    const commit = text(runs.map(({ commitMillis }) => commitMillis))
    rows.push([`${share * 100} %: last record of a window`, ...cells(runs, (run) => run.result), commit])
    rows.push([
      `${share * 100} %: every record, its window's wait included`,
      ...cells(runs, (run) => run.record),
      commit,
    ])
  }
  console.log(`\n${tableText(titles, rows)}`)
  const lowest = alone.filter((run) => run.share === SHARES[0])
  const kinds = [...new Set(beside.map(({ what }) => what))]
  const besideRows = kinds.map((kind) => {
    const runs = beside.filter(({ what }) => what === kind)
    const million = text(runs.map(({ batchRatePerSecond }) => batchRatePerSecond / 1e6))
    if (runs[0].result === undefined) return [kind, "–", "–", "–", million]
    const over = runs.map((run, round) => run.result.p99 / lowest[round].result.p99)
    return [kind, ...cells(runs, (run) => run.result).slice(0, 2), text(over), million]
  })
  const aloneCells = cells(lowest, (run) => run.result).slice(0, 2)
  const titlesBeside = ["at 10 %", "p50 ms", "p99 ms", "p99 × alone", "batch, M rows/s"]
  console.log(`\n${tableText(titlesBeside, [["live alone", ...aloneCells, "–", "–"], ...besideRows])}`)
  const rate = (kind) => median(beside.filter(({ what }) => what === kind).map((run) => run.batchRatePerSecond))
  const kept = (rate("both, batch yields") / rate("both, none yields")) * 100
  console.log(`yielding leaves the batch job ${kept.toFixed(0)} % of what it had beside the live job without`)
  console.log(`\nfrom process start to the first durable result: ${text(start.startMillis)} ms`)
  console.log(
    `resident while it waits for records: ${text(start.idleBytes.map((bytes) => bytes / 1e6))} MB; load ${loadavg()[0].toFixed(1)} after`,
  )
}
