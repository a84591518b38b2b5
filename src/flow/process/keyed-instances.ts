/**
 * `operator`: an operator of a program's own. Each key has an instance, which keeps what it likes as it likes, tells when it wants
 * to be woken, and gives a snapshot of what it would have to know to go on.
 *
 * Records and wakes come as those of `process` do: `keyed-process.ts`. What an instance has done cannot be undone, so one that throws
 * stops the job.
 *
 * State (format 1, named in the signature; nothing is written where nothing has changed):
 *
 *     float64   the watermark
 *     float64   the latest event time of its records
 *     float64   what the clock said last
 *     varint    the sequence number of the next wake
 *     varint    number of keys that follow, each: the values of its columns; uint8 0 it has nothing any more, 1 the rest follows:
 *               float64 when it is woken by event time, or +∞; varint the number of that wake; float64 when by the clock, or +∞; varint the number
 *               of that; the snapshot
 *
 * Invariants (rules of docs/spec/process.md):
 * - P12 An instance that is opened with the snapshot of another goes on as that would. So none is opened before it is needed.
 * - P13 Wakes come before the first record at whose watermark they are due, in order of their times, those of one time in that in which they
 *   were asked for first. None is left that has passed when a call has returned.
 * - P14 What throws, or gives what it must not, stops the job.
 * - P15 A key without a snapshot takes no room once that is written; it has no wakes.
 */
import { assert, AssertionError } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { shownValue } from "../../base/shown-value.ts"
import { ByteWriter, type ByteReader } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../batch/column.ts"
import { rowReader } from "../../batch/row-reader.ts"
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readTyped, settled, writeTyped } from "../../batch/value-codec.ts"
import { lambdaThrew } from "../../expr/row-failure.ts"
import { MadeRows } from "../made-rows.ts"
import type { ClockedOperator, Emitter, OperatorContext, StateSlices, TimedOperator } from "../operator.ts"
import type { KeptKey } from "../operator-contents.ts"
import { sidePort } from "../plan.ts"
import { leastOfOthers, type FollowingOperator, type Upstream } from "../row-watermarks.ts"
import { takeChanges } from "../taken-changes.ts"
import { InstanceContext, type InstanceCall } from "./instance-context.ts"
import { keyIdOf, settledKey } from "./key-id.ts"
import { commonType } from "./key-types.ts"
import { OpenInstance } from "./open-instance.ts"
import type { OperatorSpec } from "./operator-spec.ts"
import { hasEventTime } from "./process-spec.ts"
import { TimerQueue, type Timer } from "./timer-queue.ts"

const EVENT = 0
const CLOCK = 1
const GONE = 0
const THERE = 1

/** What the operator is made of. */
export interface KeyedInstancesOptions {
  readonly id: string
  readonly signature: string
  readonly spec: OperatorSpec
  /** The columns of what feeds it, in the order of the spec's inputs. */
  readonly inputs: readonly Schema[]
  /** Those of what it emits. */
  readonly schema: Schema
  /** What is added to the time column to give event time. */
  readonly timeShift: number
}

/** A key, and what there is of it. */
interface Entry {
  readonly id: unknown
  readonly key: readonly unknown[]
  /** The snapshot that it goes on from, as long as it is not opened. */
  restored: unknown
  instance: OpenInstance | undefined
  /** When it is to be woken, by event time and by the clock. */
  readonly wakes: [Timer<Entry> | undefined, Timer<Entry> | undefined]
}

/** See the head of this file. */
export class KeyedInstances implements TimedOperator, FollowingOperator, ClockedOperator {
  readonly id: string
  readonly signature: string
  readonly lateRows = 0
  readonly usesProcessingTime = true
  readonly #options: KeyedInstancesOptions
  readonly #context: OperatorContext
  readonly #keyTypes: readonly ColumnType[]
  readonly #feeds: readonly { readonly readRow: ReturnType<typeof rowReader>; readonly timeIndex: number }[]
  readonly #made: readonly MadeRows[]
  readonly #view: InstanceContext
  readonly #entries = new Map<unknown, Entry>()
  readonly #changed = new Set<Entry>()
  readonly #queues = [new TimerQueue<Entry>(), new TimerQueue<Entry>()] as const
  #upstreams: readonly Upstream[] = []
  #watermark = -Infinity
  #floor = -Infinity
  /** The latest event time of its records. */
  #latest = -Infinity
  #sequence = 0
  #hasMoved = false

