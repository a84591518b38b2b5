/**
 * What a row costs in kernels of either back end, and as a closure. By hand:
 *
 *   npx esbuild src/expr/kernel.bench.ts --bundle --platform=node --format=esm --outfile=temp/kernel.bench.mjs
 *   node temp/kernel.bench.mjs
 *
 * Each number is the best of many runs over the same rows, which the second-level cache holds: what is lost to others on
 * the machine is not counted. Runs of the forms alternate.
 */
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, batchOfRows, type Batch } from "../batch/batch.ts"
import { schema, type RowOf, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { CompileOptions } from "./compile.ts"
import type { RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"

const ROWS = 16_384
const RUNS = 400

const Row = schema({
  ...{ fare: t.float64, tip: t.float64.nullable(), kind: t.int32, at: t.timestamp(), id: t.int64 },
  ...{ ad: t.string, zone: t.string.nullable(), color: t.enum("red", "green", "blue"), isPaid: t.bool },
})
const Params = schema({ max: t.float64, zone: t.string })
const PARAMS = Object.freeze({ max: 100, zone: "zone-7" })

const proof = { areGenuineGlobals: () => true, capturedConstant: () => undefined }
const FORMS: Readonly<Record<string, CompileOptions>> = {
  closure: { mode: "off", proof: undefined },
  JavaScript: { mode: "auto", proof, only: "JavaScript" },
  WebAssembly: { mode: "auto", proof, only: "WebAssembly" },
}

const arena = new Arena({ maxBytes: 1 << 26 })

function makeRows() {
  const prng = new Prng(1)
  return Array.from({ length: ROWS }, (_, index) => ({
    fare: (prng.float() - 0.25) * 200,
    tip: prng.chance(0.2) ? null : prng.float() * 10,
    kind: prng.below(6),
    at: 1.7e15 + index * 1_000_000 + prng.below(1000),
    id: BigInt(prng.below(1_000_000)),
    ad: `ad-${prng.below(1000)}`,
    zone: prng.chance(0.1) ? null : `zone-${prng.below(260)}`,
    color: prng.pick(["red", "green", "blue"]),
    isPaid: prng.chance(0.5),
  }))
}

/** The least nanoseconds a row of each run. */
function measure(runs: ReadonlyMap<string, () => unknown>, rows: number): Map<string, number> {
  const best = new Map<string, number>()
  for (let round = 0; round < RUNS; round++) {
    for (const [name, run] of runs) {
      const start = process.hrtime.bigint()
      run()
      const nanos = Number(process.hrtime.bigint() - start) / rows
      best.set(name, Math.min(best.get(name) ?? Infinity, nanos))
    }
  }
  return best
}

function print(what: string, best: ReadonlyMap<string, number>): void {
  const cells = [...best.values()].map((nanos) => nanos.toFixed(2).padStart(9))
  console.log(`${what.padEnd(72)}${cells.join("")}`)
}

const noFailure = (): never => {
  throw new Error("no row of the benchmark fails")
}

function benchPredicate(lambda: RowFunction, batch: Batch, note = ""): void {
  const selected = new Int32Array(arena.buffer, arena.allocate(ROWS * 4).offset, ROWS)
  const counts = new Set<number>()
  const runs = new Map(
    Object.entries(FORMS).map(([name, options]) => {
      const predicate = compilePredicate({ lambda, schema: Row, params: Params, options, arena })
      return [name, () => counts.add(predicate.select(batch, PARAMS, selected, noFailure))]
    }),
  )
  print(String(lambda) + note, measure(runs, batch.count))
  if (counts.size !== 1) throw new Error("the forms differ")
}

function benchProjection(lambda: RowFunction, targets: Schema, batch: Batch, note = ""): void {
  const runs = new Map(
    Object.entries(FORMS).map(([name, options]) => {
      const request = { lambda, schema: Row, params: Params, options, arena, targets: targets.fields }
      const projection = compileProjection({ ...request, shape: "object" })
      const { columns } = allocateColumns(arena, targets, ROWS)
      return [
        name,
        () => {
          projection.project(batch, PARAMS, columns, noFailure)
        },
      ]
    }),
  )
  print(String(lambda) + note, measure(runs, batch.count))
}

const lambda = (fn: (row: RowOf<typeof Row>, params: RowOf<typeof Params>) => unknown) => fn as RowFunction

const { batch } = batchOfRows(arena, Row, makeRows())

/** The same rows, of which every so many counts. */
function everyOf(part: number): Batch {
  const count = Math.floor(ROWS / part)
  return batch.with({ selection: Int32Array.from({ length: count }, (_, index) => index * part), count })
}

const PREDICATES = [
  lambda((r, p) => r.fare > 0 && r.fare < p.max),
  lambda((r) => r.kind === 3),
  lambda((r) => r.kind === 3 || r.kind === 5),
  lambda((r) => (r.tip ?? 0) > 1),
  lambda((r) => r.tip !== null && r.tip > 1),
  lambda((r) => r.at > 1_700_000_001_000_000),
  lambda((r) => r.at / 1000 > 1_700_000_001_000),
  lambda((r) => r.id > 500_000n),
  lambda((r) => r.color === "green"),
  lambda((r, p) => r.zone === p.zone),
  lambda((r) => r.isPaid && r.fare > 10),
  lambda((r) => r.kind % 3 === 1),
  lambda((r) => (r.kind & 1) === 0),
  lambda((r) => new Date(r.at / 1000).getUTCHours() === 17),
  lambda((r) => new Date(r.at / 1000).getUTCMonth() === 10),
  lambda((r) => r.ad.startsWith("ad-1")),
  lambda((r) => r.fare > 10 && r.ad.slice(0, 4) === "ad-1"),
]
const PROJECTIONS: readonly (readonly [RowFunction, Schema])[] = [
  [lambda((r) => ({ x: r.fare - (r.tip ?? 0) })), schema({ x: t.float64 })],
  [lambda((r) => ({ x: r.fare * 1.1, y: r.tip })), schema({ x: t.float64, y: t.float64.nullable() })],
  [lambda((r) => ({ x: r.at - 1 })), schema({ x: t.timestamp() })],
  [lambda((r) => ({ x: r.kind * 2 + 1 })), schema({ x: t.int32 })],
  [lambda((r) => ({ x: r.fare > 10 })), schema({ x: t.bool })],
  [lambda((r) => ({ x: r.id + 1n })), schema({ x: t.int64 })],
  [lambda((r) => ({ x: r.ad.slice(0, 4) })), schema({ x: t.string })],
  [lambda((r) => ({ x: r.fare > 10 ? "high" : "low" })), schema({ x: t.string })],
  [lambda((r) => ({ x: r.zone ?? "none" })), schema({ x: t.string })],
  [lambda((r) => ({ x: r.ad })), schema({ x: t.string })],
]

const names = Object.keys(FORMS).map((name) => name.slice(0, 8).padStart(9))
console.log(`${"ns a row".padEnd(72)}${names.join("")}`)
for (const fn of PREDICATES) benchPredicate(fn, batch)
for (const [fn, targets] of PROJECTIONS) benchProjection(fn, targets, batch)
for (const part of [2, 4, 8]) {
  for (const fn of PREDICATES.slice(0, 2)) benchPredicate(fn, everyOf(part), ` (1 of ${part})`)
  for (const [fn, targets] of PROJECTIONS.slice(0, 3)) benchProjection(fn, targets, everyOf(part), ` (1 of ${part})`)
}
