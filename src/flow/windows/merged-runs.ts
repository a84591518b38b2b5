/**
 * Runs of 4, 16, 64, … neighbouring slices of a grid, merged once for all windows that share the slices; and of which
 * runs a stretch of time is made.
 *
 * Slices are numbered from the grid's origin. A run of level j has the slices from a multiple of 4ʲ to the next, so where runs
 * lie depends on the plan alone, and what is in one on its slices' records. A run is made when first asked for, which is when
 * its slices are final, from the four runs below it. One in which only one slice has records is that slice.
 *
 * Invariants:
 * - MR1 A run is asked for when no record can come any more that is on time for one of its slices.
 * - MR2 Runs can be forgotten at any time: they are made again, with the same bits.
 */
import type { Arena } from "../../batch/arena.ts"
import { LinearArray } from "../../batch/linear-array.ts"
import { EntryTable, type EntryArrays } from "./entry-table.ts"
import { mergeFunctions, type MergeFunctions } from "./merge-code.ts"
import type { StoredSlices } from "./window-aggregate.ts"

/** How many runs make a longer one. */
const RUNS = 4
const SMALLEST = 256

/** A run: entries of its own, or the one slice that has records, by its start; without either, there is nothing in it. */
interface Run {
  readonly start: number
  readonly slice: number | undefined
  from: number
  readonly size: number
}

/** See the head of this file. */
export class MergedRuns {
  readonly #stored: StoredSlices
  readonly #code: MergeFunctions
  readonly #ids: LinearArray
  readonly #fields: readonly LinearArray[]
  readonly #ofSlices: EntryTable
  readonly #ofRuns: EntryTable
  /** A number for each key, for merging. */
  readonly #slots: LinearArray
  /** By level, from 1 on, and number within it. */
  readonly #levels: Map<number, Run>[] = []
  #runCount = 0
  #runsWorthForgetting = SMALLEST
  #tail = 0
  /** Runs that begin earlier are not asked for any more. */
  #neededFrom = -Infinity
  /** The stretch that was looked up last: levels and numbers of runs. */
  readonly #coverLevels: number[] = []
  readonly #coverNumbers: number[] = []
  /** Ranges of entries that were looked up: whether one is of a run's entries and not a slice's, its first entry, the first behind it. */
  readonly #ranges = { count: 0, entries: 0, isRun: [] as boolean[], from: [] as number[], until: [] as number[] }

  constructor(arena: Arena, stored: StoredSlices) {
    this.#stored = stored
    const { shape, memory } = stored
    this.#code = mergeFunctions(shape, arena.memory)
    this.#ids = new LinearArray(arena, 4, SMALLEST)
    this.#fields = shape.entryFields.map(() => new LinearArray(arena, 8, SMALLEST))
    const all = shape.entryFields.map((_, field) => field)
    this.#ofSlices = new EntryTable(arena, memory, all)
    this.#ofRuns = new EntryTable(arena, this.arrays, all)
    this.#slots = new LinearArray(arena, 4, SMALLEST)
  }

