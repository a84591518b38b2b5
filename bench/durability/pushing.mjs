/** What `npm run bench:durability` measures: a job into which this process pushes rows, until it has computed all of them. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
/** Collects what another run has left, so that this one's time does not pay for it. */
const collect = runInNewContext("gc")

/** So many pushes are under way at a time, each of so many rows. */
const AT_ONCE = 8
const PUSH_ROWS = 16_384

/**
 * Pushes all rows into a job and waits for its end: how many rows a second that were, by the clock and by processor time of all threads, how many
 * bytes its log has got, and its results as text.
 *
 * @param {object} doors the doors of the package
 * @param {{ schema: object, job: object }} what the job
 * @param {{ count: number, pieces: readonly object[] }} records those of each push
 * @param {object} options those of `pushed`
 * @param {string} folder where the job's directory lies
 */
export async function pushAll({ memory, pushed, run, openLogReader }, what, { count, pieces }, options, folder) {
  const directory = join(folder, "job")
  rmSync(directory, { recursive: true, force: true })
  const inlet = pushed(what.schema, options)
  const results = memory()
  const bound = what.job.with({ inputs: { events: inlet }, outputs: { results } })
  const { finished } = await run(bound, { directory })
  collect()
  const before = { wall: performance.now(), cpu: process.cpuUsage() }
  let given = 0
  const push = async () => {
    while (given < pieces.length) {
      await inlet.push(pieces[given++])
      // What is not durable would be taken without a pause, until the memory for it is full.
      await turn()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, push))
  inlet.end()
  await finished
  const { user, system } = process.cpuUsage(before.cpu)
  const seconds = { wall: (performance.now() - before.wall) / 1000, cpu: (user + system) / 1e6 }
  const bytes = options.isDurable === false ? 0 : await logBytes(openLogReader, join(directory, "inputs", "events"))
  const rowsPerSecond = { wall: count / seconds.wall, cpu: count / seconds.cpu }
  return { rowsPerSecond, bytes, results: JSON.stringify(results.rows, bigintsAsText) }
}

/**
 * How many records there are, and those of each push: they are made before any time is taken.
 *
 * @param {readonly object[] | object} records rows, or an array for each column
 */
export function piecesOf(records) {
  const arrays = Object.entries(records)
  const count = Array.isArray(records) ? records.length : arrays[0][1].length
  const some = (from, to) =>
    Array.isArray(records)
      ? records.slice(from, to)
      : Object.fromEntries(arrays.map(([name, array]) => [name, array.slice(from, to)]))
  const pieces = Array.from({ length: Math.ceil(count / PUSH_ROWS) }, (_, piece) =>
    some(piece * PUSH_ROWS, (piece + 1) * PUSH_ROWS),
  )
  return { count, pieces }
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
