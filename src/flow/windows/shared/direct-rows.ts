/**
 * Rows of one window after the other, of slices that are shared: what keys have in the halves of a window (`half-code.ts`) and in
 * records that were late is gathered in one list of entries. The work is done by generated code (`direct-code.ts`).
 *
 * Nothing but halves is left behind when a window's rows are stored, so windows of any length with the same
 * aggregates use the same memory, which stays in the cache.
 */
import { writeInt53 } from "../../../batch/column.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import type { Emitter, OperatorContext } from "../../operator.ts"
import {
  DIRECT,
  DIRECT_BYTES,
  DIRECT_WINDOW,
  DIRECT_WINDOW_BYTES,
  directFunctions,
  REASON,
  type DirectFunctions,
} from "./direct-code.ts"
import { DueHeap } from "./due-heap.ts"
import { EntryTable } from "./entry-table.ts"
import type { MergedRuns } from "./merged-runs.ts"
import type { Slices } from "../kernels/slices.ts"
import type { StoredSlices } from "../window-aggregate.ts"
import type { WindowKeys } from "../keys/window-keys.ts"
import { WindowMemory } from "../window-memory.ts"
import { WindowResults, type ResultsOwner, type WindowResultsOptions } from "../window-results.ts"

const SMALLEST = 64

/** What rows are made of. */
export interface DirectRowsParts {
  readonly stored: StoredSlices
  readonly runs: MergedRuns
}

/** See the head of this file. */
export class DirectRows {
  readonly #stored: StoredSlices
  readonly #runs: MergedRuns
  readonly #gather: DirectFunctions["gather"]
  readonly #fireDue: DirectFunctions["fireDue"]
  readonly #fireFirst: DirectFunctions["fireFirst"]
  readonly #postponeFirst: DirectFunctions["postponeFirst"]
  readonly #emitEntries: DirectFunctions["emitEntries"]
  readonly #memory: WindowMemory
  readonly #results: WindowResults
  /** Where the windows' entries lie. */
  readonly #table: EntryTable
  /** A number for each key, by which merging finds its entry. */
  readonly #slots: LinearArray
  readonly #control: LinearArray
  /** What is told of windows, one after the other. */
  readonly #windows: LinearArray
  readonly #due: DueHeap
  #keyCount = 0
  #keyCapacity = 0

