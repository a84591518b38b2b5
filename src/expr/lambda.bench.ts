/**
 * What lambdas cost a row: as closures, compiled as they stand, and compiled as they are rewritten. By hand:
 *
 *   npx esbuild src/expr/lambda.bench.ts --bundle --platform=node --format=esm --outfile=temp/lambda.bench.mjs
 *   node temp/lambda.bench.mjs
 *
 * Each number is the best of many runs over the same batch: what is lost to others on the machine is not counted.
 */
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { batchOfRows, type Batch } from "../batch/batch.ts"
import { schema, Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { builtinsOf } from "./builtins.ts"
import { predicateSource } from "./codegen-js.ts"
import type { LambdaIr } from "./ir.ts"
import { JsKernel } from "./js-kernel.ts"
import type { RowFunction } from "./lambda.ts"
import { lowerLambda } from "./lower-lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { rewrite } from "./rewrite.ts"

const ROWS = 65_536
const RUNS = 60

const Trip = schema({ at: t.timestamp(), zone: t.string, fare: t.float64, tip: t.float64.nullable(), id: t.int64 })
const NO_PARAMS = new Schema([])
const TRUSTING = {
  mode: "auto",
  proof: { areGenuineGlobals: () => true, capturedConstant: () => undefined },
} as const

type Row = { at: number; zone: string; fare: number; tip: number | null; id: bigint }

const LAMBDAS: Readonly<Record<string, (row: Row) => unknown>> = {
  numbers: (row) => row.fare > 20 && row.fare < 80,
  "null by type": (row) => row.fare !== null && row.fare !== undefined && row.fare > 20,
  "nullable, as es2017 has it": (row) => (row.tip !== null && row.tip !== void 0 ? row.tip : 0) > 2,
  constants: (row) => row.fare * 60 * 60 > 2 * 60 * 60 * 12 && 1 < 2,
  "a regular expression": (row) => /-1\d+$/.test(row.zone),
  "a regular expression, then a number": (row) => /-1\d+$/.test(row.zone) && row.fare > 90,
  "a text, then a number": (row) => row.zone.startsWith("zone-1") && row.fare > 90,
  "a text twice": (row) => row.zone.toUpperCase() === "ZONE-1" || row.zone.toUpperCase() === "ZONE-2",
  "an hour": (row) => new Date(row.at / 1000).getUTCHours() >= 7,
  "an hour twice": (row) => new Date(row.at / 1000).getUTCHours() >= 7 && new Date(row.at / 1000).getUTCHours() < 19,
  "a replacement twice": (row) =>
    row.zone.replace(/-/g, "") === "zone1" ||
    row.zone.replace(/-/g, "") === "zone2" ||
    row.zone.replace(/-/g, "") === "zone3",
  "two templates": (row) => `${row.zone}/${row.id}` === "a" || `${row.zone}/${row.id}` === "b",
  "a bigint product twice": (row) => row.id * row.id * 3n > 17n && row.id * row.id * 3n < 1000000n,
  "a root twice": (row) => Math.hypot(row.fare, row.at) > 17 && Math.hypot(row.fare, row.at) < 1e300,
  bigints: (row) => row.id % 7n === 3n,
}

function makeBatch(): Batch {
  const prng = new Prng(1)
  const rows = Array.from({ length: ROWS }, (_, index) => ({
    at: 1.7e15 + index * 1_000_000,
    zone: `zone-${prng.below(260)}`,
    fare: prng.below(10_000) / 100,
    tip: prng.chance(0.3) ? null : prng.below(1000) / 100,
    id: BigInt(prng.below(1_000_000)),
  }))
  return batchOfRows(new Arena({ maxBytes: 1 << 24 }), Trip, rows).batch
}

/** The least time of many runs, in nanoseconds a row. */
function measure(run: () => number): string {
  let best = Infinity
  for (let count = 0; count < RUNS; count++) {
    const start = process.hrtime.bigint()
    if (run() < 0) throw new Error("no count is negative")
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  return (best / ROWS).toFixed(1).padStart(10)
}

const batch = makeBatch()
const selected = new Int32Array(ROWS)
console.log(`${"".padEnd(40)}   closure  as it is rewritten  (ns a row)`)
for (const [name, fn] of Object.entries(LAMBDAS)) {
  const request = { lambda: fn as RowFunction, schema: Trip, params: NO_PARAMS, options: TRUSTING }
  const closure = compilePredicate({ ...request, options: { mode: "off", proof: undefined } })
  const ir = lowerLambda(request)
  const kernel = (form: LambdaIr): JsKernel => new JsKernel(predicateSource(form), NO_PARAMS, builtinsOf(ir))
  const [plain, better] = [kernel(ir), kernel(rewrite(ir, "truth"))]
  const ofClosure = measure(() => closure.select(batch, {}, selected, () => undefined))
  const ofPlain = measure(() => plain.run(batch, {}, [selected]) ?? -1)
  const ofBetter = measure(() => better.run(batch, {}, [selected]) ?? -1)
  console.log(`${name.padEnd(40)}${ofClosure}${ofPlain}${ofBetter}`)
}
