/**
 * `eventTime`: says which column is event time, and makes watermarks.
 *
 * A partition's watermark after a record is the greatest event time so far, less the out-of-orderness, less one
 * microsecond: no record at or below it is expected any more. Each row is given its partition's watermark from before
 * it, by which windows tell late rows; so whether a row is late does not depend on batches. No window that holds a row can
 * be closed before the row's own time is, so where all rows are ahead of their watermarks, none is given one. The
 * operator's watermark is the least of its open partitions', and never goes back.
 *
 * Its state as bytes is `event-time-state.ts`.
 *
 * Invariants (rules of docs/spec/time.md):
 * - T1 A partition's watermark after a record is the prefix maximum of event time − out-of-orderness − 1 µs.
 * - T2 A row carries its partition's watermark from before it.
 * - T12 Where a function gives watermarks, a partition's is the greatest that it has given of its records.
 * - T3 The operator's watermark is the least of the open partitions' and never goes back.
 * - T4 A partition that appears starts at the operator's watermark.
 * - T5 A partition that has ended does not hold the watermark back.
 * - T10 What a source says of a partition's watermark raises it.
 * - T6 When a job drains, the watermark and those of the open partitions rise to where the last window was due.
 * - T13 An idle partition does not hold the watermark back; where all are idle, the watermark is the greatest of theirs. One that
 *   wakes goes on from the operator's watermark, or from its own where that is further.
 */
import { assert } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { Batch } from "../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../batch/column.ts"
import type { Arena } from "../../batch/arena.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { LinearRows } from "../linear-rows.ts"
import type { Emitter, Operator, OperatorState } from "../operator.ts"
import type { GivenWatermarks } from "./given-watermarks.ts"
import { readEventTimeChanges, writeEventTimeChanges } from "./event-time-state.ts"
import { timeOrder, type IsOrdered } from "./time-order.ts"
import { watermarkFunctions, type WatermarkFunctions } from "./watermark-code.ts"
import { takeChanges } from "../taken-changes.ts"

/** What an event-time operator is made of. */
export interface EventTimeOptions {
  readonly id: string
  readonly signature: string
  /** The place of the event-time column, which is never null. */
  readonly timeIndex: number
  readonly outOfOrderMicros: number
  /** Whether each row is given its watermark, also where all rows are ahead of theirs: for what must know how far. */
  readonly isExact?: boolean
  /** Where a function says what the watermarks are: what it says. */
  readonly given?: GivenWatermarks
  /** For how long a partition must have given nothing to be idle; none ever is where it is not given. */
  readonly idleAfterMicros?: number
  /** How far a partition may be read ahead of the slowest; any distance by default. Those who read hold to it. */
  readonly maxDriftMicros?: number
}

/** A partition that does not hold the watermark back, as it gives nothing. */
export interface IdlePartition {
  readonly partition: number
  /** Since when there has been nothing to read of it, by the clock, in microseconds. */
  readonly sinceMicros: number
}

/** A partition that holds a watermark. */
export interface SlowestPartition {
  readonly partition: number
  /** −∞ before its first row. */
  readonly watermark: number
  /** How many others are open and have the same watermark. */
  readonly others: number
}

/** No partition has this index. */
const NO_PARTITION = -1

/** See the head of this file. */
export class EventTime implements Operator, OperatorState {
  readonly id: string
  readonly signature: string
  readonly maxDriftMicros: number
  readonly #timeIndex: number
  readonly #delayMicros: number
  readonly #isExact: boolean
  readonly #given: GivenWatermarks | undefined
  readonly #idleAfterMicros: number
  /** The watermarks of the open partitions. */
  readonly #partitions = new Map<number, number>()
  /** Those of them that are idle: since when, by the clock. */
  readonly #idle = new Map<number, number>()
  /** Partitions that have opened, moved or ended since the last `writeChanges`. */
  readonly #changed = new Set<number>()
  #hasChanged = false
  #watermark = -Infinity
  #maxEventTime = -Infinity
  readonly #isOrdered: IsOrdered
  readonly #code: WatermarkFunctions
  readonly #rows: LinearRows
  readonly #watermarks: LinearArray

  constructor(options: EventTimeOptions, arena: Arena) {
    this.id = options.id
    this.signature = options.signature
    this.#timeIndex = options.timeIndex
    this.#isExact = options.isExact ?? false
    this.#given = options.given
    this.maxDriftMicros = options.maxDriftMicros ?? Infinity
    this.#idleAfterMicros = options.idleAfterMicros ?? Infinity
    this.#delayMicros = options.outOfOrderMicros + 1
    this.#isOrdered = timeOrder(arena.memory)
    this.#code = watermarkFunctions(arena.memory)
    this.#rows = new LinearRows(arena)
    this.#watermarks = new LinearArray(arena, 8, 64)
  }

  /** T3: no row at or below it is expected any more. −∞ before the first row of every open partition. */
  get watermark(): number {
    return this.#watermark
  }

