/** One query, measured: the engine with one worker and with two, and the kernel by hand, in turn, after all that must agree does. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { MeasuredProcess } from "../frame/measured-process.mjs"
import { median, spread } from "../frame/spread.mjs"
import { ringRows, STREAM_START_MICROS } from "../frame/stream-start.mjs"
import { compareSums } from "./agreement.mjs"
import { cycleOf } from "./data.mjs"
import { limitOf } from "./limits.mjs"
import { rowBytes, scannedBytes, WIDTHS } from "./queries.mjs"

const ENGINE = fileURLToPath(new URL("engine.mjs", import.meta.url))
const HAND = fileURLToPath(new URL("hand.mjs", import.meta.url))
/** Bits are compared over so many tuples: some parts of the stream, fewer where a tuple gives many result rows. */
const HASHED_TUPLES = { LRB1: 4_000_000, LRB2: 3_000_000, others: 24_000_000 }
/** Threads warm up so many times as long, as each must. */
const PARTED_WARM = 3
const BATCH_ROWS = [8192, 16_384, 32_768, 65_536]

/**
 * Measures a query.
 *
 * @param {import("./queries.mjs").Query} query
 * @param {{ work: string, data: string, ringBytes: number, rounds: number, roundMs: number, warmMs: number,
 *   clock: string, batchRows: number | undefined, kernels: string | undefined }} settings
 */
export async function compareQuery(query, settings) {
  const directory = join(settings.work, query.name)
  mkdirSync(directory)
  const cycle = cycleOf(query, settings.data)
  const rows = ringRows(settings.ringBytes, cycle, scannedBytes(query))
  const start = (workers) => {
    const label = `${query.name} on the engine, workers: ${workers}`
    return new MeasuredProcess(label, process.execPath, [
      ENGINE,
      query.name,
      settings.data,
      ...[rows, workers].map(String),
    ])
  }
  const engine = start(1)
  const parted = start(2)
  const startHand = handStarter(query, cycle, directory, settings)
  const hand = startHand(rows)
  try {
    const checked = await checkPrefix(engine, startHand, cycle, directory)
    const hashed = await checkBits(query, engine, parted, rows)
    await checkSums(query, engine, hand, settings.warmMs)
    await parted.ask(`runFor ${settings.warmMs * PARTED_WARM}`)
    const batchRows = settings.batchRows ?? (await bestBatchRows(engine, settings.warmMs / 2))
    await engine.ask(`size ${batchRows}`)
    await parted.ask(`size ${batchRows}`)
    const rounds = await runRounds(engine, parted, hand, settings)
    const shape = await engine.ask("describe")
    const about = { shape, rounds, batchRows, checked: { ...checked, hashed }, ringBytes: rows * rowBytes(query) }
    return [result(query, about, settings.clock), partedResult(query, about)]
  } finally {
    await Promise.all([engine.close(), parted.close(), hand.close()])
  }
}

/** The bits of both engines' results, in their order, over some parts of the stream. Gives how many tuples that were. */
async function checkBits(query, engine, parted, ringRows) {
  const request = `hash ${Math.min(ringRows, HASHED_TUPLES[query.name] ?? HASHED_TUPLES.others)}`
  const [one, two] = [await engine.ask(request), await parted.ask(request)]
  if (JSON.stringify(one) === JSON.stringify(two)) return one.tuples
  throw new Error(`${query.name}: one worker gives ${JSON.stringify(one)}, and two ${JSON.stringify(two)}`)
}

/** Writes the cycle to a file, and gives a function that starts a kernel by hand over a ring of so many rows. */
function handStarter(query, cycle, directory, { kernels }) {
  const file = join(directory, "cycle")
  const columns = query.columns.map(([name, type]) => {
    const values = type === "timestamp" ? BigInt64Array.from(cycle.columns[name], BigInt) : cycle.columns[name]
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  })
  writeFileSync(file, Buffer.concat(columns))
  const label = `${query.name} by hand`
  return (rows) => {
    const args = [query.name, file, ...[cycle.rows, cycle.periodMicros, STREAM_START_MICROS, rows].map(String)]
    if (kernels !== undefined) return new MeasuredProcess(label, kernels, args)
    return new MeasuredProcess(label, process.execPath, [HAND, ...args])
  }
}

async function checkPrefix(engine, startHand, cycle, directory) {
  const { tuples } = await engine.ask("prefix")
  const file = join(directory, "rows")
  const checking = startHand(Math.ceil(tuples / cycle.rows) * cycle.rows)
  try {
    await checking.ask(`check ${tuples} ${file}`)
  } finally {
    await checking.close()
  }
  return { tuples, ...(await engine.ask(`check ${tuples} ${file}`)) }
}

/** From the start of the stream, as far as the engine comes while it warms up. */
async function checkSums(query, engine, hand, warmMs) {
  const ours = await engine.ask(`runFor ${warmMs}`)
  const byHand = await hand.ask(`run ${ours.tuples}`)
  compareSums(`${query.name}, the engine beside the kernel by hand`, query.results, ours, byHand)
}

