/**
 * One query on the engine, in a process of its own: it fills the ring, and answers.
 *
 *   node engine.mjs QUERY DATA_DIRECTORY RING_ROWS
 *
 *   prefix          how many tuples `check` wants
 *   check TUPLES FILE   the prefix: against the twin, and against the rows in FILE, which the kernel by hand gave
 *   run TUPLES      TUPLES at least, in whole batches, from the start of the stream; the sums so far
 *   size ROWS       batches of that many rows from here on
 *   runFor MILLIS   so long at least, in whole batches
 *   read            the bandwidth of the memory, by WebAssembly
 *   describe        the query's shape
 */
import { readFileSync } from "node:fs"
import { Arena } from "../../dist/batch/arena.js"
import { DataflowRun } from "../frame/dataflow-run.mjs"
import { answer } from "../frame/measured-process.mjs"
import { memoryKernels } from "../frame/memory-kernels.mjs"
import { ResultSums } from "../frame/result-sums.mjs"
import { StreamRing } from "../frame/stream-ring.mjs"
import { cpuSeconds, peakMiB } from "../frame/usage.mjs"
import { compareRows, parseRows } from "./agreement.mjs"
import { cycleOf } from "./data.mjs"
import { inputSchema, jobOf } from "./jobs.mjs"
import { queryNamed, scannedBytes } from "./queries.mjs"
import { checkedEnds, prefixTuples, twinRows } from "./twin.mjs"

const ARENA_BYTES = 2 ** 32
/** Small, so that the check sees many batches. */
const CHECK_BATCH_ROWS = 1024
const DEFAULT_BATCH_ROWS = 32_768
/** A value that is read alone costs the line that it is in. */
const CACHE_LINE_BYTES = 64

const [name, directory, ringRowsText] = process.argv.slice(2)
const query = queryNamed(name)
const cycle = cycleOf(query, directory)
const arena = new Arena({ maxBytes: ARENA_BYTES })
const ring = new StreamRing(arena, inputSchema(query), cycle, Number(ringRowsText))
const sums = new ResultSums(arena)
const run = new DataflowRun(jobOf(name), arena, (batch) => sums.add(batch))
const kernels = memoryKernels(arena)
let batches = ring.batches(DEFAULT_BATCH_ROWS)
let next = 0

/** Pushes batches until both have been reached. The clock stands while the ring moves on. */
function runUntil(leastTuples, leastSeconds) {
  let [tuples, seconds, cpu] = [0, 0, 0]
  while (tuples < leastTuples || seconds < leastSeconds) {
    const [start, startCpu] = [performance.now(), cpuSeconds()]
    const deadline = start + (leastSeconds - seconds) * 1000
    while (next < batches.length && (tuples < leastTuples || performance.now() < deadline)) {
      run.push(batches[next])
      tuples += batches[next++].length
    }
    seconds += (performance.now() - start) / 1000
    cpu += cpuSeconds() - startCpu
    if (next < batches.length) continue
    ring.advance()
    next = 0
  }
  return { tuples, seconds, cpuSeconds: cpu, rows: sums.rows, sums: sums.sums.map(plain), peakMiB: peakMiB() }
}

function plain(sum) {
  return typeof sum === "bigint" ? String(sum) : sum
}

/** Goes on with batches of another size, at the next that starts where one of the old ones did, or behind it. */
function resize(rows) {
  let done = batches.slice(0, next).reduce((total, batch) => total + batch.length, 0)
  batches = ring.batches(rows)
  for (next = 0; done > 0; next++) done -= batches[next].length
  return {}
}

/** The rows that the engine gives for the prefix, before anything is drained. */
function prefixRows(tuples) {
  const rows = []
  const prefix = new DataflowRun(jobOf(name), arena, (batch) => {
    for (const row of batch.toRows()) rows.push(query.results.map(([column]) => Number(row[column])))
  })
  let left = tuples
  for (const batch of ring.batches(CHECK_BATCH_ROWS)) {
    if (left <= 0) break
    prefix.push(left < batch.length ? firstRows(batch, left) : batch)
    left -= batch.length
  }
  return rows
}

function firstRows(batch, count) {
  return batch.with({ selection: Int32Array.from({ length: count }, (_, row) => row), count })
}

function check(tuples, file) {
  const rows = prefixRows(tuples)
  const ends = checkedEnds(query)
  const endIndex = query.results.findIndex(([column]) => column === "windowEnd")
  const twin = twinRows(query, cycle, tuples)
  compareRows(
    `${name}, the engine beside the twin`,
    query.results,
    rows.filter((row) => ends.has(row[endIndex])),
    twin,
  )
  compareRows(
    `${name}, the kernel by hand beside the engine`,
    query.results,
    parseRows(readFileSync(file, "utf8")),
    rows,
  )
  return { rows: rows.length, twinRows: twin.length }
}

function read() {
  const [start, startCpu] = [performance.now(), cpuSeconds()]
  let bytes = 0
  for (const block of ring.blocks) {
    kernels.read(block.offset, block.bytes)
    bytes += block.bytes
  }
  return { bytes, seconds: (performance.now() - start) / 1000, cpuSeconds: cpuSeconds() - startCpu }
}

/** What the data say of the query's work, over one cycle. */
function describe() {
  const { where, sparse = [] } = query
  const slices = new Set()
  const groups = new Set()
  let passed = 0
  for (let row = 0; row < cycle.rows; row++) {
    const slice = Math.floor(cycle.columns.at[row] / (query.slide * 1e6))
    slices.add(slice)
    if (where !== undefined && !where(cycle.columns, row)) continue
    passed += 1
    groups.add(`${slice} ${query.key(cycle.columns, row)}`)
  }
  return {
    isReal: cycle.isReal,
    tuplesPerSlice: cycle.rows / slices.size,
    passing: passed / cycle.rows,
    groupsPerSlice: groups.size / slices.size,
    bytesRead: scannedBytes(query) + sparse.length * (passed / cycle.rows) * CACHE_LINE_BYTES,
  }
}

await answer({
  check: (tuples, file) => check(Number(tuples), file),
  prefix: () => ({ tuples: prefixTuples(query, cycle) }),
  run: (tuples) => runUntil(Number(tuples), 0),
  runFor: (millis) => runUntil(0, Number(millis) / 1000),
  size: (rows) => resize(Number(rows)),
  read,
  describe,
})
