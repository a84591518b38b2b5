/**
 * The stateless prefix of an input: the operators behind it that make what they make of each record alone, up to the last one that discards
 * rows or columns. A source that keeps what is pushed runs them first, and keeps what they leave (decision 0070).
 *
 * Invariants:
 * - SP1 The rows behind the prefix are a function of each record and the parameters: lambdas are compiled, and thus proven to be one.
 * - SP2 Where failing rows stop the job, none of the prefix can fail: the record would be gone when the lambda is mended.
 * - SP3 The plan behind the prefixes gives of their rows what the whole plan gives of the records; its other nodes are the same.
 * - SP4 No value decides what a prefix leaves, or what it says of a row that fails, that is in none of the columns that it reads.
 */
import { assert } from "../base/assert.ts"
import { fingerprint } from "../base/hash.ts"
import type { Schema } from "../batch/schema.ts"
import { secretParams } from "../batch/secret-params.ts"
import type { ColumnType } from "../batch/type.ts"
import type { LambdaForm } from "../expr/lambda.ts"
import { compilePredicate } from "../expr/predicate.ts"
import { compileProjection } from "../expr/projection.ts"
import { columnsRead } from "../expr/row-reads.ts"
import type { OperatorContext } from "./operator.ts"
import { inputsOf, isStateful, planFingerprint, portSchema, type Plan, type PlanNode } from "./plan.ts"

/** What decides how far a prefix reaches. */
export interface PrefixContext extends Pick<OperatorContext, "paramsSchema" | "compile"> {
  readonly onError: "dead-letter" | "stop"
}

/** The prefix of an input; `nodes` is empty where it has none, and `reason` says why it ends where it does, as a clause. */
export interface StatelessPrefix {
  readonly input: string
  /** The places of its operators in the plan, in order. */
  readonly nodes: readonly number[]
  readonly reason: string
}

/** The prefix of an input of a plan. */
export function statelessPrefix(plan: Plan, input: string, context: PrefixContext): StatelessPrefix {
  let at = plan.nodes.findIndex((node) => node.kind === "source" && node.inputName === input)
  assert(at >= 0, "a plan has its inputs")
  const nodes: number[] = []
  /** How many of them there are up to the last one that discards something. */
  let kept = 0
  let reason: string | undefined
  while (reason === undefined) {
    const next = onlyConsumer(plan, at)
    if (next === undefined) {
      reason = `what ${plan.nodes[at]!.id} gives is taken in several places, or is an output`
      break
    }
    const node = plan.nodes[next]!
    reason = reasonAgainst(plan, node, context)
    if (reason !== undefined) break
    nodes.push(next)
    if (discards(plan, node)) kept = nodes.length
    at = next
  }
  if (kept === 0 && nodes.length > 0) reason = `nothing before that discards rows or columns; ${reason}`
  return { input, nodes: nodes.slice(0, kept), reason }
}

/** The node that takes all that another one gives, where it is the only one. */
function onlyConsumer(plan: Plan, at: number): number | undefined {
  const consumers = plan.nodes.flatMap((node, index) =>
    inputsOf(node).flatMap(({ input }) => (input === at ? index : [])),
  )
  return consumers.length === 1 && plan.outputs.every(({ node }) => node !== at) ? consumers[0] : undefined
}

/** Why a node is in no prefix, as a clause. */
function reasonAgainst(plan: Plan, node: PlanNode, context: PrefixContext): string | undefined {
  const { id, kind } = node
  if (kind === "select" || kind === "notNull") return undefined
  const form = formOf(plan, node, context)
  if (form === undefined) return isStateful(node) ? `${id} keeps state` : `${id} is ${kind}`
  if (form.kind === "closure") return `a lambda of ${id} is not compiled`
  return context.onError === "stop" && form.mayFail ? `a lambda of ${id} may fail, which stops the job` : undefined
}

/** How the lambda of a node runs that makes something of each row alone; `undefined` of others. */
function formOf(plan: Plan, node: PlanNode, { paramsSchema, compile }: PrefixContext): LambdaForm | undefined {
  if (node.kind !== "filter" && node.kind !== "map" && node.kind !== "derive") return undefined
  const schema = portSchema(plan, node.input, node.inputPort)
  const request = { schema, params: paramsSchema, options: compile }
  if (node.kind === "filter") return compilePredicate({ ...request, lambda: node.predicate }).form
  const targets = node.kind === "derive" ? node.columns : node.schema.fields
  return compileProjection({ ...request, lambda: node.lambda, targets, shape: "object" }).form
}

function discards(plan: Plan, node: PlanNode): boolean {
  if (node.kind === "filter" || node.kind === "notNull") return true
  if (node.kind !== "select" && node.kind !== "map") return false
  return widthOf(node.schema) < widthOf(portSchema(plan, node.input, node.inputPort))
}

