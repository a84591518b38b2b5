/**
 * The plan: what a job computes, as frozen data. `stream` records it, `dataflow.ts` executes it, `observe` explains it.
 *
 * Nodes stand in topological order and name their input by index. Lambdas are kept as the functions they are; `expr`
 * decides how each runs.
 *
 * Invariants:
 * - L1 A node's input stands before it.
 * - L2 Node ids are unique. A given id is the user's; a derived one depends only on the node's kind, its nearest
 *   stateful ancestor or source and its place among siblings of that kind, so that adding a filter renames no state.
 * - L3 `schema` is the row type of the node's main port; it never depends on whether a lambda compiles.
 */
import { unreachable } from "../base/assert.ts"
import { fingerprint } from "../base/hash.ts"
import { formatDuration } from "../base/duration.ts"
import type { Field, Schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { objectType } from "../batch/types/object.ts"
import type { RowFunction } from "../expr/lambda.ts"
import type { AccumulatorDefinition } from "./aggregates/accumulator.ts"
import type { CallFunction, CallPolicy } from "./calls.ts"
import type { Validator } from "./validator.ts"
import { operatorText, type OperatorSpec } from "./process/operator-spec.ts"
import { processText, type ProcessSpec } from "./process/process-spec.ts"

interface NodeBase {
  readonly id: string
  /** Whether the user gave the id, rather than its being derived. */
  readonly isIdGiven: boolean
  readonly schema: Schema
}

/** Where rows come from: a port of a node before. */
export interface PortRef {
  readonly input: number
  readonly inputPort: Port
}

interface InnerNode extends NodeBase, PortRef {
  /** The index of the node whose port feeds this one. */
  readonly input: number
  readonly inputPort: Port
}

/** An operator's outputs: its results, the rows that came too late for it, or an output of its own. */
export type Port = "main" | "late" | `side ${string}`

/** The port of an operator's own output of this name. */
export function sidePort(name: string): Port {
  return `side ${name}`
}

/** Where the rows of an input enter. */
export interface SourceNode extends NodeBase {
  readonly kind: "source"
  readonly inputName: string
}

/** Keeps the rows for which the predicate is truthy. */
export interface FilterNode extends InnerNode {
  readonly kind: "filter"
  readonly predicate: RowFunction
}

/** Adds columns; a column of the same name is replaced in place. */
export interface DeriveNode extends InnerNode {
  readonly kind: "derive"
  readonly columns: readonly Field[]
  readonly lambda: RowFunction
}

/** Makes each row anew from declared columns. */
export interface MapNode extends InnerNode {
  readonly kind: "map"
  readonly lambda: RowFunction
}

/** Makes of each row as many as its lambda gives, from declared columns. */
export interface FlatMapNode extends InnerNode {
  readonly kind: "flatMap"
  readonly lambda: RowFunction
}

/** Holds rows against a validator, which may change the values of columns. */
export interface ValidateNode extends InnerNode {
  readonly kind: "validate"
  readonly validator: Validator
}

/** Keeps some columns, in the order given. */
export interface SelectNode extends InnerNode {
  readonly kind: "select"
  readonly columns: readonly string[]
}

/** Drops rows in which one of the columns is null, and makes those columns required. */
export interface NotNullNode extends InnerNode {
  readonly kind: "notNull"
  readonly columns: readonly string[]
}

/** Gives the rows of several streams, as they come. */
export interface UnionNode extends InnerNode {
  readonly kind: "union"
  /** What feeds it beside `input`. Their rows have the columns of `schema`, perhaps in another order, or never null. */
  readonly others: readonly PortRef[]
}

/** Declares event time and makes watermarks. */
export interface EventTimeNode extends InnerNode {
  readonly kind: "eventTime"
  readonly column: string
  /** 0 where a function says what the watermarks are. */
  readonly outOfOrderMicros: number
  /** Gives the watermark behind a row, or null where it says nothing. */
  readonly watermark?: RowFunction
  /** For how long there must be nothing to read of a partition until it holds the watermark back no more; without it for ever. */
  readonly idleAfterMicros?: number
  /** How far a partition may be read ahead of one for which reading would have to wait; without it not at all. */
  readonly maxDriftMicros?: number
}

/** Adds a column of what the clock says, which is the event time from there on. */
export interface ProcessingTimeNode extends InnerNode {
  readonly kind: "processingTime"
  readonly column: string
}

/** Windows of one length that start every so often: the kinds that kernels cut. All lengths in microseconds. */
export type SlicedWindowSpec =
  | { readonly kind: "tumbling"; readonly sizeMicros: number; readonly offsetMicros: number }
  | {
      readonly kind: "hopping"
      readonly sizeMicros: number
      readonly slideMicros: number
      readonly offsetMicros: number
    }

/** Records of a key that follow each other without a gap of that length. */
export interface SessionSpec {
  readonly kind: "session"
  readonly gapMicros: number
}

/** Windows of one length that give results every step, of all their records so far. */
export interface CumulateSpec {
  readonly kind: "cumulate"
  readonly sizeMicros: number
  readonly stepMicros: number
  readonly offsetMicros: number
}

/** Windows of so many days, weeks, months, quarters or years of a time zone. */
export interface CalendarSpec {
  readonly kind: "calendar"
  readonly unit: "day" | "week" | "month" | "quarter" | "year"
  readonly count: number
  readonly zone: string
  /** How much later than at midnight they start. */
  readonly offsetMicros: number
}

/** Windows that time cuts. All lengths in microseconds. */
export type TimeWindowSpec = SlicedWindowSpec | SessionSpec | CumulateSpec | CalendarSpec

/** Windows of the last `count` records of a key, one behind every `every` of them. */
export interface CountSpec {
  readonly kind: "count"
  readonly count: number
  readonly every: number
}

/** One window for all records of a key. */
export interface GlobalSpec {
  readonly kind: "global"
}

/** How records are grouped into windows. */
export type WindowSpec = TimeWindowSpec | CountSpec | GlobalSpec

/** What makes windows fire before they end, where something in them is new. All lengths in microseconds. */
export type TriggerSpec =
  /** So many records. */
  | { readonly kind: "count"; readonly count: number }
  /** The watermark, or the clock, at whole multiples of a length since 1970. */
  | { readonly kind: "eventTime" | "clock"; readonly everyMicros: number }
  /** A record for which the predicate is true. */
  | { readonly kind: "punctuation"; readonly lambda: RowFunction }

/** How windows fire more than once. */
export interface FiringSpec {
  readonly early: readonly TriggerSpec[]
  /** For how long after a window has fired on time late records make it fire again. */
  readonly latenessMicros: number
  /** Whether each result is of the records since the last; else it is of all, and takes the place of the one before. */
  readonly isPurging: boolean
}

/** The aggregates that kernels compute. */
export type AggregateKind = "count" | "sum" | "min" | "max" | "mean" | "first" | "last"

/** What an aggregate that has a kernel reads of each row. */
export type KernelAggregateInput =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "lambda"; readonly lambda: RowFunction; readonly type: ColumnType }

