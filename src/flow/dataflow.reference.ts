/**
 * The slow twin of the dataflow: it runs a plan record by record on plain objects, with the lambdas as they are. After
 * each record every watermark is where it belongs. A call is answered before anything else happens.
 */
import { FAILED } from "./aggregates/aggregate.reference.ts"
import type { Schema } from "../batch/schema.ts"
import {
  aggregateInputType,
  eventTimeShift,
  inputsOf,
  portSchema,
  type AccumulatedSpec,
  type KernelAggregateSpec,
  type Plan,
  type PlanNode,
  type Port,
  type EventTimeNode,
  type FlatMapNode,
  type ValidateNode,
  type OverNode,
  type TimeWindowSpec,
  type WindowAggregateNode,
} from "./plan.ts"
import { validatedRow } from "./operators/validate.ts"
import { slideOf, windowGroupOf } from "./shared-windows.ts"
import { runsInKernels } from "./window-engine.ts"
import { ReferenceCountWindows } from "./windows/count/count-windows.reference.ts"
import {
  ReferenceGeneralWindows,
  type GeneralAggregate,
  type ReferenceAccumulated,
} from "./windows/general/general-windows.reference.ts"
import { ReferenceOver } from "./windows/over/over-aggregate.reference.ts"
import { ReferenceTriggeredWindows, type FiredResult } from "./windows/triggered/triggered-windows.reference.ts"
import { ReferenceInstances } from "./process/keyed-instances.reference.ts"
import { ReferenceProcess, type ReferenceOutcome } from "./process/keyed-process.reference.ts"
import { ReferenceWindows, type ReferenceAggregate, type Row } from "./windows/window-aggregate.reference.ts"

interface EventTimes {
  /** The watermarks of the open partitions. */
  readonly partitions: Map<number, number>
  /** Those that are idle. */
  readonly idle: Set<number>
  readonly idleAfter: number
  watermark: number
}

/** A row on its way: where it came from and its partition's watermark before it. */
interface Moving {
  readonly row: Row
  readonly partition: number
  readonly watermark: number
}

/** What twins of window operators have in common. */
type ReferenceOperator = Pick<ReferenceWindows, "onRow" | "onWatermark" | "watermark">

type Lambda = (row: Row, params: Row) => unknown

/** Runs a plan record by record. */
export class ReferenceDataflow {
  readonly #plan: Plan
  readonly #params: Row
  readonly #windows = new Map<number, ReferenceOperator>()
  readonly #counts = new Map<number, ReferenceCountWindows>()
  readonly #triggered = new Map<number, ReferenceTriggeredWindows>()
  readonly #overs = new Map<number, ReferenceOver>()
  readonly #processes = new Map<number, ReferenceProcess | ReferenceInstances>()
  readonly #eventTimes = new Map<number, EventTimes>()
  /** What each output has been given. */
  readonly outputs = new Map<string, Row[]>()
  /** The rows that failed, by operator, in order. */
  readonly failures: { readonly operator: string; readonly row: Row }[] = []
  /** How many result rows failed, by operator. */
  readonly failedResults = new Map<string, number>()

  constructor(plan: Plan, params: Row = {}) {
    this.#plan = plan
    this.#params = params
    for (const { name } of plan.outputs) this.outputs.set(name, [])
    plan.nodes.forEach((node, index) => {
      if (node.kind === "eventTime") {
        const idleAfter = node.idleAfterMicros ?? Infinity
        this.#eventTimes.set(index, { partitions: new Map(), idle: new Set(), idleAfter, watermark: -Infinity })
      }
      if (node.kind === "process") {
        const { spec } = node
        this.#processes.set(index, "open" in spec ? new ReferenceInstances(spec, params) : new ReferenceProcess(spec))
      }
      if (node.kind === "over") {
        this.#overs.set(index, new ReferenceOver(node.rangeMicros, node.keys, this.#aggregatesOf(node)))
      }
      if (node.kind !== "windowAggregate") return
      const { window, keys, timeColumn, firing } = node
      if (firing !== undefined) {
        const aggregates = this.#aggregatesOf(node)
        this.#triggered.set(index, new ReferenceTriggeredWindows({ node, firing, aggregates, params: this.#params }))
      } else if (window.kind === "global") throw new Error("windows without an end fire early")
      else if (window.kind !== "count") this.#windows.set(index, this.#windowsOf(node, window))
      else {
        const hasTime = timeColumn !== undefined
        this.#counts.set(index, new ReferenceCountWindows(window, keys, this.#aggregatesOf(node), hasTime))
      }
    })
  }

