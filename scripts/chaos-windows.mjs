/**
 * The scenario `windows` of `chaos.mjs`: a keyed-window job over generated files, whose results are JSON lines, Parquet or
 * Arrow, as each round draws.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { differenceOf } from "./chaos-differences.mjs"
import { RESULT_FORMATS, rowsOfOutput } from "./chaos-published.mjs"
import { generateRound, referenceOf } from "./chaos-windows-reference.mjs"

const OUTPUTS = ["results", "late", "bad"]

/** See the head of this file; what its parts are stands in `chaos.mjs`. */
export const windows = {
  outputs: OUTPUTS,
  setsClock: true,
  phases: 1,
  killsMax: Infinity,

  draw(prng) {
    return { ...generateRound(prng), resultFormat: prng.pick(RESULT_FORMATS) }
  },

  write(directory, { files }) {
    mkdirSync(join(directory, "in"), { recursive: true })
    for (const { name, lines } of files) {
      writeFileSync(join(directory, "in", name), lines.map(({ text }) => `${text}\n`).join(""))
    }
  },

  job({ window, resultFormat }) {
    return { window, resultFormat }
  },

  async judge(directory, data) {
    const reference = referenceOf(data)
    const differences = []
    for (const output of OUTPUTS) {
      const rows = (await rowsOfOutput(directory, output)).map((row) => rowText(output, row))
      differences.push(...differenceOf({ output, expected: reference[output], rows }))
    }
    return differences
  },
}

function rowText(output, row) {
  if (output === "bad") return `${row.partition.split("/").at(-1)}|${row.record}`
  if (output === "late") return String(row.id)
  return [row.key, row.windowStart, row.windowEnd, row.rows, row.total, row.least, row.newest].join("|")
}
