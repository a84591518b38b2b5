/**
 * Rows of one window after the other, of slices that are shared: what keys have in the window's older slices and in its
 * newer ones is gathered in two lists of entries, and the one merged behind the other.
 *
 * The older slices come from the last to the first, each before what is there; the newer ones from the first to the
 * last. So bits and the order of keys are those of the two stacks (`window-code.ts`, rules W4 and W13), of which this is
 * one step without the steps before. Nothing is left behind when a window's rows are stored, so windows of any length
 * with the same aggregates use the same memory, which stays in the cache.
 */
import type { Arena } from "../../batch/arena.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import type { Emitter, OperatorContext } from "../operator.ts"
import { EntryTable } from "./entry-table.ts"
import { RANGE_WORDS } from "./merge-code.ts"
import type { SourceTables } from "./merged-runs.ts"
import type { SharedSlices, WindowCode } from "./shared-slices.ts"
import { WindowMemory } from "./window-memory.ts"
import { WindowResults, type ResultsOwner, type WindowResultsOptions } from "./window-results.ts"

const SMALLEST = 64

/** Entries from `start` to before `tail`, and a number for each key, by which they are found. */
interface GatheredList {
  readonly slots: LinearArray
  start: number
  tail: number
}

/** See the head of this file. */
export class DirectRows {
  readonly #shared: SharedSlices
  readonly #code: WindowCode
  readonly #sources: SourceTables
  readonly #memory: WindowMemory
  readonly #results: WindowResults
  /** Where the entries lie, as a source and as a target. */
  readonly #table: EntryTable
  readonly #older: GatheredList
  readonly #newer: GatheredList
  /** The slice at hand, where it is more than one range. */
  readonly #slice: GatheredList
  /** The range of one of the lists. */
  readonly #range: LinearArray
  #keyCapacity = 0

  /** @param fields by field of the windows' entries: which of the shared ones it is. */
  constructor(
    options: WindowResultsOptions,
    fields: readonly number[],
    shared: SharedSlices,
    context: OperatorContext & { readonly arena: Arena },
  ) {
    const { arena } = context
    const { shape } = options
    this.#shared = shared
    this.#code = shared.codeOf(shape)
    this.#sources = shared.runs.tablesOf(fields)
    this.#memory = new WindowMemory(arena, shape)
    this.#results = new WindowResults(options, this.#memory, context)
    this.#table = new EntryTable(
      arena,
      this.#memory,
      fields.map((_, field) => field),
    )
    const list = () => ({ slots: new LinearArray(arena, 4, SMALLEST, null), start: 0, tail: 0 })
    this.#older = list()
    this.#newer = list()
    this.#slice = list()
    this.#range = new LinearArray(arena, 4, RANGE_WORDS)
  }

  /** Begins with windows of one owner, all of the same length. */
  begin(owner: ResultsOwner, windowSize: number): void {
    const { keys } = this.#shared.stored
    this.#results.serve(owner)
    this.#results.bindKeys(keys)
    this.#memory.windowSize = windowSize
    if (keys.size > this.#keyCapacity) this.#reserve(keys.size)
  }

  /** Each list has a key at most once. */
  #reserve(keys: number): void {
    const capacity = Math.max(keys, this.#keyCapacity * 2, SMALLEST)
    this.#memory.reserveEntries(3 * capacity)
    this.#table.sync()
    ;[this.#older, this.#newer, this.#slice].forEach((list, index) => {
      list.slots.reserve(capacity)
      list.start = list.tail = index * capacity
    })
    this.#keyCapacity = capacity
  }

  /** Puts what was looked up, a slice of the older block, before those that follow it in time. */
  takeOlder(): void {
    this.#take(this.#older, "mergeBefore")
  }

  /** Puts what was looked up, a slice of the newer block, behind those before. */
  takeNewer(): void {
    this.#take(this.#newer, "merge")
  }

  /** A slice is added up by itself before it is added to others. */
  #take(list: GatheredList, name: "merge" | "mergeBefore"): void {
    const { runs } = this.#shared
    const { merging } = this.#code
    const { slots, start, tail } = list
    if (runs.rangeCount === 0) return
    if (tail === start) list.tail = runs.merge(merging.merge, this.#table, this.#sources, slots, start, start)
    else if (runs.rangeCount === 1) {
      list.tail = runs.merge(merging[name], this.#table, this.#sources, slots, start, tail)
    } else {
      const slice = this.#slice
      slice.tail = runs.merge(merging.merge, this.#table, this.#sources, slice.slots, slice.start, slice.start)
      this.#mergeList(slice, list, name)
    }
  }

  #mergeList({ start, tail }: GatheredList, into: GatheredList, name: "merge" | "mergeBefore"): void {
    const { i32, address } = this.#range
    i32[0] = 0
    i32[1] = start
    i32[2] = tail
    const table = this.#table.address
    into.tail = this.#code.merging[name](table, table, table, address, 1, into.slots.address, into.start, into.tail)
  }

  /** Stores the rows of the window that ends at `end`, of what was taken; gives whether there are any. */
  store(end: number, out: Emitter): boolean {
    const [older, newer] = [this.#older, this.#newer]
    let whole = older
    if (older.tail === older.start) whole = newer
    else if (newer.tail > newer.start) this.#mergeList(newer, older, "merge")
    const { start, tail } = whole
    this.#emit(start, tail, end, out)
    older.tail = older.start
    newer.tail = newer.start
    return tail > start
  }

  #emit(start: number, tail: number, end: number, out: Emitter): void {
    const results = this.#results
    for (let from = start; from < tail;) {
      const count = Math.min(tail - from, results.roomFor(tail - from))
      this.#code.windows.emitEntries(this.#memory.controlAddress, results.length, count, end, from)
      results.append(count, out)
      from += count
    }
  }

  /** Emits what is left of the owner's results. */
  flush(out: Emitter): void {
    this.#results.flush(out)
  }

  release(): void {
    this.#results.release()
    this.#memory.release()
    this.#table.release()
    for (const { slots } of [this.#older, this.#newer, this.#slice]) slots.release()
    this.#range.release()
  }
}
