/**
 * Which plans run part by part, on threads that know only a part of the stream each (`part-runner.ts`), and such a plan as
 * plain data.
 *
 * Lambdas go as their texts, with what was proven of their names: a thread compiles them again. So a plan of which any lambda
 * runs as its closure stays on the thread that has it.
 *
 * Invariants:
 * - PP1 The plan made of a plan's data has the same nodes, schemas and outputs; two nodes that have the same lambda have the
 *   same one there.
 * - PP2 What is asked of a lambda's names is answered there as it was here.
 */
import { assert } from "../../base/assert.ts"
import { schemaData, schemaOfData, type SchemaData } from "../../batch/schema-data.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { NameProof } from "../../expr/compile.ts"
import type { LambdaForm, RowFunction } from "../../expr/lambda.ts"
import { compilePredicate } from "../../expr/predicate.ts"
import { compileProjection } from "../../expr/projection.ts"
import { sourceTextOf, standInFor } from "../../expr/source-text.ts"
import type { OperatorContext } from "../operator.ts"
import {
  portSchema,
  type AggregateKind,
  type DeriveNode,
  type FilterNode,
  type KernelAggregateInput,
  type MapNode,
  type Plan,
  type PlanNode,
  type PlanOutput,
  type Port,
  type SlicedWindowSpec,
  type WindowAggregateNode,
} from "../plan.ts"
import { windowGroupOf } from "../shared-windows.ts"
import { reasonForValues, runsInKernels } from "../window-engine.ts"

/** A lambda: its text, and what was proven of the names in it. */
interface LambdaData {
  readonly text: string
  /** Names that are those of genuine globals. */
  readonly globals: readonly string[]
  readonly constants: readonly (readonly [string, null | boolean | number | bigint | string])[]
}

interface NodeBase {
  readonly id: string
  readonly isIdGiven: boolean
  readonly schema: SchemaData
  readonly input: number
  readonly inputPort: Port
}

/** What an aggregate reads; a lambda by its place in the list of all. */
type InputData =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "lambda"; readonly lambda: number; readonly type: SchemaData }

interface AggregateData {
  readonly name: string
  readonly kind: AggregateKind
  readonly input: InputData
  readonly resultType: SchemaData
}

type NodeData =
  | {
      readonly kind: "source"
      readonly id: string
      readonly isIdGiven: boolean
      readonly schema: SchemaData
      readonly inputName: string
    }
  | ({ readonly kind: "filter" | "map"; readonly lambda: number } & NodeBase)
  | ({ readonly kind: "derive"; readonly columns: SchemaData; readonly lambda: number } & NodeBase)
  | ({ readonly kind: "select" | "notNull"; readonly columns: readonly string[] } & NodeBase)
  | ({ readonly kind: "eventTime"; readonly column: string; readonly outOfOrderMicros: number } & NodeBase)
  | ({
      readonly kind: "windowAggregate"
      readonly keys: readonly string[]
      readonly timeColumn: string
      readonly window: SlicedWindowSpec
      readonly aggregates: readonly AggregateData[]
    } & NodeBase)

/** A plan, its parameters and its proofs, as plain data. */
export interface PartPlanData {
  /** The place of the column of the input that tells event time. */
  readonly timeIndex: number
  readonly jobName: string
  readonly nodes: readonly NodeData[]
  readonly outputs: readonly PlanOutput[]
  readonly lambdas: readonly LambdaData[]
  readonly paramsSchema: SchemaData
  readonly params: Readonly<Record<string, unknown>>
}

/** A plan that runs part by part. */
export interface PartPlan {
  readonly data: PartPlanData
  /** The only input. */
  readonly input: string
  readonly outOfOrderMicros: number
  /** Records this much earlier than the watermark count in no window that is open at it. */
  readonly reachMicros: number
}

/** What is asked to find out how a plan runs. */
export type PartPlanContext = Pick<OperatorContext, "paramsSchema" | "params" | "compile">

/** The plan as one that runs part by part, or why it does not, as a clause. */
export function partPlan(plan: Plan, context: PartPlanContext): PartPlan | { readonly reason: string } {
  const reason = structuralReason(plan)
  if (reason !== undefined) return { reason }
  const lambdas = new Lambdas(plan, context)
  const nodes = plan.nodes.map((node) => nodeData(node, lambdas))
  if (lambdas.reason !== undefined) return { reason: lambdas.reason }
  const { paramsSchema, params } = context
  const [source, eventTime] = [plan.nodes[0]!, plan.nodes.find((node) => node.kind === "eventTime")!]
  assert(source.kind === "source" && eventTime.kind === "eventTime", "the plan's structure was looked at")
  const { jobName, outputs } = plan
  const timeIndex = source.schema.indexOf(eventTime.column)
  return {
    data: { timeIndex, jobName, nodes, outputs, lambdas: lambdas.data, paramsSchema: schemaData(paramsSchema), params },
    input: source.inputName,
    outOfOrderMicros: eventTime.outOfOrderMicros,
    reachMicros: reachOf(plan),
  }
}

