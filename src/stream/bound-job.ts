/**
 * Bound jobs: a plan with the connectors, parameters and policies of one environment. They are what the runtime runs;
 * they open nothing themselves.
 *
 * Invariant:
 * - BJ1 Every input has a source and every output a sink that takes its kind of stream; nothing else is bound.
 */
import { nameHint } from "../base/did-you-mean.ts"
import { checkDuration, type Duration } from "../base/duration.ts"
import { TidemarkError, type ErrorCode } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import type { ColumnTypes, Schema } from "../batch/schema.ts"
import type { SinkBinding, StreamKind } from "../connect/sink.ts"
import type { SourceBinding, TypedSource } from "../connect/source.ts"
import type { Plan } from "../flow/plan.ts"
import type { UnfitName } from "../batch/given-row.ts"
import { checkEntries, checkErrorPolicy } from "./option-checks.ts"
import { completeParams, type ParamsOfColumns } from "./params.ts"
import type { Problem } from "./problem.ts"
import type { Stream } from "./stream.ts"

/** Sources by the names of inputs. */
export type SourcesByName = Readonly<Record<string, SourceBinding>>

/** Sinks by the names of outputs. */
export type SinksByName = Readonly<Record<string, SinkBinding>>

/** A sink that takes updating streams. */
type UpdatingSink = SinkBinding & { readonly accepts: { readonly update: true } }

/** What is wrong with the sources, by name. */
type InputProblems<I, S> = {
  readonly [N in Exclude<keyof I, keyof S> & string]: Problem<`The input '${N}' is not bound: give it a source.`>
} & {
  readonly [N in Exclude<keyof S, keyof I> & string]: Problem<`The job has no input '${N}'.`>
} & {
  readonly [N in keyof S & keyof I & string]: S[N] extends TypedSource<infer Row> ? RowProblem<N, I[N], Row> : unknown
}

/** What is wrong with the rows of a source, where their type is known. */
type RowProblem<N extends string, Input, Row> = unknown extends Row
  ? unknown
  : Input extends Schema<infer C>
    ? [UnfitName<C, Row>] extends [never]
      ? unknown
      : Problem<`The source of '${N}' does not give the column '${UnfitName<C, Row> & string}' in the type of the input.`>
    : unknown

/** What is wrong with the sinks, by name. */
type OutputProblems<O, K> = {
  readonly [N in Exclude<keyof O, keyof K> & string]: Problem<`The output '${N}' is not bound: give it a sink.`>
} & {
  readonly [N in keyof K]: N extends keyof O
    ? O[N] extends Stream<"append", unknown>
      ? unknown
      : K[N] extends UpdatingSink
        ? unknown
        : Problem<`The output '${N & string}' is an updating stream, and this sink takes only streams that append.`>
    : Problem<`The job has no output '${N & string}'.`>
}

/**
 * What `.with(...)` takes: the connectors, parameters and policies of one environment.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 * import { csv, jsonl } from "tidemark/files"
 *
 * const fares = job({
 *   name: "fares",
 *   params: schema({ least: t.float64 }),
 *   inputs: { trips: schema({ fare: t.float64 }) },
 *   flow: ({ trips }) => ({ paid: trips.filter((r, p) => r.fare >= p.least) }),
 * })
 * export default fares.with({
 *   inputs: { trips: csv("trips/*.csv") },
 *   outputs: { paid: jsonl("out/paid") },
 *   deadLetter: jsonl("out/bad"),
 *   params: { least: 2.5 },
 *   epoch: { min: "10ms", max: "1s" },
 *   maxBadRecords: 1000,
 * })
 * ```
 */