async function bestBatchRows(engine, millis) {
  let best = { batchRows: 0, rate: 0 }
  for (const batchRows of BATCH_ROWS) {
    await engine.ask(`size ${batchRows}`)
    const { tuples, seconds } = await engine.ask(`runFor ${millis}`)
    if (tuples / seconds > best.rate) best = { batchRows, rate: tuples / seconds }
  }
  return best.batchRows
}

async function runRounds(engine, parted, hand, { rounds, roundMs }) {
  const measured = []
  let { rows: before } = await engine.ask("runFor 0")
  for (let round = 0; round < rounds; round++) {
    const ours = await engine.ask(`runFor ${roundMs}`)
    const ofTwo = await parted.ask(`runFor ${roundMs}`)
    const read = await engine.ask("read")
    const byHand = await hand.ask(`runFor ${roundMs}`)
    const handRead = await hand.ask("read")
    measured.push({ ours, ofTwo, read, byHand, handRead, rows: ours.rows - before })
    before = ours.rows
  }
  return measured
}

/** What the rounds say, in the units of the table. */
function result(query, { shape, rounds, batchRows, checked, ringBytes }, clock) {
  const secondsOf = (each) => (clock === "cpu" ? each.cpuSeconds : each.seconds)
  const perSecond = (each) => each.tuples / secondsOf(each) / 1e6
  const gigabytes = (each) => each.bytes / secondsOf(each) / 1e9
  const ours = rounds.map((round) => perSecond(round.ours))
  const byHand = rounds.map((round) => perSecond(round.byHand))
  const readGBs = median(rounds.map(({ read }) => gigabytes(read)))
  const last = rounds[rounds.length - 1]
  const rowsPerTuple = last.rows / last.ours.tuples
  const resultBytes = query.results.reduce((sum, [, type]) => sum + WIDTHS[type], 0)
  const bandwidthShare = (median(ours) * shape.bytesRead) / 1e3 / readGBs
  return {
    query: query.name,
    workers: 1,
    mtuplesPerSecond: median(ours),
    ofHandKernel: median(rounds.map((_, round) => ours[round] / byHand[round])),
    limit: limitOf({ ...shape, rowsPerTuple, resultBytes, bandwidthShare }),
    ours: spread(ours),
    hand: spread(byHand),
    ofPublished: median(ours) / query.published,
    published: query.published,
    publishedLarge: query.publishedLarge,
    bandwidthShare,
    handBandwidthShare:
      (median(byHand) * shape.bytesRead) / 1e3 / median(rounds.map(({ handRead }) => gigabytes(handRead))),
    readGBs,
    handReadGBs: median(rounds.map(({ handRead }) => gigabytes(handRead))),
    cpuNanosPerTuple: median(rounds.map((round) => (round.ours.cpuSeconds / round.ours.tuples) * 1e9)),
    handCpuNanosPerTuple: median(rounds.map((round) => (round.byHand.cpuSeconds / round.byHand.tuples) * 1e9)),
    // One thread that never waits has all of a processor, unless others want it, too.
    handWaiting: median(rounds.map(({ byHand: each }) => 1 - each.cpuSeconds / each.seconds)),
    rowsPerTuple,
    resultBytesPerTuple: rowsPerTuple * resultBytes,
    batchRows,
    ringBytes,
    peakMiB: last.ours.peakMiB,
    handPeakMiB: last.byHand.peakMiB,
    checked,
    ...shape,
  }
}

/**
 * What the rounds say of two workers. Rates are by the clock on the wall: threads that wait for each other use no processor.
 * `busy` is how many processors the threads had; where others use the machine, they cannot have two.
 */
function partedResult(query, { shape, rounds, batchRows, checked, ringBytes }) {
  const rates = rounds.map(({ ofTwo }) => ofTwo.tuples / ofTwo.seconds / 1e6)
  const ofOne = rounds.map(({ ours }) => ours.tuples / ours.seconds / 1e6)
  const nanos = (each) => (each.cpuSeconds / each.tuples) * 1e9
  return {
    query: query.name,
    workers: 2,
    mtuplesPerSecond: median(rates),
    ours: spread(rates),
    ofOneWorker: median(rates.map((rate, round) => rate / ofOne[round])),
    ofPublished: median(rates) / query.published,
    published: query.published,
    publishedLarge: query.publishedLarge,
    cpuNanosPerTuple: median(rounds.map(({ ofTwo }) => nanos(ofTwo))),
    cpuOfOneWorker: median(rounds.map(({ ours, ofTwo }) => nanos(ofTwo) / nanos(ours))),
    busy: median(rounds.map(({ ofTwo }) => ofTwo.cpuSeconds / ofTwo.seconds)),
    batchRows,
    ringBytes,
    peakMiB: rounds[rounds.length - 1].ofTwo.peakMiB,
    checked,
    isReal: shape.isReal,
  }
}