  #aggregatesOf(node: WindowAggregateNode | OverNode): GeneralAggregate[] {
    const input = portSchema(this.#plan, node.input, node.inputPort)
    return node.aggregates.map((spec) => {
      return spec.kind === "accumulated" ? this.#accumulated(spec, input) : this.#aggregate(spec, input)
    })
  }

  #windowsOf(node: WindowAggregateNode, window: TimeWindowSpec): ReferenceOperator {
    const input = portSchema(this.#plan, node.input, node.inputPort)
    if (!runsInKernels(node)) return new ReferenceGeneralWindows(window, node.keys, this.#aggregatesOf(node))
    const aggregates = node.aggregates.map((spec) => this.#aggregate(spec, input))
    const group = windowGroupOf(this.#plan, node)
    const grid = group && {
      stepMicros: group.grid.slideMicros,
      offsetMicros: group.grid.offsetMicros,
      reachMicros: Math.max(...group.members.map(({ window }) => window.sizeMicros + 2 * slideOf(window))),
    }
    return new ReferenceWindows(node.window, node.keys, aggregates, grid)
  }

  #aggregate({ name, kind, input: source }: KernelAggregateSpec, rows: Schema): ReferenceAggregate {
    if (source.kind === "none") return { name, kind, type: undefined, read: () => null }
    if (source.kind === "column") {
      return { name, kind, type: rows.field(source.name)!.type, read: (row) => row[source.name] }
    }
    const read = (row: Row) =>
      this.#checked((source.lambda as Lambda)(row, this.#params), source.type.check.bind(source.type))
    return { name, kind, type: source.type, read }
  }

  /** What accumulators do has twins of its own: here each adds record by record. */
  #accumulated(spec: AccumulatedSpec, rows: Schema): ReferenceAccumulated {
    const { name, input: source } = spec
    const type = aggregateInputType(source, rows)
    const accumulator = spec.define(this.#params).accumulator(type)
    const valueOf = (row: Row) => {
      switch (source.kind) {
        case "none":
          return undefined
        case "column":
          return row[source.name]
        case "lambda":
          return this.#checked((source.lambda as Lambda)(row, this.#params), source.type.check.bind(source.type))
        case "columns":
          return Object.fromEntries(source.names.map((name) => [name, row[name]]))
      }
    }
    const read = (row: Row) => {
      const value = valueOf(row)
      // Functions of the plans that are tested refuse a record whatever came before it.
      if (accumulator.mayRefuse === true && value !== null) accumulator.add(accumulator.init(), value, 0)
      return value
    }
    return { name, kind: "accumulated", read, accumulator }
  }

  #checked(value: unknown, check: (value: unknown) => string | undefined): unknown {
    const problem = check(value)
    if (problem !== undefined) throw new TypeError(problem)
    return value
  }

  openPartition(input: string, partition: number): void {
    for (const [index, times] of this.#eventTimes) {
      if (!this.#inputsOf(index).includes(input)) continue
      this.#catchUp(index, times)
      times.partitions.set(partition, times.watermark)
    }
    // Whether an event time counts has changed.
    this.#advance()
  }

  /** T8: an event time that holds nobody back goes on where the windows are that go on without it. */
  #catchUp(index: number, times: EventTimes): void {
    if (times.partitions.size > times.idle.size) return
    this.#advance()
    for (const [above, { watermark }] of this.#timed) {
      const feeding = this.#timeSourcesOf(above)
      if (feeding.length > 1 && feeding.includes(index)) times.watermark = Math.max(times.watermark, watermark)
    }
  }

  /** T13: there has been nothing to read of a partition for so long. */
  idlePartition(input: string, partition: number, silentMicros: number): void {
    for (const [index, { partitions, idle, idleAfter }] of this.#eventTimes) {
      if (!this.#inputsOf(index).includes(input)) continue
      if (partitions.has(partition) && silentMicros >= idleAfter) idle.add(partition)
    }
    this.#advance()
  }

  /** T13: it gives something again. */
  wakePartition(input: string, partition: number): void {
    for (const [index, times] of this.#eventTimes) {
      if (!this.#inputsOf(index).includes(input) || !times.idle.has(partition)) continue
      this.#catchUp(index, times)
      times.idle.delete(partition)
      times.partitions.set(partition, Math.max(times.watermark, times.partitions.get(partition)!))
    }
    this.#advance()
  }

  push(input: string, partition: number, row: Row): void {
    this.wakePartition(input, partition)
    this.#plan.nodes.forEach((node, index) => {
      if (node.kind !== "source" || node.inputName !== input) return
      this.#forward(index, "main", { row, partition, watermark: -Infinity })
    })
    this.#advance()
  }

  raiseWatermark(input: string, partition: number, watermark: number): void {
    this.wakePartition(input, partition)
    for (const [index, { partitions }] of this.#eventTimes) {
      if (!this.#inputsOf(index).includes(input)) continue
      const own = partitions.get(partition)
      if (own !== undefined) partitions.set(partition, Math.max(own, watermark))
    }
    this.#advance()
  }

  endPartition(input: string, partition: number): void {
    for (const [index, times] of this.#eventTimes) {
      if (!this.#inputsOf(index).includes(input)) continue
      times.partitions.delete(partition)
      times.idle.delete(partition)
    }
    this.#advance()
  }

  drain(): void {
    for (const [index] of this.#timed) this.#fire(index, Infinity)
    for (const [index, times] of this.#eventTimes) {
      const above = this.#timed.filter(([each]) => this.#eventTimesOf(each).includes(index))
      times.watermark = Math.max(times.watermark, ...above.map(([, { watermark }]) => watermark))
      for (const [partition, own] of times.partitions) times.partitions.set(partition, Math.max(own, times.watermark))
    }
    for (const [index, process] of this.#processes) {
      const above = this.#timed.filter(([each]) => this.#isAbove(each, index))
      process.floor = Math.max(process.floor, ...above.map(([, { watermark }]) => watermark))
    }
    this.#advance()
  }

  onProcessingTime(nowMicros: number): void {
    for (const [index, windows] of this.#triggered) this.#passFired(index, windows.onProcessingTime(nowMicros))
    this.#advance()
  }

  #advance(): void {
    for (const times of this.#eventTimes.values()) {
      const all = [...times.partitions]
      const awake = all.filter(([partition]) => !times.idle.has(partition)).map(([, watermark]) => watermark)
      if (awake.length > 0) times.watermark = Math.max(times.watermark, Math.min(...awake))
      else times.watermark = Math.max(times.watermark, ...all.map(([, watermark]) => watermark))
    }
    for (const [index] of this.#timed) {
      const sources = this.#timeSourcesOf(index)
      const open = sources.filter((each) => {
        const times = this.#eventTimes.get(each)
        return times === undefined || times.partitions.size > times.idle.size
      })
      const watermarks = (open.length > 0 ? open : sources).map((each) => {
        return (this.#eventTimes.get(each) ?? this.#processes.get(each) ?? this.#triggered.get(each)!).watermark
      })
      this.#fire(index, Math.min(...watermarks))
    }
  }

  /** Windows and processes, in the order of the plan. */
  get #timed(): (readonly [number, { readonly watermark: number }])[] {
    return this.#plan.nodes.flatMap((_, index) => {
      const operator =
        this.#windows.get(index) ?? this.#processes.get(index) ?? this.#triggered.get(index) ?? this.#overs.get(index)
      return operator === undefined ? [] : [[index, operator] as const]
    })
  }

  #fire(index: number, watermark: number): void {
    const process = this.#processes.get(index)
    if (process !== undefined) return this.#pass(index, process.onWatermark(watermark))
    const triggered = this.#triggered.get(index)
    if (triggered !== undefined) return this.#passFired(index, triggered.onWatermark(watermark))
    const over = this.#overs.get(index)
    if (over !== undefined) {
      const given = over.onWatermark(watermark)
      return this.#passFired(
        index,
        given.map(({ row, time }) => ({ row, watermark: time - 1 })),
      )
    }
    for (const row of this.#windows.get(index)!.onWatermark(watermark)) {
      const { id } = this.#plan.nodes[index]!
      if (row === FAILED) this.failedResults.set(id, (this.failedResults.get(id) ?? 0) + 1)
      // Its event time is windowEnd − 1, and all that follow are no earlier.
      else this.#forward(index, "main", { row, partition: -1, watermark: (row["windowEnd"] as number) - 2 })
    }
  }

