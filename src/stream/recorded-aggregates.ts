/** The aggregates of a window as the plan has them, checked against the rows that they read. */
import { nameHint } from "../base/did-you-mean.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { enumType } from "../batch/types/enum.ts"
import { float64Type } from "../batch/types/float64.ts"
import { timestampType } from "../batch/types/timestamp.ts"
import type { RowFunction } from "../expr/lambda.ts"
import { AGGREGATES } from "../flow/aggregates/definitions.ts"
import type { CustomFunctions } from "../flow/aggregates/custom.ts"
import {
  aggregateInputType,
  CHANGE_COLUMN,
  type AggregateInput,
  type AggregateKind,
  type AggregateSpec,
  type KernelAggregateInput,
} from "../flow/plan.ts"
import type { AccumulatedValueKind, ExtremeByAggregate, TopKAggregate } from "./aggregate-types.ts"
import type { CallChecks } from "./call-checks.ts"
import {
  customAccumulation,
  extremeAccumulation,
  isAccumulatedKind,
  reduction,
  valueAccumulation,
  type Accumulation,
} from "./recorded-accumulators.ts"
import { bareType } from "./recorder.ts"

const SHAPE_HINT = 'Write .aggregate({ trips: count(), fares: sum("fare") }).'

type GivenInput =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "lambda"; readonly lambda: unknown }
  | { readonly kind: "typed"; readonly lambda: unknown; readonly type: ColumnType }

/** An aggregate of one value. */
interface GivenAggregate {
  readonly kind: AggregateKind | AccumulatedValueKind
  readonly input: GivenInput
  readonly settings?: object
}

/** An aggregate of a program's own. */
interface GivenCustom {
  readonly kind: "custom"
  readonly type: ColumnType
  readonly functions: Omit<CustomFunctions, "type">
}

type Given =
  | GivenAggregate
  | ExtremeByAggregate<string, string | readonly string[]>
  | TopKAggregate<string, string | readonly string[]>
  | GivenCustom

/** The aggregates, and the row type of the results: keys, bounds of the window, aggregates. */
export function recordAggregates(
  checks: CallChecks,
  rows: Schema,
  keys: readonly Field[],
  given: unknown,
  has: WindowColumns,
): { readonly aggregates: readonly AggregateSpec[]; readonly schema: Schema } {
  const taken = [...(has.change ? [CHANGE] : []), ...keys, ...BOUNDS]
  const aggregates = specsOf(checks, rows, taken, given)
  const results = aggregates.map(({ name, resultType }) => ({ name, type: resultType }))
  return { aggregates, schema: new Schema([...fixedColumns(checks, keys, has), ...results]) }
}

function specsOf(checks: CallChecks, rows: Schema, taken: readonly Field[], given: unknown): AggregateSpec[] {
  if (typeof given !== "object" || given === null || Object.keys(given).length === 0) {
    throw checks.error("there are no aggregates", SHAPE_HINT)
  }
  return Object.entries(given).map(([name, aggregate]) => {
    if (!isAggregate(aggregate)) throw checks.error(`${JSON.stringify(name)} is not an aggregate`, SHAPE_HINT)
    if (taken.some((field) => field.name === name)) {
      throw checks.error(`results have a column ${JSON.stringify(name)} already`, "Give the aggregate another name.")
    }
    return specOf(checks, name, aggregate, rows)
  })
}

/** The columns that results of windows have besides keys and aggregates, where there is event time. */
const BOUNDS: readonly Field[] = ["windowStart", "windowEnd"].map((name) => ({ name, type: timestampType() }))

/** The column of updates that says what becomes of the row before. */
const CHANGE: Field = { name: CHANGE_COLUMN, type: enumType("insert", "update", "delete") }

/** Which columns results of windows have besides keys and aggregates. */
export interface WindowColumns {
  /** `windowStart` and `windowEnd`. */
  readonly bounds: boolean
  /** `op`. */
  readonly change: boolean
}

function fixedColumns(checks: CallChecks, keys: readonly Field[], has: WindowColumns): Field[] {
  if (has.change && keys.some(({ name }) => name === CHANGE_COLUMN)) {
    const problem = `updates have a column ${JSON.stringify(CHANGE_COLUMN)} of their own, and one of the keys is named so`
    throw checks.error(problem, "Derive a column of another name from it, and key by that.")
  }
  return [...(has.change ? [CHANGE] : []), ...keys, ...(has.bounds ? BOUNDS : [])]
}

/** The aggregates over a range, and the row type of the results: the row's columns, aggregates. */
export function recordOver(
  checks: CallChecks,
  rows: Schema,
  given: unknown,
): { readonly aggregates: readonly AggregateSpec[]; readonly schema: Schema } {
  const aggregates = specsOf(checks, rows, rows.fields, given)
  const results = aggregates.map(({ name, resultType }) => ({ name, type: resultType }))
  return { aggregates, schema: new Schema([...rows.fields, ...results]) }
}

/** The column that windows keep a reduced row in, until its columns are made of it. */
const REDUCED = "reduced row"

/** Gives the columns of a reduced row: those that the window made itself have their place. */
export const unpackReduced: RowFunction = (row: Readonly<Record<string, unknown>>) => {
  return { ...(row["reduced row"] as object), ...row }
}

