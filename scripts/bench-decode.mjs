/**
 * `npm run bench:decode`: decoding alone and encoding alone, CSV and JSON lines of eight fields, one thread: the engine's
 * decoders and encoders beside a loop as one would write it, and DuckDB, in turn in one run. See docs/internals/benchmarks.md.
 *
 *   npm run bench:decode -- [--quick] [--json FILE] [--rows 2097152] [--formats csv,jsonl] [--ways decode,encode]
 *     [--rounds 7] [--clock wall|cpu]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeDocument } from "../bench/decode/documents.mjs"
import { machineText } from "../bench/frame/machine.mjs"
import { MeasuredProcess, refuseOtherAnswers } from "../bench/frame/measured-process.mjs"
import { median, spread, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const FORMATS = ["csv", "jsonl"]
const WAYS = ["decode", "encode"]
const SIDES = ["ours", "duckdb", "loop"]

const values = readOptions({
  command: "npm run bench:decode --",
  what: "Decodes and encodes CSV and JSON lines of eight fields, one thread, beside DuckDB and a loop by hand, in turn in one run.",
  options: {
    quick: { help: "Fewer rows and rounds: an impression in less than 30 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    rows: { value: "N", kind: "number", least: 1, help: "Rows of a file. Default: 2097152, with --quick 262144." },
    formats: {
      value: "NAME,…",
      kind: "texts",
      choices: FORMATS,
      default: FORMATS,
      help: "The formats that are measured.",
    },
    ways: {
      value: "NAME,…",
      kind: "texts",
      choices: WAYS,
      default: WAYS,
      help: "Whether rows are read from bytes, written as bytes, or both.",
    },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 7, with --quick 3." },
    clock: {
      value: "wall|cpu",
      choices: ["wall", "cpu"],
      default: "wall",
      help: "Whether the clock on the wall counts or the processor's time: that where the machine has other work.",
    },
  },
})
const rows = values.rows ?? (values.quick ? 2 ** 18 : 2 ** 21)
const rounds = values.rounds ?? (values.quick ? 3 : 7)

await runMain(async () => {
  await prepare()
  console.log(machineText())
  console.log(
    `${rows.toLocaleString("en")} rows, one thread each, ${rounds} rounds in turn; ns a row, median (min … max)`,
  )
  if (values.clock === "cpu") console.log("by processor time, not by the clock on the wall")
  const folder = mkdtempSync(join(tmpdir(), "tidemark-decode-"))
  const results = []
  try {
    for (const format of values.formats) {
      process.stderr.write(`${format} …\n`)
      results.push(...(await compare(join(folder, `rows.${format}`), format)))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  print(results)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
})

/** All sides on one file: first the answers, then the rounds of each way. */
async function compare(file, format) {
  const bytes = writeDocument(file, format, rows)
  const processes = Object.fromEntries(SIDES.map((side) => [side, start(side, format, file)]))
  const results = []
  try {
    const answers = {}
    for (const side of SIDES) answers[side] = await processes[side].ask("check")
    refuseOtherAnswers(`from ${format}`, answers)
    for (const way of values.ways) {
      if (way === "encode")
        refuseOtherAnswers(`what is written as ${format} by`, await answersOfWritten(processes, format, file))
      const measured = Object.fromEntries(SIDES.map((side) => [side, []]))
      for (let round = 0; round < rounds; round++) {
        for (const side of SIDES) measured[side].push(await processes[side].ask(way))
      }
      results.push(...SIDES.map((side) => result(side, way, format, bytes, measured)))
    }
    return results
  } finally {
    await Promise.all(Object.values(processes).map((each) => each.close()))
  }
}

function start(side, format, file) {
  return new MeasuredProcess(side, process.execPath, [join(ROOT, "bench", "decode", `${side}.mjs`), format, file])
}

/** What the loop reads of the file that each side has written. */
async function answersOfWritten(processes, format, file) {
  const answers = {}
  for (const side of SIDES) {
    const written = `${file}.${side}`
    await processes[side].ask(`write ${written}`)
    const reader = start("loop", format, written)
    answers[side] = await reader.ask("check")
    await reader.close()
    rmSync(written)
  }
  return answers
}

function result(side, way, format, bytes, measured) {
  const secondsOf = (each) => (values.clock === "cpu" ? each.cpuSeconds : each.seconds)
  const seconds = measured[side].map(secondsOf)
  return {
    way,
    format,
    side,
    rows,
    bytesPerRow: bytes / rows,
    nanosPerRow: spread(seconds.map((each) => (each / rows) * 1e9)),
    megabytesPerSecond: bytes / median(seconds) / 1e6,
    overOurs: spread(seconds.map((each, round) => each / secondsOf(measured.ours[round]))),
    cpuNanosPerRow: median(measured[side].map((each) => (each.cpuSeconds / rows) * 1e9)),
    peakMiB: Math.max(...measured[side].map((each) => each.peakMiB)),
  }
}

function print(results) {
  const one = ({ median: middle, min, max }) => spreadText([min, middle, max], threeDigits)
  console.log()
  console.log(
    tableText(
      ["way", "format", "side", "ns a row", "MB/s", "× ours", "CPU ns"],
      results.map((r) => [
        r.way,
        `${r.format}, ${Math.round(r.bytesPerRow)} bytes a row`,
        r.side,
        one(r.nanosPerRow),
        threeDigits(r.megabytesPerSecond),
        r.side === "ours" ? "–" : one(r.overOurs),
        threeDigits(r.cpuNanosPerRow),
      ]),
    ),
  )
}
