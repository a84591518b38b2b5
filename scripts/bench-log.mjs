/**
 * `npm run bench:log`: appending to a log, beside write and fdatasync without any log, in turn in one run; and reading. See
 * docs/internals/benchmarks.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  batches,
  concurrentAppends,
  largeAppends,
  largeWrites,
  newLog,
  reading,
  readingOneByOne,
  smallAppends,
  smallWrites,
} from "../bench/log/appending.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, runMain } from "./bootstrap.mjs"
import { fromDist } from "./dist.mjs"
import { readOptions } from "./options.mjs"

/** Appends before any is counted: code is compiled, and the disk awake. */
const WARM_UP = 200
const BATCH_RECORDS = 8192

const values = readOptions({
  command: "npm run bench:log --",
  what: "Appends to a log, small records and large ones, one at a time and many, beside write and fdatasync by themselves, in turn in one run; then reads it. The disk is that of the directory.",
  options: {
    quick: { help: "Fewer appends and rounds: an impression in some seconds." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 7, with --quick 3." },
    directory: { value: "DIR", help: "Where the files lie. Default: the system's directory for temporary files." },
  },
})
const rounds = values.rounds ?? (values.quick ? 3 : 7)
const counts = values.quick ? { small: 500, large: 64, batches: 10 } : { small: 2000, large: 256, batches: 40 }

await runMain(async () => {
  await prepare()
  console.log(machineText())
  const folder = mkdtempSync(join(values.directory ?? tmpdir(), "tidemark-bench-log-"))
  const measured = []
  try {
    const door = await fromDist("log")
    for (let round = 0; round < rounds; round++) measured.push(await measure(door, folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const results = resultsOf(measured)
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
})

/** One round. */
async function measure(door, folder) {
  const fresh = async (work) => {
    const log = await newLog(door, folder)
    const result = await work(log)
    await log.close()
    return result
  }
  const small = await fresh(async (log) => {
    await smallAppends(log, WARM_UP)
    return { log: await smallAppends(log, counts.small), many: await concurrentAppends(log, 4 * counts.small) }
  })
  const raw = await smallWrites(folder, counts.small)
  const rawLarge = await largeWrites(folder, counts.large)
  const one = await fresh((log) => largeAppends(log, counts.large, 1))
  const two = await fresh((log) => largeAppends(log, counts.large, 2))
  const four = await fresh((log) => largeAppends(log, counts.large, 4))
  const many = await fresh(async (log) => ({
    batches: await batches(log, counts.batches, BATCH_RECORDS),
    read: await reading(log),
    readOneByOne: await readingOneByOne(log),
  }))
  const quantile = (times, share) => times[Math.floor(times.length * share)]
  return {
    "one append of 128 bytes, p50": { unit: "ms", value: quantile(small.log, 0.5), raw: quantile(raw, 0.5) },
    "one append of 128 bytes, p99": { unit: "ms", value: quantile(small.log, 0.99), raw: quantile(raw, 0.99) },
    "16 at once": { unit: "records/s", value: small.many, raw: 1000 / quantile(raw, 0.5) },
    "1 MiB, one at a time": { unit: "MiB/s", value: one, raw: rawLarge },
    "1 MiB, two at once": { unit: "MiB/s", value: two, raw: rawLarge },
    "1 MiB, four at once": { unit: "MiB/s", value: four, raw: rawLarge },
    "batches of 8,192 records of 128 bytes": { unit: "records/s", value: many.batches, raw: undefined },
    "reading them, in batches": { unit: "records/s", value: many.read, raw: undefined },
    "reading them, one by one": { unit: "records/s", value: many.readOneByOne, raw: undefined },
  }
}

/** Of each of what was measured the numbers of all rounds. */
function resultsOf(measured) {
  return Object.keys(measured[0]).map((what) => {
    const rows = measured.map((round) => round[what])
    const ours = rows.map(({ value }) => value)
    if (rows[0].raw === undefined) return { what, unit: rows[0].unit, ours }
    return {
      what,
      unit: rows[0].unit,
      ours,
      raw: rows.map(({ raw }) => raw),
      ratio: rows.map(({ value, raw }) => value / raw),
    }
  })
}

function print(results) {
  const textOf = (numbers) => (numbers === undefined ? "–" : spreadText(numbers, threeDigits))
  const rows = results.map(({ what, unit, ours, raw, ratio }) => [what, textOf(ours), unit, textOf(raw), textOf(ratio)])
  console.log(tableText(["what", "log: median (min … max)", "unit", "write + fdatasync", "ratio"], rows))
}
