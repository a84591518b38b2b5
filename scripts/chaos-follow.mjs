/**
 * The scenario `follow` of `chaos.mjs`: files that a process of their own writes, renames, copies, cuts and makes while the job that follows them is killed and
 * started again. It is a scenario by itself since such an input does not end: the job is stopped when the writer has come to its end.
 *
 * The twin is as slow and as plain as can be: nothing is removed, so in the end all files together are what had to be read. Each complete
 * line counts exactly once (FO1, FO2, FO11); lines of a log come in order over all its generations, whatever they are called by then (FO3).
 */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { differenceOf } from "./chaos-differences.mjs"
import { publishedNames, rowsOfOutput } from "./chaos-published.mjs"

const WRITER = fileURLToPath(new URL("./chaos-follow-writer.mjs", import.meta.url))
const OUTPUTS = ["lines", "counted"]

/** See the head of this file. */
export const follow = {
  outputs: OUTPUTS,
  setsClock: true,
  phases: 2,
  killsMax: 25,
  /** A job that begins anew passes over the generations that lie there. */
  canBeReset: false,
  lifeMs: 2500,
  draw: (prng) => ({
    seed: 1 + prng.below(1e6),
    followEveryMs: prng.pick([10, 30, 100]),
  }),
  write: (directory) => mkdirSync(join(directory, "in"), { recursive: true }),
  job: ({ followEveryMs }) => ({ followEveryMs }),
  accompany: (directory, { seed }) => new Writer(directory, seed),

  async judge(directory) {
    const expected = linesOf(join(directory, "in"))
    const lines = (await rowsOfOutput(directory, "lines")).map(({ file, n }) => `${file}|${n}`)
    const counted = (await rowsOfOutput(directory, "counted")).map(({ file, n, place }) => `${file}|${n}|${place}`)
    const groupOf = (row) => row.split("|")[0]
    return [
      ...differenceOf({ output: "lines", expected, rows: lines, groupOf }),
      // Lines are numbered in the order in which they were written: so is their place.
      ...differenceOf({
        output: "counted",
        expected: expected.map((row) => `${row}|${row.split("|")[1]}`),
        rows: counted,
        groupOf,
      }),
    ]
  },
}

/** The process that writes, from when the job is started first. */
class Writer {
  #directory
  #child
  #ended

  constructor(directory, seed) {
    this.#directory = directory
    this.#child = spawn(process.execPath, [WRITER, directory, String(seed)], {
      stdio: ["ignore", "ignore", "inherit"],
    })
    this.#ended = new Promise((resolve) => this.#child.on("close", resolve))
  }

  /** Lets it come to its end: from then on nothing is written. */
  async end() {
    writeFileSync(join(this.#directory, "end"), "")
    const code = await this.#ended
    if (code !== 0) throw new Error(`The writer of the followed files has failed: exit code ${code}.`)
  }

  kill() {
    this.#child.kill("SIGKILL")
  }
}

/** All complete lines of all files, as `file|number`, those of each log in order. */
function linesOf(directory) {
  const lines = readdirSync(directory).flatMap((name) =>
    readFileSync(join(directory, name), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  )
  return lines.sort((one, other) => one.n - other.n).map(({ file, n }) => `${file}|${n}`)
}

/** Whether the job has published a line of a file. */
export function hasPublished(directory, file) {
  return publishedNames(directory, "lines").some((name) =>
    readFileSync(join(directory, "out", "lines", name), "utf8").includes(`"${file}"`),
  )
}

/** Whether nothing more is written. */
export function isWritten(directory) {
  return existsSync(join(directory, "written"))
}
