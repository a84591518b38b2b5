/**
 * `process`: a state machine a key, written by the user as functions of a record, and of a timer that is due. Records may come from
 * several inputs, each with a function of its own.
 *
 * Records come in the order of arrival. Before each, the timers fire that the watermark has reached; the watermark is
 * that of all records before, whatever the batches. So nothing that comes out depends on how records are cut into batches,
 * nor on when watermarks were passed on.
 *
 * State (format 1, named in the signature; nothing is written where nothing has changed):
 *
 *     float64   the watermark
 *     float64   what the clock said last
 *     varint    the sequence number of the next timer
 *               the keys that have changed, see `keyed-states.ts`
 *
 * Invariants (rules of docs/spec/process.md):
 * - P1 Before a record all event timers fire that are due at the watermark that the records before it make.
 * - P2 Timers fire in order of their times, those of one time in the order in which they were set. None is left that has passed when a
 *   handler has returned.
 * - P3 A handler that fails leaves no trace: no state, no timer, no row. Its record, or its timer, is a failed row.
 * - P11 Records of all inputs come in one order, the one in which they are read, and see the same state.
 * - P4 Draining fires the timers up to the last that was set before, and no later one.
 */
import { assert, AssertionError } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { ByteWriter, type ByteReader } from "../../base/bytes.ts"
import { batchOfRows, type Batch } from "../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../batch/column.ts"
import { rowReader } from "../../batch/row-reader.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { stringType } from "../../batch/types/string.ts"
import { timestampType } from "../../batch/types/timestamp.ts"
import { lambdaThrew } from "../../expr/row-failure.ts"
import { MadeRows } from "../made-rows.ts"
import type { KeptKey } from "../operator-contents.ts"
import type {
  ClockedOperator,
  Emitter,
  OperatorContext,
  StateMigration,
  StateSlices,
  TimedOperator,
} from "../operator.ts"
import { sidePort } from "../plan.ts"
import type { AppliedChanges } from "./applied-changes.ts"
import { isAsynchronous } from "./asynchronous.ts"
import { compareKeys } from "./key-id.ts"
import { CallFrame, type Call, type PendingTimer } from "./call-frame.ts"
import { commonType } from "./key-types.ts"
import { KeyedStates } from "./keyed-states.ts"
import { timerId, type KeyState, type KeyTimer } from "./key-state.ts"
import { ProcessContext } from "./process-context.ts"
import { hasEventTime, type ProcessSpec } from "./process-spec.ts"
import { migratedState } from "./state-migration.ts"
import { statePlanOf, type StateMisfit } from "./state-plan.ts"
import { TimerQueue } from "./timer-queue.ts"
import { leastOfOthers, type FollowingOperator, type Upstream } from "../row-watermarks.ts"
import { readingState, takeChanges } from "../taken-changes.ts"

/** How cells are read while no handler runs. */
const NOBODYS_CALL = { writeTime: NaN, touched: () => undefined }

/** What the operator is made of. */
export interface KeyedProcessOptions {
  readonly id: string
  readonly signature: string
  readonly spec: ProcessSpec
  /** The columns of what feeds it, in the order of the spec's inputs. */
  readonly inputs: readonly Schema[]
  /** Those of what it emits. */
  readonly schema: Schema
  /** What is added to the time column to give event time. */
  readonly timeShift: number
}

/** One of its inputs. */
interface Feed {
  readonly readRow: ReturnType<typeof rowReader>
  /** The place of the event-time column, or −1. */
  readonly timeIndex: number
  readonly onRecord: (row: unknown, context: unknown) => unknown
}

/** See the head of this file. */
export class KeyedProcess implements TimedOperator, FollowingOperator, ClockedOperator {
  readonly id: string
  readonly signature: string
  readonly lateRows = 0
  readonly #options: KeyedProcessOptions
  readonly #context: OperatorContext
  readonly #keyNames: readonly string[]
  readonly #keyTypes: readonly ColumnType[]
  readonly #feeds: readonly Feed[]
  readonly #states: KeyedStates
  readonly #frame: CallFrame
  readonly #view: ProcessContext
  readonly #made: readonly MadeRows[]
  // By the rows of keys.
  #eventTimers = new TimerQueue<number>()
  #processingTimers = new TimerQueue<number>()
  /** When values of keys expire, once a key. */
  readonly #expiries = new TimerQueue<number>()
  readonly #nextExpiry = new Map<number, number>()
  /** Who takes over what was written, as long as more of it may come. */
  #restoring: AppliedChanges | undefined
  #upstreams: readonly Upstream[] = []
  #watermark = -Infinity
  /** What follows it has fired all up to here: rows that it gives from now on are late there. */
  #floor = -Infinity
  #sequence = 0
  #hasMoved = false

