/** A node of a plan at work: who takes what its operator gives, and what it tells of itself. */
import type { Batch } from "../batch/batch.ts"
import type { KeptCounts, OperatorCounts, OperatorStatus } from "./dataflow-status.ts"
import {
  hasWindowCounts,
  isKeyed,
  isTimed,
  type Emitter,
  type Operator,
  type KeyedOperator,
  type TimedOperator,
} from "./operator.ts"
import { AsyncMap } from "./operators/async-map.ts"
import { EventTime } from "./operators/event-time.ts"
import type { PlanNode, Port } from "./plan.ts"

/** A step that takes rows, and which of its inputs they are. */
interface Consumer {
  readonly step: Step
  readonly input: number
}

/** Takes rows of one of the job's outputs. They are gone when it returns. */
export type EmitOutput = (output: string, batch: Batch) => void

/** A node at work: it takes what its operator gives. What it reads for that lies in few places. */
export class Step implements Emitter {
  readonly node: PlanNode
  /** Sources have none. */
  readonly operator: Operator | undefined
  /** Who takes the rows of the main port: steps, and outputs by name. */
  readonly mainConsumers: Consumer[] = []
  readonly mainOutputs: string[] = []
  /** The same for other ports. */
  readonly #otherConsumers = new Map<Port, Consumer[]>()
  readonly #otherOutputs = new Map<Port, string[]>()
  /** Where nobody but one output takes what the main port gives: it. */
  #onlyOutput: string | undefined
  readonly #emitOutput: EmitOutput
  /** Where it is led, one that is given the same rows. */
  twin: Step | undefined = undefined
  rowsIn = 0
  rowsOut = 0

  constructor(node: PlanNode, operator: Operator | undefined, emitOutput: EmitOutput) {
    this.node = node
    this.operator = operator
    this.#emitOutput = emitOutput
  }

  /** Takes note that all are known that take its rows. */
  settle(): void {
    if (this.mainConsumers.length === 0 && this.mainOutputs.length === 1) this.#onlyOutput = this.mainOutputs[0]
  }

  consumers(port: Port): Consumer[] {
    return port === "main" ? this.mainConsumers : listAt(this.#otherConsumers, port)
  }

  outputs(port: Port): string[] {
    return port === "main" ? this.mainOutputs : listAt(this.#otherOutputs, port)
  }

  emit(port: Port, batch: Batch): void {
    if (port === "main") {
      this.rowsOut += batch.count
      if (this.#onlyOutput !== undefined) {
        this.#emitOutput(this.#onlyOutput, batch)
        return
      }
    }
    for (const { step, input } of this.consumers(port)) {
      step.rowsIn += batch.count
      step.operator!.onBatch(batch, step, input)
    }
    for (const output of this.outputs(port)) this.#emitOutput(output, batch)
  }
}

function listAt<T>(lists: Map<Port, T[]>, port: Port): T[] {
  let list = lists.get(port)
  if (list === undefined) lists.set(port, (list = []))
  return list
}

/** What a step has counted. */
export function countsOf({ node, operator, twin, rowsIn, rowsOut }: Step): OperatorCounts {
  const lateRows = hasWindowCounts(operator) ? operator.lateRows : 0
  return { id: node.id, rowsIn: twin?.rowsIn ?? rowsIn, rowsOut, lateRows }
}

/** How far a step is. */
export function statusOf(step: Step): OperatorStatus {
  const { node, operator } = step
  const timed = isTimed(operator) ? operator : undefined
  const counts = hasWindowCounts(operator) ? operator : undefined
  const watermark = operator instanceof EventTime ? operator.watermark : timed?.watermark
  return {
    ...countsOf(step),
    kind: node.kind,
    isTimed: timed !== undefined,
    rowsBetweenWindows: counts?.betweenRows ?? 0,
    watermark: watermark === undefined ? undefined : finite(watermark),
    maxEventTime: operator instanceof EventTime ? finite(operator.maxEventTime) : undefined,
    openWindows: counts?.countOpenWindows() ?? 0,
    nextDue: finite(nextOf(timed)),
    heldRows: operator instanceof AsyncMap ? operator.heldRows : 0,
    kept: isKeyed(operator) ? keptOf(operator) : undefined,
  }
}

function keptOf({ keyCount: keys, timerCount: timers, spilledBytes }: KeyedOperator): KeptCounts {
  return { keys, timers, spilledBytes }
}

/** When the next result is due, or the next timer. */
function nextOf(timed: TimedOperator | undefined): number {
  return timed?.nextDue?.() ?? (isKeyed(timed) ? timed.nextMoment?.() : undefined) ?? Infinity
}

/** A time, or `undefined` where there is none yet. */
export function finite(time: number): number | undefined {
  return Number.isFinite(time) ? time : undefined
}
