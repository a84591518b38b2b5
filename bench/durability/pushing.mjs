/** What `npm run bench:durability` measures: a job into which this process pushes rows, until it has computed all of them. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"

/** So many pushes are under way at a time, each of so many rows. */
const AT_ONCE = 4
const PUSH_ROWS = 16_384

/**
 * Pushes all rows into a job and waits for its end: how many rows a second that were, how many bytes its log has got, and its results as text.
 *
 * @param {object} doors the doors of the package
 * @param {{ schema: object, job: object }} what the job
 * @param {readonly object[] | object} records what is pushed: rows, or an array for each column
 * @param {object} options those of `pushed`
 * @param {{ folder: string, clock: "wall" | "cpu" }} where the job's directory lies, and by what time rates go
 */
export async function pushAll({ memory, pushed, run, openLogReader }, what, records, options, { folder, clock }) {
  const directory = join(folder, "job")
  rmSync(directory, { recursive: true, force: true })
  const inlet = pushed(what.schema, options)
  const results = memory()
  const bound = what.job.with({ inputs: { events: inlet }, outputs: { results } })
  const { finished } = await run(bound, { directory })
  const before = { wall: performance.now(), cpu: process.cpuUsage() }
  const { count, some } = pieces(records)
  let first = 0
  const push = async () => {
    while (first < count) {
      const from = first
      first += PUSH_ROWS
      await inlet.push(some(from, from + PUSH_ROWS))
      // What is not durable would be taken without a pause, until the memory for it is full.
      await turn()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, push))
  inlet.end()
  await finished
  const { user, system } = process.cpuUsage(before.cpu)
  const seconds = { wall: (performance.now() - before.wall) / 1000, cpu: (user + system) / 1e6 }[clock]
  const bytes = options.isDurable === false ? 0 : await logBytes(openLogReader, join(directory, "inputs", "events"))
  return { rowsPerSecond: count / seconds, bytes, results: JSON.stringify(results.rows, bigintsAsText) }
}

/** How many records there are, and how some of them are had. */
function pieces(records) {
  if (Array.isArray(records)) return { count: records.length, some: (from, to) => records.slice(from, to) }
  const arrays = Object.entries(records)
  const some = (from, to) => Object.fromEntries(arrays.map(([name, array]) => [name, array.slice(from, to)]))
  return { count: arrays[0][1].length, some }
}

/** How far the log has come, in bytes: its first generation begins at 0. */
async function logBytes(openLogReader, directory) {
  const reader = await openLogReader(directory)
  const end = await reader.end()
  await reader.close()
  return Number(BigInt.asUintN(40, end))
}

function bigintsAsText(_key, value) {
  return typeof value === "bigint" ? String(value) : value
}