  constructor(options: KeyedProcessOptions, context: OperatorContext) {
    const { id, signature, spec, inputs, schema } = options
    this.id = id
    this.signature = signature
    this.#options = options
    this.#context = context
    assert(spec.inputs.length === inputs.length, "each of what feeds it has its handler")
    this.#feeds = spec.inputs.map(({ timeColumn, onRecord }, index) => {
      const timeIndex = timeColumn === undefined ? -1 : inputs[index]!.indexOf(timeColumn)
      return { readRow: rowReader(inputs[index]!), timeIndex, onRecord: onRecord as Feed["onRecord"] }
    })
    this.#keyNames = spec.keys
    this.#keyTypes = spec.keys.map((name) => commonType(inputs, name))
    const specs = Object.values(spec.state)
    const { spilling } = context
    this.#states = new KeyedStates({
      operator: id,
      keyTypes: this.#keyTypes,
      specs,
      kinds: spec.timers.length,
      spilling,
    })
    const main = new MadeRows(schema, "main", context.arena)
    const sides = Object.entries(spec.sides).map(([name, each]) => {
      return [name, new MadeRows(each, sidePort(name), context.arena)] as const
    })
    this.#made = [main, ...sides.map(([, made]) => made)]
    this.#frame = new CallFrame(this.#isTimed)
    const { params } = context
    this.#view = new ProcessContext(this.#frame, { spec, params, main, sides: Object.fromEntries(sides) })
  }

  get #isTimed(): boolean {
    return hasEventTime(this.#options.spec)
  }

  /** Takes note of what feeds it. */
  follow(upstreams: readonly Upstream[]): void {
    this.#upstreams = upstreams
  }

  get watermark(): number {
    return this.#watermark
  }

  /** Takes note that what follows it was drained up to `watermark`. */
  raiseFloor(watermark: number): void {
    this.#floor = Math.max(this.#floor, watermark)
  }

  /** How many keys have state. */
  get keyCount(): number {
    return this.#states.size
  }

  get spilledBytes(): number {
    return this.#states.spilledBytes
  }

  /** How many timers are set. */
  get timerCount(): number {
    return this.#eventTimers.size + this.#processingTimers.size
  }

  /** What it keeps, key by key, in the order of keys. */
  keptKeys(): KeptKey[] {
    const { spec } = this.#options
    const world = { ...NOBODYS_CALL, time: this.#isTimed ? this.#watermark : this.#frame.nowMicros }
    const named = (names: readonly string[], values: readonly unknown[]): [string, unknown][] =>
      names.map((name, index) => [name, values[index]])
    const stateNames = Object.keys(spec.state)
    return [...this.#states]
      .filter(({ isEmpty }) => !isEmpty)
      .sort((one, other) => compareKeys(one.key, other.key))
      .map(({ key, cells, timers }) => {
        const held = cells.map((cell) => cell.plain(world))
        return {
          key: Object.fromEntries(named(this.#keyNames, key)),
          state: Object.fromEntries(named(stateNames, held).filter(([, value]) => value !== undefined)),
          timers: [...timers.values()]
            .sort((one, other) => one.time - other.time || one.sequence - other.sequence)
            .map(({ kind, tag, time }) => ({ timer: spec.timers[kind]!.name, tag, time })),
        }
      })
  }

  countOpenWindows(): number {
    return 0
  }

  /** The watermark at which the first timer by event time is due, or `Infinity`. */
  nextMoment(): number {
    return this.#eventTimers.firstTime
  }

  /** When the next timer by the clock is due, or `Infinity`. */
  get nextProcessingTime(): number {
    return Math.min(this.#processingTimers.firstTime, this.#isTimed ? Infinity : this.#expiries.firstTime)
  }

  /** Whether it asks for the clock. */
  get usesProcessingTime(): boolean {
    const { state, timers } = this.#options.spec
    const expires = Object.values(state).some(({ ttlMicros }) => ttlMicros !== Infinity)
    return timers.some(({ domain }) => domain === "processing") || (expires && !this.#isTimed)
  }

  onBatch(batch: Batch, out: Emitter, input: number): void {
    this.#assertRestored()
    const { readRow: readRowOf, timeIndex, onRecord } = this.#feeds[input]!
    const readRow = readRowOf(batch)
    const others = leastOfOthers(this.#upstreams, batch.origin.partition)
    batch.forEachRow((index) => {
      const time = timeIndex < 0 ? undefined : this.#timeOf(batch, timeIndex, index)
      if (time !== undefined) this.#advanceTo(Math.min(others, batch.watermarks?.[index] ?? time - 1))
      const row = readRow(index)
      const state = this.#states.of(this.#keyNames.map((name) => row[name]))
      const watermark = this.#watermark
      this.#call(
        { state, time, tag: undefined, watermark, emitWatermark: watermark, isByClock: false },
        () => onRecord(row, this.#view),
        (error) => {
          this.#context.onFailedRow({ operator: this.id, batch, row: index, error })
        },
      )
      this.#fireDue(this.#watermark)
    })
    this.#flush(out)
  }

  #assertRestored(): void {
    assert(this.#restoring === undefined, "endChanges() is called before records and time come")
  }

  #timeOf(batch: Batch, timeIndex: number, row: number): number {
    return readInt53((batch.columns[timeIndex] as Int64Column).halves, row) + this.#options.timeShift
  }

  onWatermark(watermark: number, out: Emitter): void {
    this.#assertRestored()
    this.#advanceTo(watermark === Infinity ? this.#eventTimers.lastTime : watermark)
    this.#flush(out)
  }

  /** The clock says `nowMicros`: timers by it fire. */
  onProcessingTime(nowMicros: number, out: Emitter): void {
    if (nowMicros <= this.#frame.nowMicros) return
    this.#assertRestored()
    this.#frame.nowMicros = nowMicros
    this.#hasMoved = true
    const last = this.#processingTimers.lastTime
    for (;;) {
      // What a timer sets for now waits for the clock, which has gone on by then.
      const timer = this.#processingTimers.take(Math.min(nowMicros, last))
      if (timer === undefined) break
      this.#fire(timer, this.#watermark, this.#watermark)
      this.#fireDue(this.#watermark)
    }
    if (!this.#isTimed) this.#expire(nowMicros)
    this.#flush(out)
  }

  #advanceTo(watermark: number): void {
    if (watermark <= this.#watermark) return
    this.#fireDue(watermark)
    this.#watermark = watermark
    this.#hasMoved = true
    if (this.#isTimed) this.#expire(watermark)
  }

  /** Fires the timers by event time that are due at `watermark`, also those that handlers set meanwhile. */
  #fireDue(watermark: number): void {
    for (
      let timer = this.#eventTimers.take(watermark);
      timer !== undefined;
      timer = this.#eventTimers.take(watermark)
    ) {
      const reached = Math.max(this.#watermark, timer.time)
      // What it emits stands before everything of its own time.
      this.#watermark = Math.max(this.#watermark, timer.time - 1)
      this.#fire(timer, reached, Math.max(this.#watermark, this.#floor))
    }
  }

  #fire(timer: KeyTimer, watermark: number, emitWatermark: number): void {
    const { owner, kind, tag, time } = timer
    const { name, domain, onTimer } = this.#options.spec.timers[kind]!
    const state = this.#states.at(owner)
    assert(state !== undefined, "a key with a timer has a row")
    this.#states.preserve(state)
    state.setTimer(timerId(kind, tag), kind, tag, undefined)
    const handler = onTimer as (context: unknown) => unknown
    this.#call(
      { state, time, tag, watermark, emitWatermark, isByClock: domain === "processing" },
      () => handler(this.#view),
      (error) => {
        this.#reportTimer(state, name, time, error)
      },
    )
  }

  /** Calls a handler, and takes over what it has done, or nothing where it fails. */
  #call(call: Call, handler: () => unknown, fail: (error: unknown) => void): void {
    const frame = this.#frame
    this.#states.preserve(call.state)
    frame.begin(call)
    let failure: unknown
    try {
      if (isAsynchronous(handler())) {
        failure = new TidemarkError("lambda-failed", "the handler is asynchronous", {
          hint: "A handler works at once: call what takes time with .asyncMap(...) before it.",
        })
      }
    } catch (thrown) {
      if (thrown instanceof AssertionError) throw thrown
      const isTold = thrown instanceof TidemarkError && thrown.code === "lambda-failed"
      failure = isTold ? thrown : lambdaThrew(thrown)
    }
    const { state } = call
    const isTimer = call.tag !== undefined
    if (failure !== undefined) {
      frame.rollBack()
      this.#states.settle(state, isTimer)
      return fail(failure)
    }
    const { hasChanged, expiresMicros } = frame.commit((timer) => this.#setTimer(state, timer))
    this.#states.settle(state, hasChanged || isTimer)
    if (expiresMicros !== Infinity) this.#expireAt(state.row, expiresMicros)
  }

  #setTimer(state: KeyState, { id, kind, tag, time }: PendingTimer): void {
    const before = state.timers.get(id)
    const queue = this.#queueOf(kind)
    if (before !== undefined) queue.remove(before)
    if (time === undefined) return state.setTimer(id, kind, tag, undefined)
    const timer = { owner: state.row, kind, tag, time, sequence: this.#sequence++, isSet: true }
    queue.add(timer)
    state.setTimer(id, kind, tag, timer)
  }

  #queueOf(kind: number): TimerQueue<number> {
    return this.#options.spec.timers[kind]!.domain === "event" ? this.#eventTimers : this.#processingTimers
  }

  #reportTimer(state: KeyState, name: string, time: number, error: unknown): void {
    const keys = this.#keyNames.map((name, index) => ({ name, type: this.#keyTypes[index]! }))
    const told = [
      { name: "timer", type: stringType },
      { name: "time", type: timestampType() },
    ].filter((field) => !this.#keyNames.includes(field.name))
    const schema = new Schema([...keys, ...told])
    const row = {
      timer: name,
      time,
      ...Object.fromEntries(this.#keyNames.map((key, index) => [key, state.key[index]])),
    }
    const { batch, release } = batchOfRows(this.#context.arena, schema, [row])
    try {
      this.#context.onFailedRow({ operator: this.id, batch, row: 0, error })
    } finally {
      release()
    }
  }

  #expireAt(row: number, time: number): void {
    if ((this.#nextExpiry.get(row) ?? Infinity) <= time) return
    this.#nextExpiry.set(row, time)
    this.#expiries.add({ owner: row, kind: 0, tag: "", time, sequence: 0, isSet: true })
  }

  #expire(time: number): void {
    for (let due = this.#expiries.take(time); due !== undefined; due = this.#expiries.take(time)) {
      this.#nextExpiry.delete(due.owner)
      const state = this.#states.at(due.owner)
      if (state === undefined) continue
      this.#states.preserve(state)
      const next = Math.min(...state.cells.map((cell) => cell.expire(time)))
      this.#states.settle(state, true)
      if (next !== Infinity) this.#expireAt(state.row, next)
    }
  }

  #flush(out: Emitter): void {
    for (const made of this.#made) made.flush(out)
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasMoved && !this.#states.hasChanges) return
    this.#writeHead(out)
    this.#states.writeChanges(out)
    this.#hasMoved = false
  }

  /** How many keys have changed, and are not written early. */
  get changedKeys(): number {
    return this.#states.changedKeys
  }

  writeEarly(keys: number): void {
    this.#states.writeEarly(keys)
  }

  writeAll(out: ByteWriter): void {
    if (this.#watermark === -Infinity && this.#sequence === 0 && this.#states.size === 0) return
    this.#writeHead(out)
    this.#states.writeAll(out)
  }

  beginSlices(): StateSlices {
    this.#states.beginSlices()
    const head = new ByteWriter(32)
    this.#writeHead(head)
    return {
      next: (out, bytes) => {
        out.raw(head.view())
        return this.#states.writeSlice(out, bytes)
      },
    }
  }

  #writeHead(out: ByteWriter): void {
    out.float64(this.#watermark)
    out.float64(this.#frame.nowMicros)
    out.varint(this.#sequence)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(changes: ByteReader): void {
    this.#watermark = changes.float64()
    this.#frame.nowMicros = changes.float64()
    this.#sequence = changes.varint()
    this.#restoring ??= this.#states.restoring((row, expiresMicros) => {
      this.#expireAt(row, expiresMicros)
    })
    this.#restoring.apply(changes)
  }

  endChanges(): void {
    const restoring = this.#restoring
    if (restoring === undefined) return
    this.#restoring = undefined
    readingState(this.id, () => {
      restoring.end()
    })
    this.#eventTimers = new TimerQueue()
    this.#processingTimers = new TimerQueue()
    for (const timer of this.#states.timers()) this.#queueOf(timer.kind).add(timer)
  }

  migrationFrom(signature: string): StateMigration | StateMisfit | undefined {
    const { id, spec } = this.#options
    const plan = statePlanOf(spec, signature, this.signature)
    if (plan === undefined || "problems" in plan) return plan
    const parts = { operator: id, spec, keyTypes: this.#keyTypes, isTimed: this.#isTimed }
    return { changes: plan.changes, migrate: (changes) => migratedState(parts, plan, changes) }
  }
}