  /** Where the entries of runs are. */
  get arrays(): EntryArrays {
    return { entryIds: this.#ids, entryFields: this.#fields }
  }

  release(): void {
    for (const each of [this.#ids, ...this.#fields, this.#ofSlices, this.#ofRuns, this.#slots]) each.release()
  }

  /** Takes note that stretches that begin before `time` are not asked for any more. */
  forgetBefore(time: number): void {
    this.#neededFrom = time
  }

  /** Forgets all: ids of keys or codes of texts have got another meaning. */
  forgetAll(): void {
    for (const level of this.#levels) level.clear()
    this.#runCount = 0
    this.#tail = 0
  }

  /** The start of the first slice with records from `time` on; +∞ where there is none. */
  firstFrom(time: number): number {
    const { pieces, get } = this.#list()
    const place = this.#lowerBound(time)
    return place === get("tail") ? Infinity : pieces.time(place, "start")
  }

  #list() {
    const { memory } = this.#stored
    return { pieces: memory.pieces, get: (field: "head" | "tail") => memory.get(field) }
  }

  /** The place of the first slice with records that does not start before `time`. */
  #lowerBound(time: number): number {
    const { memory, slices } = this.#stored
    const { pieces } = memory
    let low = memory.get("head")
    let high = memory.get("tail")
    if (low === high) return low
    // Where no slice is missing, its place is known.
    const guess = low + (time - pieces.time(low, "start")) / slices.slide
    if (guess >= low && guess < high && pieces.time(guess, "start") === time) return guess
    while (low < high) {
      const middle = (low + high) >> 1
      if (pieces.time(middle, "start") < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Looks up the entries of the slices between two edges of the grid, in order: of the longest runs that lie there, from its start on. */
  lookUp(start: number, end: number): void {
    this.#ofSlices.sync()
    this.#cover(start, end)
    // Runs move where one is made, so all are made before the first is looked at.
    for (let at = 0; at < this.#coverLevels.length; at++) this.#runAt(this.#coverLevels[at]!, this.#coverNumbers[at]!)
    this.lookUpNone()
    for (let at = 0; at < this.#coverLevels.length; at++) {
      this.#appendRange(this.#coverLevels[at]!, this.#coverNumbers[at]!)
    }
  }

  /** Finds the levels and numbers of the runs; slices are of level 0. */
  #cover(start: number, end: number): void {
    const { slide, offset } = this.#stored.slices
    this.#coverLevels.length = 0
    this.#coverNumbers.length = 0
    const last = (end - offset) / slide
    for (let slice = (start - offset) / slide; slice < last;) {
      let level = 0
      let length = 1
      while (slice % (length * RUNS) === 0 && slice + length * RUNS <= last) {
        level++
        length *= RUNS
      }
      this.#coverLevels.push(level)
      this.#coverNumbers.push(slice / length)
      slice += length
    }
  }

  #startOf(level: number, number: number): number {
    const { slide, offset } = this.#stored.slices
    return offset + number * RUNS ** level * slide
  }

  /** The run of a level above 0; `undefined` for a slice. */
  #runAt(level: number, number: number): Run | undefined {
    if (level === 0) return undefined
    const runs = (this.#levels[level - 1] ??= new Map())
    let run = runs.get(number)
    if (run === undefined) {
      if (++this.#runCount > this.#runsWorthForgetting) this.#forget()
      runs.set(number, (run = this.#make(level, number)))
    }
    return run
  }

  #make(level: number, number: number): Run {
    const { pieces, get } = this.#list()
    const start = this.#startOf(level, number)
    const end = this.#startOf(level, number + 1)
    const isWithin = (index: number) => index < get("tail") && pieces.time(index, "start") < end
    const first = this.#lowerBound(start)
    if (!isWithin(first)) return { start, slice: undefined, from: 0, size: 0 }
    if (!isWithin(first + 1)) return { start, slice: pieces.time(first, "start"), from: 0, size: 0 }
    const parts = Array.from({ length: RUNS }, (_, part) => number * RUNS + part)
    for (const part of parts) this.#runAt(level - 1, part)
    this.lookUpNone()
    for (const part of parts) this.#appendRange(level - 1, part)
    this.#reserve(this.rangeEntries)
    // Entries may have moved.
    this.lookUpNone()
    for (const part of parts) this.#appendRange(level - 1, part)
    const from = this.#tail
    this.#tail = this.merge(this.#code, this.#ofRuns, this.#ofSlices, this.#ofRuns, from)
    return { start, slice: undefined, from, size: this.#tail - from }
  }

  /** Merges the ranges that were looked up last into entries from `start` on of the list `target`; gives where they end. */
  merge(code: MergeFunctions, target: EntryTable, slices: EntryTable, runs: EntryTable, start: number): number {
    this.#slots.reserve(this.#stored.keys.size)
    const { count, isRun, from, until } = this.#ranges
    let tail = start
    for (let at = 0; at < count; at++) {
      const source = isRun[at]! ? runs.address : slices.address
      tail = code.merge(target.address, source, this.#slots.address, start, tail, from[at]!, until[at]!)
    }
    return tail
  }

  #appendRange(level: number, number: number): void {
    const run = this.#runAt(level, number)
    if (run === undefined) this.#appendSlice(this.#startOf(0, number))
    else if (run.slice !== undefined) this.#appendSlice(run.slice)
    else if (run.size > 0) this.#append(true, run.from, run.size)
  }

  #appendSlice(start: number): void {
    const { pieces, get } = this.#list()
    const place = this.#lowerBound(start)
    if (place === get("tail") || pieces.time(place, "start") !== start) return
    this.#append(false, pieces.get(place, "from"), pieces.get(place, "size"))
  }

  #append(isRun: boolean, from: number, size: number): void {
    const ranges = this.#ranges
    const at = ranges.count++
    ranges.entries += size
    ranges.isRun[at] = isRun
    ranges.from[at] = from
    ranges.until[at] = from + size
  }

  /** Appends entries of a piece that is in no run to what was looked up. */
  appendPiece(from: number, size: number): void {
    this.#append(false, from, size)
  }

  /** Begins a list of ranges without any. */
  lookUpNone(): void {
    this.#ranges.count = 0
    this.#ranges.entries = 0
  }

  /** How many entries the ranges have together that were looked up. */
  get rangeEntries(): number {
    return this.#ranges.entries
  }

  /** Makes room for so many entries more. */
  #reserve(count: number): void {
    const capacity = Math.min(...[this.#ids, ...this.#fields].map((array) => array.capacity))
    if (this.#tail + count > capacity) {
      this.#forget()
      const wanted = (this.#tail + count) * 2
      for (const array of [this.#ids, ...this.#fields]) array.reserve(wanted)
    }
    this.#ofRuns.sync()
  }

  /** Forgets runs that are not asked for any more, and moves the others together. */
  #forget(): void {
    const kept: Run[] = []
    for (const level of this.#levels) {
      for (const [number, run] of level) {
        if (run.start < this.#neededFrom) level.delete(number)
        else kept.push(run)
      }
    }
    this.#runCount = kept.length
    this.#runsWorthForgetting = Math.max(SMALLEST, kept.length * 2)
    let to = 0
    for (const run of kept.filter(({ size }) => size > 0).sort((one, other) => one.from - other.from)) {
      const end = run.from + run.size
      this.#ids.i32.copyWithin(to, run.from, end)
      for (const { i64 } of this.#fields) i64.copyWithin(to, run.from, end)
      run.from = to
      to += run.size
    }
    this.#tail = to
  }
}
