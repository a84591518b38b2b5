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
import { mergeFunctions, RANGE_WORDS, type MergeFunctions } from "./merge-code.ts"
import type { StoredSlices } from "./window-aggregate.ts"
import { PIECE } from "./window-control.ts"

/** How many runs make a longer one. */
const RUNS = 4
/** How many slices the longest run has. */
const LONGEST = RUNS ** 15
const SMALLEST = 256

/** A run: entries of its own, or the one slice that has records, by its start; without either, there is nothing in it. */
interface Run {
  readonly start: number
  readonly slice: number | undefined
  from: number
  readonly size: number
}

/** Where some of the fields of the slices' entries lie, and of the runs'. */
export interface SourceTables {
  readonly slices: EntryTable
  readonly runs: EntryTable
}

/** See the head of this file. */
export class MergedRuns {
  readonly #stored: StoredSlices
  readonly #code: MergeFunctions
  readonly #ids: LinearArray
  readonly #fields: readonly LinearArray[]
  readonly #arena: Arena
  /** By the fields that they have. */
  readonly #tables = new Map<string, SourceTables>()
  /** With all fields. */
  readonly #all: SourceTables
  /** A number for each key, for merging. */
  readonly #slots: LinearArray
  /** By level, from 1 on, and number within it. */
  readonly #levels: Map<number, Run>[] = []
  #runCount = 0
  #runsWorthForgetting = SMALLEST
  #tail = 0
  #capacity = SMALLEST
  /** Runs that begin earlier are not asked for any more. */
  readonly #neededFrom: () => number
  /** What the stretch that was looked up last is made of: runs, and the starts of slices. */
  readonly #parts: (Run | number)[] = []
  /** Ranges of entries that were looked up, as kernels take them; how many there are, and of how many entries. */
  readonly #ranges: LinearArray
  #rangeCount = 0
  #rangeEntries = 0

  /** @param neededFrom tells before which time no stretch begins that is still to be asked for. */
  constructor(arena: Arena, stored: StoredSlices, neededFrom: () => number) {
    this.#stored = stored
    this.#neededFrom = neededFrom
    const { shape } = stored
    this.#code = mergeFunctions(shape, arena.memory)
    this.#ids = new LinearArray(arena, 4, SMALLEST)
    this.#fields = shape.entryFields.map(() => new LinearArray(arena, 8, SMALLEST))
    this.#arena = arena
    this.#all = this.tablesOf(shape.entryFields.map((_, field) => field))
    this.#slots = new LinearArray(arena, 4, SMALLEST)
    this.#ranges = new LinearArray(arena, 4, SMALLEST)
  }

