/**
 * `npm run bench:windows`: what a record costs (processor time) against how many windows overlap, how many queries run over
 * one stream, how many keys there are and how far out of order records come; for a sum and for a maximum. See
 * docs/internals/benchmarks.md.
 *
 *   npm run bench:windows -- [--quick] [--json FILE] [--svg FILE] [--sweep overlap,queries,keys,delay] [--rounds 5]
 *                            [--round-ms 500]
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { machineText } from "../bench/frame/machine.mjs"
import { MeasuredProcess } from "../bench/frame/measured-process.mjs"
import { median, spread, spreadText, threeDigits } from "../bench/frame/spread.mjs"
import { plotPanels } from "../bench/frame/svg-plot.mjs"
import { tableText } from "../bench/frame/table.mjs"
import { keyAccesses } from "../bench/windows/key-accesses.mjs"
import { AGGREGATES, SWEEPS, warmSeconds } from "../bench/windows/sweeps.mjs"
import { ROOT, prepare, runMain } from "./bootstrap.mjs"
import { readOptions } from "./options.mjs"

const SWEEP_NAMES = SWEEPS.map(({ name }) => name)

const values = readOptions({
  command: "npm run bench:windows --",
  what: "What a record costs (processor time) against one thing at a time that varies, for a sum and for a maximum.",
  options: {
    quick: { help: "Few values and short rounds: an impression in less than 40 s." },
    json: { value: "FILE", help: "Writes the results there, too." },
    svg: { value: "FILE", help: "Draws the results there." },
    sweep: {
      value: "NAME,…",
      kind: "texts",
      choices: SWEEP_NAMES,
      default: SWEEP_NAMES,
      help: "What varies: how many windows overlap, queries run, keys there are, or how far out of order records come.",
    },
    rounds: { value: "N", kind: "number", least: 1, help: "How often each is measured. Default: 5, with --quick 3." },
    "round-ms": { value: "MS", kind: "number", least: 1, help: "How long a round is. Default: 500, with --quick 60." },
  },
})
const rounds = values.rounds ?? (values.quick ? 3 : 5)
const roundMs = values["round-ms"] ?? (values.quick ? 60 : 500)
const warmMs = values.quick ? 100 : 1000
const PER_SECOND = 1000
/** What is read in order; more than a cache holds, where nobody is in a hurry. */
const RING_ROWS = values.quick ? 1 << 20 : 1 << 22
/** A cost that has grown by so much follows what is varied, and not the record alone. */
const GROWTH = 1.5

await runMain(async () => {
  await prepare()
  console.log(machineText())
  console.log(
    `processor time a record in ns, one thread; ${rounds} rounds of ${roundMs} ms in turn, median (min … max)`,
  )
  const results = []
  for (const sweep of SWEEPS.filter(({ name }) => values.sweep.includes(name))) {
    process.stderr.write(`${sweep.name} …\n`)
    const found = await measure(sweep)
    print(sweep, found)
    if (isExplained(sweep)) printGrowth(found)
    results.push(...found)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
  if (values.svg !== undefined) writeFileSync(values.svg, plot(results))
})

/** All settings of a sweep: each warms up alone, then they are measured in turn. */
async function measure(sweep) {
  const points = (values.quick ? sweep.quickValues : sweep.values).flatMap((value) =>
    AGGREGATES.map((aggregate) => ({ sweep: sweep.name, value, aggregate, setting: sweep.setting(value), runs: [] })),
  )
  const processes = points.map(({ aggregate, setting, value }) => {
    const file = join(ROOT, "bench/windows/engine.mjs")
    return new MeasuredProcess(`${sweep.name} ${value}, ${aggregate}`, process.execPath, [
      file,
      aggregate,
      JSON.stringify(setting),
      String(RING_ROWS),
    ])
  })
  const probes = isExplained(sweep) ? probesOf(sweep) : []
  try {
    for (const [index, { setting }] of points.entries()) {
      await processes[index].ask(`run ${warmTuples(setting)}`)
      await processes[index].ask(`runFor ${warmMs}`)
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, { runs }] of points.entries()) runs.push(await processes[index].ask(`runFor ${roundMs}`))
      for (const probe of probes) probe.runs.push(await probe.process.ask(`runFor ${roundMs}`))
    }
  } finally {
    await Promise.all([...processes, ...probes.map((probe) => probe.process)].map((each) => each.close()))
  }
  const costs = points.map(({ runs }) => median(runs.map(nanosPerTuple)))
  return points.map((point, index) => ({
    ...result(point, costs[index], costs[index % AGGREGATES.length]),
    misses: missesOf(probes.find(({ value }) => value === point.value)),
  }))
}

/** Keys are what memory is read by: there the cost of reading it is measured beside. */
function isExplained({ name }) {
  return name === "keys"
}

function probesOf({ values: all, quickValues }) {
  const file = join(ROOT, "bench/windows/memory-probe.mjs")
  return (values.quick ? quickValues : all).map((value) => ({
    value,
    process: new MeasuredProcess(`memory of ${value} keys`, process.execPath, [file, String(value), String(RING_ROWS)]),
    runs: [],
  }))
}

