/** The aggregates of a window as the plan has them, checked against the rows that they read. */
import { nameHint } from "../base/did-you-mean.ts"
import { Schema, type Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { float64Type } from "../batch/types/float64.ts"
import { timestampType } from "../batch/types/timestamp.ts"
import { AGGREGATES } from "../flow/aggregates/definitions.ts"
import { aggregateInputType, type AggregateInput, type AggregateKind, type AggregateSpec } from "../flow/plan.ts"
import type { CallChecks } from "./call-checks.ts"
import { bareType } from "./recorder.ts"

const SHAPE_HINT = 'Write .aggregate({ trips: count(), fares: sum("fare") }).'

interface GivenAggregate {
  readonly kind: AggregateKind
  readonly input:
    | { readonly kind: "none" }
    | { readonly kind: "column"; readonly name: string }
    | { readonly kind: "lambda"; readonly lambda: unknown }
    | { readonly kind: "typed"; readonly lambda: unknown; readonly type: ColumnType }
}

/** The aggregates, and the row type of the results: keys, bounds of the window, aggregates. */
export function recordAggregates(
  checks: CallChecks,
  rows: Schema,
  keys: readonly Field[],
  given: unknown,
): { readonly aggregates: readonly AggregateSpec[]; readonly schema: Schema } {
  if (typeof given !== "object" || given === null || Object.keys(given).length === 0) {
    throw checks.error("there are no aggregates", SHAPE_HINT)
  }
  const bounds = ["windowStart", "windowEnd"].map((name) => ({ name, type: timestampType() }))
  const fixed = [...keys, ...bounds]
  const aggregates = Object.entries(given).map(([name, aggregate]): AggregateSpec => {
    if (!isAggregate(aggregate)) throw checks.error(`${JSON.stringify(name)} is not an aggregate`, SHAPE_HINT)
    if (fixed.some((field) => field.name === name)) {
      throw checks.error(`results have a column ${JSON.stringify(name)} already`, "Give the aggregate another name.")
    }
    const { kind } = aggregate
    const input = inputOf(checks, rows, aggregate)
    return { name, kind, input, resultType: resultTypeOf(checks, name, kind, input, rows) }
  })
  const results = aggregates.map(({ name, resultType }) => ({ name, type: resultType }))
  return { aggregates, schema: new Schema([...fixed, ...results]) }
}

function inputOf(checks: CallChecks, rows: Schema, { input, kind }: GivenAggregate): AggregateInput {
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

function resultTypeOf(
  checks: CallChecks,
  name: string,
  kind: AggregateKind,
  input: AggregateInput,
  rows: Schema,
): ColumnType {
  const type = aggregateInputType(input, rows)
  const resultType = AGGREGATES[kind].resultType(type)
  if (resultType !== undefined) return resultType
  const subject = input.kind === "column" ? `the column ${JSON.stringify(input.name)}` : "what its lambda gives"
  const taken = type?.definition.isUnsigned ? "numbers that it can add" : "numbers"
  const problem = `${JSON.stringify(name)}: ${kind}(...) takes ${taken}, and ${subject} is of the type ${type?.label}`
  const sums = `Sum something else: ${kind}(t.int64, (row) => ...) takes bigints below 2⁶³.`
  const isUnsigned = type?.definition.isUnsigned === true
  throw checks.error(problem, isUnsigned ? sums : "Only first(...) and last(...) take columns of every type.")
}

function isAggregate(value: unknown): value is GivenAggregate {
  return typeof value === "object" && value !== null && "kind" in value && Object.hasOwn(AGGREGATES, String(value.kind))
}
