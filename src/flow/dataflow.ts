/**
 * A plan at work: batches and partition events of the inputs go in, batches of the outputs come out, all in the same
 * call. It is pure: whoever drives it owns time, order and storage.
 *
 * Whoever drives it calls `push` with batches of open partitions, `raiseWatermark` where a source says so, `idlePartition`
 * where there is nothing to read of one, `endPartition` behind the last of them, `complete` with answers to calls, and `advance` after each; `drain` when nothing more is to come. Between any two calls the states may be
 * written.
 *
 * Invariants:
 * - F1 What comes out of each output, in its order, depends only on the order in which partitions' rows and events came,
 *   not on batches and not on when `advance` was called.
 * - DF1 An operator has been given every row that lies before its watermark when it is given the watermark.
 * - DF2 After `drain`, where it says that all is done, no window is open, and the watermark of each event time is finite and at least the last window's
 *   end − 1 below it, so that no window can fire a second time.
 * - DF3 A window that follows one event time gives results when the watermark has come to what `status` says is due next,
 *   and not before.
 */
import { assert } from "../base/assert.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Batch } from "../batch/batch.ts"
import type { CallAnswer } from "./calls.ts"
import type { DataflowStatus, OperatorCounts, PartitionStanding, SlowestInput } from "./dataflow-status.ts"
import { instantiate, type SlicesById } from "./instantiate.ts"
import {
  hasState,
  isClocked,
  isTimed,
  type ClockedOperator,
  type Emitter,
  type Operator,
  type OperatorContext,
  type OperatorState,
  type TimedOperator,
} from "./operator.ts"
import type { OperatorContents } from "./operator-contents.ts"
import { AsyncMap } from "./operators/async-map.ts"
import { EventTime } from "./operators/event-time.ts"
import { ProcessingTime } from "./operators/processing-time.ts"
import { Filter } from "./operators/filter.ts"
import { inputsOf, isMade, type Plan, type PlanNode, type Port, type PortRef } from "./plan.ts"
import { KeyedInstances } from "./process/keyed-instances.ts"
import { KeyedProcess } from "./process/keyed-process.ts"
import { hasEventTime } from "./process/process-spec.ts"
import { isFollowing } from "./row-watermarks.ts"
import { countsOf, finite, statusOf, Step, type EmitOutput } from "./step.ts"
import { SharedWindow } from "./windows/shared/shared-window.ts"
import { TriggeredWindows } from "./windows/triggered/triggered-windows.ts"
import { WindowAggregate } from "./windows/window-aggregate.ts"

/** What a dataflow may use. */
export interface DataflowContext extends OperatorContext {
  readonly emit: EmitOutput
}

interface CallingStep {
  readonly operator: AsyncMap
  readonly emitter: Emitter
}

interface TimedStep {
  readonly operator: TimedOperator
  /** Whether another operator takes batches and watermarks for it. */
  readonly isLed: boolean
  readonly emitter: Emitter
  /** Whose watermarks it follows: the least of them. Where there is none it only waits for the end. */
  readonly upstreams: readonly (EventTime | TimedOperator)[]
}

/** Whether it is given nothing, as another window that shares its slices is given it for all of them. */
function isLed(operator: Operator | undefined): boolean {
  return operator instanceof SharedWindow && !operator.isLeader
}

/** Where partitions of an input stand that has no event time. */
const UNTIMED: PartitionStanding = {
  isTimed: false,
  watermark: -Infinity,
  isIdle: false,
  isIdleAnywhere: false,
  idleAfterMicros: Infinity,
  maxDriftMicros: 0,
}

