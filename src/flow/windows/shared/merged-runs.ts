/**
 * Runs of 4, 16, 64, … neighbouring slices of a grid, merged once for all windows that share the slices; and of which
 * runs a stretch of time is made. The work is done by generated code (`run-code.ts`).
 *
 * Slices are numbered from the grid's origin. A run of level j has the slices from a multiple of 4ʲ to the next, so where runs
 * lie depends on the plan alone, and what is in one on its slices' records. A run is made when first asked for, which is when
 * its slices are final, from the four runs below it. One in which only one slice has records is that slice.
 *
 * A whole window's runs are added up in two halves, which windows near each other share (`half-code.ts`).
 *
 * Invariants:
 * - MR1 A run is asked for when no record can come any more that is on time for one of its slices.
 * - MR2 Runs and halves can be forgotten at any time: they are made again, with the same bits.
 */
import type { Arena } from "../../../batch/arena.ts"
import { readInt53 } from "../../../batch/column.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import { EntryTable, type EntryArrays } from "./entry-table.ts"
import { HALF_BYTES, HALVES } from "./half-code.ts"
import { RANGE_BYTES, RANGE_WORDS, type MergeFunctions } from "./merge-code.ts"
import { RUN, RUN_BYTES, runFunctions, RUNS, RUNS_BYTES, type RunFunctions } from "./run-code.ts"
import type { StoredSlices } from "../window-aggregate.ts"
import { PIECE } from "../kernels/window-control.ts"

/** How many runs make a longer one. */
const RUNS_OF_RUN = 4
/** By level: how many slices a run has. */
const LENGTHS = Array.from({ length: 16 }, (_, level) => RUNS_OF_RUN ** level)
const LONGEST = LENGTHS.at(-1)!
/** A stretch that is not longer than some of those has at most so many runs besides. */
const RANGES = 128
const SMALLEST = 256
/** For so many entries of halves there is room at least, and for those of so many halves that have all keys. */
const HALF_ENTRIES_MIN = 4096
const WHOLE_HALVES = 4
/** When runs are forgotten, there is room for so many times of the entries that are still to be asked for, */
const ROOM_FACTOR = 4
/** and so many places for each such run, of which half may be taken: to forget often is to merge often. */
const PLACES_FACTOR = 16

/** Where some of the fields of the slices' entries lie, and of the runs'. */
export interface SourceTables {
  readonly slices: EntryTable
  readonly runs: EntryTable
}

/** See the head of this file. */
export class MergedRuns {
  readonly #stored: StoredSlices
  readonly #lookUp: RunFunctions["lookUp"]
  readonly #ids: LinearArray
  readonly #fields: readonly LinearArray[]
  readonly #arena: Arena
  /** By the fields that they have. */
  readonly #tables = new Map<string, SourceTables>()
  /** With all fields. */
  readonly #all: SourceTables
  /** A number for each key, for merging. */
  readonly #slots: LinearArray
  /** What kernels know of all this; see `run-code.ts`. */
  readonly #control: LinearArray
  /** Records of runs, by level and number. */
  #table: LinearArray
  /** Runs that begin earlier are not asked for any more. */
  readonly #neededFrom: () => number
  /** Ranges of entries that were looked up, as kernels take them, and how many there are; behind them some for kernels. */
  readonly #ranges: LinearArray
  readonly #parts: LinearArray
  #rangeCount = 0
  /** The ranges of a window's two halves, and behind them some for the runs of a half. */
  readonly #halfRanges: LinearArray
  readonly #halfTable: LinearArray
  /** So many entries before those of runs are for halves. */
  #halfRoom = 0

  /** @param neededFrom tells before which time no stretch begins that is still to be asked for. */
  constructor(arena: Arena, stored: StoredSlices, neededFrom: () => number) {
    this.#stored = stored
    this.#neededFrom = neededFrom
    const { shape } = stored
    this.#lookUp = runFunctions(shape, arena.memory).lookUp
    this.#ids = new LinearArray(arena, 4, SMALLEST, null)
    this.#fields = shape.entryFields.map(() => new LinearArray(arena, 8, SMALLEST, null))
    this.#arena = arena
    this.#all = this.tablesOf(shape.entryFields.map((_, field) => field))
    this.#slots = new LinearArray(arena, 4, SMALLEST, null)
    this.#control = new LinearArray(arena, 4, RUNS_BYTES / 4)
    this.#table = new LinearArray(arena, 8, (SMALLEST * RUN_BYTES) / 8)
    this.#ranges = new LinearArray(arena, 4, RANGES * RANGE_WORDS)
    this.#parts = new LinearArray(arena, 4, RUNS_OF_RUN * RANGE_WORDS)
    this.#halfRanges = new LinearArray(arena, 4, (2 + RANGES) * RANGE_WORDS)
    this.#halfTable = new LinearArray(arena, 4, (HALVES * HALF_BYTES) / 4)
    this.#sync()
  }

