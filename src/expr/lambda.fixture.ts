/** What the tests of lambdas share: a schema with every kind of column, rows, and both forms of a lambda on them. */
import { Arena } from "../batch/arena.ts"
import { allocateColumns, batchOfRows, type Batch } from "../batch/batch.ts"
import { readValue, type Column } from "../batch/column.ts"
import type { Schema } from "../batch/schema.ts"
import { schema, type ColumnTypes, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { CompileOptions } from "./compile.ts"
import type { LambdaForm, RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"
import { compileProjection } from "./projection.ts"

export const TRIP = schema({
  fare: t.float64,
  tip: t.float64.nullable(),
  riders: t.int32,
  meters: t.int53,
  at: t.timestamp(),
  id: t.int64,
  parent: t.int64.nullable(),
  zone: t.string,
  note: t.string.nullable(),
  kind: t.enum("taxi", "van"),
  isPaid: t.bool,
  isShared: t.bool.nullable(),
  driver: t.object({ name: t.string, age: t.int32.nullable(), home: t.object({ city: t.string }).nullable() }),
  car: t.object({ plate: t.string.nullable(), doors: t.int32 }).nullable(),
  "odd name": t.float64,
  tags: t.list(t.string).nullable(),
  payload: t.json.nullable(),
})

export type Trip = RowOf<typeof TRIP>

export const PARAMS = schema({ maxFare: t.float64, zone: t.string, least: t.int64, cap: t.float64.nullable() })

export type TripParams = RowOf<typeof PARAMS>

/** A function of trips, as users write it. */
export type TripLambda = (row: Trip, params: TripParams) => unknown

export const TRIP_PARAMS: TripParams = Object.freeze({ maxFare: 100, zone: "JFK", least: 2n, cap: null })

const FIRST = {
  ...{ fare: 12.5, tip: null, riders: 1, meters: 2 ** 53 - 1, at: 1_700_000_000_000_000, id: 1n, parent: null },
  ...{ zone: "JFK", note: null, kind: "taxi", isPaid: true, isShared: null, "odd name": 1 },
  ...{ driver: { name: "Ada", age: null, home: null }, car: null, tags: null, payload: { kind: "a" } },
}
const SECOND = {
  ...{ fare: -0, tip: 2, riders: -3, meters: -(2 ** 53 - 1), at: -1, id: -(2n ** 63n), parent: 7n },
  ...{ zone: "", note: "é😀", kind: "van", isPaid: false, isShared: true, "odd name": NaN },
  ...{ driver: { name: "Bo", age: 40, home: { city: "Rome" } }, car: { plate: "X 1", doors: 4 } },
  ...{ tags: ["a"], payload: null },
}
const THIRD = {
  ...{ fare: NaN, tip: 0, riders: 0, meters: 0, at: 0, id: 2n ** 63n - 1n, parent: 0n },
  ...{ zone: "LGA", note: "", kind: "van", isPaid: true, isShared: false, "odd name": -1 },
  ...{ driver: { name: "", age: 0, home: { city: "" } }, car: { plate: null, doors: 0 } },
  ...{ tags: [], payload: 1 },
}
const FOURTH = { ...FIRST, fare: 1000, tip: Infinity, zone: "JFK", note: "JFK", id: 3n }

/** Four rows, with each kind of null, zero and extreme. */
export const TRIPS: readonly Readonly<Record<string, unknown>>[] = [FIRST, SECOND, THIRD, FOURTH]

/** Trusts every function that its global names are the genuine ones. */
export const TRUSTING: CompileOptions = {
  mode: "auto",
  proof: { areGenuineGlobals: () => true, capturedConstant: () => undefined },
}
/** Everything that can be is WebAssembly, from the first row. */
export const WASM: CompileOptions = { ...TRUSTING, only: "WebAssembly" }
export const CLOSURES: CompileOptions = { mode: "off", proof: undefined }

/** One for all tests of a file: each memory of its own would be reserved anew. */
export const arena = new Arena({ maxBytes: 1 << 27 })

/** A batch of rows. */
export function batchOf<C extends ColumnTypes>(
  rowSchema: Schema<C>,
  rows: readonly Readonly<Record<string, unknown>>[],
): Batch {
  return batchOfRows(arena, rowSchema, rows).batch
}

/** The form in which a predicate of trips runs. */
export function formOf(lambda: TripLambda, options = TRUSTING): LambdaForm {
  return compilePredicate({ lambda, schema: TRIP, params: PARAMS, options }).form
}

/** What came of a lambda: what it selected or wrote, and which rows failed how. */
export interface Outcome {
  readonly form: LambdaForm
  readonly rows: readonly unknown[]
  readonly failures: readonly string[]
}

/** The rows of `TRIPS` (or of `batch`) that a predicate selects. */
export function select(
  lambda: TripLambda,
  options: CompileOptions,
  batch = batchOf(TRIP, TRIPS),
  params: Readonly<Record<string, unknown>> = TRIP_PARAMS,
): Outcome {
  const predicate = compilePredicate({ lambda, schema: TRIP, params: PARAMS, options, arena })
  const selected = new Int32Array(batch.length)
  const failures: string[] = []
  const count = predicate.select(batch, params, selected, (row, error) => failures.push(`${row}: ${String(error)}`))
  return { form: predicate.form, rows: [...selected.subarray(0, count)], failures }
}

/** What a projection writes for the rows of `TRIPS` (or of `batch`), as objects. */
export function project<C extends ColumnTypes>(
  lambda: RowFunction,
  targets: Schema<C>,
  options: CompileOptions,
  batch = batchOf(TRIP, TRIPS),
  params: Readonly<Record<string, unknown>> = TRIP_PARAMS,
): Outcome {
  const { fields } = targets
  const projection = compileProjection({
    lambda,
    schema: batch.schema,
    params: PARAMS,
    options,
    arena,
    targets: fields,
    shape: "object",
  })
  const { columns, release } = allocateColumns(arena, targets, Math.max(1, batch.length))
  const failures: string[] = []
  const failed = new Set<number>()
  projection.project(batch, params, columns, (row, error) => {
    failed.add(row)
    failures.push(`${row}: ${String(error)}`)
  })
  const rows: unknown[] = []
  batch.forEachRow((row) => {
    if (!failed.has(row)) rows.push(readRow(targets, columns, row))
  })
  release()
  return { form: projection.form, rows, failures }
}

function readRow(targets: Schema, columns: readonly Column[], row: number): Record<string, unknown> {
  return Object.fromEntries(targets.fields.map(({ name }, index) => [name, readValue(columns[index]!, row)]))
}

/** A function from its text, which no tool of the test runner has touched. */
export function lambdaOf(text: string): TripLambda {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the test's own text
  return new Function(`return (${text})`)() as TripLambda
}
