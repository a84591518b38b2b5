/**
 * The slices that several windows over one stream share: each record is added once, and each window takes from them what
 * it holds. See docs/decisions/0019-windows-share-slices.md.
 *
 * The slices are those of a window operator over a grid on which all windows' edges lie; it does all that is done with
 * records and keeps their state, and never fires. The windows are operators, of which one leads: it is given the batches and
 * watermarks of all. A batch or a watermark costs nothing for a window for which nothing is late and that is not due.
 *
 * Invariants:
 * - SS1 A record is added once.
 * - SS2 Whether a record is late, and which windows it counts in, is for each window as if it were alone.
 * - SS3 All windows have the same watermark; no window that has not fired ends at that + 1 or earlier.
 */
import type { Arena } from "../../../batch/arena.ts"
import type { Batch } from "../../../batch/batch.ts"
import { readInt53, type Int64Column } from "../../../batch/column.ts"
import { EveryRow } from "../../every-row.ts"
import type { Emitter, OperatorContext } from "../../operator.ts"
import type { DirectWindows } from "./direct-windows.ts"
import { DueWindows } from "./due-windows.ts"
import { mergeFunctions, type MergeFunctions } from "./merge-code.ts"
import { MergedRuns } from "./merged-runs.ts"
import type { FiredTogether, SharedFiring } from "./shared-firing.ts"
import { WindowAggregate, type StoredSlices, type WindowAggregateOptions } from "../window-aggregate.ts"
import { windowFunctions, type WindowFunctions } from "../kernels/window-code.ts"
import { PIECE } from "../kernels/window-control.ts"
import type { WindowShape } from "../kernels/window-shape.ts"

/** One of the windows, as the slices see it. */
export interface SharingWindow {
  readonly id: string
  /** What fires it. */
  readonly firing: SharedFiring
  /** Whether a row of a batch is late for all of its windows. */
  isLate(batch: Batch, row: number): boolean
  /** Gives out rows of a batch that are late for all of its windows. */
  giveLate(batch: Batch, late: Int32Array): void
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

/** Takes nothing: each window gives out itself what is late for it. */
export const NOBODY: Emitter = { emit: () => undefined }

const NONE_WAITING: readonly WaitingSlice[] = []

/** See the head of this file. */
export class SharedSlices {
  readonly store: WindowAggregate
  readonly stored: StoredSlices
  readonly runs: MergedRuns
  readonly #timeIndex: number
  readonly #timeShift: number
  /** In order of the plan: the first one leads. */
  readonly #windows: SharingWindow[] = []
  readonly #firings: FiredTogether[] = []
  readonly #due = new DueWindows<FiredTogether>()
  #released = 0
  readonly #arena: Arena
  readonly #codes = new Map<string, WindowCode>()
  readonly #direct = new Map<string, DirectWindows>()
  readonly #everyRow = new EveryRow()
  /** The rows of the last batch that were behind their partition's watermark. */
  #late: Int32Array = new Int32Array(0)
  #lateCount = 0
  #waiting: readonly WaitingSlice[] = NONE_WAITING

  constructor(options: WindowAggregateOptions, context: OperatorContext) {
    const onFailedRow: OperatorContext["onFailedRow"] = (failed) => {
      for (const window of this.#windows) {
        if (!window.isLate(failed.batch, failed.row)) context.onFailedRow({ ...failed, operator: window.id })
      }
    }
    this.store = new WindowAggregate(options, { ...context, onFailedRow })
    this.stored = this.store.stored
    this.runs = new MergedRuns(context.arena, this.stored, () => this.#neededFrom)
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

  /** Windows that make their rows at once; those with the same aggregates are fired together. */
  directOf(key: string, make: () => DirectWindows): DirectWindows {
    let windows = this.#direct.get(key)
    if (windows === undefined) this.#direct.set(key, (windows = make()))
    return windows
  }

  /** Takes note of a window, and gives whether it leads. All are known before the first batch. */
  add(window: SharingWindow): boolean {
    const { together } = window.firing
    if (!this.#firings.includes(together)) this.#firings.push(together)
    return this.#windows.push(window) === 1
  }

  /** Slices that start earlier are not asked for any more. */
  get #neededFrom(): number {
    return Math.min(...this.#firings.map(({ neededFrom }) => neededFrom))
  }

  /** Takes a batch, for all windows. */
  onBatch(batch: Batch): void {
    this.store.onBatch(batch, NOBODY)
    this.#findLate(batch)
    if (this.#lateCount === 0) return
    const rows = this.#late.subarray(0, this.#lateCount)
    for (const window of this.#windows) {
      const late = rows.filter((row) => window.isLate(batch, row))
      if (late.length > 0) window.giveLate(batch, late)
    }
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

  /** A row's event time. */
  timeOf({ columns }: Batch, row: number): number {
    return readInt53((columns[this.#timeIndex] as Int64Column).halves, row) + this.#timeShift
  }

  /** The slices of records that were late for a moment of the grid: in order of time, then of the first they count for. */
  get waiting(): readonly WaitingSlice[] {
    return this.#waiting
  }

  #findWaiting(): WaitingSlice[] {
    const { pieces, memory } = this.stored
    const places = pieces.open(-Infinity).filter(({ list }) => list !== memory.pieces)
    const slices = places.map(({ list, index }) => ({
      start: list.time(index, PIECE.start),
      countsFrom: list.time(index, PIECE.countsFrom),
      from: list.get(index, PIECE.from),
      size: list.get(index, PIECE.size),
    }))
    return slices.sort((one, other) => one.start - other.start || one.countsFrom - other.countsFrom)
  }

  /** Fires the windows that are due. At +∞ all are, and the watermark becomes that at which the last of them is due. */
  onWatermark(watermark: number): void {
    const before = this.store.watermark
    if (watermark === Infinity) {
      this.#begin()
      const lastEnds = this.#firings.map((firing) => firing.fireAll())
      const reached = Math.max(before, ...lastEnds.map((end) => end - 1))
      for (const firing of this.#firings) firing.pass(reached)
      this.#due.fill(this.#firings)
      if (reached > before) this.#pass(reached)
      return
    }
    const due = this.#due
    if (due.firstEnd === Infinity) due.fill(this.#firings)
    if (due.firstEnd <= watermark + 1) this.#begin()
    while (due.firstEnd <= watermark + 1) due.postponeFirst(due.first.fireDue(watermark))
    this.#pass(watermark)
  }

  /** Begins to fire windows. */
  #begin(): void {
    this.runs.begin()
    for (const windows of this.#direct.values()) windows.begin(this.stored.keys)
    this.#waiting = this.stored.pieces.areJoining ? this.#findWaiting() : NONE_WAITING
  }

  /** Forgets what no window holds any more. */
  #pass(watermark: number): void {
    const haveIdsMoved = this.store.pass(watermark)
    if (!haveIdsMoved) return
    this.runs.forgetAll()
    for (const firing of this.#firings) firing.forget()
  }

  /** Takes note that the store has been restored. */
  onRestored(): void {
    this.runs.forgetAll()
    for (const firing of this.#firings) {
      firing.pass(this.store.watermark)
      firing.forget()
    }
    this.#due.fill(this.#firings)
  }

  /** Gives the memory back when all windows have. */
  release(): void {
    if (++this.#released < this.#windows.length) return
    for (const windows of this.#direct.values()) windows.release()
    this.runs.release()
    this.store.release()
  }
}