  /** Where these fields lie of slices' entries and runs', while they are looked up and merged. */
  tablesOf(fields: readonly number[]): SourceTables {
    const key = fields.join(" ")
    let tables = this.#tables.get(key)
    if (tables === undefined) {
      const arrays: EntryArrays = { entryIds: this.#ids, entryFields: this.#fields }
      const slices = new EntryTable(this.#arena, this.#stored.memory, fields)
      this.#tables.set(key, (tables = { slices, runs: new EntryTable(this.#arena, arrays, fields) }))
    }
    return tables
  }

  release(): void {
    for (const { slices, runs } of this.#tables.values()) {
      slices.release()
      runs.release()
    }
    for (const array of [this.#ids, ...this.#fields, this.#slots, this.#ranges]) array.release()
  }

  /** Forgets all: ids of keys or codes of texts have got another meaning. */
  forgetAll(): void {
    for (const level of this.#levels) level.clear()
    this.#runCount = 0
    this.#tail = 0
  }

  /** The start of the first slice with records from `time` on; +∞ where there is none. */
  firstFrom(time: number): number {
    return this.#startAt(this.#lowerBound(time))
  }

  /** The start of the slice at a place; +∞ behind the last. */
  #startAt(place: number): number {
    const { memory } = this.#stored
    return place < memory.tail ? memory.pieces.time(place, PIECE.start) : Infinity
  }

  /** The place of the first slice with records that does not start before `time`. */
  #lowerBound(time: number): number {
    const { memory, slices } = this.#stored
    const { pieces } = memory
    let low = memory.head
    let high = memory.tail
    if (low === high) return low
    // Where no slice is missing, its place is known.
    const guess = low + (time - pieces.time(low, PIECE.start)) / slices.slide
    if (guess >= low && guess < high && pieces.time(guess, PIECE.start) === time) return guess
    while (low < high) {
      const middle = (low + high) >> 1
      if (pieces.time(middle, PIECE.start) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Looks up the entries of the slices between two edges of the grid, in order: of the longest runs that lie there, from its start on. */
  lookUp(start: number, end: number): void {
    // Runs move where one is made, so all are made before the first is looked at.
    this.#findParts(start, end)
    this.lookUpNone()
    for (const part of this.#parts) {
      if (typeof part === "number") this.#appendSlice(part)
      else this.#appendRun(part)
    }
  }

  #findParts(start: number, end: number): void {
    const { slide, offset } = this.#stored.slices
    this.#parts.length = 0
    const first = (start - offset) / slide
    const count = (end - start) / slide
    // What is left of the number decides how long a run may be: as an integer, of which remainders are quick to find.
    const base = first % LONGEST
    const low = base < 0 ? base + LONGEST : base
    for (let at = 0; at < count;) {
      let level = 0
      let length = 1
      while (length < LONGEST && ((low + at) & (length * RUNS - 1)) === 0 && at + length * RUNS <= count) {
        level++
        length *= RUNS
      }
      this.#parts.push(level === 0 ? start + at * slide : this.#runAt(level, (first + at) / length))
      at += length
    }
  }

  #startOf(level: number, number: number): number {
    const { slide, offset } = this.#stored.slices
    return offset + number * RUNS ** level * slide
  }

  /** The run of a level above 0. */
  #runAt(level: number, number: number): Run {
    const runs = (this.#levels[level - 1] ??= new Map())
    let run = runs.get(number)
    if (run === undefined) {
      if (++this.#runCount > this.#runsWorthForgetting) this.#forget()
      runs.set(number, (run = this.#make(level, number)))
    }
    return run
  }

  #make(level: number, number: number): Run {
    const start = this.#startOf(level, number)
    const end = this.#startOf(level, number + 1)
    const first = this.#lowerBound(start)
    if (this.#startAt(first) >= end) return { start, slice: undefined, from: 0, size: 0 }
    if (this.#startAt(first + 1) >= end) return { start, slice: this.#startAt(first), from: 0, size: 0 }
    const part = number * RUNS
    if (level > 1) for (let at = 0; at < RUNS; at++) this.#runAt(level - 1, part + at)
    this.#lookUpRuns(level - 1, part)
    // Entries may move.
    if (this.#reserve(this.#rangeEntries)) this.#lookUpRuns(level - 1, part)
    const from = this.#tail
    this.#tail = this.merge(this.#code.merge, this.#all.runs, this.#all, this.#slots, from, from)
    return { start, slice: undefined, from, size: this.#tail - from }
  }

  #lookUpRuns(level: number, first: number): void {
    this.lookUpNone()
    for (let at = 0; at < RUNS; at++) {
      if (level === 0) this.#appendSlice(this.#startOf(0, first + at))
      else this.#appendRun(this.#runAt(level, first + at))
    }
  }

  /** Merges the ranges that were looked up last into the entries from `start` to before `tail` of the list `target`. */
  merge(
    merge: MergeFunctions["merge"],
    target: EntryTable,
    { slices, runs }: SourceTables,
    slots: LinearArray,
    start: number,
    tail: number,
  ): number {
    slices.sync()
    runs.sync()
    slots.reserve(this.#stored.keys.size)
    const [ranges, count] = [this.#ranges.address, this.#rangeCount]
    return merge(target.address, slices.address, runs.address, ranges, count, slots.address, start, tail)
  }

  /** A number for each key, for merging into new entries. */
  get slots(): LinearArray {
    return this.#slots
  }

  #appendRun({ slice, from, size }: Run): void {
    if (slice !== undefined) this.#appendSlice(slice)
    else if (size > 0) this.#append(1, from, size)
  }

  #appendSlice(start: number): void {
    const place = this.#lowerBound(start)
    if (this.#startAt(place) !== start) return
    const { pieces } = this.#stored.memory
    this.#append(0, pieces.get(place, PIECE.from), pieces.get(place, PIECE.size))
  }

  #append(isRun: 0 | 1, from: number, size: number): void {
    const at = this.#rangeCount++ * RANGE_WORDS
    this.#ranges.reserve(at + RANGE_WORDS)
    const { i32 } = this.#ranges
    i32[at] = isRun
    i32[at + 1] = from
    i32[at + 2] = from + size
    this.#rangeEntries += size
  }

  /** Appends entries of a piece that is in no run to what was looked up. */
  appendPiece(from: number, size: number): void {
    this.#append(0, from, size)
  }

  /** Begins a list of ranges without any. */
  lookUpNone(): void {
    this.#rangeCount = 0
    this.#rangeEntries = 0
  }

  /** How many ranges were looked up. */
  get rangeCount(): number {
    return this.#rangeCount
  }

  /** How many entries they have together. */
  get rangeEntries(): number {
    return this.#rangeEntries
  }

  /** Makes room for so many entries more, and gives whether runs may have moved. */
  #reserve(count: number): boolean {
    const isRoom = this.#tail + count <= this.#capacity
    if (!isRoom) {
      this.#forget()
      const arrays = [this.#ids, ...this.#fields]
      for (const array of arrays) array.reserve((this.#tail + count) * 2)
      this.#capacity = Math.min(...arrays.map(({ capacity }) => capacity))
    }
    return !isRoom
  }

  /** Forgets runs that are not asked for any more, and moves the others together. */
  #forget(): void {
    const kept: Run[] = []
    const neededFrom = this.#neededFrom()
    for (const level of this.#levels) {
      for (const [number, run] of level) {
        if (run.start < neededFrom) level.delete(number)
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