  /** The greatest event time seen, or −∞. */
  get maxEventTime(): number {
    return this.#maxEventTime
  }

  /** Whether there are partitions that may bring more rows, and are not idle. */
  get hasActivePartitions(): boolean {
    return this.#partitions.size > this.#idle.size
  }

  /** The least watermark of the open partitions but for one and for those that are idle; +∞ where there is none. */
  watermarkWithout(partition: number): number {
    let least = Infinity
    for (const [other, watermark] of this.#partitions) {
      if (other !== partition && watermark < least && !this.#idle.has(other)) least = watermark
    }
    return least
  }

  /** Takes note of a partition. One that is open already goes on from where it is. */
  openPartition(partition: number): void {
    if (this.#partitions.has(partition)) return
    this.updateWatermark()
    this.#partitions.set(partition, this.#watermark)
    this.#change(partition)
  }

  /** Takes note that a partition, if it is open, will bring no more rows. */
  endPartition(partition: number): void {
    // The least over what is left, but where nothing is left the watermark stays.
    this.updateWatermark()
    if (!this.#partitions.delete(partition)) return
    this.#idle.delete(partition)
    this.#change(partition)
  }

  /**
   * Takes note that there has been nothing to read of a partition for so long: it is idle from here on where that is long enough.
   * It gives whether that is new.
   *
   * @param sinceMicros since when that is so, by the clock.
   */
  idlePartition(partition: number, silentMicros: number, sinceMicros: number): boolean {
    const isNew = silentMicros >= this.#idleAfterMicros && this.#partitions.has(partition) && !this.#idle.has(partition)
    if (!isNew) return false
    this.#idle.set(partition, sinceMicros)
    this.#change(partition)
    return true
  }

  /** Takes note that a partition gives something again, before it is given that. */
  wakePartition(partition: number): void {
    if (!this.#idle.has(partition)) return
    this.updateWatermark()
    this.#idle.delete(partition)
    this.#partitions.set(partition, Math.max(this.#watermark, this.partitionWatermark(partition)))
    this.#change(partition)
  }

  /** Whether partitions may be idle, or become so. */
  get hasIdleness(): boolean {
    return this.#idleAfterMicros !== Infinity || this.#idle.size > 0
  }

  isIdle(partition: number): boolean {
    return this.#idle.has(partition)
  }

  /** For how long a partition must give nothing until it is idle; +∞ where it is, or never will be. */
  idleAfterMicros(partition: number): number {
    return this.#partitions.has(partition) && !this.#idle.has(partition) ? this.#idleAfterMicros : Infinity
  }

  /** The partitions that are idle, in the order in which they became so. */
  idlePartitions(): IdlePartition[] {
    return [...this.#idle].map(([partition, sinceMicros]) => ({ partition, sinceMicros }))
  }

  /** Takes a partition's watermark, if it is open, up to what its source says (T10). */
  raisePartition(partition: number, watermark: number): void {
    const own = this.#partitions.get(partition)
    if (own === undefined || own >= watermark) return
    this.#partitions.set(partition, watermark)
    this.#change(partition)
  }

  /** The watermark of a partition; +∞ where it is not open. */
  partitionWatermark(partition: number): number {
    return this.#partitions.get(partition) ?? Infinity
  }

  /** The open partition with the least watermark, by which the operator's waits; `undefined` where all are idle, or none is open. */
  slowest(): SlowestPartition | undefined {
    let slowest: SlowestPartition | undefined
    for (const [partition, watermark] of this.#partitions) {
      if (this.#idle.has(partition)) continue
      if (slowest === undefined || watermark < slowest.watermark) slowest = { partition, watermark, others: 0 }
      else if (watermark === slowest.watermark) slowest = { ...slowest, others: slowest.others + 1 }
    }
    return slowest
  }

  /** What the watermark would be if only the partition counted that has come furthest, ended ones included; −∞ before any. */
  get furthestWatermark(): number {
    const expected = this.#given === undefined ? this.#maxEventTime - this.#delayMicros : -Infinity
    return Math.max(this.#watermark, expected, ...this.#partitions.values())
  }

  #change(partition: number): void {
    this.#changed.add(partition)
    this.#hasChanged = true
  }

  onBatch(batch: Batch, out: Emitter): void {
    const { partition } = batch.origin
    const before = this.#partitions.get(partition)
    assert(before !== undefined && !this.#idle.has(partition), "rows come from open partitions that are awake")
    if (this.#given !== undefined) {
      this.#carryGiven(this.#given, batch, before, out)
      return
    }
    if (this.#isExact) {
      this.#carry(batch, before, out)
      return
    }
    const { values, halves } = batch.columns[this.#timeIndex] as Int64Column
    const first = readInt53(halves, batch.selection?.[0] ?? 0)
    // In order and ahead of the watermark, no row can be behind what the rows before it make of the watermark.
    if (first > before && this.#isOrdered(values.byteOffset, batch.length) === 1) {
      this.#take(partition, before, readInt53(halves, batch.selection?.[batch.count - 1] ?? batch.length - 1))
      out.emit("main", batch.with({ watermarks: null, isTimeOrdered: true }))
      return
    }
    const rows = this.#rows.of(batch).byteOffset
    const latest = this.#code.latestAhead(values.byteOffset, rows, batch.count, before, this.#delayMicros)
    if (latest === Infinity) {
      this.#carry(batch, before, out)
      return
    }
    this.#take(partition, before, latest)
    out.emit("main", batch.with({ watermarks: null, isTimeOrdered: false }))
  }

  /** Gives each row its watermark. `before` is that of the partition before the batch. */
  #carry(batch: Batch, before: number, out: Emitter): void {
    const { values } = batch.columns[this.#timeIndex] as Int64Column
    const rows = this.#rows.of(batch).byteOffset
    this.#watermarks.reserve(batch.length)
    const { address, f64: watermarks } = this.#watermarks
    const latest = this.#code.carry(values.byteOffset, rows, batch.count, before, this.#delayMicros, address)
    this.#take(batch.origin.partition, before, latest)
    out.emit("main", batch.with({ watermarks, isTimeOrdered: false }))
  }

  /** The same, where watermarks are given: a record's is at work behind it (T12). */
  #carryGiven(given: GivenWatermarks, batch: Batch, before: number, out: Emitter): void {
    const { halves } = batch.columns[this.#timeIndex] as Int64Column
    this.#watermarks.reserve(batch.length)
    const { f64: watermarks } = this.#watermarks
    let watermark = before
    const visit = (row: number, read: (row: number) => unknown) => {
      watermarks[row] = watermark
      this.#maxEventTime = Math.max(this.#maxEventTime, readInt53(halves, row))
      const said = read(row) as number | null
      if (said !== null && said > watermark) watermark = said
    }
    given.forEachRow(batch, visit, (rows) => {
      this.#partitions.set(batch.origin.partition, watermark)
      this.#change(batch.origin.partition)
      out.emit("main", rows.with({ watermarks, isTimeOrdered: false }))
    })
  }

  /** Takes note of a partition's latest event time of a batch, before which its watermark was `before`. */
  #take(partition: number, before: number, latest: number): void {
    this.#maxEventTime = Math.max(this.#maxEventTime, latest)
    this.#partitions.set(partition, Math.max(before, latest - this.#delayMicros))
    this.#change(partition)
  }

  /** Takes the operator's watermark to where the open partitions have it, and gives it. */
  updateWatermark(): number {
    // No partition: where nothing is left the watermark stays. All idle: nothing is waited for.
    if (this.hasActivePartitions) this.#raise(this.watermarkWithout(NO_PARTITION))
    else if (this.#partitions.size > 0) this.#raise(Math.max(...this.#partitions.values()))
    return this.#watermark
  }

  #raise(watermark: number): void {
    if (watermark <= this.#watermark) return
    this.#watermark = watermark
    this.#hasChanged = true
  }

  /** Takes the watermarks of the operator and of all open partitions up to `watermark`: what lies below has fired. */
  raiseAll(watermark: number): void {
    this.#raise(watermark)
    for (const [partition, own] of this.#partitions) {
      if (own >= watermark) continue
      this.#partitions.set(partition, watermark)
      this.#change(partition)
    }
  }

  /** Gives its memory back. It takes no more rows. */
  release(): void {
    this.#rows.release()
    this.#watermarks.release()
  }

  writeChanges(out: ByteWriter): void {
    if (!this.#hasChanged) return
    this.#write(this.#changed, out)
    this.#changed.clear()
    this.#hasChanged = false
  }

  writeAll(out: ByteWriter): void {
    if (this.#partitions.size === 0 && this.#watermark === -Infinity) return
    this.#write(new Set(this.#partitions.keys()), out)
  }

  #write(changed: ReadonlySet<number>, out: ByteWriter): void {
    const partitions = [...changed].map((partition) => {
      const watermark = this.#partitions.get(partition)
      return {
        partition,
        state: watermark === undefined ? undefined : { watermark, idleSince: this.#idle.get(partition) },
      }
    })
    writeEventTimeChanges({ watermark: this.#watermark, maxEventTime: this.#maxEventTime, partitions }, out)
  }

  applyChanges(changes: ByteReader): void {
    takeChanges(this.id, changes, (each) => {
      this.#apply(each)
    })
  }

  #apply(changes: ByteReader): void {
    const { watermark, maxEventTime, partitions } = readEventTimeChanges(changes)
    this.#watermark = watermark
    this.#maxEventTime = maxEventTime
    for (const { partition, state } of partitions) {
      this.#idle.delete(partition)
      if (state === undefined) this.#partitions.delete(partition)
      else this.#partitions.set(partition, state.watermark)
      if (state?.idleSince !== undefined) this.#idle.set(partition, state.idleSince)
    }
  }
}