/** What an aggregate reads of each row: also several columns, as an object. */
export type AggregateInput = KernelAggregateInput | { readonly kind: "columns"; readonly names: readonly string[] }

interface AggregateSpecBase {
  readonly name: string
  readonly input: AggregateInput
  readonly resultType: ColumnType
}

/** A result column that kernels can compute. */
export interface KernelAggregateSpec extends AggregateSpecBase {
  readonly kind: AggregateKind
  readonly input: KernelAggregateInput
}

/** A result column that only plain values have. */
export interface AccumulatedSpec extends AggregateSpecBase {
  readonly kind: "accumulated"
  /** What a program calls for it: `"quantile"`. */
  readonly call: string
  /** What it was told besides its input, as text; empty where nothing. */
  readonly settings: string
  /** That of it which the bytes of its state depend on. */
  readonly stateSettings: string
  /** The program's functions that it runs. */
  readonly functions: readonly RowFunction[]
  /** How it accumulates, in a job with these parameters. */
  readonly define: (params: Readonly<Record<string, unknown>>) => AccumulatorDefinition
}

/** One result column of a window. */
export type AggregateSpec = KernelAggregateSpec | AccumulatedSpec

/**
 * Aggregates rows by key and window. Its columns: `op` where results are updates, the keys, `windowStart`, `windowEnd`, the
 * aggregates.
 */
