/** Aggregates of plain values as the plan has them: from what the functions of `aggregates` describe. */
import type { Field, Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { objectType } from "../batch/types/object.ts"
import type { RowFunction } from "../expr/lambda.ts"
import type { AccumulatorDefinition } from "../flow/aggregates/accumulator.ts"
import { approxCountDistinct } from "../flow/aggregates/approx-count-distinct.ts"
import { collect } from "../flow/aggregates/collect.ts"
import { countDistinct } from "../flow/aggregates/count-distinct.ts"
import { custom, type CustomFunctions } from "../flow/aggregates/custom.ts"
import { frequent, type FrequentOptions } from "../flow/aggregates/frequent.ts"
import { quantiles, type QuantileOptions } from "../flow/aggregates/quantiles.ts"
import { extremeBy, ranking } from "../flow/aggregates/ranked.ts"
import { spread } from "../flow/aggregates/variance.ts"
import type { AccumulatedSpec } from "../flow/plan.ts"
import type { AccumulatedValueKind, ExtremeByAggregate, TopKAggregate } from "./aggregate-types.ts"
import type { CallChecks } from "./call-checks.ts"

/** What an aggregate does, without what it reads. */
export type Accumulation = Pick<AccumulatedSpec, "call" | "settings" | "stateSettings" | "functions" | "define">

interface Settings {
  readonly error?: number
  readonly limit?: number
  readonly quantiles?: QuantileOptions["quantiles"]
}

/** How to make the definition of an aggregate of one value. */
const DEFINITIONS: Readonly<Record<AccumulatedValueKind, (settings: Settings) => AccumulatorDefinition>> = {
  variance: () => spread({ of: "sample", isRoot: false }),
  stddev: () => spread({ of: "sample", isRoot: true }),
  populationVariance: () => spread({ of: "population", isRoot: false }),
  populationStddev: () => spread({ of: "population", isRoot: true }),
  countDistinct: () => countDistinct,
  approxCountDistinct: ({ error }) => approxCountDistinct(error!),
  quantile: (settings) => quantiles(settings as QuantileOptions),
  percentiles: (settings) => quantiles(settings as QuantileOptions),
  collect: ({ limit }) => collect(limit === undefined ? {} : { limit }),
  frequent: (settings) => frequent(settings as FrequentOptions),
}

/** Whether an aggregate of this kind reads one value of each row, and has no kernel. */
export function isAccumulatedKind(kind: string): kind is AccumulatedValueKind {
  return Object.hasOwn(DEFINITIONS, kind)
}

/** What an aggregate of one value does. */
export function valueAccumulation(kind: AccumulatedValueKind, settings: Settings): Accumulation {
  const definition = DEFINITIONS[kind](settings)
  const { error, quantiles, limit } = settings
  const errorText = error === undefined ? "" : `error ${error}`
  const limitText = limit === undefined ? "" : `limit ${limit}`
  return {
    call: kind,
    settings: [quantilesText(quantiles), limitText, errorText].filter((text) => text !== "").join(", "),
    // Which quantiles are asked for is of no concern to the state, nor how many of its counters are shown.
    stateSettings: kind === "collect" ? limitText : errorText,
    functions: [],
    define: () => definition,
  }
}

function quantilesText(quantiles: Settings["quantiles"]): string {
  if (quantiles === undefined) return ""
  return typeof quantiles === "number" ? String(quantiles) : quantiles.map(({ name }) => name).join(" ")
}

/** What `minBy`, `maxBy` and `topK` do, and the columns that they read. */
export function extremeAccumulation(
  checks: CallChecks,
  aggregate: ExtremeByAggregate<string, string | readonly string[]> | TopKAggregate<string, string | readonly string[]>,
): { readonly names: readonly string[]; readonly accumulation: Accumulation } {
  const { kind, by, of } = aggregate
  const given = typeof of === "string" ? [of] : of
  const twice = given.find((name, index) => given.indexOf(name) !== index)
  if (twice !== undefined) {
    throw checks.error(`${kind}(...) names the column ${JSON.stringify(twice)} twice`, "Name each column once.")
  }
  for (const name of [by, ...given]) checks.column(name)
  const options = { which: kind === "minBy" ? "min" : "max", by, of } as const
  const definition = aggregate.kind === "topK" ? ranking(options, aggregate.limit) : extremeBy(options)
  const first = aggregate.kind === "topK" ? `${aggregate.limit} ` : ""
  const text = `${first}by ${JSON.stringify(by)} of ${JSON.stringify(of)}`
  const accumulation = { call: kind, settings: text, stateSettings: text, functions: [], define: () => definition }
  return { names: [...new Set([by, ...given])], accumulation }
}

/** What an aggregate of a program's own does. */
export function customAccumulation(checks: CallChecks, functions: CustomFunctions): Accumulation {
  const { init, add, merge, result, inverse } = functions
  const given = [init, add, merge, result, inverse].filter((each) => each !== undefined)
  return {
    call: "aggregate",
    settings: "",
    stateSettings: `state ${functions.state.label}`,
    functions: given.map((each) => checks.lambda(each)),
    define: (params) => custom(functions, params),
  }
}

/** What `reduce` does: its state is a row, as an object. */
export function reduction(rows: Schema, combine: RowFunction): { readonly type: ColumnType } & Accumulation {
  const type = objectType(Object.fromEntries(rows.fields.map(({ name, type }: Field) => [name, type])))
  return {
    type,
    call: "reduce",
    settings: "",
    stateSettings: "",
    functions: [combine],
    define: (params) => custom({ state: type, type, add: combine, merge: combine }, params),
  }
}