/** What `reduce` makes a window compute, and the row type behind that: keys, bounds of the window, the other columns. */
export function recordReduction(
  checks: CallChecks,
  rows: Schema,
  keys: readonly Field[],
  combine: RowFunction,
  has: WindowColumns,
): { readonly aggregate: AggregateSpec; readonly windowed: Schema; readonly schema: Schema } {
  const taken = rows.fields.find(
    ({ name }) =>
      name === "windowStart" || name === "windowEnd" || name === REDUCED || (has.change && name === CHANGE_COLUMN),
  )
  if (taken !== undefined) {
    const problem = `results have a column ${JSON.stringify(taken.name)} of their own, and the rows have one, too`
    throw checks.error(problem, "Take that column away with .select(...), or derive one of another name.")
  }
  const fixed = fixedColumns(checks, keys, has)
  const { type, ...accumulation } = reduction(rows, combine)
  const names = rows.fields.map(({ name }) => name)
  const input: AggregateInput = { kind: "columns", names }
  const others = rows.fields.filter(({ name }) => !keys.some((key) => key.name === name))
  return {
    aggregate: { name: REDUCED, kind: "accumulated", input, resultType: type, ...accumulation },
    windowed: new Schema([...fixed, { name: REDUCED, type }]),
    schema: new Schema([...fixed, ...others]),
  }
}

function specOf(checks: CallChecks, name: string, aggregate: Given, rows: Schema): AggregateSpec {
  switch (aggregate.kind) {
    case "minBy":
    case "maxBy":
    case "topK": {
      const { names, accumulation } = extremeAccumulation(checks, aggregate)
      return accumulated(checks, name, { kind: "columns", names }, accumulation, rows)
    }
    case "custom": {
      const { functions, type } = aggregate
      const accumulation = customAccumulation(checks, { ...functions, type: bareType(type) })
      const names = rows.fields.map((field) => field.name)
      return accumulated(checks, name, { kind: "columns", names }, accumulation, rows)
    }
    default: {
      const { kind, settings = {} } = aggregate
      const input = inputOf(checks, rows, aggregate)
      if (isAccumulatedKind(kind)) return accumulated(checks, name, input, valueAccumulation(kind, settings), rows)
      const type = aggregateInputType(input, rows)
      const resultType = AGGREGATES[kind].resultType(type) ?? refuse(checks, name, kind, input, type)
      return { name, kind, input, resultType }
    }
  }
}

function accumulated(
  checks: CallChecks,
  name: string,
  input: AggregateInput,
  accumulation: Accumulation,
  rows: Schema,
): AggregateSpec {
  const type = aggregateInputType(input, rows)
  // Which type results have does not depend on parameters.
  const resultType = accumulation.define({}).resultType(type) ?? refuse(checks, name, accumulation.call, input, type)
  return { name, kind: "accumulated", input, resultType, ...accumulation }
}

function inputOf(
  checks: CallChecks,
  rows: Schema,
  { input, kind }: Pick<GivenAggregate, "input" | "kind">,
): KernelAggregateInput {
  switch (input.kind) {
    case "none":
      return input
    case "column": {
      const { name } = input
      if (rows.field(name) !== undefined) return { kind: "column", name }
      const hint = nameHint(
        name,
        rows.fields.map((field) => field.name),
        "columns",
      )
      throw checks.error(`${kind}(${JSON.stringify(name)}) names no column`, hint)
    }
    case "lambda":
      // Nothing tells what an untyped lambda will give: numbers, by its contract, and perhaps null.
      return { kind: "lambda", lambda: checks.lambda(input.lambda), type: float64Type.nullable() }
    case "typed":
      return { kind: "lambda", lambda: checks.lambda(input.lambda), type: bareType(input.type) }
  }
}

function refuse(
  checks: CallChecks,
  name: string,
  call: string,
  input: AggregateInput,
  type: ColumnType | undefined,
): never {
  if (input.kind === "columns") {
    const [by] = input.names
    const problem = `${JSON.stringify(name)}: ${call}(...) compares numbers, and the column ${JSON.stringify(by)} does not hold any`
    throw checks.error(problem, "Derive a column of numbers, bigints or timestamps from it, and compare that.")
  }
  const subject = input.kind === "column" ? `the column ${JSON.stringify(input.name)}` : "what its lambda gives"
  // Only sums refuse these: nothing that a kernel has could hold them.
  const isUnsigned = type?.definition.isUnsigned === true
  const taken = isUnsigned ? "numbers that it can add" : "numbers"
  const problem = `${JSON.stringify(name)}: ${call}(...) takes ${taken}, and ${subject} is of the type ${type?.label}`
  const sums = `Sum something else: ${call}(t.int64, (row) => ...) takes bigints below 2⁶³.`
  const others =
    "Only first(...), last(...), collect(...), frequent(...) and counts of distinct values take every type."
  throw checks.error(problem, isUnsigned ? sums : others)
}

function isAggregate(value: unknown): value is Given {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false
  const kind = String(value.kind)
  return (
    Object.hasOwn(AGGREGATES, kind) || isAccumulatedKind(kind) || ["minBy", "maxBy", "topK", "custom"].includes(kind)
  )
}
