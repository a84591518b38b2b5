/**
 * The pipeline on Tidemark, exactly-once on, from columns in memory. Its source belongs to the bench, so all of Tidemark is taken
 * module by module: it copies rows into the arena, as a source of an engine with columns of its own would.
 */
import { join } from "node:path"
import { allocateColumns, Batch } from "../../dist/modules/batch/batch.js"
import { writeInt53 } from "../../dist/modules/batch/column.js"
import { Dictionary } from "../../dist/modules/batch/dictionary.js"
import { jsonl } from "../../dist/modules/files.js"
import * as tidemark from "../../dist/modules/index.js"
import { perMinute } from "./per-minute.mjs"
import { report } from "./report.mjs"
import { readColumns } from "./rows-in-memory.mjs"

const [, input, directory, threads, runs, rows] = process.argv.slice(2)
/** Offsets of two rows lie so far apart. */
const STRIDE = 16
const columns = await readColumns(`${input}.csv`, Number(rows))
const dictionary = Dictionary.of(columns.names)

const source = {
  describe: () => "columns in memory",
  openSource: (context) =>
    Promise.resolve({
      partitions: () =>
        Promise.resolve([{ id: "columns", tieBreak: "", identity: "columns", size: columns.length * STRIDE }]),
      open: (_partition, index, { ordinal }) => Promise.resolve(new ColumnsReader(context, index, ordinal)),
      close: () => Promise.resolve(),
    }),
}

class ColumnsReader {
  #context
  #index
  #next

  constructor(context, index, next) {
    this.#context = context
    this.#index = index
    this.#next = next
  }

  read({ rows: wanted, untilOffset }) {
    const { arena, schema } = this.#context
    const first = this.#next
    const length = Math.min(wanted, columns.length - first, Math.ceil(untilOffset / STRIDE) - first)
    const origins = arena.allocate(length * 16)
    const { columns: target, release } = allocateColumns(arena, schema, length, [origins])
    const offsets = new Float64Array(arena.buffer, origins.offset, length)
    const ordinals = new Float64Array(arena.buffer, origins.offset + length * 8, length)
    fill(target, first, length)
    for (let row = 0; row < length; row++) {
      ordinals[row] = first + row
      offsets[row] = (first + row) * STRIDE
    }
    this.#next = first + length
    const origin = { partition: this.#index, offsets, ordinals }
    const batch = new Batch({ schema, columns: target, length, origin })
    const next = { offset: this.#next * STRIDE, ordinal: this.#next }
    return Promise.resolve({ batch, bad: [], next, end: this.#next === columns.length, release })
  }

  close() {
    return Promise.resolve()
  }
}

function fill([at, sensor, value, ok], first, length) {
  sensor.dictionary = dictionary
  sensor.values.set(columns.sensor.subarray(first, first + length))
  value.values.set(columns.value.subarray(first, first + length))
  for (let row = 0; row < length; row++) writeInt53(at.halves, row, columns.at[first + row])
  ok.values.fill(0)
  for (let row = 0; row < length; row++) ok.values[row >> 3] |= columns.ok[first + row] << (row & 7)
}

await report(directory, Number(runs), async (own) => {
  const bound = perMinute(tidemark).with({
    inputs: { readings: source },
    outputs: { perMinute: jsonl(join(own, "out")) },
  })
  const options = { directory: join(own, "state"), baseDirectory: "/", parallelism: Number(threads) }
  const { status } = await (await tidemark.run(bound, options)).finished
  return { rowsIn: status.rowsIn, rowsOut: status.rowsOut.perMinute, epochs: status.epoch }
})
