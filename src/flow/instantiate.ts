/** From nodes of a plan to operators. What a plan may not ask for is refused here in words, whoever recorded it. */
import { assert, unreachable } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import { rowReader } from "../batch/row-reader.ts"
import { Schema, type Field } from "../batch/schema.ts"
import { boolType } from "../batch/types/bool.ts"
import type { Predicate, Projection, RowFunction } from "../expr/lambda.ts"
import { compilePredicate } from "../expr/predicate.ts"
import { compileProjection } from "../expr/projection.ts"
import { columnsRead } from "../expr/row-reads.ts"
import type { AccumulatorDefinition } from "./aggregates/accumulator.ts"
import { AGGREGATES } from "./aggregates/definitions.ts"
import type { Operator, OperatorContext } from "./operator.ts"
import { AsyncMap } from "./operators/async-map.ts"
import { Derive } from "./operators/derive.ts"
import { EventTime } from "./operators/event-time.ts"
import { GIVEN_WATERMARK, GivenWatermarks } from "./operators/given-watermarks.ts"
import { ProcessingTime } from "./operators/processing-time.ts"
import { Filter } from "./operators/filter.ts"
import { FlatMap } from "./operators/flat-map.ts"
import { MapRows } from "./operators/map.ts"
import { NotNull } from "./operators/not-null.ts"
import { Select } from "./operators/select.ts"
import { Union } from "./operators/union.ts"
import { Validate } from "./operators/validate.ts"
import {
  aggregateInputType,
  eventTimeShift,
  inputsOf,
  isUpdating,
  portSchema,
  windowLabel,
  type AggregateInput,
  type AggregateSpec,
  type AsyncMapNode,
  type CountSpec,
  type EventTimeNode,
  type FiringSpec,
  type KernelAggregateInput,
  type KernelAggregateSpec,
  type OverNode,
  type Plan,
  type PlanNode,
  type SlicedWindowSpec,
  type ProcessNode,
  type SourceNode,
  type TimeWindowSpec,
  type UnionNode,
  type WindowAggregateNode,
} from "./plan.ts"
import { KeyedInstances } from "./process/keyed-instances.ts"
import { KeyedProcess } from "./process/keyed-process.ts"
import { hasEventTime } from "./process/process-spec.ts"
import { sharedIndex, slideOf, windowGroupOf, type WindowGroup } from "./shared-windows.ts"
import { stateSignature } from "./state-signature.ts"
import { runsInKernels, type SlicedWindowNode } from "./window-engine.ts"
import { CountWindows } from "./windows/count/count-windows.ts"
import { GeneralWindows } from "./windows/general/general-windows.ts"
import type { RowInput } from "./windows/general/row-values.ts"
import { needsExactWatermarks, paneWindowsOf, windowingOf } from "./windows/general/window-kinds.ts"
import { OverAggregate } from "./windows/over/over-aggregate.ts"
import { SharedSlices } from "./windows/shared/shared-slices.ts"
import { SharedWindow } from "./windows/shared/shared-window.ts"
import { TriggeredWindows } from "./windows/triggered/triggered-windows.ts"
import { WindowAggregate, type WindowAggregateColumn, type WindowAggregateOptions } from "./windows/window-aggregate.ts"
import type { WindowInput } from "./windows/window-inputs.ts"
import { shapedAggregate } from "./windows/kernels/window-shape.ts"

type InnerNode = Exclude<PlanNode, SourceNode>

/** The slices that windows of a plan share, by the id of the window whose state they are. */
export type SlicesById = Map<string, SharedSlices>

/**
 * The operator that does what a node says. Nodes of one plan are given one after the other, with the same map of slices.
 *
 * @throws TidemarkError `invalid-plan` where the node asks for what cannot be.
 */
