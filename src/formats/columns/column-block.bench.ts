/**
 * What columns cost to be kept in blocks: GB/s of what lies in memory, and how much smaller it becomes. By hand:
 *
 *   npx esbuild src/formats/columns/column-block.bench.ts --bundle --platform=node --format=esm --outfile=temp/column-block.bench.mjs
 *   node temp/column-block.bench.mjs
 *
 * Each number is the best of many runs over the same 65,536 rows: what is lost to others on the machine is not counted.
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows, MAX_BATCH_ROWS } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import { ColumnBlockReader, ColumnBlockWriter } from "./column-block.ts"

const RUNS = 100
const BYTES: Readonly<Record<string, number>> = { bit: 1 / 8, int32: 4, dictionary: 4, int64: 8, float64: 8 }

const arena = new Arena({ maxBytes: 64 * 1024 * 1024 })
const prng = new Prng(1)
const base = 1_700_000_000_000_000

const COLUMNS: readonly {
  readonly name: string
  readonly type: ColumnType
  readonly valueOf: (row: number) => unknown
}[] = [
  { name: "times, up to 7 µs apart", type: t.timestamp(), valueOf: (row) => base + row * 4 + prng.below(4) },
  { name: "ids below 1,000", type: t.int32, valueOf: () => prng.below(1000) },
  { name: "12 far apart of 64 bits", type: t.int64, valueOf: () => BigInt(prng.below(12)) << 59n },
  {
    name: "any 64 bits",
    type: t.int64,
    valueOf: () => BigInt.asIntN(64, (BigInt(prng.uint32()) << 32n) | BigInt(prng.uint32())),
  },
  { name: "runs of about 500", type: t.int32, valueOf: (row) => row >> 9 },
  { name: "prices with two decimals", type: t.float64, valueOf: () => prng.below(50_000) / 100 },
  { name: "any doubles", type: t.float64, valueOf: () => prng.float() },
  {
    name: "1,000 texts of 36 bytes",
    type: t.string,
    valueOf: () => String(prng.below(1000)).padStart(36, "campaign-"),
  },
  { name: "texts that are all others", type: t.string, valueOf: (row) => `user ${row} ${prng.uint32()}` },
  { name: "flags", type: t.bool, valueOf: () => prng.chance(0.3) },
]

/** The least time of many runs, in nanoseconds. */
function leastNanos(run: () => void): number {
  let best = Infinity
  for (let count = 0; count < RUNS; count++) {
    const start = process.hrtime.bigint()
    run()
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  return best
}

console.log(`${"".padEnd(28)}${"bits a value".padStart(14)}${"write GB/s".padStart(12)}${"read GB/s".padStart(12)}`)
for (const { name, type, valueOf } of COLUMNS) {
  const one = schema({ value: type })
  const rows = Array.from({ length: MAX_BATCH_ROWS }, (_, row) => ({ value: valueOf(row) }))
  const { batch, release } = batchOfRows(arena, one, rows)
  const writer = new ColumnBlockWriter(one)
  const reader = new ColumnBlockReader(arena, one)
  const out = new ByteWriter(2 ** 21)
  const writeNanos = leastNanos(() => {
    out.clear()
    writer.write(out, batch)
  })
  const bytes = out.finish()
  const readNanos = leastNanos(() => reader.read(new ByteReader(bytes)).release())
  const memory = MAX_BATCH_ROWS * BYTES[type.storage]!
  const cells = [(bytes.length * 8) / MAX_BATCH_ROWS, memory / writeNanos, memory / readNanos]
  console.log(name.padEnd(28) + cells.map((cell, index) => cell.toFixed(2).padStart(index === 0 ? 14 : 12)).join(""))
  release()
}
