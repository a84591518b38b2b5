/**
 * `explain`: what a job will do, without doing it: its plan with types and ids, how each lambda runs and why, where rows
 * come from and go, and what readers of the outputs may rely on.
 *
 * Invariants:
 * - EX1 Lambdas are judged by the code that compiles them when the job runs, with the same options.
 * - EX2 Nothing is opened and no row is read.
 */
import { unreachable } from "../base/assert.ts"
import { counted } from "../base/counted.ts"
import { formatDuration } from "../base/duration.ts"
import type { Field, Schema } from "../batch/schema.ts"
import { secretParams } from "../batch/secret-params.ts"
import type { SinkBinding } from "../connect/sink.ts"
import type { SourceBinding, SourceGuarantee } from "../connect/source.ts"
import type { CompileOptions } from "../expr/compile.ts"
import type { LambdaForm, RowFunction } from "../expr/lambda.ts"
import { compilePredicate } from "../expr/predicate.ts"
import { compileProjection } from "../expr/projection.ts"
import type { CallPolicy } from "../flow/calls.ts"
import {
  eventTimeShift,
  firingText,
  inputsOf,
  isStateful,
  planFingerprint,
  portSchema,
  reachText,
  windowLabel,
} from "../flow/plan.ts"
import type {
  AggregateInput,
  AggregateSpec,
  Plan,
  PlanNode,
  ProcessNode,
  SourceNode,
  WindowAggregateNode,
} from "../flow/plan.ts"
import { statelessPrefix } from "../flow/stateless-prefix.ts"
import { partPlan } from "../flow/parts/part-plan.ts"
import { planWarnings } from "../flow/plan-warnings.ts"
import { reasonForValues } from "../flow/window-engine.ts"
import { GIVEN_WATERMARK } from "../flow/operators/given-watermarks.ts"
import { windowGroupOf } from "../flow/shared-windows.ts"
import type {
  ExplainedAggregate,
  ExplainedColumn,
  ExplainedLambda,
  ExplainedNode,
  ExplainedOutput,
  ExplainedParam,
  ExplainedPolicies,
  Explanation,
} from "./explanation.ts"
import { explanationMermaid } from "./explanation-mermaid.ts"
import { explanationText } from "./explanation-text.ts"

type InnerNode = Exclude<PlanNode, SourceNode>

/** A job to explain, not bound to connectors. */
interface PlannedJob {
  readonly plan: Plan
  readonly inputSchemas: Readonly<Record<string, Schema>>
  readonly paramsSchema: Schema
  readonly onError: "dead-letter" | "stop"
}

/** A job to explain, with its connectors. */
interface ConnectedJob extends Omit<PlannedJob, "inputSchemas"> {
  readonly params: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, { readonly schema: Schema; readonly source: SourceBinding }>>
  readonly outputs: Readonly<Record<string, SinkBinding>>
  readonly deadLetter: SinkBinding | undefined
  readonly maxBadRecords: number
  readonly epoch: { readonly minMicros: number; readonly maxMicros: number }
}

/**
 * Explains a job, bound or not.
 *
 * @param options.compile how lambdas may be compiled: what the job would run with.
 */
export function explain(job: PlannedJob | ConnectedJob, options: { readonly compile: CompileOptions }): Explanation {
  const { plan } = job
  const connected = "inputs" in job ? job : undefined
  const explainer = new NodeExplainer(plan, job.paramsSchema, options.compile)
  return {
    job: plan.jobName,
    fingerprint: planFingerprint(plan),
    params: explainParams(job.paramsSchema, connected?.params),
    nodes: plan.nodes.map((node) => {
      return node.kind === "source" ? explainInput(job, node, options.compile) : explainer.explain(node)
    }),
    outputs: plan.outputs.map(({ name, node, port }): ExplainedOutput => {
      const sink = connected?.outputs[name]
      const from = { id: plan.nodes[node]!.id, port }
      const columns = columnsOf(portSchema(plan, node, port))
      return { name, from, columns, sink: sink?.describe(), guarantee: sink?.guarantee }
    }),
    onError: job.onError,
    policies: connected === undefined ? undefined : explainPolicies(connected),
    oneThreadReason: oneThreadReason(job, options.compile),
    warnings: planWarnings(plan, job.paramsSchema),
  }
}

