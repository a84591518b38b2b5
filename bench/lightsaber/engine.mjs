/**
 * One query on the engine, in a process of its own: it fills the ring, and answers.
 *
 *   node engine.mjs QUERY DATA_DIRECTORY RING_ROWS WORKERS
 *
 * With one worker the dataflow runs on the process's own thread; with more, each is a thread of its own.
 *
 *   prefix          how many tuples `check` wants
 *   check TUPLES FILE   the prefix: against the twin, and against the rows in FILE, which the kernel by hand gave
 *   hash TUPLES     the bits of the results of so many tuples at least from the start of the stream, in their order
 *   run TUPLES      TUPLES at least, in whole batches, from the start of the stream; the sums so far
 *   size ROWS       batches of that many rows from here on
 *   runFor MILLIS   so long at least, in whole batches
 *   read            the bandwidth of the memory, by WebAssembly
 *   describe        the query's shape
 */
import { readFileSync } from "node:fs"
import { Arena } from "../../dist/modules/batch/arena.js"
import { DataflowRun } from "../frame/dataflow-run.mjs"
import { answer } from "../frame/measured-process.mjs"
import { memoryKernels } from "../frame/memory-kernels.mjs"
import { PartedRun } from "../frame/parted-run.mjs"
import { ResultHash } from "../frame/result-hash.mjs"
import { ResultSums } from "../frame/result-sums.mjs"
import { StreamRing } from "../frame/stream-ring.mjs"
import { StreamRunner } from "../frame/stream-runner.mjs"
import { timed } from "../frame/usage.mjs"
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

const [name, directory, ringRowsText, workersText] = process.argv.slice(2)
const query = queryNamed(name)
const cycle = cycleOf(query, directory)
const arena = new Arena({ maxBytes: ARENA_BYTES })
const ring = new StreamRing(arena, inputSchema(query), cycle, Number(ringRowsText))
const sums = new ResultSums(arena)
const workers = Number(workersText)
const run = runOf(sums, "sums")
const kernels = memoryKernels(arena)
const runner = new StreamRunner(ring, run, DEFAULT_BATCH_ROWS)

/** The query at work, what comes of it counted by `counts`. */
function runOf(counts, kind) {
  if (workers === 1) return new DataflowRun(jobOf(name), arena, (batch) => counts.add(batch))
  return new PartedRun(jobOf(name), arena, counts, { workers, kind, keptRowsMax: ring.rows })
}

/** The bits of the results of a prefix of the ring's first turn. */
async function hash(tuples) {
  const counts = new ResultHash(arena)
  const hashed = runOf(counts, "hash")
  let done = 0
  for (const batch of ring.batches(DEFAULT_BATCH_ROWS)) {
    if (done >= tuples) break
    await hashed.push(batch)
    done += batch.length
  }
  await hashed.settle?.()
  await hashed.close?.()
  return { tuples: done, rows: counts.rows, hashes: counts.hashes.map(String) }
}

/** What a run has measured, and the results of the stream so far. */
async function measure(leastTuples, leastSeconds) {
  const measured = await runner.runUntil(leastTuples, leastSeconds)
  return { ...measured, rows: sums.rows, sums: sums.sums.map(plain) }
}

function plain(sum) {
  return typeof sum === "bigint" ? String(sum) : sum
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
  const { blocks } = ring
  const bytes = blocks.reduce((total, block) => total + block.bytes, 0)
  return { bytes, ...timed(() => blocks.forEach((block) => kernels.read(block.offset, block.bytes))) }
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
  hash: (tuples) => hash(Number(tuples)),
  prefix: () => ({ tuples: prefixTuples(query, cycle) }),
  run: (tuples) => measure(Number(tuples), 0),
  runFor: (millis) => measure(0, Number(millis) / 1000),
  size: (rows) => {
    runner.resize(Number(rows))
    return {}
  },
  read,
  describe,
})
await run.close?.()