  /** Where these fields lie of slices' entries and runs', while they are looked up and merged. */
  tablesOf(fields: readonly number[]): SourceTables {
    const key = fields.join(" ")
    let tables = this.#tables.get(key)
    if (tables === undefined) {
      const arrays: EntryArrays = { entryIds: this.#ids, entryFields: this.#fields }
      const slices = new EntryTable(this.#arena, this.#stored.memory, fields)
      this.#tables.set(key, (tables = { slices, runs: new EntryTable(this.#arena, arrays, fields) }))
      tables.runs.sync()
    }
    return tables
  }

  release(): void {
    for (const { slices, runs } of this.#tables.values()) {
      slices.release()
      runs.release()
    }
    const arrays = [this.#ids, ...this.#fields, this.#slots, this.#control, this.#table, this.#ranges, this.#parts]
    for (const array of [...arrays, this.#halfRanges, this.#halfTable]) array.release()
  }

  /** Begins to look up and merge, after slices may have changed: tells kernels where their entries lie. */
  begin(): void {
    const keys = this.#stored.keys.size
    this.#slots.reserve(keys)
    this.#control.i32[RUNS.slots >> 2] = this.#slots.address
    this.#control.i32[RUNS.keyCount >> 2] = keys
    for (const { slices } of this.#tables.values()) slices.sync()
  }

  /** Tells kernels where runs lie, and how much room there is for them. */
  #sync(): void {
    for (const { runs } of this.#tables.values()) runs.sync()
    const { i32 } = this.#control
    i32[RUNS.store >> 2] = this.#stored.memory.controlAddress
    i32[RUNS.ranges >> 2] = this.#ranges.address
    i32[RUNS.table >> 2] = this.#table.address
    i32[RUNS.tableMask >> 2] = this.#places - 1
    i32[RUNS.capacity >> 2] = Math.min(...[this.#ids, ...this.#fields].map(({ capacity }) => capacity))
    i32[RUNS.sliceEntries >> 2] = this.#all.slices.address
    i32[RUNS.runEntries >> 2] = this.#all.runs.address
    i32[RUNS.parts >> 2] = this.#parts.address
    i32[RUNS.halves >> 2] = this.#halfRanges.address
    i32[RUNS.halfPartsEnd >> 2] = this.#halfRanges.address + this.#halfRanges.capacity * 4
    i32[RUNS.halfTable >> 2] = this.#halfTable.address
    i32[RUNS.halfRoom >> 2] = this.#halfRoom
  }

  /** How many places the table of runs has: a power of two. */
  get #places(): number {
    return (this.#table.capacity * 8) / RUN_BYTES
  }

  /** Forgets all: ids of keys or codes of texts have got another meaning. */
  forgetAll(): void {
    this.#table.fill(0, this.#table.capacity)
    this.#halfTable.fill(0, this.#halfTable.capacity)
    this.#control.i32[RUNS.runCount >> 2] = 0
    this.#control.i32[RUNS.tail >> 2] = this.#halfRoom
    this.#control.i32[RUNS.halfTail >> 2] = 0
  }

  /** The start of the first slice with records from `time` on; +∞ where there is none. */
  firstFrom(time: number): number {
    const { memory, slices } = this.#stored
    const { pieces, tail } = memory
    let low = memory.head
    let high = tail
    if (low === high) return Infinity
    // Where no slice is missing, its place is known.
    const guess = low + (time - pieces.time(low, PIECE.start)) / slices.slide
    if (guess >= low && guess < high && pieces.time(guess, PIECE.start) === time) return time
    while (low < high) {
      const middle = (low + high) >> 1
      if (pieces.time(middle, PIECE.start) < time) low = middle + 1
      else high = middle
    }
    return low < tail ? pieces.time(low, PIECE.start) : Infinity
  }

  /** Looks up the entries of the slices between two edges of the grid, in order: of the longest runs that lie there, from its start on. */
  lookUp(start: number, end: number): void {
    const { slide, offset } = this.#stored.slices
    const count = (end - start) / slide
    if (count > LONGEST) this.#reserveRanges(RANGES + Math.ceil(count / LONGEST))
    for (;;) {
      const bytes = this.#lookUp(this.#control.address, (start - offset) / slide, count)
      this.#rangeCount = bytes / RANGE_BYTES
      if (bytes >= 0) return
      this.makeRoom()
    }
  }

  #reserveRanges(count: number): void {
    if (this.#ranges.reserve(count * RANGE_WORDS)) this.#control.i32[RUNS.ranges >> 2] = this.#ranges.address
  }

  /** Takes note that halves of windows of `count` slices will be looked up. */
  expectHalves(count: number): void {
    const ranges = 2 + RANGES + Math.ceil(count / LONGEST)
    if (this.#halfRanges.reserve(ranges * RANGE_WORDS)) this.#sync()
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
    const [ranges, rangesEnd] = [this.rangesAddress, this.rangesEnd]
    return merge(target.address, slices.address, runs.address, ranges, rangesEnd, slots.address, start, tail)
  }

  /** A number for each key, for merging into new entries. */
  get slots(): LinearArray {
    return this.#slots
  }

  /** Appends entries of a piece that is in no run to what was looked up. */
  appendPiece(from: number, size: number): void {
    const at = this.#rangeCount++ * RANGE_WORDS
    this.#reserveRanges(this.#rangeCount)
    const { i32 } = this.#ranges
    i32[at] = 0
    i32[at + 1] = from
    i32[at + 2] = from + size
  }

  /** Begins a list of ranges without any. */
  lookUpNone(): void {
    this.#rangeCount = 0
  }

  /** Where the ranges lie that were looked up, and end. */
  get rangesAddress(): number {
    return this.#ranges.address
  }

  get rangesEnd(): number {
    return this.#ranges.address + this.#rangeCount * RANGE_BYTES
  }

  /** How many entries they have together. */
  get rangeEntries(): number {
    const { i32 } = this.#ranges
    let entries = 0
    for (let at = 0; at < this.#rangeCount * RANGE_WORDS; at += RANGE_WORDS) entries += i32[at + 2]! - i32[at + 1]!
    return entries
  }

  /** Where kernels are told what they need to know of runs; see `run-code.ts`. */
  get controlAddress(): number {
    return this.#control.address
  }

  /** Forgets all runs, and makes room for those that are still asked for and for more: where a kernel found too little. */
  makeRoom(): void {
    const wanted = this.#control.i32[RUNS.wanted >> 2]!
    const { entries, runs } = this.#needed()
    const halfRoom = Math.max(HALF_ENTRIES_MIN, WHOLE_HALVES * this.#control.i32[RUNS.keyCount >> 2]!)
    if (halfRoom > this.#halfRoom) this.#halfRoom = Math.max(halfRoom, 2 * this.#halfRoom)
    this.forgetAll()
    const capacity = this.#halfRoom + (entries + wanted) * ROOM_FACTOR
    for (const array of [this.#ids, ...this.#fields]) array.reserve(capacity)
    let places = this.#places
    while (places < (runs + 1) * PLACES_FACTOR) places *= 2
    if (places > this.#places) {
      this.#table.release()
      this.#table = new LinearArray(this.#arena, 8, (places * RUN_BYTES) / 8)
    }
    this.#sync()
  }

  /** How many runs are still asked for, and how many entries they have. */
  #needed(): { readonly entries: number; readonly runs: number } {
    const { slide, offset } = this.#stored.slices
    const neededFrom = this.#neededFrom()
    const { i32 } = this.#table
    let [entries, runs] = [0, 0]
    for (let at = 0; at < i32.length; at += RUN_BYTES >> 2) {
      const level = i32[at + (RUN.level >> 2)]!
      const number = readInt53(i32, (at + (RUN.number >> 2)) >> 1)
      if (level === 0 || offset + number * LENGTHS[level]! * slide < neededFrom) continue
      runs++
      entries += Math.max(0, i32[at + (RUN.size >> 2)]!)
    }
    return { entries, runs }
  }
}