/** Nanoseconds that random reads of a record take, in each way, and the bytes that they are in; `null` for other sweeps. */
function missesOf(probe) {
  if (probe === undefined) return null
  const of = (name) => median(probe.runs.map((run) => run[name]))
  return { independent: of("independent"), chained: of("chained"), dependent: of("dependent"), bytes: of("bytes") }
}

/** Until windows are full; and where keys are many, until each has come. */
function warmTuples(setting) {
  return setting.isOpen ? setting.keys : warmSeconds(setting) * PER_SECOND
}

function nanosPerTuple({ cpuSeconds, tuples }) {
  return (cpuSeconds / tuples) * 1e9
}

function result({ sweep, value, aggregate, runs }, cost, first) {
  return {
    query: `${sweep} ${value}, ${aggregate}`,
    workers: 1,
    mtuplesPerSecond: 1e3 / cost,
    ofHandKernel: null,
    limit: cost > first * GROWTH ? sweep : "tuples",
    sweep,
    value,
    aggregate,
    cpuNanosPerTuple: spread(runs.map(nanosPerTuple)),
    ofFirst: cost / first,
    // Of adding alone, and of writing what has changed at the ends of epochs.
    addNanosPerTuple: median(
      runs.map(({ cpuSeconds, cutCpuSeconds, tuples }) => ((cpuSeconds - cutCpuSeconds) / tuples) * 1e9),
    ),
    cutNanosPerTuple: median(runs.map(({ cutCpuSeconds, tuples }) => (cutCpuSeconds / tuples) * 1e9)),
    rowsPerTuple: median(runs.map(({ rows, tuples }) => rows / tuples)),
    waiting: median(runs.map(({ cpuSeconds, seconds }) => 1 - cpuSeconds / seconds)),
    peakMiB: Math.max(...runs.map(({ peakMiB }) => peakMiB)),
  }
}

function print(sweep, results) {
  const text = ({ median: middle, min, max }) => spreadText([min, middle, max], threeDigits)
  const perValue = [...new Set(results.map((r) => r.value))].map((value) => results.filter((r) => r.value === value))
  console.log(`\n${sweep.title}\n`)
  console.log(
    tableText(
      [sweep.axis, ...AGGREGATES.flatMap((name) => [`${name}, ns`, "× first"]), "rows out", "peak MiB"],
      perValue.map((ofValue) => [
        ofValue[0].value.toLocaleString("en"),
        ...ofValue.flatMap((r) => [text(r.cpuNanosPerTuple), threeDigits(r.ofFirst)]),
        threeDigits(ofValue[0].rowsPerTuple),
        Math.round(Math.max(...ofValue.map((r) => r.peakMiB))),
      ]),
    ),
  )
}

/** What of the growth random reads of memory explain, and what writing the changes of an epoch does. */
function printGrowth(results) {
  const ways = ["independent", "chained", "dependent"]
  const first = (name) => results.find((r) => r.aggregate === name)
  const rows = [...new Set(results.map((r) => r.value))].map((value) => {
    const ofValue = AGGREGATES.map((name) => results.find((r) => r.value === value && r.aggregate === name))
    const grown = (field) => ofValue.map((r) => r[field] - first(r.aggregate)[field])
    const [{ misses }] = ofValue
    const read = ways.map((way) => misses[way] - results[0].misses[way])
    const added = grown("addNanosPerTuple")
    const rest = added.map((nanos) => nanos - read[ways.indexOf("chained")])
    const nanos = [Math.max(...grown("cutNanosPerTuple")), ...added, ...read, ...rest]
    return [value.toLocaleString("en"), bytesText(misses.bytes), ...nanos.map((each) => each.toFixed(1))]
  })
  const columns = [
    "epochs",
    ...AGGREGATES.map((name) => `add, ${name}`),
    ...ways,
    ...AGGREGATES.map((n) => `rest, ${n}`),
  ]
  console.log(`\nby how much it has grown since ${results[0].value} keys, ns a record, and what explains it\n`)
  console.log(tableText(["keys", "read by key", ...columns], rows))
  console.log(`
epochs: writing what has changed since the last one. add: all else that was measured. independent, chained, dependent:
nothing but the reads and writes by key, over as many bytes, in turn with the rest; none waits for another, those of one
record do, as the operator's do, or all do. rest: add less chained, which cache and TLB misses do not explain.
By key a record reads`)
  for (const { name, width } of keyAccesses(results.at(-1).value)) {
    console.log(`  ${name}, of ${width} bytes each`)
  }
}

function bytesText(bytes) {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${threeDigits(bytes / 2 ** 20)} MiB`
}

function plot(results) {
  const panels = SWEEPS.filter(({ name }) => results.some((r) => r.sweep === name)).map(({ name, axis }) => ({
    title: `cost of a record against ${axis}`,
    axis,
    lines: AGGREGATES.map((aggregate) => ({
      name: aggregate,
      points: results
        .filter((r) => r.sweep === name && r.aggregate === aggregate)
        .map((r) => /** @type {const} */ ([r.value, r.cpuNanosPerTuple.median])),
    })),
  }))
  return plotPanels(panels, "ns")
}