/** About how many bytes a row takes. */
function widthOf({ fields }: Pick<Schema, "fields">): number {
  const ofType = ({ storage, definition }: ColumnType): number => {
    if (storage === "struct") return (definition.fields ?? []).reduce((sum, { type }) => sum + ofType(type), 0)
    if (storage === "dictionary" && definition.symbols === undefined) return 16
    return storage === "bit" ? 1 : storage === "int64" || storage === "float64" ? 8 : 4
  }
  return fields.reduce((sum, { type }) => sum + ofType(type), 0)
}

/** The name of the only output of a prefix's plan. */
export const PREFIX_OUTPUT = "kept"

/** A prefix as a plan by itself. */
export function planOfPrefix(plan: Plan, { input, nodes }: StatelessPrefix): Plan {
  assert(nodes.length > 0, "a prefix has operators")
  const source = plan.nodes.find((node) => node.kind === "source" && node.inputName === input)!
  const chain = nodes.map((at, index): PlanNode => ({ ...plan.nodes[at]!, input: index }) as PlanNode)
  const outputs = [{ name: PREFIX_OUTPUT, node: chain.length, port: "main" as const }]
  return { jobName: plan.jobName, nodes: [source, ...chain], outputs }
}

/** The columns of its input that a prefix reads or leaves (SP4), by name. */
export function columnsOfPrefix(plan: Plan, { nodes }: StatelessPrefix, context: PrefixContext): ReadonlySet<string> {
  let names = namesOf(plan.nodes[nodes.at(-1)!]!.schema)
  for (const at of [...nodes].reverse()) {
    const node = plan.nodes[at]!
    assert(node.kind !== "source", "a prefix has operators")
    // What is read behind it is among what it selects.
    if (node.kind === "select") continue
    const schema = portSchema(plan, node.input, node.inputPort)
    names = mayFail(plan, node, context)
      ? namesOf(schema)
      : new Set([...namesPassed(node, names), ...namesRead(node, schema)])
  }
  return names
}

/** The columns in front of a node that are those behind it, of some of these. */
function namesPassed(node: PlanNode, behind: ReadonlySet<string>): readonly string[] {
  if (node.kind === "map") return []
  const own = node.kind === "derive" ? node.columns.map(({ name }) => name) : []
  return [...behind].filter((name) => !own.includes(name))
}

/** The columns that a node looks at. */
function namesRead(node: PlanNode, schema: Schema): readonly string[] {
  if (node.kind === "notNull") return node.columns
  const lambda =
    node.kind === "filter" ? node.predicate : node.kind === "derive" || node.kind === "map" ? node.lambda : undefined
  return lambda === undefined ? [] : columnsRead(lambda, schema).map((index) => schema.fields[index]!.name)
}

function namesOf({ fields }: Schema): ReadonlySet<string> {
  return new Set(fields.map(({ name }) => name))
}

/** Whether rows may fail at a node: they are told as a whole. */
function mayFail(plan: Plan, node: PlanNode, context: PrefixContext): boolean {
  if (node.kind === "notNull") return false
  const form = formOf(plan, node, context)
  return form?.kind !== "compiled" || form.mayFail
}

/** What tells the rows of a prefix from those that another one would leave of the same records; secrets are not in it. */
export function prefixFingerprint(
  plan: Plan,
  prefix: StatelessPrefix,
  paramsSchema: Schema,
  params: Readonly<Record<string, unknown>>,
): string {
  const secrets = new Set(secretParams(paramsSchema).map(({ name }) => name))
  const values = paramsSchema.fields.flatMap(({ name, type }) =>
    secrets.has(name) ? [] : [`${name}: ${type.toJson(params[name])}`],
  )
  return fingerprint([planFingerprint(planOfPrefix(plan, prefix)), ...values].join("\n"))
}

/** The plan without the operators of prefixes: its inputs have the rows behind them. */
export function planBehind(plan: Plan, prefixes: readonly StatelessPrefix[]): Plan {
  /** By the place of a node that is left out: that of the input whose rows it has made. */
  const sources = new Map<number, number>()
  const schemas = new Map<number, Schema>()
  for (const { input, nodes } of prefixes) {
    const source = plan.nodes.findIndex((node) => node.kind === "source" && node.inputName === input)
    for (const at of nodes) sources.set(at, source)
    if (nodes.length > 0) schemas.set(source, plan.nodes[nodes.at(-1)!]!.schema)
  }
  const left = plan.nodes.flatMap((_, at) => (sources.has(at) ? [] : at))
  const places = new Map(left.map((at, place) => [at, place]))
  const placeOf = (at: number): number => places.get(sources.get(at) ?? at)!
  const nodes = left.map((at): PlanNode => {
    const node = plan.nodes[at]!
    if (node.kind === "source") return { ...node, schema: schemas.get(at) ?? node.schema }
    const moved = { ...node, input: placeOf(node.input) }
    if (moved.kind !== "union" && moved.kind !== "process") return moved
    return { ...moved, others: moved.others.map((other) => ({ ...other, input: placeOf(other.input) })) }
  })
  return { ...plan, nodes, outputs: plan.outputs.map((output) => ({ ...output, node: placeOf(output.node) })) }
}
