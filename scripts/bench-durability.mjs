/**
 * `npm run bench:durability`: what it costs to make durable what a program pushes into its job: not durable, at ingress, and behind the stateless
 * prefix of the plan, in turn in one run; beside the disk by itself. See docs/internals/benchmarks.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { largeWrites } from "../bench/log/appending.mjs"
import { piecesOf, pushAll } from "../bench/durability/pushing.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { median, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, runMain } from "./bootstrap.mjs"
import { fromDist } from "./dist.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench:durability --",
  what: "Pushes rows into jobs like YSB and CM1: not durable, durable as they were pushed, and durable behind the operators that discard rows and columns, in turn in one run; and measures the disk by itself.",
  options: {
    quick: { help: "Fewer rows and rounds: an impression in some seconds." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 7, with --quick 3." },
    rows: {
      value: "N",
      kind: "number",
      least: 1,
      help: "How many rows are pushed. Default: 500,000, with --quick 200,000.",
    },
    clock: {
      value: "CLOCK",
      choices: ["wall", "cpu"],
      default: "wall",
      help: "Rates by the clock, or by processor time of all threads: on a machine that does other work. Ratios are given by both.",
    },
    as: {
      value: "FORM",
      choices: ["rows", "columns"],
      default: "rows",
      help: "What is pushed: rows that are objects, or columns that are arrays, typed where they are numbers.",
    },
    directory: { value: "DIR", help: "Where the files lie. Default: the system's directory for temporary files." },
  },
})
const rounds = values.rounds ?? (values.quick ? 3 : 7)
const rowCount = values.rows ?? (values.quick ? 200_000 : 500_000)

const WAYS = {
  "not durable": { isDurable: false },
  "at ingress": { persistAt: "ingress" },
  "behind the prefix": {},
}

await runMain(async () => {
  await prepare()
  console.log(machineText())
  const folder = mkdtempSync(join(values.directory ?? tmpdir(), "tidemark-bench-durability-"))
  try {
    const doors = { ...(await fromDist("index")), ...(await fromDist("log")) }
    // It imports what was built just now.
    const { columnsOf, JOBS } = await import(new URL("../bench/durability/jobs.mjs", import.meta.url).href)
    const results = {}
    for (const [name, what] of Object.entries(JOBS))
      results[name] = await measure(doors, { ...what, columnsOf }, folder)
    print(results)
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** One job, in each way, in turn; the first round does not count. */
async function measure(doors, what, folder) {
  const rows = what.rows(rowCount)
  const records = piecesOf(values.as === "rows" ? rows : what.columnsOf(what.schema, rows))
  const measured = { disk: [], ways: Object.fromEntries(Object.keys(WAYS).map((way) => [way, []])) }
  for (let round = -1; round < rounds; round++) {
    const disk = (await largeWrites(folder, 64)) * 2 ** 20
    if (round >= 0) measured.disk.push(disk)
    let expected
    for (const [way, options] of Object.entries(WAYS)) {
      const { results, ...numbers } = await pushAll(doors, what, records, options, folder)
      expected ??= results
      if (results !== expected) throw new Error(`${way}: other results`)
      if (round >= 0) measured.ways[way].push(numbers)
    }
  }
  return measured
}

function print(results) {
  const table = Object.entries(results).flatMap(([name, { disk, ways }]) =>
    Object.entries(ways).map(([way, numbers]) => {
      const rates = numbers.map(({ rowsPerSecond }) => rowsPerSecond[values.clock])
      const ratios = (clock) =>
        numbers.map(
          ({ rowsPerSecond }, round) => rowsPerSecond[clock] / ways["not durable"][round].rowsPerSecond[clock],
        )
      const bytes = median(numbers.map((each) => each.bytes)) / rowCount
      const cells = [`${name}, ${way}`, spreadText(rates.map((rate) => rate / 1e6))]
      if (way === "not durable") return [...cells, "–", "–", "–", "–"]
      const share = (100 * bytes * median(rates)) / median(disk)
      return [
        ...cells,
        spreadText(ratios("wall")),
        spreadText(ratios("cpu")),
        threeDigits(bytes),
        `${share.toFixed(1)} %`,
      ]
    }),
  )
  const titles = [
    "job, way",
    "M rows/s: median (min … max)",
    "of not durable, by the clock",
    "by processor time",
    "bytes a row",
    "of the disk's bandwidth",
  ]
  console.log(tableText(titles, table))
  const disks = Object.values(results).flatMap(({ disk }) => disk)
  console.log(
    `The disk by itself, write and fdatasync of 1 MiB: ${spreadText(
      disks.map((each) => each / 2 ** 20),
      threeDigits,
    )} MiB/s.`,
  )
}
