/**
 * `npm run bench`: CSV and JSON lines → filter → one-minute windows a sensor → JSON lines, on Tidemark with exactly-once
 * on, beside a hand-written loop over the same decoder and RxJS, in turn in one run; then memory at two sizes.
 *
 *   npm run bench -- [--rows 2000000] [--repeat 5] [--memory-rows 20000000] [--no-memory] [--json FILE]
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { median, spreadText } from "../bench/frame/spread.mjs"
import { generate } from "../bench/generate.mjs"
import { readOptions } from "./options.mjs"

const values = readOptions({
  command: "npm run bench --",
  what: "CSV and JSON lines, a filter, one-minute windows by key, JSON lines: with exactly-once on, beside a loop written by hand and RxJS, in turn in one run. Then memory at two sizes.",
  options: {
    rows: { value: "N", kind: "number", least: 1, default: 2_000_000, help: "Rows of a file." },
    repeat: { value: "N", kind: "number", least: 1, default: 5, help: "How often each is measured." },
    "memory-rows": {
      value: "N",
      kind: "number",
      least: 1,
      default: 20_000_000,
      help: "Rows of the larger file for memory.",
    },
    "no-memory": { help: "Leaves memory out." },
    json: { value: "FILE", help: "Writes the results there, too." },
  },
})
const { rows } = values
const variants = join(dirname(fileURLToPath(import.meta.url)), "../bench/variants")
const work = mkdtempSync(join(tmpdir(), "tidemark-bench-"))

function measure(variant, format, input) {
  const directory = join(work, variant)
  rmSync(directory, { recursive: true, force: true })
  const run = spawnSync(process.execPath, [join(variants, `${variant}.mjs`), format, input, directory], {
    encoding: "utf8",
  })
  if (run.status !== 0) throw new Error(`${variant} failed:\n${run.stderr}`)
  const { runs, peakMiB } = JSON.parse(run.stdout)
  return { ...runs[0], peakMiB }
}

const results = []
try {
  for (const format of ["csv", "jsonl"]) {
    const input = join(work, `input.${format}`)
    await generate(input, format, rows)
    const runs = { tidemark: [], loop: [], rxjs: [] }
    for (let round = 0; round < values.repeat; round++) {
      for (const variant of Object.keys(runs)) runs[variant].push(measure(variant, format, input))
    }
    const outputs = new Set(Object.values(runs).flatMap((list) => list.map(({ rowsOut }) => rowsOut)))
    if (outputs.size !== 1)
      throw new Error(`the variants disagree on the number of result rows: ${[...outputs].join(", ")}`)
    console.log(`\n${format}, ${rows.toLocaleString("en")} rows, ${values.repeat} rounds in turn; median (min … max)`)
    for (const [variant, list] of Object.entries(runs)) {
      const perRow = list.map(({ seconds }) => (seconds / rows) * 1e9)
      const peak = Math.max(...list.map(({ peakMiB }) => peakMiB))
      console.log(`  ${variant.padEnd(9)} ${spreadText(perRow)} ns/row   peak ${peak.toFixed(0)} MiB`)
      results.push({ format, variant, rows, nanosPerRow: median(perRow), peakMiB: peak })
    }
    const ratio = (other) => runs.tidemark.map(({ seconds }, round) => seconds / runs[other][round].seconds)
    console.log(`  tidemark / loop  ${spreadText(ratio("loop"))}   (aim: at most 2)`)
    console.log(`  rxjs / tidemark  ${spreadText(ratio("rxjs").map((r) => 1 / r))}   (aim: at least 3)`)
  }
  if (!values["no-memory"]) {
    console.log("\nmemory of the CSV job")
    const sizes = [Number(values["memory-rows"]) / 10, Number(values["memory-rows"])]
    const peaks = []
    for (const size of sizes) {
      const input = join(work, `memory-${size}.csv`)
      await generate(input, "csv", size)
      const { peakMiB, seconds } = measure("tidemark", "csv", input)
      rmSync(input)
      peaks.push(peakMiB)
      console.log(
        `  ${size.toLocaleString("en").padStart(12)} rows: peak ${peakMiB.toFixed(0)} MiB, ${seconds.toFixed(1)} s`,
      )
      results.push({ format: "csv", variant: "tidemark-memory", rows: size, peakMiB })
    }
    console.log(
      `  ratio ${(peaks[1] / peaks[0]).toFixed(2)} (aim: at most 1.3), largest ${peaks[1].toFixed(0)} MiB (aim: under 300)`,
    )
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
