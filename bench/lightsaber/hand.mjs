/**
 * The kernels by hand where there is no C compiler: JavaScript over typed arrays, one algorithm for all queries. A tuple
 * is added to its key when it comes and subtracted when its slice leaves the window. It answers as `kernels.c` does, and
 * is a weaker yardstick, which the report says.
 *
 *   node hand.mjs QUERY CYCLE_FILE CYCLE_ROWS PERIOD_MICROS START_MICROS RING_ROWS
 */
import { readFileSync, writeFileSync } from "node:fs"
import { answer } from "../frame/measured-process.mjs"
import { cpuSeconds, peakMiB } from "../frame/usage.mjs"
import { queryNamed, WIDTHS } from "./queries.mjs"

const SECOND = 1_000_000
const PIECE_ROWS = 1 << 16
const ARRAYS = { timestamp: Float64Array, int53: Float64Array, float64: Float64Array, int32: Int32Array }

const [name, file, ...numbers] = process.argv.slice(2)
const [cycleRows, period, start, ringRows] = numbers.map(Number)
const query = queryNamed(name)
const segment = (position) => (position / 5280) | 0

/** What is of one query alone: its keys' packing into one number and back, and what is summed. */
const PARTS = {
  CM1: { pack: (c, row) => c.category[row], unpack: (key) => [key], values: ["cpu"] },
  CM2: { pack: (c, row) => c.jobId[row], unpack: (key) => [key], values: ["cpu"] },
  SG1: { pack: () => 0, unpack: () => [], values: ["value"], isMean: true },
  SG2: {
    pack: (c, row) => (c.plug[row] * 4096 + c.household[row]) * 4096 + c.house[row],
    unpack: (key) => [Math.floor(key / 4096 ** 2), Math.floor(key / 4096) % 4096, key % 4096],
    values: ["value"],
    isMean: true,
  },
  LRB1: {
    pack: (c, row) => (c.highway[row] * 2 + c.direction[row]) * 4096 + segment(c.position[row]),
    unpack: (key) => [Math.floor(key / 8192), Math.floor(key / 4096) % 2, key % 4096],
    values: ["speed"],
    isMean: true,
    isSlowOnly: true,
  },
  LRB2: {
    pack: (c, row) => ((c.vehicle[row] * 64 + c.highway[row]) * 2 + c.direction[row]) * 4096 + segment(c.position[row]),
    unpack: (key) => [
      Math.floor(key / 4096 / 128),
      Math.floor(key / 8192) % 64,
      Math.floor(key / 4096) % 2,
      key % 4096,
    ],
    values: [],
  },
  YSB: { pack: (c, row) => (c.ad[row] / 10) | 0, unpack: (key) => [key], values: [], hasLatest: true },
  NBQ5: { pack: (c, row) => c.auction[row], unpack: () => [], values: [], isHighest: true },
  ME1: { pack: () => 0, unpack: () => [], values: ["phase1", "phase2", "phase3"], isMean: true },
}
const { pack, unpack, values: valueNames, isMean, isSlowOnly, hasLatest, isHighest } = PARTS[name]

// ---- The ring ----

const bytes = readFileSync(file)
const columns = {}
let offset = 0
for (const [column, type] of query.columns) {
  const length = cycleRows * WIDTHS[type]
  const copy = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + length)
  const isWide = type === "timestamp" || type === "int53"
  const cycle = isWide ? Float64Array.from(new BigInt64Array(copy), Number) : new ARRAYS[type](copy)
  columns[column] = new ARRAYS[type](ringRows)
  for (let row = 0; row < ringRows; row += cycleRows) columns[column].set(cycle, row)
  offset += length
}
const at = columns.at
for (let row = 0; row < ringRows; row++) at[row] += start + Math.floor(row / cycleRows) * period

// ---- Keys ----

let capacity = 1 << 12
let slots = new Int32Array(capacity * 2)
let packed = new Float64Array(capacity)
let counts = new Float64Array(capacity)
let latest = new Float64Array(capacity)
let sums = valueNames.map(() => new Float64Array(capacity))
const keyParts = query.results.findIndex(([column]) => column === "windowStart")
let keys = Array.from({ length: keyParts }, () => new Float64Array(capacity))
let keyCount = 0

function idOf(key) {
  const mask = slots.length - 1
  let slot = (Math.imul(key, 0x9e3779b1) ^ Math.imul(key / 4096, 0x85ebca6b)) >>> 8
  for (slot &= mask; slots[slot] !== 0; slot = (slot + 1) & mask)
    if (packed[slots[slot] - 1] === key) return slots[slot] - 1
  if (keyCount === capacity) {
    grow()
    return idOf(key)
  }
  packed[keyCount] = key
  unpack(key).forEach((part, index) => (keys[index][keyCount] = part))
  slots[slot] = ++keyCount
  return keyCount - 1
}

function grow() {
  const wider = (array) => {
    const grown = new Float64Array(capacity * 2)
    grown.set(array)
    return grown
  }
  ;[packed, counts, latest] = [packed, counts, latest].map(wider)
  sums = sums.map(wider)
  keys = keys.map(wider)
  slots = new Int32Array(capacity * 4)
  const known = keyCount
  keyCount = 0
  capacity *= 2
  for (let id = 0; id < known; id++) idOf(packed[id])
}

// ---- Windows ----

const [size, slide] = [query.size * SECOND, query.slide * SECOND]
const sliceCount = query.size / query.slide
/** The rows of each slice in the window that passed: a queue of ids and values. */
const QUEUE = 1 << 22
const queueIds = new Int32Array(QUEUE)
const queueValues = valueNames.map(() => new Float64Array(QUEUE))
const sliceRows = new Int32Array(sliceCount)
let [head, tail, slot] = [0, 0, 0]
let sliceEnd = Math.floor(at[0] / slide) * slide + slide

