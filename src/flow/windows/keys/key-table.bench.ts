/**
 * What a row costs to find the id of its key, by the layout of keys and their number, and how long the longest stop is
 * while the table grows. By hand:
 *
 *   npx esbuild src/flow/windows/keys/key-table.bench.ts --bundle --platform=node --format=esm --outfile=temp/key-table.bench.mjs
 *   node temp/key-table.bench.mjs [layout ...]
 *
 * Rows come in batches of 8 Ki, keys in random order. A number is the tenth percentile over batches, so that what is
 * lost to others on the machine is not counted; the median stands beside it. For the first time, when keys are added and
 * the table grows, and for the longest batch of it the processor's time is given.
 */
import { Prng } from "../../../base/prng.ts"
import { Arena } from "../../../batch/arena.ts"
import { allocateColumns } from "../../../batch/batch.ts"
import { writeValue, type Column } from "../../../batch/column.ts"
import { Schema } from "../../../batch/schema.ts"
import type { ColumnType } from "../../../batch/type.ts"
import { t } from "../../../batch/types.ts"
import { KeyTable } from "./key-table.ts"

const BATCH_ROWS = 8192

interface Layout {
  readonly types: readonly ColumnType[]
  readonly distinct: number
  /** The parts of key number `number`. */
  readonly keyOf: (number: number) => readonly unknown[]
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  "int32, small": { types: [t.int32], distinct: 1023, keyOf: (n) => [n] },
  "int32?, small": { types: [t.int32.nullable()], distinct: 1023, keyOf: (n) => [n === 0 ? null : n] },
  "int32, scattered": { types: [t.int32], distinct: 1023, keyOf: (n) => [Math.imul(n, 0x5bd1e995)] },
  bool: { types: [t.bool], distinct: 2, keyOf: (n) => [n === 1] },
  string: { types: [t.string], distinct: 1023, keyOf: (n) => [`sensor ${n}`] },
  "int64 × 1,023": { types: [t.int64], distinct: 1023, keyOf: (n) => [BigInt(n) * 1000n] },
  "float64 × 1,023": { types: [t.float64], distinct: 1023, keyOf: (n) => [n / 8] },
  "4 × int32": {
    types: [t.int32, t.int32, t.int32, t.int32],
    distinct: 5000,
    keyOf: (n) => [n % 10, ((n / 10) % 10) | 0, ((n / 100) % 10) | 0, (n / 1000) | 0],
  },
  "string, int32, int64, bool": {
    types: [t.string, t.int32, t.int64, t.bool],
    distinct: 5000,
    keyOf: (n) => [`zone ${n % 250}`, n % 20, BigInt(n), n % 2 === 0],
  },
  "string?, int32?, int64?, bool?": {
    types: [t.string.nullable(), t.int32.nullable(), t.int64.nullable(), t.bool.nullable()],
    distinct: 5000,
    keyOf: (n) => [n % 250 === 0 ? null : `zone ${n % 250}`, n % 20 === 0 ? null : n % 20, BigInt(n), n % 2 === 0],
  },
  "int32 × 10⁶": { types: [t.int32], distinct: 1_000_000, keyOf: (n) => [n] },
  "int32 × 10⁷": { types: [t.int32], distinct: 10_000_000, keyOf: (n) => [n] },
  "int32 × 10⁶, scattered": { types: [t.int32], distinct: 1_000_000, keyOf: (n) => [Math.imul(n, 0x5bd1e995)] },
  "int64 × 10⁵": { types: [t.int64], distinct: 100_000, keyOf: (n) => [BigInt(n) * 1000n] },
  "int64 × 10⁶": { types: [t.int64], distinct: 1_000_000, keyOf: (n) => [BigInt(n) * 1000n] },
  "int64 × 10⁷": { types: [t.int64], distinct: 10_000_000, keyOf: (n) => [BigInt(n) * 1000n] },
}

const arena = new Arena({ maxBytes: 2 ** 31 })