/** Why the nodes of a plan do not run part by part. */
function structuralReason(plan: Plan): string | undefined {
  const { nodes } = plan
  if (nodes.filter(({ kind }) => kind === "source").length > 1) return "it has several inputs"
  if (nodes.filter(({ kind }) => kind === "eventTime").length !== 1) return "it has not one event time"
  if (!nodes.some(({ kind }) => kind === "windowAggregate")) return "it has no windows"
  for (const node of nodes) {
    const reason = nodeReason(plan, node)
    if (reason !== undefined) return `${node.id} ${reason}`
  }
  return undefined
}

function nodeReason(plan: Plan, node: PlanNode): string | undefined {
  switch (node.kind) {
    case "eventTime":
      if (node.watermark !== undefined) return "has watermarks that a function gives"
      if (!passesThrough(plan, node.input, node.column)) return "makes event time of a column that is computed"
      return undefined
    case "windowAggregate":
      return windowReason(plan, node)
    case "source":
    case "filter":
    case "derive":
    case "map":
    case "select":
    case "notNull":
      return undefined
    default:
      return `is ${node.kind}`
  }
}

function windowReason(plan: Plan, node: WindowAggregateNode): string | undefined {
  const values = reasonForValues(node)
  if (values !== undefined) return `has windows on plain values: ${values}`
  if (windowGroupOf(plan, node) !== undefined) return "shares slices with other windows"
  return plan.nodes[node.input]!.kind === "windowAggregate" && node.inputPort === "late"
    ? "is over late rows"
    : undefined
}

/** Whether a column is that of the source, as it was read. */
function passesThrough(plan: Plan, index: number, column: string): boolean {
  const node = plan.nodes[index]!
  if (node.kind === "source") return true
  if (node.kind === "map") return false
  if (node.kind === "derive" && node.columns.some(({ name }) => name === column)) return false
  return passesThrough(plan, node.input, column)
}

/** The sum of the sizes of windows along the longest way from the event time. */
function reachOf(plan: Plan): number {
  const reaches: number[] = []
  for (const node of plan.nodes) {
    const before = node.kind === "source" ? 0 : reaches[node.input]!
    // The first window that is open at a watermark ends behind it, and so starts less than its size before.
    const own = node.kind === "windowAggregate" && runsInKernels(node) ? node.window.sizeMicros : 0
    reaches.push(before + own)
  }
  return Math.max(...reaches)
}

/** The distinct lambdas of a plan, as they are met, and why they do not go to threads. */
class Lambdas {
  readonly #plan: Plan
  readonly #context: PartPlanContext
  readonly #places = new Map<RowFunction, number>()
  readonly #data: {
    text: string
    globals: Set<string>
    constants: Map<string, null | boolean | number | bigint | string>
  }[] = []
  reason: string | undefined

  constructor(plan: Plan, context: PartPlanContext) {
    this.#plan = plan
    this.#context = context
  }

  get data(): LambdaData[] {
    return this.#data.map(({ text, globals, constants }) => ({
      text,
      globals: [...globals],
      constants: [...constants],
    }))
  }

  predicate(node: FilterNode): number {
    return this.#add(node, node.predicate, (request) => compilePredicate(request).form)
  }

  projection(node: DeriveNode | MapNode): number {
    const targets = node.kind === "derive" ? node.columns : node.schema.fields
    return this.#add(node, node.lambda, (request) => compileProjection({ ...request, targets, shape: "object" }).form)
  }

  value(node: WindowAggregateNode, lambda: RowFunction, type: ColumnType): number {
    const targets = [{ name: "value", type }]
    return this.#add(node, lambda, (request) => compileProjection({ ...request, targets, shape: "value" }).form)
  }

  #add(
    node: Exclude<PlanNode, { kind: "source" }>,
    lambda: RowFunction,
    formOf: (request: Parameters<typeof compilePredicate>[0]) => LambdaForm,
  ): number {
    const place = this.#places.get(lambda) ?? this.#data.length
    if (place === this.#data.length) {
      this.#places.set(lambda, place)
      this.#data.push({ text: sourceTextOf(lambda) ?? "", globals: new Set(), constants: new Map() })
    }
    const { globals, constants } = this.#data[place]!
    const { paramsSchema: params, compile } = this.#context
    const proof: NameProof = {
      areGenuineGlobals(fn, names) {
        const areGenuine = compile.proof?.areGenuineGlobals(fn, names) === true
        if (areGenuine) for (const name of names) globals.add(name)
        return areGenuine
      },
      capturedConstant(fn, name) {
        const found = compile.proof?.capturedConstant(fn, name)
        if (found !== undefined) constants.set(name, found[0])
        return found
      },
    }
    const schema = portSchema(this.#plan, node.input, node.inputPort)
    const form = formOf({ lambda, schema, params, options: { ...compile, proof } })
    if (form.kind === "closure") this.reason ??= `a lambda of ${node.id} is not compiled: ${form.reason}`
    return place
  }
}

