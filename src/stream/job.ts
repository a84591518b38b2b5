/**
 * Jobs: programs over typed inputs and outputs. `job` calls the flow once, with streams that record; what comes of it is
 * a frozen plan. `.with(...)` binds it to connectors; nothing here runs anything.
 *
 * Invariants:
 * - JB1 The flow is called once, when the job is made, and sees no row.
 * - JB2 A job and its plan never change.
 */
import { TidemarkError } from "../base/errors.ts"
import { checkOptions } from "../base/known-options.ts"
import { shownValue } from "../base/shown-value.ts"
import { Schema, type ColumnTypes } from "../batch/schema.ts"
import type { ValueOf } from "../batch/type.ts"
import type { StreamKind } from "../connect/sink.ts"
import { planFingerprint, type Plan } from "../flow/plan.ts"
import { planWarnings, type PlanWarning } from "../flow/plan-warnings.ts"
import { bindJob, type Bindings, type BoundJob, type SinksByName, type SourcesByName } from "./bound-job.ts"
import type { GivenRow } from "../batch/given-row.ts"
import { checkEntries, checkErrorPolicy } from "./option-checks.ts"
import { RecordedStream } from "./recorded-stream.ts"
import { checkSecretParams } from "./params.ts"
import { isName, NAME_HINT, Recorder } from "./recorder.ts"
import type { AppendStream, RowOfStream, Stream } from "./stream.ts"

/** The schemas of a job's inputs by name. */
export type InputSchemas = Readonly<Record<string, Schema>>

/** The streams that a flow returns by the names of outputs. */
export type OutputStreams = Readonly<Record<string, Stream<StreamKind, unknown>>>

/** No parameters. */
export type NoColumns = Readonly<Record<never, never>>

/**
 * What a job is made of.
 *
 * @example
 * ```ts
 * import { job, schema, t } from "tidemark"
 *
 * const fares = job({
 *   name: "fares",
 *   params: schema({ least: t.float64.default(0) }),
 *   inputs: { trips: schema({ zone: t.string, fare: t.float64 }) },
 *   onError: "stop",
 *   flow: ({ trips }) => ({ paid: trips.filter((r, p) => r.fare > p.least) }),
 * })
 * ```
 */
export interface JobDefinition<I extends InputSchemas, O extends OutputStreams, C extends ColumnTypes> {
  /** Names the job's directory, its state and its messages: letters, digits, `.`, `_` and `-`. */
  readonly name: string
  /** Parameters that lambdas take as their second argument. `.with({ params })` gives their values, the environment those of secrets. */
  readonly params?: Schema<C>
  /** What the job reads: the rows of each input. */
  readonly inputs: I
  /** What becomes of a row that fails (its lambda throws, or gives a wrong type). Default `"dead-letter"`. */
  readonly onError?: "dead-letter" | "stop"
  /** From streams of the inputs to streams of the outputs. It is called once and must be synchronous. */
  flow(streams: {
    readonly [N in keyof I]: AppendStream<
      I[N] extends Schema<infer R> ? { readonly [M in keyof R]: ValueOf<R[M]> } : never,
      { readonly [N in keyof C]: ValueOf<C[N]> }
    >
  }): O
}

/**
 * A program over typed inputs and outputs, bound to nothing yet. Make one with `job`.
 *
 * @example
 * ```ts
 * import { job, schema, t, type Job } from "tidemark"
 *
 * const Trip = schema({ zone: t.string, fare: t.float64 })
 * const fares = job({ name: "fares", inputs: { trips: Trip }, flow: ({ trips }) => ({ trips }) })
 *
 * function planOf(anyJob: Job): number {
 *   return anyJob.plan.nodes.length
 * }
 * planOf(fares)
 * ```
 */
export class Job<
  out I extends InputSchemas = InputSchemas,
  out O extends OutputStreams = OutputStreams,
  C extends ColumnTypes = ColumnTypes,