/** Batches of keys, each key once before the second time, until there are enough rows. */
function makeBatches({ types, distinct, keyOf }: Layout): { batches: Column[][]; release: () => void } {
  const prng = new Prng(1)
  const schema = new Schema(types.map((type, part) => ({ name: `part${part}`, type })))
  const order = Int32Array.from({ length: distinct }, (_, index) => index)
  const batches: Column[][] = []
  const releases: (() => void)[] = []
  const rows = Math.max(1 << 20, distinct)
  for (let at = 0; at < rows;) {
    const { columns, release } = allocateColumns(arena, schema, BATCH_ROWS)
    const first = batches[0]
    columns.forEach((column, part) => {
      const other = first?.[part]
      if (column.storage === "dictionary" && other?.storage === "dictionary") column.dictionary = other.dictionary
    })
    for (let row = 0; row < BATCH_ROWS; row++, at++) {
      const place = at % distinct
      const other = place + prng.below(distinct - place)
      ;[order[place], order[other]] = [order[other]!, order[place]!]
      const key = keyOf(order[place]!)
      columns.forEach((column, part) => writeValue(column, row, key[part]))
    }
    batches.push([...columns])
    releases.push(release)
  }
  return { batches, release: () => releases.forEach((release) => release()) }
}

function nanosSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start)
}

/** Of the processor's time, so that what others take of it is not counted. */
function microsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

function benchLayout(name: string, layout: Layout): void {
  const { batches, release } = makeBatches(layout)
  const table = new KeyTable(layout.types, arena)
  const ids = arena.allocate(4 * BATCH_ROWS)
  const idArray = new Int32Array(arena.buffer, ids.offset, BATCH_ROWS)
  const rows = arena.allocate(4 * BATCH_ROWS)
  const rowList = new Int32Array(arena.buffer, rows.offset, BATCH_ROWS)
  for (let row = 0; row < BATCH_ROWS; row++) rowList[row] = row
  let longestMicros = 0
  const first = process.cpuUsage()
  for (const batch of batches) {
    const start = process.cpuUsage()
    table.resolve(batch, null, 0, BATCH_ROWS, idArray)
    longestMicros = Math.max(longestMicros, microsSince(start))
  }
  const firstNanos = (microsSince(first) * 1000) / (batches.length * BATCH_ROWS)
  if (table.size !== layout.distinct) throw new Error(`${name}: ${table.size} keys were found`)
  const measure = (resolve: (batch: readonly Column[]) => void): string => {
    const times: number[] = []
    const passes = Math.max(2, Math.ceil(1000 / batches.length))
    for (let pass = 0; pass < passes; pass++) {
      for (const batch of batches) {
        const start = process.hrtime.bigint()
        resolve(batch)
        times.push(nanosSince(start) / BATCH_ROWS)
      }
    }
    times.sort((one, other) => one - other)
    const at = (part: number) => times[Math.floor(times.length * part)]!.toFixed(2).padStart(7)
    return `${at(0.1)} (${at(0.5)})`
  }
  const all = measure((batch) => table.resolve(batch, null, 0, BATCH_ROWS, idArray))
  const listed = measure((batch) => table.resolve(batch, rowList, 0, BATCH_ROWS, idArray))
  const slow = measure((batch) => table.resolveSlowly(batch, null, 0, BATCH_ROWS, idArray))
  console.log(
    `${name.padEnd(32)} all rows ${all}   listed ${listed}   JavaScript ${slow}   ` +
      `first time ${firstNanos.toFixed(1)}, longest batch ${(longestMicros / 1e3).toFixed(1)} ms`,
  )
  table.release()
  arena.free(ids)
  arena.free(rows)
  release()
}

console.log("ns a row: tenth percentile (median) of batches")
const wanted = process.argv.slice(2)
for (const [name, layout] of Object.entries(LAYOUTS)) {
  if (wanted.length === 0 || wanted.some((each) => name.includes(each))) benchLayout(name, layout)
}