function typeData(type: ColumnType): SchemaData {
  return schemaData({ fields: [{ name: "type", type }] })
}

function typeOfData(data: SchemaData): ColumnType {
  return schemaOfData(data).fields[0]!.type
}

function nodeData(node: PlanNode, lambdas: Lambdas): NodeData {
  const { id, isIdGiven } = node
  const schema = schemaData(node.schema)
  if (node.kind === "source") return { kind: "source", id, isIdGiven, schema, inputName: node.inputName }
  const { input, inputPort } = node
  const base = { id, isIdGiven, schema, input, inputPort }
  switch (node.kind) {
    case "filter":
      return { kind: "filter", ...base, lambda: lambdas.predicate(node) }
    case "map":
      return { kind: "map", ...base, lambda: lambdas.projection(node) }
    case "derive":
      return {
        kind: "derive",
        ...base,
        columns: schemaData({ fields: node.columns }),
        lambda: lambdas.projection(node),
      }
    case "select":
    case "notNull":
      return { kind: node.kind, ...base, columns: node.columns }
    case "eventTime":
      return { kind: "eventTime", ...base, column: node.column, outOfOrderMicros: node.outOfOrderMicros }
    case "windowAggregate": {
      assert(runsInKernels(node), "kernels run the window")
      const { keys, timeColumn, window } = node
      const aggregates = node.aggregates.map(({ name, kind, input: read, resultType }): AggregateData => {
        return { name, kind, input: inputData(node, read, lambdas), resultType: typeData(resultType) }
      })
      return { kind: "windowAggregate", ...base, keys, timeColumn, window, aggregates }
    }
    default:
      throw new TypeError("the plan's structure was looked at")
  }
}

function inputData(node: WindowAggregateNode, input: KernelAggregateInput, lambdas: Lambdas): InputData {
  if (input.kind !== "lambda") return input
  return { kind: "lambda", lambda: lambdas.value(node, input.lambda, input.type), type: typeData(input.type) }
}

/** The plan of such data, with lambdas that can be compiled and not be called, and what was proven of them. */
export function planOfData(data: PartPlanData): { readonly plan: Plan; readonly proof: NameProof } {
  const lambdas = data.lambdas.map(({ text }) => standInFor(text))
  const places = new Map(lambdas.map((lambda, place) => [lambda, data.lambdas[place]!]))
  const proof: NameProof = {
    areGenuineGlobals: (fn, names) => {
      const known = places.get(fn)
      return known !== undefined && names.every((name) => known.globals.includes(name))
    },
    capturedConstant: (fn, name) => {
      const found = places.get(fn)?.constants.find(([constant]) => constant === name)
      return found && [found[1]]
    },
  }
  const { jobName, outputs } = data
  return { plan: { jobName, outputs, nodes: data.nodes.map((node) => nodeOfData(node, lambdas)) }, proof }
}

function nodeOfData(node: NodeData, lambdas: readonly RowFunction[]): PlanNode {
  const schema = schemaOfData(node.schema)
  switch (node.kind) {
    case "filter":
      return { ...node, kind: "filter", schema, predicate: lambdas[node.lambda]! }
    case "map":
      return { ...node, kind: "map", schema, lambda: lambdas[node.lambda]! }
    case "derive":
      return { ...node, schema, columns: schemaOfData(node.columns).fields, lambda: lambdas[node.lambda]! }
    case "windowAggregate": {
      const aggregates = node.aggregates.map(({ name, kind, input, resultType }) => {
        const read: KernelAggregateInput =
          input.kind === "lambda"
            ? { kind: "lambda", lambda: lambdas[input.lambda]!, type: typeOfData(input.type) }
            : input
        return { name, kind, input: read, resultType: typeOfData(resultType) }
      })
      return { ...node, schema, aggregates }
    }
    default:
      return { ...node, schema } as PlanNode
  }
}