> {
  readonly name: string
  /** What the job computes. */
  readonly plan: Plan
  readonly inputSchemas: I
  /** The streams that the flow returned. */
  readonly outputs: O
  readonly paramsSchema: Schema<C>
  readonly onError: "dead-letter" | "stop"

  constructor(parts: {
    readonly plan: Plan
    readonly inputSchemas: I
    readonly outputs: O
    readonly paramsSchema: Schema<C>
    readonly onError: "dead-letter" | "stop"
  }) {
    this.name = parts.plan.jobName
    this.plan = parts.plan
    this.inputSchemas = parts.inputSchemas
    this.outputs = parts.outputs
    this.paramsSchema = parts.paramsSchema
    this.onError = parts.onError
    Object.freeze(this)
  }

  /** Sixteen hexadecimal digits that tell this plan from others. */
  get fingerprint(): string {
    return planFingerprint(this.plan)
  }

  /** What is allowed and probably not meant, such as state that has no name of its own. */
  get warnings(): readonly PlanWarning[] {
    return planWarnings(this.plan, this.paramsSchema)
  }

  /**
   * Binds the job to connectors and parameters, so that it can run.
   *
   * @throws TidemarkError `unbound-input`, `unbound-output`, `invalid-params`, `invalid-options` or `invalid-duration`.
   */
  with<const S extends SourcesByName, const K extends SinksByName>(bindings: Bindings<I, O, C, S, K>): BoundJob {
    return bindJob(this, bindings)
  }
}

/**
 * Declares a job: a program over typed inputs and outputs. It calls the flow to record its plan, and runs nothing.
 *
 * @example
 * ```ts
 * import { count, job, schema, sum, t, tumbling } from "tidemark"
 * import { csv, jsonl } from "tidemark/files"
 *
 * const revenue = job({
 *   name: "revenue-by-zone",
 *   inputs: { trips: schema({ pickup: t.timestamp(), zone: t.string, fare: t.float64 }) },
 *   flow: ({ trips }) => ({
 *     hourly: trips
 *       .filter((r) => r.fare > 0)
 *       .eventTime("pickup", { outOfOrder: "5s" })
 *       .keyBy("zone")
 *       .window(tumbling("1h"))
 *       .aggregate({ revenue: sum("fare"), trips: count() }, { id: "hourly" }),
 *   }),
 * })
 *
 * export default revenue.with({ inputs: { trips: csv("trips/*.csv") }, outputs: { hourly: jsonl("out/hourly") } })
 * ```
 *
 * @throws TidemarkError `invalid-plan` or `invalid-options` naming what is wrong, where the compiler has not found it.
 */
export function job<const I extends InputSchemas, const O extends OutputStreams, C extends ColumnTypes = NoColumns>(
  definition: JobDefinition<I, O, C>,
): Job<I, O, C> {
  const name = checkName(definition)
  const where = `The job ${name}`
  const { inputs, params = new Schema<C>([]), onError = "dead-letter" } = definition
  checkErrorPolicy(where, onError)
  if (!(params instanceof Schema)) {
    throw new TidemarkError("invalid-options", `${where} has params that are no schema.`, {
      hint: "Write params: schema({ ... }).",
    })
  }
  checkSecretParams(where, params)
  checkInputs(where, inputs)
  if (typeof definition.flow !== "function") {
    throw new TidemarkError("invalid-options", `${where} has no flow.`, {
      hint: "Write flow: ({ trips }) => ({ ... }).",
    })
  }
  const recorder = new Recorder(name)
  const streams = Object.entries(inputs).map(([input, schema]) => {
    return [input, new RecordedStream(recorder, recorder.addSource(input, schema))]
  })
  // The types of streams say what recorded streams accept: this is the one place where they meet.
  const outputs = definition.flow(Object.freeze(Object.fromEntries(streams)) as Parameters<typeof definition.flow>[0])
  const planOutputs = checkOutputs(where, recorder, outputs)
  const plan = recorder.finish(planOutputs)
  return new Job({
    plan,
    inputSchemas: Object.freeze({ ...inputs }),
    outputs: Object.freeze({ ...outputs }),
    paramsSchema: params,
    onError,
  })
}