  /** Passes on what a process has given. */
  #pass(index: number, { emitted, failed }: ReferenceOutcome): void {
    for (const row of failed) this.failures.push({ operator: this.#plan.nodes[index]!.id, row })
    for (const { port, row, watermark } of emitted) this.#forward(index, port, { row, partition: -1, watermark })
  }

  /** Passes on what windows have given that fire more than once. */
  #passFired(index: number, fired: readonly FiredResult[]): void {
    const { id } = this.#plan.nodes[index]!
    for (const { row, watermark } of fired) {
      if (row === FAILED) this.failedResults.set(id, (this.failedResults.get(id) ?? 0) + 1)
      else this.#forward(index, "main", { row, partition: -1, watermark })
    }
  }

  #forward(from: number, port: Port, moving: Moving): void {
    this.#plan.nodes.forEach((node, index) => {
      const taken = inputsOf(node).findIndex(({ input, inputPort }) => input === from && inputPort === port)
      if (taken >= 0) this.#take(index, node, moving, taken)
    })
    for (const output of this.#plan.outputs) {
      if (output.node === from && output.port === port) this.outputs.get(output.name)!.push(moving.row)
    }
  }

  #take(index: number, node: PlanNode, moving: Moving, input: number): void {
    const { row } = moving
    if (node.kind === "eventTime") {
      const { partitions } = this.#eventTimes.get(index)!
      const watermark = partitions.get(moving.partition)!
      const next = this.#nextWatermark(node, row)
      if (next === undefined) return
      this.#forward(index, "main", { ...moving, watermark })
      partitions.set(moving.partition, Math.max(watermark, next))
    } else if (node.kind === "process") {
      const process = this.#processes.get(index)!
      const time = (row[node.spec.inputs[input]!.timeColumn!] as number) + eventTimeShift(this.#plan, node)
      // Rows that the job made tell how far the watermark was; the others come when it has been passed on.
      if (moving.partition === -1) this.#pass(index, process.onWatermark(moving.watermark))
      this.#pass(index, process.onRow(row, time, input))
    } else if (node.kind === "over") {
      const time = (row[node.timeColumn] as number) + eventTimeShift(this.#plan, node)
      const outcome = this.#overs.get(index)!.onRow(row, time, moving.watermark)
      if (outcome === "late") this.#forward(index, "late", moving)
      if (outcome === "failed") this.failures.push({ operator: node.id, row })
    } else if (this.#triggered.has(index)) {
      const windows = this.#triggered.get(index)!
      const { timeColumn } = node as WindowAggregateNode
      const time =
        timeColumn === undefined
          ? 0
          : (row[timeColumn] as number) + eventTimeShift(this.#plan, node as WindowAggregateNode)
      if (moving.partition === -1) this.#passFired(index, windows.onWatermark(moving.watermark))
      const { outcome, fired } = windows.onRow(row, time, moving.watermark)
      this.#passFired(index, fired)
      if (outcome === "late") this.#forward(index, "late", moving)
      if (outcome === "failed") this.failures.push({ operator: node.id, row })
    } else if (node.kind === "windowAggregate" && node.window.kind === "count") {
      this.#count(index, node, moving)
    } else if (node.kind === "windowAggregate") {
      const time = (row[node.timeColumn!] as number) + eventTimeShift(this.#plan, node)
      // Results of windows that fire once come when the watermark reaches their event time.
      const isResult = eventTimeShift(this.#plan, node) < 0 && moving.partition === -1 && !this.#isFired(node.input)
      const outcome = this.#windows.get(index)!.onRow(row, time, isResult ? time - 1 : moving.watermark)
      if (outcome === "late") this.#forward(index, "late", moving)
      if (outcome === "failed") this.failures.push({ operator: node.id, row })
    } else if (node.kind === "flatMap" || node.kind === "validate") {
      for (const made of this.#flatMapped(node, row)) {
        this.#forward(index, "main", { ...moving, row: made })
        this.#advance()
      }
    } else {
      const result = this.#transformed(node, row)
      if (result !== undefined) this.#forward(index, "main", { ...moving, row: result })
    }
  }

  /** What a row says that its partition's watermark is behind it; `undefined` where the row fails. */
  #nextWatermark(node: EventTimeNode, row: Row): number | undefined {
    if (node.watermark === undefined) return (row[node.column] as number) - node.outOfOrderMicros - 1
    try {
      const said = (node.watermark as Lambda)(row, this.#params)
      if (said !== null && !Number.isSafeInteger(said)) throw new TypeError("it is no time")
      return (said as number | null) ?? -Infinity
    } catch {
      this.failures.push({ operator: node.id, row })
      return undefined
    }
  }

  #count(index: number, node: WindowAggregateNode, moving: Moving): void {
    const { timeColumn, id } = node
    const { row } = moving
    const time = timeColumn === undefined ? 0 : (row[timeColumn] as number) + eventTimeShift(this.#plan, node)
    const { outcome, result } = this.#counts.get(index)!.onRow(row, time)
    if (outcome === "failed") this.failures.push({ operator: id, row })
    if (result === FAILED) this.failedResults.set(id, (this.failedResults.get(id) ?? 0) + 1)
    else if (result !== undefined) this.#forward(index, "main", { ...moving, row: result })
  }

  #flatMapped(node: FlatMapNode | ValidateNode, row: Row): Row[] {
    try {
      const rows =
        node.kind === "validate"
          ? [validatedRow(node.validator, row) as Row]
          : ((node.lambda as Lambda)(row, this.#params) as Row[])
      return rows.map((each) => {
        const { fields } = node.schema
        return Object.fromEntries(
          fields.map(({ name, type }) => [name, this.#checked(each[name], type.check.bind(type))]),
        )
      })
    } catch {
      this.failures.push({ operator: node.id, row })
      return []
    }
  }

  /** The row that a stateless node makes of a row, or `undefined` where it drops it. */
  #transformed(node: PlanNode, row: Row): Row | undefined {
    try {
      switch (node.kind) {
        case "filter":
          return (node.predicate as Lambda)(row, this.#params) ? row : undefined
        case "notNull":
          return node.columns.some((name) => row[name] === null) ? undefined : row
        case "union":
          return Object.fromEntries(node.schema.fields.map(({ name }) => [name, row[name]]))
        case "select":
          return Object.fromEntries(node.columns.map((name) => [name, row[name]]))
        case "asyncMap":
        case "derive":
        case "map": {
          const given = (node.lambda as Lambda)(row, this.#params) as Row
          const fields = node.kind === "map" ? node.schema.fields : node.columns
          const result: Record<string, unknown> = node.kind === "map" ? {} : { ...row }
          for (const { name, type } of fields) result[name] = this.#checked(given[name], type.check.bind(type))
          return result
        }
        default:
          throw new Error(`${node.kind} is no stateless node`)
      }
    } catch {
      this.failures.push({ operator: node.id, row })
      return undefined
    }
  }

  /** Whether rows of a node are results of windows that fire more than once. */
  #isFired(index: number): boolean {
    const node = this.#plan.nodes[index]!
    if (this.#triggered.has(index)) return true
    return node.kind !== "windowAggregate" && inputsOf(node).some(({ input }) => this.#isFired(input))
  }

  #inputsOf(index: number): string[] {
    const node = this.#plan.nodes[index]!
    return node.kind === "source" ? [node.inputName] : inputsOf(node).flatMap(({ input }) => this.#inputsOf(input))
  }

  #isAbove(index: number, below: number): boolean {
    return inputsOf(this.#plan.nodes[index]!).some(({ input }) => input === below || this.#isAbove(input, below))
  }

  /** The nearest event times, and operators with a watermark of their own that may differ, below an operator: those whose watermarks it follows. */
  #timeSourcesOf(index: number): number[] {
    return inputsOf(this.#plan.nodes[index]!).flatMap(({ input }) => {
      const { kind } = this.#plan.nodes[input]!
      const isOwn = kind === "eventTime" || kind === "process" || this.#triggered.has(input)
      return isOwn ? [input] : this.#timeSourcesOf(input)
    })
  }

  /** The nearest event times below a window: those that its watermark comes from in the end. */
  #eventTimesOf(index: number): number[] {
    const node = this.#plan.nodes[index]!
    if (node.kind === "eventTime") return [index]
    if (node.kind === "source") throw new Error("a window has an event time below it")
    return inputsOf(node).flatMap(({ input }) => this.#eventTimesOf(input))
  }
}