  constructor(options: KeyedInstancesOptions, context: OperatorContext) {
    const { id, signature, spec, inputs, schema } = options
    this.id = id
    this.signature = signature
    this.#options = options
    this.#context = context
    assert(spec.inputs.length === inputs.length, "each of what feeds it is known")
    this.#feeds = spec.inputs.map(({ timeColumn }, index) => {
      const timeIndex = timeColumn === undefined ? -1 : inputs[index]!.indexOf(timeColumn)
      return { readRow: rowReader(inputs[index]!), timeIndex }
    })
    this.#keyTypes = spec.keys.map((name) => commonType(inputs, name))
    const main = new MadeRows(schema, "main", context.arena)
    const sides = Object.entries(spec.sides).map(([name, each]) => {
      return [name, new MadeRows(each, sidePort(name), context.arena)] as const
    })
    this.#made = [main, ...sides.map(([, made]) => made)]
    this.#view = new InstanceContext(main, Object.fromEntries(sides))
  }

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

  countOpenWindows(): number {
    return 0
  }

  /** Instances are the program's objects: all of them are in memory. */
  readonly spilledBytes = 0

  /** How many keys have something: behind `writeChanges` exactly, before with those that have lost it since the last. */
  get keyCount(): number {
    return this.#entries.size
  }

  /** How many of them are to be woken. */
  get timerCount(): number {
    return this.#queues[EVENT].size + this.#queues[CLOCK].size
  }

  nextMoment(): number {
    return this.#queues[EVENT].firstTime
  }

  get nextProcessingTime(): number {
    return this.#queues[CLOCK].firstTime
  }

  /** What it keeps, key by key, in the order in which they came. */
  keptKeys(): KeptKey[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const snapshot = this.#snapshotOf(entry)
      const timers = entry.wakes.flatMap((wake, kind) =>
        wake === undefined ? [] : [{ timer: kind === EVENT ? "wake" : "clock", tag: "", time: wake.time }],
      )
      return snapshot === undefined ? [] : [{ key: this.#keyRow(entry), state: { snapshot }, timers }]
    })
  }

  onBatch(batch: Batch, out: Emitter, input: number): void {
    const { readRow: readRowOf, timeIndex } = this.#feeds[input]!
    const { keys } = this.#options.spec
    const readRow = readRowOf(batch)
    const others = leastOfOthers(this.#upstreams, batch.origin.partition)
    batch.forEachRow((index) => {
      const time = timeIndex < 0 ? undefined : this.#timeOf(batch, timeIndex, index)
      if (time !== undefined) {
        this.#advanceTo(Math.min(others, batch.watermarks?.[index] ?? time - 1))
        this.#latest = Math.max(this.#latest, time)
      }
      const row = readRow(index)
      const entry = this.#entryOf(keys.map((name) => row[name]))
      const fail = (error: unknown): void => {
        this.#context.onFailedRow({ operator: this.id, batch, row: index, error })
      }
      const call = { time, watermark: this.#watermark, emitWatermark: this.#watermark, fail }
      this.#call(entry, call, (instance) => instance.onRecord(input, row, this.#view.view))
      this.#askWakes(entry, -Infinity)
      this.#fireUpTo(this.#watermark)
    })
    this.#flush(out)
  }

  #timeOf(batch: Batch, timeIndex: number, row: number): number {
    return readInt53((batch.columns[timeIndex] as Int64Column).halves, row) + this.#options.timeShift
  }

  onWatermark(watermark: number, out: Emitter): void {
    if (watermark === Infinity) this.#drain()
    else this.#advanceTo(watermark)
    this.#flush(out)
  }

  onProcessingTime(nowMicros: number, out: Emitter): void {
    if (nowMicros <= this.#view.nowMicros) return
    this.#view.nowMicros = nowMicros
    const queue = this.#queues[CLOCK]
    for (let wake = queue.take(nowMicros); wake !== undefined; wake = queue.take(nowMicros)) {
      const { owner: entry } = wake
      entry.wakes[CLOCK] = undefined
      const call = { time: undefined, watermark: this.#watermark, emitWatermark: this.#watermark }
      this.#call(entry, call, (instance) => instance.onClock(nowMicros, this.#view.view))
      this.#askWakes(entry, -Infinity, nowMicros)
      this.#fireUpTo(this.#watermark)
    }
    this.#flush(out)
  }

  /** Wakes up to the last that was asked for, or the latest record, whichever is later: so those end that ask again and again. */
  #drain(): void {
    this.#fireUpTo(Math.max(this.#queues[EVENT].lastTime, this.#latest))
  }

  #advanceTo(watermark: number): void {
    if (watermark <= this.#watermark) return
    this.#fireUpTo(watermark)
    this.#watermark = watermark
    this.#hasMoved = true
  }

  /** Fires the wakes that are due; the watermark is then where the last of them was. */
  #fireUpTo(watermark: number): void {
    const queue = this.#queues[EVENT]
    for (let wake = queue.take(watermark); wake !== undefined; wake = queue.take(watermark)) {
      const { owner: entry, time } = wake
      entry.wakes[EVENT] = undefined
      const reached = Math.max(this.#watermark, time)
      // What it emits stands before everything of its own time.
      this.#watermark = Math.max(this.#watermark, time - 1)
      const call = { time, watermark: reached, emitWatermark: Math.max(this.#watermark, this.#floor) }
      this.#call(entry, call, (instance) => instance.onWake(time, this.#view.view))
      this.#askWakes(entry, time)
      this.#watermark = reached
      this.#hasMoved = true
    }
  }

  /** Lets an instance work; it is opened where it is not. */
  #call(entry: Entry, call: InstanceCall, work: (instance: OpenInstance) => void): void {
    this.#changed.add(entry)
    this.#guarded(entry, () => {
      entry.instance ??= this.#open(entry)
      const { instance } = entry
      this.#view.during(call, () => {
        work(instance)
      })
    })
  }

  #open(entry: Entry): OpenInstance {
    const { spec } = this.#options
    const { params } = this.#context
    const opened = spec.open({ key: this.#keyRow(entry), params, state: entry.restored })
    entry.restored = undefined
    return new OpenInstance(opened, spec)
  }

  /**
   * Asks an instance when it wants to be woken.
   *
   * @param woken it has just been woken for that time, and must not ask for it again, or an earlier one.
   */
  #askWakes(entry: Entry, woken: number, clocked = -Infinity): void {
    const { instance } = entry
    assert(instance !== undefined, "an instance that was called is open")
    this.#guarded(entry, () => {
      const wakeAt = instance.wakeAt(woken)
      if (wakeAt !== Infinity && !hasEventTime(this.#options.spec)) throw untimedWake()
      this.#setWake(entry, EVENT, wakeAt)
      this.#setWake(entry, CLOCK, instance.clockAt(clocked))
    })
  }

  #setWake(entry: Entry, kind: typeof EVENT | typeof CLOCK, time: number): void {
    const before = entry.wakes[kind]
    if (before?.time === time || (before === undefined && time === Infinity)) return
    if (before !== undefined) this.#queues[kind].remove(before)
    entry.wakes[kind] = time === Infinity ? undefined : this.#queue(entry, kind, time, this.#sequence++)
  }

  #queue(entry: Entry, kind: typeof EVENT | typeof CLOCK, time: number, sequence: number): Timer<Entry> {
    const timer = { owner: entry, kind, tag: "", time, sequence, isSet: true }
    this.#queues[kind].add(timer)
    return timer
  }

  /** P14: what goes wrong in an instance ends the job, as nobody knows what it has done before. */
  #guarded<T>(entry: Entry, work: () => T): T {
    try {
      return work()
    } catch (thrown) {
      if (thrown instanceof AssertionError) throw thrown
      const isTold = thrown instanceof TidemarkError && thrown.code === "lambda-failed"
      if (thrown instanceof TidemarkError && !isTold) throw thrown
      const { message } = isTold ? thrown : lambdaThrew(thrown)
      const key = Object.entries(this.#keyRow(entry)).map(([name, value]) => `${name}: ${shownValue(value)}`)
      const where = `The operator ${this.id} failed${key.length === 0 ? "" : ` at the key (${key.join(", ")})`}`
      throw new TidemarkError("lambda-failed", `${where}: ${message}.`, {
        hint: "Nothing of this epoch counts. Mend the operator; a record that it cannot take is for context.fail(...).",
        cause: thrown,
      })
    }
  }

  #keyRow({ key }: Entry): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#options.spec.keys.map((name, index) => [name, key[index]]))
  }

  #entryOf(values: readonly unknown[]): Entry {
    const id = keyIdOf(this.#keyTypes, values)
    let entry = this.#entries.get(id)
    if (entry === undefined) {
      const key = settledKey(this.#keyTypes, values)
      entry = { id, key, restored: undefined, instance: undefined, wakes: [undefined, undefined] }
      this.#entries.set(id, entry)
    }
    return entry
  }

  #snapshotOf(entry: Entry): unknown {
    const { type } = this.#options.spec
    if (entry.instance === undefined) return entry.restored
    const { instance } = entry
    return this.#guarded(entry, () => {
      const snapshot = instance.snapshot(entry.wakes.some((wake) => wake !== undefined))
      return snapshot === undefined ? undefined : settled(type, snapshot)
    })
  }

  #flush(out: Emitter): void {
    for (const made of this.#made) made.flush(out)
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasMoved && this.#changed.size === 0) return
    this.#writeHead(out)
    out.varint(this.#changed.size)
    for (const entry of this.#changed) {
      this.#writeKey(out, entry)
      if (!this.#writeEntry(out, entry)) this.#entries.delete(entry.id)
    }
    this.#changed.clear()
    this.#hasMoved = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#watermark === -Infinity && this.#sequence === 0 && this.#entries.size === 0) return
    this.#writeHead(out)
    out.varint(this.#entries.size)
    for (const entry of this.#entries.values()) {
      this.#writeKey(out, entry)
      this.#writeEntry(out, entry)
    }
  }

  /** What epochs write of a key is all of it, so a slice may show a key as it is when the slice comes to it. */
  beginSlices(): StateSlices {
    const head = new ByteWriter(32)
    this.#writeHead(head)
    const entries = this.#entries.values()
    // Those that come meanwhile are behind these, and in epochs.
    let left = this.#entries.size
    const body = new ByteWriter()
    return {
      next: (out, bytes) => {
        body.recycle()
        let count = 0
        for (; left > 0 && body.length < bytes; left--) {
          const next = entries.next()
          if (next.done === true) left = 1
          else {
            this.#writeKey(body, next.value)
            this.#writeEntry(body, next.value)
            count++
          }
        }
        out.raw(head.view())
        out.varint(count)
        out.raw(body.view())
        return left > 0
      },
    }
  }

  #writeHead(out: ByteWriter): void {
    out.float64(this.#watermark)
    out.float64(this.#latest)
    out.float64(this.#view.nowMicros)
    out.varint(this.#sequence)
  }

  #writeKey(out: ByteWriter, { key }: Entry): void {
    this.#keyTypes.forEach((type, index) => {
      writeTyped(out, type, key[index])
    })
  }

  /** Appends what there is of a key; gives whether there is anything. */
  #writeEntry(out: ByteWriter, entry: Entry): boolean {
    const snapshot = this.#snapshotOf(entry)
    if (snapshot === undefined) {
      out.uint8(GONE)
      return false
    }
    out.uint8(THERE)
    for (const wake of entry.wakes) {
      out.float64(wake?.time ?? Infinity)
      out.varint(wake?.sequence ?? 0)
    }
    writeTyped(out, this.#options.spec.type, snapshot)
    return true
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(from: ByteReader): void {
    this.#watermark = from.float64()
    this.#latest = from.float64()
    this.#view.nowMicros = from.float64()
    this.#sequence = from.varint()
    for (let left = from.varint(); left > 0; left--) {
      const entry = this.#entryOf(this.#keyTypes.map((type) => readTyped(from, type)))
      for (const kind of [EVENT, CLOCK] as const) {
        const before = entry.wakes[kind]
        if (before !== undefined) this.#queues[kind].remove(before)
        entry.wakes[kind] = undefined
      }
      const tag = from.uint8()
      if (tag > THERE) throw new RangeError(`${tag} stands for what became of a key`)
      if (tag === GONE) this.#entries.delete(entry.id)
      else this.#applyEntry(entry, from)
    }
  }

  #applyEntry(entry: Entry, from: ByteReader): void {
    for (const kind of [EVENT, CLOCK] as const) {
      const [time, sequence] = [from.float64(), from.varint()]
      if (time !== Infinity) entry.wakes[kind] = this.#queue(entry, kind, time, sequence)
    }
    entry.restored = readTyped(from, this.#options.spec.type)
    entry.instance = undefined
  }
}

function untimedWake(): TidemarkError {
  return new TidemarkError("lambda-failed", "wakeAt() gave a time, and the stream has no event time", {
    hint: "Call .eventTime(...) before .keyBy(...), or use clockAt() and onClock(...).",
  })
}