/** The job's name, where nothing unknown is given beside it. */
function checkName(definition: unknown): string {
  const given: unknown = (definition as { readonly name?: unknown } | null | undefined)?.name
  const where = isName(given) ? `The job ${given}` : "job(...)"
  const { name } = checkOptions(where, definition, ["name", "params", "inputs", "onError", "flow"])
  if (isName(name)) return name
  throw new TidemarkError("invalid-options", `A job cannot be named ${shownValue(name)}.`, { hint: NAME_HINT })
}

function checkInputs(where: string, inputs: unknown): void {
  const entries = checkEntries(where, "inputs", inputs)
  if (entries.length === 0)
    throw new TidemarkError("invalid-plan", `${where} has no input.`, { hint: "A job reads at least one." })
  for (const [name, schema] of entries) {
    if (!isName(name))
      throw new TidemarkError("invalid-plan", `${where} has an input named ${JSON.stringify(name)}.`, {
        hint: NAME_HINT,
      })
    if (!(schema instanceof Schema) || schema.fields.length === 0) {
      const hint = "Write inputs: { trips: schema({ ... }) }, with at least one field."
      throw new TidemarkError("invalid-plan", `${where} has no schema for its input ${name}.`, { hint })
    }
  }
}

function checkOutputs(where: string, recorder: Recorder, outputs: unknown) {
  const invalid = (problem: string, hint: string) => new TidemarkError("invalid-plan", `${where} ${problem}.`, { hint })
  const shape = "The flow returns its outputs by name, and at once: flow: ({ trips }) => ({ hourly: ... })."
  if (
    typeof outputs !== "object" ||
    outputs === null ||
    outputs instanceof Promise ||
    outputs instanceof RecordedStream
  ) {
    throw invalid("has a flow that returns no outputs", shape)
  }
  const entries = Object.entries(outputs)
  if (entries.length === 0) throw invalid("has a flow that returns no outputs", shape)
  return entries.map(([name, stream]: [string, unknown]) => {
    if (!isName(name)) throw invalid(`has an output named ${JSON.stringify(name)}`, NAME_HINT)
    if (!(stream instanceof RecordedStream)) {
      throw invalid(
        `has an output ${name} that is no stream`,
        "Behind .keyBy(...) come .window(...) and .aggregate(...).",
      )
    }
    const place = stream.placeIn(recorder)
    if (place === undefined)
      throw invalid(`has an output ${name} of another job`, "Return streams made of this flow's inputs.")
    return { name, node: place.node, port: place.port }
  })
}

/**
 * The rows of a job's inputs by name, such as tests give them: what has a default or may be null may be left out.
 *
 * @example
 * ```ts
 * import { job, schema, t, type InputRows } from "tidemark"
 *
 * const fares = job({ name: "fares", inputs: { trips: schema({ fare: t.float64 }) }, flow: ({ trips }) => ({ trips }) })
 * const inputs: InputRows<typeof fares> = { trips: [{ fare: 12.5 }] }
 * ```
 */
export type InputRows<J extends { readonly inputSchemas: InputSchemas }> = {
  readonly [N in keyof J["inputSchemas"]]: J["inputSchemas"][N] extends Schema<infer C> ? readonly GivenRow<C>[] : never
}

/**
 * The rows of a job's outputs by name.
 *
 * @example
 * ```ts
 * import { job, schema, t, type OutputRows } from "tidemark"
 *
 * const fares = job({ name: "fares", inputs: { trips: schema({ fare: t.float64 }) }, flow: ({ trips }) => ({ trips }) })
 * const expected: OutputRows<typeof fares> = { trips: [{ fare: 12.5 }] }
 * ```
 */
export type OutputRows<J extends { readonly outputs: OutputStreams }> = {
  readonly [N in keyof J["outputs"]]: readonly RowOfStream<J["outputs"][N]>[]
}