export type Bindings<I, O, C extends ColumnTypes, S extends SourcesByName, K extends SinksByName> = {
  /** Where each input is read. */
  readonly inputs: S & InputProblems<I, S>
  /** Where each output is written. */
  readonly outputs: K & OutputProblems<O, K>
  /** Where records that cannot be read, and rows that fail, are written; without it, to the job's own directory. */
  readonly deadLetter?: SinkBinding
  /** Bounds of an epoch's length, which adapts itself between them. Default 10 ms and 1 s. */
  readonly epoch?: { readonly min?: Duration; readonly max?: Duration }
  /** What becomes of a row that fails: here it overrules the job's own. */
  readonly onError?: "dead-letter" | "stop"
  /** More bad records than this, over the life of the job, stop it. Default: any number. */
  readonly maxBadRecords?: number
} & (Record<never, never> extends ParamsOfColumns<C>
  ? { /** Values of the job's parameters. */ readonly params?: ParamsOfColumns<C> }
  : { /** Values of the job's parameters. */ readonly params: ParamsOfColumns<C> })

/** What binding needs to know of a job. */
interface UnboundJob {
  readonly name: string
  readonly plan: Plan
  readonly inputSchemas: Readonly<Record<string, Schema>>
  readonly outputs: Readonly<Record<string, Stream<StreamKind, unknown>>>
  readonly paramsSchema: Schema
  readonly onError: "dead-letter" | "stop"
}

/** An input with its source. */
interface BoundInput {
  readonly schema: Schema
  readonly source: SourceBinding
}

/**
 * A job with its connectors, parameters and policies: `run` runs it, `explain` explains it. Make one with `.with(...)` of
 * a job.
 *
 * @example
 * ```ts
 * import type { BoundJob } from "tidemark"
 *
 * function targets(bound: BoundJob): string[] {
 *   return Object.values(bound.outputs).map((sink) => sink.describe())
 * }
 * ```
 */
export class BoundJob {
  readonly name: string
  readonly plan: Plan
  readonly paramsSchema: Schema
  /** The values of all parameters, checked and frozen; of a secret that is not given here, the empty text until it runs. */
  readonly params: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, BoundInput>>
  readonly outputs: Readonly<Record<string, SinkBinding>>
  readonly deadLetter: SinkBinding | undefined
  readonly onError: "dead-letter" | "stop"
  /** `Infinity` where any number may be bad. */
  readonly maxBadRecords: number
  readonly epoch: { readonly minMicros: number; readonly maxMicros: number }

  constructor(parts: Omit<BoundJob, "name">) {
    this.name = parts.plan.jobName
    this.plan = parts.plan
    this.paramsSchema = parts.paramsSchema
    this.params = parts.params
    this.inputs = parts.inputs
    this.outputs = parts.outputs
    this.deadLetter = parts.deadLetter
    this.onError = parts.onError
    this.maxBadRecords = parts.maxBadRecords
    this.epoch = parts.epoch
    Object.freeze(this)
  }
}

const BINDING_OPTIONS = ["inputs", "outputs", "deadLetter", "params", "epoch", "onError", "maxBadRecords"]

/** Binds a job; see `Job.with`. */
export function bindJob(job: UnboundJob, bindings: unknown): BoundJob {
  const where = `The job ${job.name}`
  const given = checkOptions(`${where}, .with(...)`, bindings, BINDING_OPTIONS)
  const sources = checkBound(
    where,
    "input",
    Object.keys(job.inputSchemas),
    checkEntries(where, "inputs", given["inputs"]),
  )
  const sinks = checkBound(where, "output", Object.keys(job.outputs), checkEntries(where, "outputs", given["outputs"]))
  const inputs = Object.entries(job.inputSchemas).map(([name, schema]): [string, BoundInput] => {
    return [name, Object.freeze({ schema, source: checkSource(where, name, sources.get(name)) })]
  })
  const outputs = Object.entries(job.outputs).map(([name, { kind }]): [string, SinkBinding] => {
    return [name, checkSink(where, `output ${name}`, sinks.get(name), kind)]
  })
  const { deadLetter } = given
  return new BoundJob({
    plan: job.plan,
    paramsSchema: job.paramsSchema,
    params: completeParams(
      where,
      job.paramsSchema,
      given["params"] as Readonly<Record<string, unknown>> | undefined,
      "later",
    ),
    inputs: Object.freeze(Object.fromEntries(inputs)),
    outputs: Object.freeze(Object.fromEntries(outputs)),
    deadLetter: deadLetter === undefined ? undefined : checkSink(where, "dead-letter output", deadLetter, "append"),
    onError: checkErrorPolicy(where, given["onError"]) ?? job.onError,
    maxBadRecords: checkMaxBadRecords(where, given["maxBadRecords"]),
    epoch: checkEpoch(where, given["epoch"]),
  })
}

