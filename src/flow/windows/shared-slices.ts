/**
 * The slices that several windows over one stream share: each record is added once, and each window takes from them what
 * it holds. See docs/decisions/0019-windows-share-slices.md.
 *
 * The slices are those of a window operator over a grid on which all windows' edges lie; it does all that is done with
 * records and keeps their state, and never fires. The windows are operators that are given the same batches and
 * watermarks, one after the other: the first batch of a kind is added, and when the last window has had a watermark what no
 * window holds any more is forgotten.
 *
 * Invariants:
 * - SS1 A record is added once.
 * - SS2 Whether a record is late, and which windows it counts in, is for each window as if it were alone.
 * - SS3 Between batches and watermarks all windows have the same watermark.
 */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Batch } from "../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../batch/column.ts"
import { EveryRow } from "../every-row.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { mergeFunctions, type MergeFunctions } from "./merge-code.ts"
import { MergedRuns } from "./merged-runs.ts"
import { WindowAggregate, type StoredSlices, type WindowAggregateOptions } from "./window-aggregate.ts"
import { windowFunctions, type WindowFunctions } from "./window-code.ts"
import type { WindowShape } from "./window-shape.ts"

/** One of the windows, as the slices see it. */
export interface SharingWindow {
  readonly id: string
  readonly watermark: number
  /** Slices that start earlier are not asked for any more. */
  readonly nextStart: number
  /** Whether a row of a batch is late for all of its windows. */
  isLate(batch: Batch, row: number): boolean
  /** Forgets what was taken from the slices: ids of keys or codes of texts have got another meaning. */
  forget(): void
  /** Forgets it, and goes on from a watermark. */
  restore(watermark: number): void
}

/** A slice of the grid whose records were late for a moment of the grid. */
export interface WaitingSlice {
  readonly start: number
  /** The first moment of the grid for which they were on time. */
  readonly countsFrom: number
  /** Its entries. */
  readonly from: number
  readonly size: number
}

/** The generated code of a window. */
export interface WindowCode {
  readonly windows: WindowFunctions
  readonly merging: MergeFunctions
}

/** What was late for all its windows has no more to say: each window tells it itself. */
const NOBODY: Emitter = { emit: () => undefined }

/** See the head of this file. */
export class SharedSlices {
  readonly store: WindowAggregate
  readonly stored: StoredSlices
  readonly runs: MergedRuns
  readonly #timeIndex: number
  readonly #timeShift: number
  /** In the order in which they are given batches and watermarks. */
  readonly #windows: SharingWindow[] = []
  /** How many windows have no other watermark than the store. */
  #behind = 0
  #released = 0
  readonly #arena: Arena
  readonly #codes = new Map<string, WindowCode>()
  readonly #everyRow = new EveryRow()
  /** The rows of the last batch that were behind their partition's watermark. */
  #late: Int32Array = new Int32Array(0)
  #lateCount = 0

  constructor(options: WindowAggregateOptions, context: OperatorContext) {
    const onFailedRow: OperatorContext["onFailedRow"] = (failed) => {
      for (const window of this.#windows) {
        if (!window.isLate(failed.batch, failed.row)) context.onFailedRow({ ...failed, operator: window.id })
      }
    }
    this.store = new WindowAggregate(options, { ...context, onFailedRow })
    this.stored = this.store.stored
    this.runs = new MergedRuns(context.arena, this.stored)
    this.#arena = context.arena
    this.#timeIndex = options.timeIndex
    this.#timeShift = options.timeShift
  }

  /** The code of a window; windows with the same aggregates have the same, so that what is learnt of one is of use to all. */
  codeOf(shape: WindowShape): WindowCode {
    let code = this.#codes.get(shape.key)
    if (code === undefined) {
      const { memory } = this.#arena
      this.#codes.set(
        shape.key,
        (code = { windows: windowFunctions(shape, memory), merging: mergeFunctions(shape, memory) }),
      )
    }
    return code
  }

  /** Takes note of a window. All are known before the first batch. */
  add(window: SharingWindow): void {
    this.#windows.push(window)
    this.#behind++
  }

  /** Takes a batch that each window is given: once. */
  onBatch(window: SharingWindow, batch: Batch): void {
    if (window !== this.#windows[0]) return
    this.store.onBatch(batch, NOBODY)
    this.#findLate(batch)
  }

  /** Only rows behind their partition's watermark can be late for a window. */
  #findLate(batch: Batch): void {
    this.#lateCount = 0
    const { watermarks, count } = batch
    if (watermarks === null) return
    if (this.#late.length < count) this.#late = new Int32Array(count)
    const rows = batch.selection ?? this.#everyRow.below(batch.length)
    for (let at = 0; at < count; at++) {
      if (this.timeOf(batch, rows[at]!) <= watermarks[rows[at]!]!) this.#late[this.#lateCount++] = rows[at]!
    }
  }

  /** The rows of the batch at hand that are late for all windows of one of those that share. */
  lateFor(window: SharingWindow, batch: Batch): Int32Array | undefined {
    if (this.#lateCount === 0) return undefined
    const late = this.#late.subarray(0, this.#lateCount).filter((row) => window.isLate(batch, row))
    return late.length === 0 ? undefined : late
  }

  /** A row's event time. */
  timeOf({ columns }: Batch, row: number): number {
    return readInt53((columns[this.#timeIndex] as Int64Column).halves, row) + this.#timeShift
  }

  /** The slices of records that were late for a moment of the grid: in order of time, then of the first they count for. */
  waiting(): readonly WaitingSlice[] {
    const { pieces, memory } = this.stored
    if (!pieces.areJoining) return []
    const places = pieces.open(-Infinity).filter(({ list }) => list !== memory.pieces)
    const slices = places.map(({ list, index }) => ({
      start: list.time(index, "start"),
      countsFrom: list.time(index, "countsFrom"),
      from: list.get(index, "from"),
      size: list.get(index, "size"),
    }))
    return slices.sort((one, other) => one.start - other.start || one.countsFrom - other.countsFrom)
  }

  /** Takes note that a window's watermark has risen from `before`. */
  onRisen(before: number): void {
    if (before > this.store.watermark || --this.#behind > 0) return
    const watermark = Math.min(...this.#windows.map((window) => window.watermark))
    assert(watermark > before, "all windows have risen")
    const haveIdsMoved = this.store.pass(watermark)
    this.#behind = this.#windows.filter((window) => window.watermark === watermark).length
    this.runs.forgetBefore(Math.min(...this.#windows.map(({ nextStart }) => nextStart)))
    if (!haveIdsMoved) return
    this.runs.forgetAll()
    for (const window of this.#windows) window.forget()
  }

  /** Takes note that the store has been restored. */
  onRestored(): void {
    this.runs.forgetAll()
    this.#behind = this.#windows.length
    for (const window of this.#windows) window.restore(this.store.watermark)
  }

  /** Gives the memory back when all windows have. */
  release(): void {
    if (++this.#released < this.#windows.length) return
    this.runs.release()
    this.store.release()
  }
}