/** See the head of this file. */
export class Dataflow {
  readonly #context: DataflowContext
  readonly #emitOutput: EmitOutput
  readonly #steps: readonly Step[]
  readonly #sources = new Map<string, Step>()
  /** The event times whose partitions are those of an input. */
  readonly #eventTimes = new Map<string, EventTime[]>()
  /** In the order of the plan, so that an operator comes after those that feed it. */
  readonly #timed: readonly TimedStep[]
  /** Those of them that are given watermarks. */
  readonly #leading: readonly TimedStep[]
  /** Of each event time those that meet it in an operator, with itself. */
  readonly #meetings: ReadonlyMap<EventTime, ReadonlySet<EventTime>>
  /** Those that ask for calls, in the order of the plan. */
  readonly #calling: readonly CallingStep[]
  /** Those that go by the clock. */
  readonly #clocked: readonly { readonly operator: ClockedOperator; readonly emitter: Emitter }[]
  readonly #plan: Plan
  /** The states of all operators that have one, in the order of the plan. */
  readonly states: readonly OperatorState[]

  /** @throws TidemarkError `invalid-plan` where the plan asks for what cannot be. */
  constructor(plan: Plan, context: DataflowContext) {
    this.#context = context
    this.#plan = plan
    this.#emitOutput = context.emit.bind(context)
    const steps: Step[] = []
    const slices: SlicesById = new Map()
    plan.nodes.forEach((node, index) => {
      const step = this.#makeStep(plan, node, slices)
      steps.push(step)
      inputsOf(node).forEach(({ input: from, inputPort }, input) => {
        assert(from < index, "L1: a node's input stands before it")
        const consumers = steps[from]!.consumers(inputPort)
        if (isLed(step.operator)) step.twin = consumers[0]?.step
        else consumers.push({ step, input })
      })
    })
    for (const { name, node, port } of plan.outputs) steps[node]!.outputs(port).push(name)
    for (const step of steps) step.settle()
    this.#steps = steps
    for (const step of steps) deferKeys(step)
    this.states = steps.flatMap(({ operator }) => (hasState(operator) ? [operator] : []))
    this.#clocked = steps.flatMap((step) =>
      isClocked(step.operator) ? [{ operator: step.operator, emitter: step }] : [],
    )
    this.#timed = plan.nodes.flatMap((node, index): TimedStep[] => {
      const step = steps[index]!
      const { operator } = step
      if (operator instanceof EventTime) this.#adopt(plan, node, operator)
      if (!isTimed(operator) || operator instanceof ProcessingTime) return []
      if (followsNoTime(node)) {
        return operator instanceof TriggeredWindows ? [{ operator, isLed: false, emitter: step, upstreams: [] }] : []
      }
      const upstreams = [...watermarkSources(plan, steps, node)]
      if (isFollowing(operator)) operator.follow(upstreams)
      return [{ operator, isLed: isLed(operator), emitter: step, upstreams }]
    })
    this.#meetings = meetingsOf(this.#timed)
    for (const { operator } of steps) {
      if (operator instanceof ProcessingTime) operator.wakeFor(followersOf(operator, this.#timed))
    }
    this.#leading = this.#timed.filter(({ isLed, upstreams }) => !isLed && upstreams.length > 0)
    this.#calling = steps.flatMap((step) =>
      step.operator instanceof AsyncMap ? [{ operator: step.operator, emitter: step }] : [],
    )
  }

  #makeStep(plan: Plan, node: PlanNode, slices: SlicesById): Step {
    const operator = node.kind === "source" ? undefined : instantiate(plan, node, this.#context, slices)
    const step = new Step(node, operator, this.#emitOutput)
    if (operator instanceof SharedWindow) operator.bind(step)
    if (node.kind === "source") {
      assert(!this.#sources.has(node.inputName), "an input has one source")
      this.#sources.set(node.inputName, step)
      this.#eventTimes.set(node.inputName, [])
    }
    return step
  }

  /** Finds the inputs whose partitions an event time sees. */
  #adopt(plan: Plan, node: PlanNode, eventTime: EventTime): void {
    for (const inputName of inputNamesBelow(plan, node, node.id)) this.#eventTimes.get(inputName)!.push(eventTime)
  }

  /** Takes note that an input has a partition from here on. One that the state knows as open goes on where it was. */
  openPartition(input: string, partition: number): void {
    for (const eventTime of this.#eventTimesOf(input)) {
      if (!eventTime.hasActivePartitions) this.#catchUp(eventTime)
      eventTime.openPartition(partition)
    }
  }

  /**
   * Takes note that there has been nothing to read of an open partition for so long: it is idle wherever that is long enough
   * (T13). It gives whether that is new anywhere.
   *
   * @param silentMicros for how long, in microseconds.
   * @param sinceMicros since when, by the clock.
   */
  idlePartition(input: string, partition: number, silentMicros: number, sinceMicros: number): boolean {
    this.advance()
    const isNew = this.#eventTimesOf(input).map((each) => each.idlePartition(partition, silentMicros, sinceMicros))
    this.advance()
    return isNew.includes(true)
  }

  /** Takes note that an open partition gives something again, whatever that is; `push` and `raiseWatermark` do it themselves. */
  wakePartition(input: string, partition: number): void {
    for (const eventTime of this.#eventTimesOf(input)) {
      if (!eventTime.isIdle(partition)) continue
      if (!eventTime.hasActivePartitions) this.#catchUp(eventTime)
      eventTime.wakePartition(partition)
    }
  }

  /** T8: an event time that held nobody back, as all its partitions had ended or were idle, starts anew where the others are. */
  #catchUp(eventTime: EventTime): void {
    this.#advanceWatermarks()
    for (const { operator, upstreams } of this.#timed) {
      if (upstreams.length > 1 && upstreams.includes(eventTime)) eventTime.raiseAll(operator.watermark)
    }
  }

  /** Computes what follows from rows of an open partition. */
  push(input: string, batch: Batch): void {
    const source = this.#sources.get(input)
    assert(source !== undefined, "rows are of an input of the plan")
    assert(batch.schema.fields.length === source.node.schema.fields.length, "rows are of the input's schema")
    if (batch.count === 0) return
    this.wakePartition(input, batch.origin.partition)
    source.rowsIn += batch.count
    source.emit("main", batch)
  }

  /** Takes note that an input's partition has no more rows. */
  endPartition(input: string, partition: number): void {
    // T8: how far windows behind a union are must not depend on whether `advance` was called before or behind this.
    this.advance()
    for (const eventTime of this.#eventTimesOf(input)) eventTime.endPartition(partition)
    this.advance()
  }

  /** Takes note that an open partition of an input brings no row any more at or below `watermark`, in microseconds. */
  raiseWatermark(input: string, partition: number, watermark: number): void {
    this.wakePartition(input, partition)
    for (const eventTime of this.#eventTimesOf(input)) eventTime.raisePartition(partition, watermark)
  }

  /** Where an open partition stands, for those who decide what is read next. */
  standing(input: string, partition: number): PartitionStanding {
    const eventTimes = this.#eventTimesOf(input)
    if (eventTimes.length === 0) return UNTIMED
    const watermark = Math.min(...eventTimes.map((each) => each.partitionWatermark(partition)))
    const idleAfterMicros = Math.min(...eventTimes.map((each) => each.idleAfterMicros(partition)))
    const maxDriftMicros = Math.min(...eventTimes.map((each) => each.maxDriftMicros))
    const isIdle = eventTimes.every((each) => each.isIdle(partition))
    const isIdleAnywhere = eventTimes.some((each) => each.isIdle(partition))
    return { isTimed: true, watermark, isIdle, isIdleAnywhere, idleAfterMicros, maxDriftMicros }
  }

  /** Whether partitions may be idle, or become so. */
  get hasIdleness(): boolean {
    return this.#steps.some(({ operator }) => operator instanceof EventTime && operator.hasIdleness)
  }

  #eventTimesOf(input: string): readonly EventTime[] {
    const eventTimes = this.#eventTimes.get(input)
    assert(eventTimes !== undefined, "a partition is of an input of the plan")
    return eventTimes
  }

  /** Takes answers to calls, and computes what follows from the rows whose turn it is. */
  complete(answers: readonly CallAnswer[]): void {
    for (const { operator, emitter } of this.#calling) {
      const own = answers.filter((answer) => answer.operator === operator.id)
      if (own.length > 0) operator.onAnswers(own, emitter)
    }
  }

  /** Asks for the calls that may be made: for rows that have come, and after recovery for those that were held. */
  startCalls(): void {
    for (const { operator } of this.#calling) operator.startCalls()
  }

  /** How many rows wait for the answers to their calls. */
  get heldRows(): number {
    return this.#calling.reduce((sum, { operator }) => sum + operator.heldRows, 0)
  }

  /** The id of an operator that holds rows, if there is one. */
  get callingOperator(): string | undefined {
    return this.#calling.find(({ operator }) => operator.heldRows > 0)?.operator.id
  }

  /** The id of an operator that should be given no more rows before calls are answered, if there is one. */
  get fullOperator(): string | undefined {
    return this.#calling.find(({ operator }) => operator.isFull)?.operator.id
  }

  /** Takes the watermarks up to where the partitions are, fires the windows that are due, and asks for calls. */
  advance(): void {
    this.#advanceWatermarks()
    this.startCalls()
  }

  #advanceWatermarks(): void {
    for (const eventTimes of this.#eventTimes.values()) for (const each of eventTimes) each.updateWatermark()
    this.#propagate()
  }

  /** Whether any operator goes by the clock: then it is told the time before rows are pushed, and when timers are due. */
  get usesProcessingTime(): boolean {
    return this.#clocked.length > 0
  }

  /** When the first timer by the clock is due, in microseconds, or +∞. */
  get nextProcessingTime(): number {
    return Math.min(Infinity, ...this.#clocked.map(({ operator }) => operator.nextProcessingTime))
  }

  /** The clock says `nowMicros`: timers by it fire. What comes of it depends on when it is called. */
  onProcessingTime(nowMicros: number): void {
    for (const { operator, emitter } of this.#clocked) operator.onProcessingTime(nowMicros, emitter)
  }

  /**
   * After rows were pushed without `advance`: takes everything to where the partitions are, as if what came before those rows
   * had been there, too, and all had been advanced. It gives the least time that counts: where no row before them has one
   * from there on, nothing shows that they were missing. Results that are due are given only to windows that need
   * them, but whoever takes outputs is given those as well, and must leave them.
   *
   * The plan has one event time and no operator that waits for watermarks but windows that kernels run by themselves.
   */
  resume(): number {
    for (const eventTimes of this.#eventTimes.values()) for (const each of eventTimes) each.updateWatermark()
    const skips = new Map<TimedOperator, number>()
    let least = Infinity
    for (const { operator, upstreams } of [...this.#timed].reverse()) {
      assert(operator instanceof WindowAggregate && upstreams.length === 1, "rows are missing before windows only")
      const upstream = upstreams[0]!
      const skip = skips.get(operator) ?? Infinity
      const watermark = Math.min(skip, this.#eventTimeWatermark)
      skips.set(operator, watermark)
      const start = operator.firstOpenStart(watermark)
      // A result's time is the last moment of its window.
      if (upstream instanceof EventTime) least = Math.min(least, start)
      else skips.set(upstream, Math.min(skips.get(upstream) ?? Infinity, start - 1))
    }
    for (const { operator } of this.#timed) (operator as WindowAggregate).skipTo(skips.get(operator)!)
    this.#propagate()
    return least
  }

  /** The greatest event time so far, of all event times; −∞ before the first. */
  get latestEventTime(): number {
    let latest = -Infinity
    for (const { operator } of this.#steps) {
      if (operator instanceof EventTime) latest = Math.max(latest, operator.maxEventTime)
    }
    return latest
  }

  /** That of the only event time. */
  get #eventTimeWatermark(): number {
    const eventTimes = this.#steps.flatMap(({ operator }) => (operator instanceof EventTime ? [operator] : []))
    assert(eventTimes.length === 1, "the plan has one event time")
    return eventTimes[0]!.watermark
  }

  #propagate(): void {
    for (const { operator, emitter, upstreams } of this.#leading) {
      const watermark = leastWatermark(upstreams)
      if (watermark > operator.watermark) operator.onWatermark(watermark, emitter)
    }
  }

  /**
   * Fires every window that is open. Afterwards the watermark is where the last of them was due, if it was not further:
   * rows that come later for windows that have fired are late, also those of partitions that are still open.
   *
   * Windows behind an operator that holds rows stay open. Gives whether all is done; where it is not, it is to be called
   * again when all calls have been answered: results of windows may have asked for some.
   */
  drain(): boolean {
    this.advance()
    const holding = new Set<EventTime | TimedOperator>()
    for (const { operator, isLed, emitter, upstreams } of this.#timed) {
      const isBehind = upstreams.length === 0 ? this.heldRows > 0 : upstreams.some((each) => holding.has(each))
      if (!isBehind && !isLed) operator.onWatermark(Infinity, emitter)
      if (isBehind || (operator instanceof AsyncMap && operator.heldRows > 0)) holding.add(operator)
    }
    // Backwards, so that what a window of windows has reached arrives at the event time at the bottom.
    const reached = new Map<EventTime | TimedOperator, number>()
    for (const { operator, upstreams } of [...this.#timed].reverse()) {
      const last = Math.max(operator.watermark, reached.get(operator) ?? -Infinity)
      for (const each of upstreams) reached.set(each, Math.max(last, reached.get(each) ?? -Infinity))
    }
    for (const [upstream, watermark] of reached) {
      if (upstream instanceof EventTime) upstream.raiseAll(watermark)
      if (upstream instanceof KeyedProcess || upstream instanceof KeyedInstances) upstream.raiseFloor(watermark)
      if (upstream instanceof ProcessingTime) upstream.raise(watermark)
    }
    this.#propagate()
    this.startCalls()
    return this.heldRows === 0
  }

  /** What an operator keeps that is no window; `undefined` where there is none that could tell. */
  contentsOf(id: string): OperatorContents | undefined {
    const operator = this.#steps.find(({ node }) => node.id === id)?.operator
    if (operator instanceof KeyedProcess || operator instanceof KeyedInstances)
      return { kind: "keys", keys: operator.keptKeys() }
    if (operator instanceof AsyncMap) return { kind: "calls", rows: operator.rows }
    return undefined
  }

  /**
   * Fires the open windows of one operator alone: nobody is given the results but `take`. It gives false where the operator
   * has none that would wait for the end. The dataflow is of no use afterwards.
   */
  fireAlone(id: string, take: (batch: Batch) => void): boolean {
    const asked = this.#steps.find(({ node }) => node.id === id)?.operator
    const silent: Emitter = { emit: () => undefined }
    const taking: Emitter = { emit: (port, batch) => (port === "main" ? take(batch) : undefined) }
    for (const { operator } of this.#steps) {
      if (operator instanceof SharedWindow) operator.bind(operator === asked ? taking : silent)
    }
    const isFired = (operator: Operator) =>
      operator === asked || (asked instanceof SharedWindow && operator instanceof SharedWindow)
    const firing = this.#timed.filter(({ operator, isLed }) => !isLed && isFired(operator))
    for (const { operator } of firing) operator.onWatermark(Infinity, operator === asked ? taking : silent)
    return firing.length > 0
  }

  /** Gives the memory of all states back. The dataflow is not used any more, but `status` still answers. */
  release(): void {
    for (const { operator } of this.#steps) operator?.release?.()
  }

  /** What operators have counted, in the order of the plan: a part of `status` that takes no time. */
  counts(): OperatorCounts[] {
    return this.#steps.map(countsOf)
  }

  /** Takes note of rows that others have computed, in the order of the plan; those that were late are in the states. */
  addCounts(counts: readonly OperatorCounts[]): void {
    this.#steps.forEach((step, index) => {
      step.rowsIn += counts[index]!.rowsIn
      step.rowsOut += counts[index]!.rowsOut
    })
  }

  /** Behind which no row comes to an output any more that is not late, in microseconds; `-Infinity` where some come without event time. */
  outputWatermark(output: string): number {
    const ports = this.#plan.outputs.filter(({ name }) => name === output)
    let isTimed = true
    const refs = ports.map(({ node, port }) => ({ input: node, inputPort: port }))
    const upstreams = watermarksAbove(this.#plan, this.#steps, refs, () => (isTimed = false))
    return isTimed && upstreams.size > 0 ? leastWatermark([...upstreams]) : -Infinity
  }

  /** How far everything is. */
  status(): DataflowStatus {
    const operators = this.#steps.map(statusOf)
    const eventTimes = this.#steps.flatMap(({ operator }) => (operator instanceof EventTime ? [operator] : []))
    const latest = Math.max(...eventTimes.map(({ maxEventTime }) => maxEventTime))
    return {
      lateRows: operators.reduce((sum, { lateRows }) => sum + lateRows, 0),
      watermark: finite(eventTimes.length === 0 ? -Infinity : leastWatermark(eventTimes)),
      maxEventTime: finite(latest),
      openWindows: operators.reduce((sum, { openWindows }) => sum + openWindows, 0),
      operators,
      eventTimes: eventTimes.map(({ id, watermark, maxEventTime, hasActivePartitions }) => {
        return {
          id,
          watermark: finite(watermark),
          maxEventTime: finite(maxEventTime),
          isActive: hasActivePartitions,
        }
      }),
      slowest: eventTimes.flatMap((eventTime) => slowestOf(eventTime, this.#meetings.get(eventTime) ?? [eventTime])),
      idle: eventTimes.flatMap((eventTime) => {
        return eventTime.idlePartitions().map((each) => ({ eventTime: eventTime.id, ...each }))
      }),
    }
  }
}

/** Where a filter of aggregates is all that takes a window's results, it chooses before keys are stored. */
function deferKeys({ operator: window, mainConsumers, mainOutputs }: Step): void {
  if (!(window instanceof WindowAggregate) || mainConsumers.length !== 1 || mainOutputs.length > 0) return
  const { operator: filter } = mainConsumers[0]!.step
  if (filter instanceof Filter && filter.canChooseWithout(window.firstAggregate)) window.deferKeys()
}

/** What waits for an operator's watermark, also by way of others. */
function followersOf(operator: TimedOperator, timed: readonly TimedStep[]): TimedOperator[] {
  const found = new Set<EventTime | TimedOperator>([operator])
  for (const step of timed) if (step.upstreams.some((each) => found.has(each))) found.add(step.operator)
  return timed.flatMap((step) => (found.has(step.operator) ? [step.operator] : []))
}

/** Of each event time that an operator follows, also by way of others, those that meet it in one, with itself. */
function meetingsOf(timed: readonly TimedStep[]): Map<EventTime, Set<EventTime>> {
  const meetings = new Map<EventTime, Set<EventTime>>()
  const followed = new Map<TimedOperator, readonly EventTime[]>()
  for (const { operator, upstreams } of timed) {
    const own = upstreams.flatMap((each) => (each instanceof EventTime ? [each] : (followed.get(each) ?? [])))
    followed.set(operator, own)
    for (const each of own) meetings.set(each, new Set([...(meetings.get(each) ?? []), ...own]))
  }
  return meetings
}

/** T8: the least of those that may bring more rows and are not idle, or of all where there is none. */
function leastWatermark(upstreams: TimedStep["upstreams"]): number {
  if (upstreams.length === 1) return upstreams[0]!.watermark
  const isDone = (each: EventTime | TimedOperator) => each instanceof EventTime && !each.hasActivePartitions
  const open = upstreams.filter((each) => !isDone(each))
  return Math.min(...(open.length > 0 ? open : upstreams).map(({ watermark }) => watermark))
}

/** Whose watermarks the inputs of a node follow: the nearest event times, and operators whose results it takes. */
function watermarkSources(plan: Plan, steps: readonly Step[], node: PlanNode): Set<EventTime | TimedOperator> {
  return watermarksAbove(plan, steps, inputsOf(node), () => {
    throw new TidemarkError("invalid-plan", `The operator ${node.id} has no event time.`, {
      hint: "Call .eventTime(...) before .keyBy(...).",
    })
  })
}

/** Whose watermarks the rows of some ports follow; `onUntimed` is told of rows that come without event time. */
function watermarksAbove(plan: Plan, steps: readonly Step[], ports: readonly PortRef[], onUntimed: () => void) {
  const found = new Set<EventTime | TimedOperator>()
  const visit = ({ input, inputPort }: PortRef) => {
    const { operator } = steps[input]!
    const below = plan.nodes[input]!
    if (operator instanceof EventTime || (isTimed(operator) && holdsTime(below, inputPort))) found.add(operator)
    else if (below.kind === "source") onUntimed()
    else inputsOf(below).forEach(visit)
  }
  ports.forEach(visit)
  return found
}

/** Whether the rows of a port follow the watermark of its node. */
function holdsTime(node: PlanNode, port: Port): boolean {
  return node.kind === "asyncMap" || node.kind === "processingTime" || isMade(node, port)
}

/** Whether a node whose operator may wait for watermarks has no event time, and so does not. */
function followsNoTime(node: PlanNode): boolean {
  if (node.kind === "process") return !hasEventTime(node.spec)
  return (node.kind === "asyncMap" || node.kind === "windowAggregate") && node.timeColumn === undefined
}

/** The inputs whose rows come to a node without having been made by a window. */
function inputNamesBelow(plan: Plan, node: PlanNode, eventTime: string): Set<string> {
  if (node.kind === "source") return new Set([node.inputName])
  const names = inputsOf(node).map(({ input, inputPort }) => {
    const below = plan.nodes[input]!
    if (below.kind === "asyncMap") throw timeBehindCalls(eventTime, below.id)
    if (!isMade(below, inputPort)) return inputNamesBelow(plan, below, eventTime)
    const [what, hint] =
      below.kind === "process"
        ? ["what process gives", "Name the column that tells it in process({ ..., eventTime })."]
        : ["results of windows", "Their event time is the end of their window: go on without eventTime."]
    throw new TidemarkError("invalid-plan", `The operator ${eventTime} gives ${what} another event time.`, { hint })
  })
  return new Set(names.flatMap((each) => [...each]))
}

/** The order in which partitions are read follows their watermarks, and must not depend on when calls are answered. */
function timeBehindCalls(eventTime: string, calls: string): TidemarkError {
  return new TidemarkError("invalid-plan", `The operator ${eventTime} makes event time behind the calls of ${calls}.`, {
    hint: "Call .eventTime(...) before .asyncMap(...).",
  })
}

function slowestOf(eventTime: EventTime, met: Iterable<EventTime>): SlowestInput[] {
  const slowest = eventTime.slowest()
  if (slowest === undefined) return []
  const { partition, watermark, others } = slowest
  const behind = finite(Math.max(...[...met].map((each) => each.furthestWatermark)) - watermark)
  return [{ eventTime: eventTime.id, partition, watermark: finite(watermark), behind, others }]
}