function oneThreadReason(job: PlannedJob | ConnectedJob, compile: CompileOptions): string | undefined {
  const { plan, paramsSchema } = job
  if ("inputs" in job) {
    const isAtMostOnce = ({ source }: { source: SourceBinding }) => source.readGuarantee === "at-most-once"
    if (Object.values(job.inputs).some(isAtMostOnce)) return "an input gives its records at most once"
  }
  const parts = partPlan(plan, { paramsSchema, params: "inputs" in job ? job.params : {}, compile })
  return "reason" in parts ? parts.reason : undefined
}

/** An explanation as text, for people. */
export function formatExplain(explanation: Explanation): string {
  return explanationText(explanation)
}

/** An explanation as a Mermaid flowchart, for documents. */
export function formatMermaid(explanation: Explanation): string {
  return explanationMermaid(explanation)
}

function explainParams(schema: Schema, values: Readonly<Record<string, unknown>> | undefined): ExplainedParam[] {
  const secrets = new Map(secretParams(schema).map(({ name, variable }) => [name, variable]))
  return schema.fields.map(({ name, type }) => {
    const variable = secrets.get(name)
    if (variable !== undefined) return { name, type: `${type.label} of ${variable}`, value: undefined }
    return { name, type: type.label, value: values === undefined ? undefined : type.toJson(values[name]) }
  })
}

function explainPolicies({ deadLetter, maxBadRecords, epoch }: ConnectedJob): ExplainedPolicies {
  return {
    deadLetter: deadLetter === undefined ? undefined : { sink: deadLetter.describe(), guarantee: deadLetter.guarantee },
    // JSON has no Infinity.
    maxBadRecords: maxBadRecords === Infinity ? undefined : maxBadRecords,
    epoch: { minMicros: epoch.minMicros, maxMicros: epoch.maxMicros },
  }
}

function explainInput(
  job: PlannedJob | ConnectedJob,
  { id, isIdGiven, kind, inputName }: SourceNode,
  compile: CompileOptions,
): ExplainedNode {
  const bound = "inputs" in job ? job.inputs[inputName] : undefined
  const schema = "inputs" in job ? bound?.schema : job.inputSchemas[inputName]
  const columns = schema!.fields.map(({ name, type }) => ({ name, type: type.fullLabel }))
  const parts = { id, isIdGiven, kind, isStateful: false, inputs: [], columns, changesColumns: true }
  const ofWindows = { mayBeLate: false, runsOnValues: undefined, sharesWith: [], aggregates: [] }
  const placed = bound?.source.runsPrefix === true ? placeText(job, inputName, compile) : ""
  const detail = bound === undefined ? undefined : sourceText(bound.source) + placed
  return { ...parts, detail, ...ofWindows, lambdas: [] }
}

const GUARANTEES: Readonly<Record<SourceGuarantee, string>> = {
  replayable: "",
  "durable-when-acknowledged": ", durable when acknowledged",
  "at-most-once": ", at most once over restarts",
}

/** Where rows are read, and what is promised of them, where that is not the usual. */
function sourceText(source: SourceBinding): string {
  return source.describe() + GUARANTEES[source.readGuarantee ?? "replayable"]
}

/** Behind which operators records are made durable, and why not further on. */
function placeText({ plan, paramsSchema, onError }: PlannedJob | ConnectedJob, input: string, compile: CompileOptions) {
  const { nodes, reason } = statelessPrefix(plan, input, { paramsSchema, compile, onError })
  if (nodes.length === 0) return `, kept as they were pushed: ${reason}`
  return `, kept behind ${nodes.map((at) => plan.nodes[at]!.id).join(", ")}: ${reason}`
}

function columnsOf(schema: Schema): ExplainedColumn[] {
  return schema.fields.map(({ name, type }) => ({ name, type: type.label }))
}