// ---- Results: columns of 8,192 rows, summed when they are full ----

const OUT_ROWS = 8192
const resultTypes = query.results.map(([, type]) => type)
const out = resultTypes.map((type) => new ARRAYS[type](OUT_ROWS))
const totals = resultTypes.map((type) => (type === "float64" ? 0 : 0n))
let outRows = 0
let resultRows = 0
let kept

/** A result row with its window; what else there is the caller fills in. */
function newRow(windowStart) {
  if (outRows === OUT_ROWS) flush()
  out[keyParts][outRows] = windowStart
  out[keyParts + 1][outRows] = sliceEnd
  return outRows++
}

function flush() {
  if (kept !== undefined) for (let row = 0; row < outRows; row++) kept.push(out.map((values) => values[row]).join(" "))
  out.forEach((values, index) => {
    if (resultTypes[index] === "float64") {
      for (let row = 0; row < outRows; row++) totals[index] += values[row]
    } else totals[index] = BigInt.asUintN(resultTypes[index] === "int32" ? 32 : 64, totals[index] + wholeSum(values))
  })
  resultRows += outRows
  outRows = 0
}

/** Of numbers whose sum is beyond 2⁵³: the upper halves and the lower ones apart. */
function wholeSum(values) {
  let [upper, lower] = [0, 0]
  for (let row = 0; row < outRows; row++) {
    const half = Math.floor(values[row] / 2 ** 32)
    upper += half
    lower += values[row] - half * 2 ** 32
  }
  return BigInt(upper) * 2n ** 32n + BigInt(lower)
}

function add(from, until) {
  const arrays = valueNames.map((each) => columns[each])
  for (let row = from; row < until; row++) {
    if (query.where !== undefined && !query.where(columns, row)) continue
    const id = idOf(pack(columns, row))
    counts[id] += 1
    latest[id] = at[row]
    const to = tail++ & (QUEUE - 1)
    queueIds[to] = id
    for (let index = 0; index < arrays.length; index++) {
      sums[index][id] += arrays[index][row]
      queueValues[index][to] = arrays[index][row]
    }
    sliceRows[slot] += 1
  }
}

function fire() {
  let most = 0
  for (let id = 0; id < keyCount; id++) {
    if (counts[id] === 0) continue
    if (isHighest) most = Math.max(most, counts[id])
    else if (!isSlowOnly || sums[0][id] / counts[id] < 40) fireKey(id)
  }
  if (most > 0) out[2][newRow(sliceEnd - slide)] = most
}

function fireKey(id) {
  const row = newRow(sliceEnd - size)
  for (let part = 0; part < keyParts; part++) out[part][row] = keys[part][id]
  let to = keyParts + 2
  for (let index = 0; index < sums.length; index++)
    out[to++][row] = isMean ? sums[index][id] / counts[id] : sums[index][id]
  if (sums.length === 0) out[to++][row] = counts[id]
  if (hasLatest) out[to][row] = latest[id]
}

function close() {
  fire()
  const oldest = (slot + 1) % sliceCount
  for (; sliceRows[oldest] > 0; sliceRows[oldest]--) {
    const from = head++ & (QUEUE - 1)
    const id = queueIds[from]
    counts[id] -= 1
    for (let index = 0; index < sums.length; index++) {
      sums[index][id] = counts[id] === 0 ? 0 : sums[index][id] - queueValues[index][from]
    }
  }
  slot = oldest
  sliceEnd += slide
}

function runRows(from, to) {
  while (from < to) {
    let until = from
    while (until < to && at[until] < sliceEnd) until += 1
    add(from, until)
    from = until
    if (from < to) while (at[from] >= sliceEnd) close()
  }
}

// ---- Requests ----

let cursor = 0

function run(tuples, leastSeconds) {
  let [done, seconds, cpu] = [0, 0, 0]
  while (done < tuples || seconds < leastSeconds) {
    const [begin, beginCpu] = [performance.now(), cpuSeconds()]
    const wanted = done < tuples ? Math.min(PIECE_ROWS, tuples - done) : PIECE_ROWS
    const count = Math.min(wanted, ringRows - cursor)
    runRows(cursor, cursor + count)
    cursor += count
    done += count
    seconds += (performance.now() - begin) / 1000
    cpu += cpuSeconds() - beginCpu
    if (cursor < ringRows) continue
    for (let row = 0; row < ringRows; row++) at[row] += (ringRows / cycleRows) * period
    cursor = 0
  }
  flush()
  const shown = totals.map((total) => (typeof total === "bigint" ? String(total) : total))
  return { tuples: done, seconds, cpuSeconds: cpu, rows: resultRows, peakMiB: peakMiB(), sums: shown }
}

function read() {
  const [begin, beginCpu] = [performance.now(), cpuSeconds()]
  let sum = 0
  for (let row = 0; row < ringRows; row++) sum += at[row]
  return { bytes: at.byteLength, seconds: (performance.now() - begin) / 1000, cpuSeconds: cpuSeconds() - beginCpu, sum }
}

await answer({
  run: (tuples) => run(Number(tuples), 0),
  runFor: (millis) => run(0, Number(millis) / 1000),
  read,
  check: (tuples, target) => {
    kept = []
    const measured = run(Number(tuples), 0)
    writeFileSync(target, kept.length === 0 ? "" : `${kept.join("\n")}\n`)
    kept = undefined
    return measured
  },
})