  /** @param fields by field of the windows' entries: which of the shared ones it is. */
  constructor(
    options: WindowResultsOptions,
    fields: readonly number[],
    { stored, runs }: DirectRowsParts,
    context: OperatorContext,
  ) {
    const { arena } = context
    const { shape } = options
    const code = directFunctions(stored.shape, shape, arena.memory)
    this.#stored = stored
    this.#runs = runs
    this.#gather = code.gather
    this.#fireDue = code.fireDue
    this.#fireFirst = code.fireFirst
    this.#postponeFirst = code.postponeFirst
    this.#emitEntries = code.emitEntries
    this.#memory = new WindowMemory(arena, shape)
    this.#results = new WindowResults(options, this.#memory, context)
    this.#table = new EntryTable(
      arena,
      this.#memory,
      fields.map((_, field) => field),
    )
    this.#slots = new LinearArray(arena, 4, SMALLEST, null)
    this.#control = new LinearArray(arena, 4, DIRECT_BYTES / 4)
    this.#windows = new LinearArray(arena, 8, SMALLEST)
    this.#due = new DueHeap(arena)
    const sources = runs.tablesOf(fields)
    const { i32 } = this.#control
    i32[DIRECT.runs >> 2] = runs.controlAddress
    i32[DIRECT.sliceEntries >> 2] = sources.slices.address
    i32[DIRECT.runEntries >> 2] = sources.runs.address
    i32[DIRECT.entries >> 2] = this.#table.address
    i32[DIRECT.memory >> 2] = this.#memory.controlAddress
  }

  /** Takes note of windows; gives a number by which they are known: how many others were told before. */
  tell({ size, slide }: Slices): number {
    const told = this.#due.count
    this.#windows.reserve(((told + 1) * DIRECT_WINDOW_BYTES) / 8)
    const steps = size / this.#stored.slices.slide
    this.#runs.expectHalves(steps)
    writeInt53(this.#windows.i32, placeOf(told, DIRECT_WINDOW.steps), steps)
    writeInt53(this.#windows.i32, placeOf(told, DIRECT_WINDOW.size), size)
    this.#windows.f64[placeOf(told, DIRECT_WINDOW.slide)] = slide
    this.setFloorEnd(told, -Infinity)
    this.#due.add()
    const { i32 } = this.#control
    i32[DIRECT.due >> 2] = this.#due.address
    i32[DIRECT.dueCount >> 2] = this.#due.count
    i32[DIRECT.windows >> 2] = this.#windows.address
    return told
  }

  /** Puts windows in order of when they are due, after that was set. */
  order(): void {
    this.#due.fill(Array.from({ length: this.#due.count }, (_, told) => this.floorEnd(told)))
  }

  /** When the first of all windows are due, and which these are. */
  get firstEnd(): number {
    return this.#due.firstEnd
  }

  get first(): number {
    return this.#due.first
  }

  /** The end of the first window that has not fired. */
  floorEnd(told: number): number {
    return this.#windows.f64[placeOf(told, DIRECT_WINDOW.floorEnd)]!
  }

  setFloorEnd(told: number, end: number): void {
    this.#windows.f64[placeOf(told, DIRECT_WINDOW.floorEnd)] = end
  }

  #passWindow(told: number): void {
    this.setFloorEnd(told, this.floorEnd(told) + this.#windows.f64[placeOf(told, DIRECT_WINDOW.slide)]!)
  }

  /** Begins to fire windows: slices have these keys. */
  begin(keys: WindowKeys): void {
    this.#results.bindKeys(keys)
    this.#keyCount = keys.size
    if (keys.size > this.#keyCapacity) this.#reserve(keys.size)
  }

  /** A window has a key at most once. */
  #reserve(keys: number): void {
    const capacity = Math.max(keys, this.#keyCapacity * 2, SMALLEST)
    this.#memory.reserveEntries(capacity)
    this.#table.sync()
    this.#slots.reserve(capacity)
    this.#control.i32[DIRECT.slots >> 2] = this.#slots.address
    this.#keyCapacity = capacity
  }

  /**
   * Fires those windows that are due first, which have fired before, up to the last that ends at `lastDueEnd` or earlier, and gives
   * whether that was all: else it stopped before, where there is more to be done than to store rows.
   */
  fireFirst(owner: ResultsOwner, lastDueEnd: number, out: Emitter): boolean {
    const results = this.#results
    results.serve(owner)
    const { address, i32 } = this.#control
    results.append(this.#fireFirst(address, lastDueEnd, results.roomFor(this.#keyCount)), out)
    if (i32[DIRECT.reason >> 2]! !== REASON.due) return false
    results.flush(out)
    return true
  }

  /** Takes note that the windows that were due first have fired up to where is told. */
  postponeFirst(): void {
    this.#postponeFirst(this.#due.address, this.#due.count, this.floorEnd(this.first))
  }

  /**
   * Fires windows from the first that has not fired to the last that ends at `lastDueEnd` or earlier, but stops behind one
   * without records. Gives the end of the last one with records; −∞ where there was none.
   */
  fireDue(told: number, lastDueEnd: number, out: Emitter): number {
    const results = this.#results
    const { address, i32, f64 } = this.#control
    const window = this.#windows.address + told * DIRECT_WINDOW_BYTES
    let lastEnd = -Infinity
    for (;;) {
      const from = results.length
      const capacity = from + results.roomFor(this.#keyCount)
      const to = this.#fireDue(address, window, lastDueEnd, from, capacity)
      results.append(to - from, out)
      if (to > from) lastEnd = f64[DIRECT.lastEnd >> 3]!
      const reason = i32[DIRECT.reason >> 2]!
      if (reason === REASON.runs) this.#runs.makeRoom()
      else if (reason === REASON.rows) lastEnd = this.#fireGathered(told, i32[DIRECT.count >> 2]!, out)
      else return lastEnd
    }
  }

  /**
   * Fires the first window that has not fired, of which ranges of late records were looked up. Gives its end; −∞ where it has no
   * records.
   */
  fireWithLate(told: number, out: Emitter): number {
    const window = this.#windows.address + told * DIRECT_WINDOW_BYTES
    const { rangesAddress, rangesEnd } = this.#runs
    for (;;) {
      const count = this.#gather(this.#control.address, window, this.floorEnd(told), rangesAddress, rangesEnd)
      if (count >= 0) return this.#fireGathered(told, count, out)
      this.#runs.makeRoom()
    }
  }

  /** Makes the rows of the first window that has not fired, which was gathered. */
  #fireGathered(told: number, count: number, out: Emitter): number {
    const results = this.#results
    const end = this.floorEnd(told)
    let from = 0
    for (let left = count; left > 0;) {
      const room = Math.min(left, results.roomFor(left))
      this.#emitEntries(this.#memory.controlAddress, results.length, room, end, from)
      results.append(room, out)
      from += room
      left -= room
    }
    this.#passWindow(told)
    return count > 0 ? end : -Infinity
  }

  /** Begins with windows of one owner. */
  serve(owner: ResultsOwner): void {
    this.#results.serve(owner)
  }

  /** Emits what is left of the owner's results. */
  flush(out: Emitter): void {
    this.#results.flush(out)
  }

  release(): void {
    this.#results.release()
    this.#memory.release()
    this.#table.release()
    this.#due.release()
    for (const array of [this.#slots, this.#control, this.#windows]) array.release()
  }
}

/** Where something that was told of windows lies, in words of 8 bytes. */
function placeOf(told: number, offset: number): number {
  return (told * DIRECT_WINDOW_BYTES + offset) / 8
}