class NodeExplainer {
  readonly #plan: Plan
  readonly #params: Schema
  readonly #compile: CompileOptions

  constructor(plan: Plan, params: Schema, compile: CompileOptions) {
    this.#plan = plan
    this.#params = params
    this.#compile = compile
  }

  explain(node: InnerNode): ExplainedNode {
    const { id, isIdGiven, kind } = node
    const rows = portSchema(this.#plan, node.input, node.inputPort)
    return {
      id,
      isIdGiven,
      kind,
      isStateful: isStateful(node),
      inputs: inputsOf(node).map(({ input, inputPort }) => ({ id: this.#plan.nodes[input]!.id, port: inputPort })),
      detail: detailOf(node),
      columns: columnsOf(node.schema),
      changesColumns: rows.label !== node.schema.label,
      mayBeLate: mayBeLate(this.#plan, node),
      runsOnValues: node.kind === "windowAggregate" ? reasonForValues(node) : undefined,
      sharesWith: node.kind === "windowAggregate" ? sharesWith(this.#plan, node) : [],
      aggregates: node.kind === "windowAggregate" || node.kind === "over" ? node.aggregates.map(explainAggregate) : [],
      lambdas: this.#lambdasOf(node, rows),
    }
  }

  #lambdasOf(node: InnerNode, rows: Schema): ExplainedLambda[] {
    const request = { schema: rows, params: this.#params, options: this.#compile }
    switch (node.kind) {
      case "filter": {
        const { predicate: lambda } = node
        return [explainLambda("predicate", lambda, compilePredicate({ ...request, lambda }).form)]
      }
      case "derive":
      case "map": {
        const { lambda } = node
        const targets = node.kind === "derive" ? node.columns : node.schema.fields
        const { form } = compileProjection({ ...request, lambda, targets, shape: "object" })
        return [explainLambda("columns", lambda, form)]
      }
      case "asyncMap":
        return [calledLambda("columns", String(node.lambda))]
      case "flatMap": {
        const reason = "It gives a list of rows, and lists are not compiled."
        return [explainLambda("rows", node.lambda, { kind: "closure", reason, hint: undefined })]
      }
      case "validate":
        return [calledLambda("columns", `a validator of ${node.validator.vendor}`)]
      case "over":
      case "windowAggregate":
        return node.aggregates.flatMap(({ name, input }) => {
          if (input.kind !== "lambda") return []
          const { lambda, type } = input
          const targets = [{ name: "value", type }]
          return [explainLambda(name, lambda, compileProjection({ ...request, lambda, targets, shape: "value" }).form)]
        })
      case "select":
      case "notNull":
      case "union":
      case "processingTime":
      case "process":
        return []
      case "eventTime": {
        const { watermark: lambda } = node
        if (lambda === undefined) return []
        const targets = [{ name: "value", type: GIVEN_WATERMARK }]
        const { form } = compileProjection({ ...request, lambda, targets, shape: "value" })
        return [explainLambda("watermark", lambda, form)]
      }
      default:
        return unreachable(node, "a node")
    }
  }
}

function explainLambda(role: string, lambda: RowFunction, form: LambdaForm): ExplainedLambda {
  const isCompiled = form.kind === "compiled"
  return {
    role,
    source: String(lambda),
    form: form.kind,
    backEnds: isCompiled ? form.backEnds : [],
    mayThrow: isCompiled && form.mayThrow,
    reason: isCompiled ? undefined : form.reason,
    hint: isCompiled ? undefined : form.hint,
    ir: isCompiled ? form.ir : undefined,
  }
}

/** One that is called for each row, and may give its answer later. */
function calledLambda(role: string, source: string): ExplainedLambda {
  const nothing = { backEnds: [], mayThrow: false, reason: undefined, hint: undefined, ir: undefined }
  return { role, source, form: "called", ...nothing }
}

/** Whether rows can come too late for a node. */
function mayBeLate(plan: Plan, node: InnerNode): boolean {
  if (node.kind !== "over" && node.kind !== "windowAggregate") return false
  const isEndless = node.kind === "windowAggregate" && ["count", "global"].includes(node.window.kind)
  return !isEndless && eventTimeShift(plan, node) === 0
}

function sharesWith(plan: Plan, node: WindowAggregateNode): string[] {
  const members = windowGroupOf(plan, node)?.members ?? []
  return plan.nodes.flatMap((other) => (other !== node && members.some((each) => each === other) ? other.id : []))
}

function explainAggregate(aggregate: AggregateSpec): ExplainedAggregate {
  const { name, kind, input, resultType } = aggregate
  const [call, settings] = kind === "accumulated" ? [aggregate.call, aggregate.settings] : [kind, ""]
  const text = [inputText(input), settings].filter((part) => part !== "").join(", ")
  return { name, type: resultType.label, text: `${call}(${text})` }
}

/** What an aggregate reads; empty where that goes without saying. */
function inputText(input: AggregateInput): string {
  switch (input.kind) {
    case "none":
    case "columns":
      return ""
    case "column":
      return JSON.stringify(input.name)
    case "lambda":
      return String(input.lambda).replaceAll(/\s+/g, " ")
  }
}

function detailOf(node: InnerNode): string | undefined {
  switch (node.kind) {
    case "filter":
    case "map":
    case "flatMap":
    case "union":
    case "validate":
      return undefined
    case "derive":
      return setsText(node.columns)
    case "asyncMap":
      return `${setsText(node.columns)}; ${policyText(node.policy)}`
    case "select":
      return node.columns.join(", ")
    case "notNull":
      return `drops rows without ${node.columns.join(", ")}`
    case "process":
      return processDetail(node.spec)
    case "eventTime":
      if (node.watermark !== undefined)
        return `${node.column}, with the watermarks that a lambda gives${reachText(node)}`
      return `${node.column}, up to ${formatDuration(node.outOfOrderMicros)} out of order${reachText(node)}`
    case "processingTime":
      return `${node.column}, by the clock`
    case "over":
      return `the last ${formatDuration(node.rangeMicros)} of ${node.timeColumn}, ${keysText(node.keys)}`
    case "windowAggregate":
      return windowDetail(node)
    default:
      return unreachable(node, "a node")
  }
}

function windowDetail({ window, timeColumn, keys, firing }: WindowAggregateNode): string {
  const of = window.kind === "count" ? " of records" : window.kind === "global" ? "" : ` of ${timeColumn ?? "nothing"}`
  const fires = firing === undefined ? "" : `; fires ${firingText(firing)}`
  return `${windowLabel(window)}${of}, ${keysText(keys)}${fires}`
}

function setsText(columns: readonly Field[]): string {
  return `sets ${columns.map(({ name, type }) => `${name}: ${type.label}`).join(", ")}`
}

function policyText({ inFlight, order, timeoutMicros, attempts, onFailure }: CallPolicy): string {
  const times = `${counted(attempts, "attempt")} of ${formatDuration(timeoutMicros)}`
  const failing =
    onFailure === undefined ? "" : onFailure === "stop" ? ", then it stops the job" : ", then a dead letter"
  return `${inFlight} rows in flight, in order of ${order}, ${times}${failing}`
}

function processDetail(spec: ProcessNode["spec"]): string {
  const { keys, inputs } = spec
  const names = inputs.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const of = `${names.length === 0 ? "" : `connects ${names.join(", ")} `}${keysText(keys)}`
  if ("open" in spec) return `${of}, an operator with snapshots of the type ${spec.type.label}`
  const { state, timers } = spec
  const states = Object.entries(state).map(([name, { kind, type }]) => `${name} (${kind} of ${type.label})`)
  const timed = timers.map(({ name, domain }) => `${name} (${domain} time)`)
  const parts = [
    states.length === 0 ? "no state" : `state ${states.join(", ")}`,
    timed.length === 0 ? "no timers" : `timers ${timed.join(", ")}`,
  ]
  return `${of}, ${parts.join(", ")}`
}

function keysText(keys: readonly string[]): string {
  return keys.length === 0 ? "of the whole stream" : `by ${keys.join(", ")}`
}