export function instantiate(plan: Plan, node: InnerNode, context: OperatorContext, slices: SlicesById): Operator {
  const input = portSchema(plan, node.input, node.inputPort)
  const { id, schema } = node
  switch (node.kind) {
    case "filter":
      return new Filter(id, predicateOf(node.predicate, input, context), columnsRead(node.predicate, input), context)
    case "derive": {
      const projection = projectionOf(node.lambda, input, node.columns, "object", context)
      return new Derive({ id, input, columns: node.columns, schema, projection }, context)
    }
    case "map":
      return new MapRows(id, schema, projectionOf(node.lambda, input, schema.fields, "object", context), context)
    case "flatMap":
      return new FlatMap(id, node.lambda, input, schema, context)
    case "validate":
      return new Validate(id, node.validator, schema, context)
    case "select":
      return new Select(input, schema)
    case "notNull":
      return new NotNull(input, schema, node.columns, context.arena)
    case "union":
      return unionOf(plan, node)
    case "process":
      return processOf(plan, node, context)
    case "eventTime":
      return eventTimeOf(plan, node, input, context)
    case "processingTime":
      return new ProcessingTime({ id, signature: stateSignature(plan, node), column: node.column, schema }, context)
    case "asyncMap":
      return asyncMapOf(plan, node, input, context)
    case "over":
      return overOf(plan, node, input, context)
    case "windowAggregate": {
      const { window, firing } = node
      if (firing !== undefined) return triggeredWindowsOf(plan, node, firing, context)
      if (window.kind === "count") return countWindowsOf(plan, node, window, context)
      if (window.kind === "global") throw invalid(id, "has windows without an end that nothing fires")
      if (!runsInKernels(node)) return generalWindowsOf(plan, node, window, context)
      const group = windowGroupOf(plan, node)
      if (group !== undefined) return sharedWindowOf(plan, node, group, context, slices)
      return new WindowAggregate(windowOptionsOf(plan, node, node.window, node.aggregates, context), context)
    }
    default:
      return unreachable(node, "a node")
  }
}

function unionOf(plan: Plan, node: UnionNode): Union {
  const inputs = inputsOf(node).map(({ input, inputPort }) => portSchema(plan, input, inputPort))
  for (const { name, type } of node.schema.fields) {
    for (const input of inputs) {
      const given = input.field(name)?.type
      if (given?.definition.label === type.definition.label && (type.isNullable || !given.isNullable)) continue
      throw invalid(
        node.id,
        `needs ${JSON.stringify(name)} of the type ${type.label}, and it is ${given?.label ?? "missing"}`,
      )
    }
  }
  return new Union(inputs, node.schema)
}

function processOf(plan: Plan, node: ProcessNode, context: OperatorContext): Operator {
  const { id, schema, spec } = node
  const inputs = inputsOf(node).map(({ input, inputPort }) => portSchema(plan, input, inputPort))
  inputs.forEach((input, index) => {
    for (const name of spec.keys) {
      const type = input.field(name)?.type
      const label = inputs[0]!.field(name)?.type.definition.label
      if (type !== undefined && type.storage !== "struct" && type.definition.label === label) continue
      throw invalid(id, `cannot have ${JSON.stringify(name)} as a key: it is ${type?.label ?? "missing"}`)
    }
    const timeColumn = spec.inputs[index]?.timeColumn
    if (timeColumn !== undefined) timeIndexOf(input, timeColumn, id)
  })
  const timeShift = hasEventTime(spec) ? eventTimeShift(plan, node) : 0
  const parts = { id, signature: stateSignature(plan, node), inputs, schema, timeShift }
  return "open" in spec
    ? new KeyedInstances({ ...parts, spec }, context)
    : new KeyedProcess({ ...parts, spec }, context)
}

function eventTimeOf(plan: Plan, node: EventTimeNode, input: Schema, context: OperatorContext): EventTime {
  const { id, column, outOfOrderMicros, watermark, idleAfterMicros = Infinity, maxDriftMicros } = node
  const timeIndex = timeIndexOf(input, column, id)
  const isExact = needsExactWatermarks(plan, node)
  const signature = stateSignature(plan, node)
  const drift = maxDriftMicros === undefined ? {} : { maxDriftMicros }
  const base = { id, signature, timeIndex, outOfOrderMicros, isExact, idleAfterMicros, ...drift }
  if (watermark === undefined) return new EventTime(base, context.arena)
  const target = { name: "value", type: GIVEN_WATERMARK }
  const given = new GivenWatermarks(id, projectionOf(watermark, input, [target], "value", context), context)
  return new EventTime({ ...base, given }, context.arena)
}

function asyncMapOf(plan: Plan, node: AsyncMapNode, input: Schema, context: OperatorContext): AsyncMap {
  const { id, columns, schema, policy, timeColumn } = node
  if (timeColumn !== undefined) timeIndexOf(input, timeColumn, id)
  const time = timeColumn === undefined ? undefined : { column: timeColumn, shift: eventTimeShift(plan, node) }
  const keyPrefix = `${plan.jobName}/${id}`
  const signature = stateSignature(plan, node)
  return new AsyncMap({ id, signature, input, columns, schema, policy, time, keyPrefix }, context)
}

/** The place of a column of timestamps that are never null. */
function timeIndexOf(input: Schema, column: string, id: string): number {
  const type = input.field(column)?.type
  if (type?.kind === "timestamp" && !type.isNullable) return input.indexOf(column)
  const found = type === undefined ? "missing" : `of the type ${type.label}`
  throw invalid(id, `needs ${JSON.stringify(column)} to be a timestamp that is never null, and it is ${found}`)
}

