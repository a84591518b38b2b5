/**
 * Rows of one window after the other, of slices that are shared: what keys have in the window's older slices and in its
 * newer ones is gathered in two lists of entries, and the one merged behind the other. The work is done by generated code
 * (`direct-code.ts`).
 *
 * The older slices come from the last to the first, each before what is there; the newer ones from the first to the
 * last. So bits and the order of keys are those of the two stacks (`window-code.ts`, rules W4 and W13), of which this is
 * one step without the steps before. Nothing is left behind when a window's rows are stored, so windows of any length
 * with the same aggregates use the same memory, which stays in the cache.
 */
import { writeInt53 } from "../../batch/column.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { DIRECT, DIRECT_BYTES, DIRECT_WINDOW, directFunctions, LIST, type DirectFunctions } from "./direct-code.ts"
import { EntryTable } from "./entry-table.ts"
import type { MergedRuns } from "./merged-runs.ts"
import type { Slices } from "./slices.ts"
import type { StoredSlices } from "./window-aggregate.ts"
import type { WindowFunctions } from "./window-code.ts"
import type { WindowKeys } from "./window-keys.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowResults, type ResultsOwner, type WindowResultsOptions } from "./window-results.ts"

const SMALLEST = 64
const LISTS = [DIRECT.older, DIRECT.newer, DIRECT.slice] as const

/** What rows are made of. */
export interface DirectRowsParts {
  readonly stored: StoredSlices
  readonly runs: MergedRuns
  readonly code: Pick<WindowFunctions, "emitEntries">
}

/** See the head of this file. */
export class DirectRows {
  readonly #stored: StoredSlices
  readonly #runs: MergedRuns
  readonly #gather: DirectFunctions["gather"]
  readonly #take: DirectFunctions["take"]
  readonly #finish: DirectFunctions["finish"]
  readonly #emitEntries: WindowFunctions["emitEntries"]
  readonly #memory: WindowMemory
  readonly #results: WindowResults
  /** Where the lists' entries lie. */
  readonly #table: EntryTable
  /** By list: a number for each key, by which merging finds its entry. */
  readonly #slots: readonly LinearArray[]
  readonly #control: LinearArray
  /** What is told of windows, one after the other. */
  readonly #windows: LinearArray
  #told = 0
  #keyCapacity = 0

  /** @param fields by field of the windows' entries: which of the shared ones it is. */
  constructor(
    options: WindowResultsOptions,
    fields: readonly number[],
    { stored, runs, code }: DirectRowsParts,
    context: OperatorContext,
  ) {
    const { arena } = context
    const { shape } = options
    const { gather, take, finish } = directFunctions(stored.shape, shape, arena.memory)
    this.#stored = stored
    this.#runs = runs
    this.#gather = gather
    this.#take = take
    this.#finish = finish
    this.#emitEntries = code.emitEntries
    this.#memory = new WindowMemory(arena, shape)
    this.#results = new WindowResults(options, this.#memory, context)
    this.#table = new EntryTable(
      arena,
      this.#memory,
      fields.map((_, field) => field),
    )
    this.#slots = LISTS.map(() => new LinearArray(arena, 4, SMALLEST, null))
    this.#control = new LinearArray(arena, 4, DIRECT_BYTES / 4)
    this.#windows = new LinearArray(arena, 8, SMALLEST)
    const sources = runs.tablesOf(fields)
    const { i32 } = this.#control
    i32[DIRECT.runs >> 2] = runs.controlAddress
    i32[DIRECT.sliceEntries >> 2] = sources.slices.address
    i32[DIRECT.runEntries >> 2] = sources.runs.address
    i32[DIRECT.entries >> 2] = this.#table.address
  }

  /** Takes note of windows that are cut into slices at the given moments behind their start; gives a number for `gather`. */
  tell({ size, offset, blockLength }: Slices, edges: readonly number[]): number {
    const { slide: step, offset: origin } = this.#stored.slices
    const at = this.#told
    this.#told += DIRECT_WINDOW.edges / 8 + edges.length
    // Loops look at the one behind the last.
    this.#windows.reserve(this.#told + 1)
    const numbers = [size / step, (offset - origin) / step, blockLength / step, edges.length - 1]
    const all = [...numbers, ...edges.map((edge) => edge / step)]
    all.forEach((value, index) => writeInt53(this.#windows.i32, at + index, value))
    return at
  }

  /** Begins with windows of one owner, all of the same length. */
  serve(owner: ResultsOwner, windowSize: number): void {
    this.#results.serve(owner)
    this.#memory.windowSize = windowSize
  }

  /** Begins to fire windows: slices have these keys. */
  begin(keys: WindowKeys): void {
    this.#results.bindKeys(keys)
    if (keys.size > this.#keyCapacity) this.#reserve(keys.size)
  }

  /** Each list has a key at most once. */
  #reserve(keys: number): void {
    const capacity = Math.max(keys, this.#keyCapacity * 2, SMALLEST)
    this.#memory.reserveEntries(LISTS.length * capacity)
    this.#table.sync()
    const { i32 } = this.#control
    LISTS.forEach((list, index) => {
      const slots = this.#slots[index]!
      slots.reserve(capacity)
      i32[(list + LIST.slots) >> 2] = slots.address
      i32[(list + LIST.start) >> 2] = index * capacity
      if (list !== DIRECT.slice) i32[(list + LIST.tail) >> 2] = index * capacity
    })
    this.#keyCapacity = capacity
  }

  /** Makes the rows of the window that ends at `end`, of those of which was told; gives whether there are any. */
  fire(told: number, end: number, out: Emitter): boolean {
    const window = this.#windows.address + told * 8
    let count = this.#gather(this.#control.address, window, end)
    while (count < 0) {
      this.#runs.makeRoom()
      count = this.#gather(this.#control.address, window, end)
    }
    return this.#emit(count, end, out)
  }

  /** Takes what was looked up, a slice of the older block, before what was taken. */
  takeOlder(): void {
    const { rangesAddress, rangesEnd } = this.#runs
    this.#take(this.#control.address, DIRECT.older, rangesAddress, rangesEnd)
  }

  /** Takes what was looked up, a slice of the newer block, behind what was taken. */
  takeNewer(): void {
    const { rangesAddress, rangesEnd } = this.#runs
    this.#take(this.#control.address, DIRECT.newer, rangesAddress, rangesEnd)
  }

  /** Makes the rows of the window that ends at `end`, of what was taken; gives whether there are any. */
  fireTaken(end: number, out: Emitter): boolean {
    return this.#emit(this.#finish(this.#control.address), end, out)
  }

  #emit(count: number, end: number, out: Emitter): boolean {
    const results = this.#results
    let from = this.#control.i32[DIRECT.from >> 2]!
    for (let left = count; left > 0;) {
      const room = Math.min(left, results.roomFor(left))
      this.#emitEntries(this.#memory.controlAddress, results.length, room, end, from)
      results.append(room, out)
      from += room
      left -= room
    }
    return count > 0
  }

  /** Emits what is left of the owner's results. */
  flush(out: Emitter): void {
    this.#results.flush(out)
  }

  release(): void {
    this.#results.release()
    this.#memory.release()
    this.#table.release()
    for (const array of [...this.#slots, this.#control, this.#windows]) array.release()
  }
}