export interface WindowAggregateNode extends InnerNode {
  readonly kind: "windowAggregate"
  readonly keys: readonly string[]
  /**
   * The column of the input that tells event time; where the input is made of windows' results, their `windowEnd`. Windows
   * that time does not cut may have none: then their results have no bounds.
   */
  readonly timeColumn: string | undefined
  readonly window: WindowSpec
  /** Where windows fire more than once, or have no end: how. */
  readonly firing?: FiringSpec
  readonly aggregates: readonly AggregateSpec[]
}

/** What stands in the first column of updating streams: what becomes of the row with the same key. */
export const CHANGE_COLUMN = "op"

/** Whether the results of a window are updates: a later row may replace or withdraw an earlier one. */
export function isUpdating({ firing }: WindowAggregateNode): boolean {
  return firing !== undefined && !firing.isPurging
}

/** Asks something outside about each row, and adds the columns of the answer; a column of the same name is replaced in place. */
export interface AsyncMapNode extends InnerNode {
  readonly kind: "asyncMap"
  readonly columns: readonly Field[]
  readonly lambda: CallFunction
  readonly policy: CallPolicy
  /** The column of the input that tells event time; `undefined` where no event time passes through. */
  readonly timeColumn: string | undefined
}

/** Gives each row with aggregates over those of its key from a length of event time before it up to it. */
export interface OverNode extends InnerNode {
  readonly kind: "over"
  readonly keys: readonly string[]
  readonly timeColumn: string
  readonly rangeMicros: number
  readonly aggregates: readonly AggregateSpec[]
}

/** Keeps state by key, and gives what functions of the user's, or instances of an operator of theirs, make of each record and timer. */
export interface ProcessNode extends InnerNode {
  readonly kind: "process"
  /** What feeds it beside `input`. */
  readonly others: readonly PortRef[]
  readonly spec: ProcessSpec | OperatorSpec
}

/** A node of a plan. */
export type PlanNode =
  | SourceNode
  | FilterNode
  | DeriveNode
  | MapNode
  | FlatMapNode
  | ValidateNode
  | SelectNode
  | NotNullNode
  | UnionNode
  | EventTimeNode
  | ProcessingTimeNode
  | WindowAggregateNode
  | OverNode
  | AsyncMapNode
  | ProcessNode

/** A node that keeps state between batches. */
export type StatefulNode =
  EventTimeNode | ProcessingTimeNode | WindowAggregateNode | OverNode | AsyncMapNode | ProcessNode

/** A port of a node that a job returns under a name. */
export interface PlanOutput {
  readonly name: string
  readonly node: number
  readonly port: Port
}

/** What a job computes. */
export interface Plan {
  readonly jobName: string
  readonly nodes: readonly PlanNode[]
  readonly outputs: readonly PlanOutput[]
}

/** The row type of a port: late rows are the operator's input rows. */
export function portSchema(plan: Plan, node: number, port: Port): Schema {
  const from = plan.nodes[node]!
  if (from.kind === "process") {
    const side = Object.entries(from.spec.sides).find(([name]) => sidePort(name) === port)
    if (side !== undefined) return side[1]
  }
  if (port === "main" || from.kind === "source") return from.schema
  return portSchema(plan, from.input, from.inputPort)
}

/** What feeds a node: nothing feeds a source. */
export function inputsOf(node: PlanNode): readonly PortRef[] {
  if (node.kind === "source") return []
  return node.kind === "union" || node.kind === "process" ? [node, ...node.others] : [node]
}

/** Whether a node keeps state between batches. */
export function isStateful(node: PlanNode): node is StatefulNode {
  return ["eventTime", "processingTime", "windowAggregate", "over", "asyncMap", "process"].includes(node.kind)
}

/** Whether the rows of a port were made by the job, and come from no partition. */
export function isMade(node: PlanNode, port: Port): boolean {
  if (node.kind === "over") return port === "main"
  return node.kind === "process" || (isWindowResult(node, port) && node.window.kind !== "count")
}

/** Whether the rows of a port are results of windows. */
function isWindowResult(node: PlanNode, port: Port): node is WindowAggregateNode {
  return node.kind === "windowAggregate" && port === "main"
}