/** What makes the operator of a window alone, and that of the slices of those that share them. */
function windowOptionsOf(
  plan: Plan,
  node: WindowAggregateNode,
  window: SlicedWindowSpec,
  specs: readonly KernelAggregateSpec[],
  context: OperatorContext,
): WindowAggregateOptions {
  const input = portSchema(plan, node.input, node.inputPort)
  const aggregates = specs.map((spec): WindowAggregateColumn => {
    const definition = AGGREGATES[spec.kind]
    checkResult(spec, definition, input, node.id)
    return { name: spec.name, kind: spec.kind, definition, input: windowInputOf(spec.input, input, context) }
  })
  return { ...timedGroupingOf(plan, node), window, aggregates }
}

/** What all windows have: where keys and event time stand, and the columns of their results. */
function groupingOf(plan: Plan, node: WindowAggregateNode) {
  const input = portSchema(plan, node.input, node.inputPort)
  const { id, schema, timeColumn } = node
  const bounds = (timeColumn === undefined ? 0 : 2) + (isUpdating(node) ? 1 : 0)
  const others = node.keys.length + node.aggregates.length
  assert(schema.fields.length === others + bounds, "results are keys, bounds, aggregates")
  const keys = keysOf(node, input)
  const base = { id, signature: stateSignature(plan, node), keys, schema }
  if (timeColumn === undefined) return { ...base, time: undefined }
  return { ...base, time: { index: timeIndexOf(input, timeColumn, id), shift: eventTimeShift(plan, node) } }
}

/** Where keys stand, and their types. */
function keysOf({ keys, id }: WindowAggregateNode | OverNode, input: Schema) {
  return keys.map((name) => {
    const type = input.field(name)?.type
    if (type === undefined || type.storage === "struct") {
      throw invalid(id, `cannot have ${JSON.stringify(name)} as a key: it is ${type?.label ?? "missing"}`)
    }
    return { index: input.indexOf(name), type }
  })
}

/** The same of windows that time cuts. */
function timedGroupingOf(plan: Plan, node: WindowAggregateNode) {
  const { time, ...grouping } = groupingOf(plan, node)
  if (time !== undefined) return { ...grouping, timeIndex: time.index, timeShift: time.shift }
  throw invalid(node.id, `cuts windows in event time, and has none`)
}

/** Aggregates as accumulators of plain values. */
function accumulatorsOf(plan: Plan, node: WindowAggregateNode | OverNode, context: OperatorContext) {
  const input = portSchema(plan, node.input, node.inputPort)
  return node.aggregates.map((spec) => {
    const definition = spec.kind === "accumulated" ? spec.define(context.params) : AGGREGATES[spec.kind]
    checkResult(spec, definition, input, node.id)
    const accumulator = definition.accumulator(aggregateInputType(spec.input, input))
    return { name: spec.name, input: rowInputOf(spec.input, input, context), accumulator }
  })
}

/** The operator of plain values. */
function generalWindowsOf(
  plan: Plan,
  node: WindowAggregateNode,
  window: TimeWindowSpec,
  context: OperatorContext,
): GeneralWindows {
  const aggregates = accumulatorsOf(plan, node, context)
  const options = { ...timedGroupingOf(plan, node), aggregates, makeWindowing: windowingOf(window) }
  return new GeneralWindows(options, context)
}

function triggeredWindowsOf(
  plan: Plan,
  node: WindowAggregateNode,
  firing: FiringSpec,
  context: OperatorContext,
): TriggeredWindows {
  const { window, timeColumn, id } = node
  const makeWindows = paneWindowsOf(window, firing.latenessMicros)
  if (makeWindows === undefined) throw invalid(id, `has ${windowLabel(window)} windows, which fire once`)
  const isGlobal = window.kind === "global"
  const needsTime = !isGlobal || firing.latenessMicros > 0 || firing.early.some(({ kind }) => kind === "eventTime")
  if (needsTime && timeColumn === undefined) throw invalid(id, "fires windows in event time, and has none")
  const punctuations = firing.early.flatMap((each) => (each.kind === "punctuation" ? each.lambda : []))
  if (punctuations.length > 1) throw invalid(id, "has several punctuations")
  const input = portSchema(plan, node.input, node.inputPort)
  const punctuation = punctuations.map((lambda) => {
    return projectionOf(lambda, input, [{ name: "value", type: boolType }], "value", context)
  })[0]
  const aggregates = accumulatorsOf(plan, node, context).map((each, index) => {
    return { ...each, resultType: node.aggregates[index]!.resultType }
  })
  const grouping = groupingOf(plan, node)
  return new TriggeredWindows({ ...grouping, aggregates, firing, punctuation, isGlobal, makeWindows }, context)
}