function checkBound(
  where: string,
  what: "input" | "output",
  wanted: readonly string[],
  bound: readonly [string, unknown][],
): Map<string, unknown> {
  const code: ErrorCode = what === "input" ? "unbound-input" : "unbound-output"
  const unknown = bound.find(([name]) => !wanted.includes(name))
  if (unknown !== undefined) {
    const hint = nameHint(unknown[0], wanted, `${what}s`)
    throw new TidemarkError(code, `${where} has no ${what} ${JSON.stringify(unknown[0])}.`, { hint })
  }
  const byName = new Map(bound)
  const missing = wanted.find((name) => byName.get(name) === undefined)
  if (missing === undefined) return byName
  const connector = what === "input" ? "source" : "sink"
  throw new TidemarkError(code, `${where} has an ${what} ${missing} that is not bound.`, {
    hint: `Give it a ${connector} in .with({ ${what}s: { ${missing}: ... } }).`,
  })
}

function checkSource(where: string, name: string, source: unknown): SourceBinding {
  if (hasMethods(source, ["describe", "openSource"])) return source as SourceBinding
  throw new TidemarkError("unbound-input", `${where} has an input ${name} that is bound to no source.`, {
    hint: 'Bind it to a connector that reads, such as csv("trips/*.csv") of tidemark/files.',
  })
}

function checkSink(where: string, what: string, candidate: unknown, kind: StreamKind): SinkBinding {
  if (!hasMethods(candidate, ["describe", "openSink"])) {
    throw new TidemarkError("unbound-output", `${where} has its ${what} bound to no sink.`, {
      hint: 'Bind it to a connector that writes, such as jsonl("out/hourly") of tidemark/files.',
    })
  }
  const sink = candidate as SinkBinding
  const { accepts = { append: true } } = sink
  if (accepts[kind] === true) return sink
  const rows = kind === "append" ? "that append" : "that update"
  const hint =
    kind === "append"
      ? "Bind the output to another connector."
      : 'Bind the output to a connector that takes them, such as jsonl("out/totals", { changelog: true }) of tidemark/files.'
  throw new TidemarkError(
    "invalid-options",
    `${where}: ${sink.describe()} takes no streams ${rows}, as its ${what} is.`,
    { hint },
  )
}

function hasMethods(candidate: unknown, names: readonly string[]): boolean {
  if (typeof candidate !== "object" || candidate === null) return false
  return names.every((name) => typeof (candidate as Record<string, unknown>)[name] === "function")
}

function checkMaxBadRecords(where: string, given: unknown): number {
  if (given === undefined || given === Infinity) return Infinity
  if (Number.isSafeInteger(given) && (given as number) >= 0) return given as number
  throw new TidemarkError("invalid-options", `${where}: maxBadRecords is ${shownValue(given)}.`, {
    hint: "Give a whole number from 0 up: as many may be bad, and one more stops the job. Without it any number may be.",
  })
}

function checkEpoch(where: string, given: unknown): { readonly minMicros: number; readonly maxMicros: number } {
  const { min = "10ms", max = "1s" } = given === undefined ? {} : checkOptions(`${where}, epoch`, given, ["min", "max"])
  const minMicros = checkDuration(`${where}: epoch.min`, min)
  const maxMicros = checkDuration(`${where}: epoch.max`, max)
  if (maxMicros > 0 && minMicros <= maxMicros) return Object.freeze({ minMicros, maxMicros })
  throw new TidemarkError(
    "invalid-options",
    `${where}: an epoch cannot be at least ${String(min)} and at most ${String(max)} long.`,
    {
      hint: "Give epoch.max more than zero, and no less than epoch.min.",
    },
  )
}