/** A window in words: `hopping 1h every 10m`. */
export function windowLabel(window: WindowSpec): string {
  switch (window.kind) {
    case "tumbling":
      return `tumbling ${formatDuration(window.sizeMicros)}${offsetLabel(window.offsetMicros)}`
    case "hopping": {
      const every = formatDuration(window.slideMicros)
      return `hopping ${formatDuration(window.sizeMicros)} every ${every}${offsetLabel(window.offsetMicros)}`
    }
    case "session":
      return `session gap ${formatDuration(window.gapMicros)}`
    case "cumulate": {
      const step = formatDuration(window.stepMicros)
      return `cumulate ${formatDuration(window.sizeMicros)} step ${step}${offsetLabel(window.offsetMicros)}`
    }
    case "calendar": {
      const { unit, count, zone, offsetMicros } = window
      return `calendar ${count === 1 ? unit : `${count} ${unit}s`} in ${zone}${offsetLabel(offsetMicros)}`
    }
    case "count":
      return `count ${window.count}${window.every === window.count ? "" : ` every ${window.every}`}`
    case "global":
      return "global"
    default:
      return unreachable(window, "a kind of windows")
  }
}

function offsetLabel(micros: number): string {
  if (micros === 0) return ""
  return ` offset ${micros < 0 ? "-" : ""}${formatDuration(Math.abs(micros))}`
}

/**
 * What is added to the time column that a node reads to give event time, in microseconds: the event time of a window's result
 * is the last moment of the window, one before its end.
 */
export function eventTimeShift(plan: Plan, node: WindowAggregateNode | OverNode | AsyncMapNode | ProcessNode): number {
  // A union has no results of windows, and so one answer for all that feeds it.
  let below: PlanNode = node
  while (below.kind !== "source" && below.kind !== "eventTime" && below.kind !== "processingTime") {
    const { inputPort } = below
    below = plan.nodes[below.input]!
    if (isWindowResult(below, inputPort)) return -1
    // Rows with aggregates over a range have the event time that they had before.
    if (isMade(below, inputPort) && below.kind !== "over") return 0
  }
  return 0
}

/** A window, its keys and its aggregates, with their types, as text. */
export function windowText(plan: Plan, node: WindowAggregateNode): string {
  const how = node.firing === undefined ? "" : isUpdating(node) ? "updating " : "purging "
  const untimed = node.timeColumn === undefined ? " without event time" : ""
  return `${how}${windowLabel(node.window)}${untimed} ${groupsText(plan, node)}`
}

/** The keys and aggregates of a node, with their types, as text. */
export function groupsText(plan: Plan, node: WindowAggregateNode | OverNode): string {
  const input = portSchema(plan, node.input, node.inputPort)
  const keys = node.keys.map((name) => `${JSON.stringify(name)}: ${input.field(name)!.type.label}`)
  const aggregates = node.aggregates.map((aggregate) => {
    const inputLabel = aggregateInputType(aggregate.input, input)?.label ?? ""
    const name = JSON.stringify(aggregate.name)
    if (aggregate.kind !== "accumulated") return `${name}: ${aggregate.kind}(${inputLabel})`
    const { call, stateSettings } = aggregate
    return `${name}: ${call}(${[inputLabel, stateSettings].filter((text) => text !== "").join(", ")})`
  })
  return `by (${keys.join(", ")}) of (${aggregates.join(", ")})`
}

/** How windows fire more than once, in words; empty where they do not. */
export function firingText({ early, latenessMicros, isPurging }: FiringSpec): string {
  const fires = early.map((each) => {
    switch (each.kind) {
      case "count":
        return `every ${each.count} records`
      case "eventTime":
        return `every ${formatDuration(each.everyMicros)} of event time`
      case "clock":
        return `every ${formatDuration(each.everyMicros)} by the clock`
      case "punctuation":
        return `where ${String(each.lambda).replaceAll(/\s+/g, " ")}`
    }
  })
  return [
    ...(fires.length === 0 ? [] : [`early ${fires.join(", ")}`]),
    ...(latenessMicros === 0 ? [] : [`for ${formatDuration(latenessMicros)} of late records`]),
    isPurging ? "each result of what is new" : "results update",
  ].join(", ")
}