function overOf(plan: Plan, node: OverNode, input: Schema, context: OperatorContext): OverAggregate {
  const { id, schema, rangeMicros, timeColumn } = node
  const aggregates = accumulatorsOf(plan, node, context)
  const keys = keysOf(node, input)
  const timeIndex = timeIndexOf(input, timeColumn, id)
  const keepsSums = keepsSumsOf(node)
  const base = { id, signature: stateSignature(plan, node), input, schema, keys, rangeMicros, aggregates, keepsSums }
  return new OverAggregate({ ...base, timeIndex, timeShift: eventTimeShift(plan, node) }, context)
}

/** Whether partial results of all its aggregates are as small for many records as for one. */
function keepsSumsOf({ aggregates }: WindowAggregateNode | OverNode): boolean {
  return aggregates.every(({ kind }) => kind !== "accumulated")
}

function countWindowsOf(
  plan: Plan,
  node: WindowAggregateNode,
  window: CountSpec,
  context: OperatorContext,
): CountWindows {
  const aggregates = accumulatorsOf(plan, node, context)
  const keepsSums = keepsSumsOf(node)
  return new CountWindows({ ...groupingOf(plan, node), window, aggregates, keepsSums }, context)
}

function sharedWindowOf(
  plan: Plan,
  node: SlicedWindowNode,
  group: WindowGroup,
  context: OperatorContext,
  made: SlicesById,
): SharedWindow {
  const owner = group.members[0]!
  let slices = made.get(owner.id)
  if (slices === undefined) {
    const options = windowOptionsOf(plan, owner, owner.window, group.aggregates, context)
    // A record whose windows could not be named fails for all.
    const reach = Math.max(...group.members.map(({ window }) => window.sizeMicros + 2 * slideOf(window)))
    const maxTime = Number.MAX_SAFE_INTEGER - reach
    made.set(
      owner.id,
      (slices = new SharedSlices({ ...options, window: group.grid, isShared: true, maxTime }, context)),
    )
  }
  const input = portSchema(plan, node.input, node.inputPort)
  const aggregates = node.aggregates.map((spec) => {
    const type = aggregateInputType(spec.input, input)
    const shaped = shapedAggregate(spec.kind, AGGREGATES[spec.kind], type, "shared")
    return { name: spec.name, shaped, index: sharedIndex(group, spec) }
  })
  const { id, schema, window } = node
  const options = { id, signature: stateSignature(plan, node), window, aggregates, schema, isOwner: node === owner }
  return new SharedWindow(options, slices, context)
}

/** @throws TidemarkError where an aggregate has no result over what it reads. */
function checkResult(spec: AggregateSpec, definition: AccumulatorDefinition, input: Schema, id: string): void {
  const { name, resultType } = spec
  const type = aggregateInputType(spec.input, input)
  const result = definition.resultType(type)
  if (result === undefined) {
    const call = spec.kind === "accumulated" ? spec.call : spec.kind
    throw invalid(id, `cannot aggregate ${JSON.stringify(name)}: there is no ${call} over ${type?.label ?? "nothing"}`)
  }
  assert(result.storage === resultType.storage, "the plan's result type is the aggregate's")
  assert(resultType.isNullable || !result.isNullable, "what may be null is declared so")
}

/** What windows of plain values read. */
function rowInputOf(input: AggregateInput, rows: Schema, context: OperatorContext): RowInput {
  if (input.kind !== "columns") return windowInputOf(input, rows, context)
  const schema = new Schema(input.names.map((name) => rows.field(name)!))
  return { kind: "columns", indexes: input.names.map((name) => rows.indexOf(name)), schema, bind: rowReader(schema) }
}

function windowInputOf(input: KernelAggregateInput, rows: Schema, context: OperatorContext): WindowInput {
  switch (input.kind) {
    case "none":
      return input
    case "column":
      return { kind: "column", index: rows.indexOf(input.name), type: rows.field(input.name)!.type }
    case "lambda": {
      const target = { name: "value", type: input.type }
      return {
        kind: "lambda",
        projection: projectionOf(input.lambda, rows, [target], "value", context),
        type: input.type,
      }
    }
    default:
      return unreachable(input, "an aggregate's input")
  }
}

function predicateOf(lambda: RowFunction, rows: Schema, context: OperatorContext): Predicate {
  const { paramsSchema, compile, arena } = context
  return compilePredicate({ lambda, schema: rows, params: paramsSchema, options: compile, arena })
}

function projectionOf(
  lambda: RowFunction,
  rows: Schema,
  targets: readonly Field[],
  shape: "object" | "value",
  { paramsSchema, compile, arena }: OperatorContext,
): Projection {
  return compileProjection({ lambda, schema: rows, params: paramsSchema, targets, options: compile, shape, arena })
}

function invalid(id: string, problem: string): TidemarkError {
  return new TidemarkError("invalid-plan", `The operator ${id} ${problem}.`)
}