/** The type of what an aggregate reads of each row; `undefined` where it reads nothing. */
export function aggregateInputType(input: AggregateInput, rows: Schema): ColumnType | undefined {
  switch (input.kind) {
    case "none":
      return undefined
    case "column":
      return rows.field(input.name)!.type
    case "lambda":
      return input.type
    case "columns":
      return objectType(Object.fromEntries(input.names.map((name) => [name, rows.field(name)!.type])))
  }
}

/** A text that names everything the plan computes, lambdas by their source text. */
function planText(plan: Plan): string {
  const lines = plan.nodes.map(
    (node, index) => `${index} ${node.id} ${node.kind} ${nodeText(plan, node)} -> ${node.schema.label}`,
  )
  const outputs = plan.outputs.map(({ name, node, port }) => `output ${JSON.stringify(name)} = ${node}.${port}`)
  return [plan.jobName, ...lines, ...outputs].join("\n")
}

function nodeText(plan: Plan, node: PlanNode): string {
  if (node.kind === "source") return JSON.stringify(node.inputName)
  const from = inputsOf(node)
    .map(({ input, inputPort }) => `${input}.${inputPort}`)
    .join(", ")
  switch (node.kind) {
    case "filter":
      return `${from} ${String(node.predicate)}`
    case "derive":
    case "map":
    case "flatMap":
      return `${from} ${String(node.lambda)}`
    case "validate":
      return `${from} ${node.validator.vendor}`
    case "select":
    case "notNull":
      return `${from} ${node.columns.map((name) => JSON.stringify(name)).join(", ")}`
    case "union":
      return from
    case "process":
      return `${from} ${processLabel(plan, node)} ${processCode(node.spec)}`
    case "eventTime":
      return `${from} ${JSON.stringify(node.column)} outOfOrder ${formatDuration(node.outOfOrderMicros)} ${String(node.watermark ?? "")}${reachText(node)}`
    case "processingTime":
      return `${from} ${JSON.stringify(node.column)}`
    case "asyncMap":
      return `${from} ${String(node.lambda)} ${JSON.stringify(node.policy)}`
    case "over":
      return `${from} over ${formatDuration(node.rangeMicros)} of ${JSON.stringify(node.timeColumn)} ${groupsText(plan, node)} ${node.aggregates.map(aggregateText).join("; ")}`
    case "windowAggregate":
      return `${from} ${windowText(plan, node)} ${[...(node.firing === undefined ? [] : [firingText(node.firing)]), ...node.aggregates.map(aggregateText)].join("; ")}`
  }
}

/** What partitions may do that bring nothing, or much, in words; empty where nothing is said. */
export function reachText({ idleAfterMicros, maxDriftMicros }: EventTimeNode): string {
  const idle = idleAfterMicros === undefined ? "" : `, idle after ${formatDuration(idleAfterMicros)}`
  return maxDriftMicros === undefined ? idle : `${idle}, at most ${formatDuration(maxDriftMicros)} ahead`
}

function aggregateText(aggregate: AggregateSpec): string {
  const input = aggregateInputText(aggregate.input)
  if (aggregate.kind !== "accumulated") return input
  return [input, aggregate.settings, ...aggregate.functions.map(String)].join(" ")
}

function aggregateInputText(input: AggregateInput): string {
  switch (input.kind) {
    case "none":
      return ""
    case "column":
      return JSON.stringify(input.name)
    case "lambda":
      return String(input.lambda)
    case "columns":
      return JSON.stringify(input.names)
  }
}

/** What the state of a process, or of an operator of a program's own, means, as text. */
export function processLabel(plan: Plan, { spec, input, inputPort }: ProcessNode): string {
  const rows = portSchema(plan, input, inputPort)
  return "open" in spec ? operatorText(spec, rows) : processText(spec, rows)
}

function processCode(spec: ProcessNode["spec"]): string {
  if ("open" in spec) return String(spec.open)
  const { inputs, timers } = spec
  return [...inputs.map(({ onRecord }) => onRecord), ...timers.map(({ onTimer }) => onTimer)].map(String).join("; ")
}

/** Sixteen hexadecimal digits that tell plans apart. */
export function planFingerprint(plan: Plan): string {
  return fingerprint(planText(plan))
}
