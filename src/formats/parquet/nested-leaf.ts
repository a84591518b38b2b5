/**
 * The values of a leaf that is a part of lists or objects, with their levels, a few whole rows at a time. A row may go on over the
 * ends of pages; where a column chunk ends is known by how many values it has.
 *
 * Invariants:
 * - NL1 At hand are whole rows: up to about `ENTRIES` values or `BYTES` of texts, or one row, which is refused beyond `ROW_ENTRIES`
 *   and `ROW_BYTES`.
 * - NL2 Levels are at most those that the schema has; the first of a chunk begins a row.
 */
import { assert } from "../../base/assert.ts"
import type { WantedBytes } from "../container.ts"
import type { NestedValue } from "../nested/nested-plan.ts"
import { SCRATCH_VALUES, ScratchValues } from "../nested/scratch-values.ts"
import { ChunkPages, type Body, type ColumnOptions } from "./chunk-pages.ts"
import { MAX_PAGE_VALUES } from "./column-reader.ts"
import { createLane } from "./create-lane.ts"
import type { Levels } from "./file-schema.ts"
import { prefixedEnd } from "./fixed-values.ts"
import type { ColumnChunk, RowGroup } from "./footer.ts"
import { HybridReader } from "./hybrid.ts"
import type { Lane } from "./lane.ts"
import { demand } from "./malformed.ts"
import { ENCODING, type PageHeader } from "./page-header.ts"

const [ENTRIES, BYTES] = [65_536, 16 * 1024 * 1024]
const [ROW_ENTRIES, ROW_BYTES] = [1 << 20, 64 * 1024 * 1024]

/** What is read of a leaf. */
export interface NestedLeafPlan {
  /** Its place among the file's leaves, and its greatest levels. */
  readonly levels: Levels
  /** Its values; without it only the levels are read, which say what is there of the parts that it lies in. */
  readonly value: NestedValue<Levels> | undefined
}

/** A page that is being read. */
interface Page {
  readonly definitions: LevelReader
  readonly repetitions: LevelReader
  /** How many values are left. */
  left: number
  /** How many rows must still begin in it, where it says so. */
  rowsLeft: number | undefined
  /** Whether its next value must begin a row. */
  beginsRow: boolean
}

type LevelReader = Pick<HybridReader, "read">

/** So many values are read at first: texts of a dictionary may be large, and each stands for itself in its row. */
const STEP_VALUES = 16
/** A step of more bytes of texts is followed by a smaller one. */
const STEP_BYTES = 1024 * 1024

/** Reads one leaf. */
export class NestedLeaf {
  readonly levels: Levels
  readonly #pages: ChunkPages
  readonly #lane: Lane | undefined
  readonly #scratch: ScratchValues | undefined
  #group: RowGroup | undefined
  #page: Page | undefined
  /** How many values of the chunk have not been read, and of which row the next is, unless it begins another. */
  #left = 0
  #row = -1
  /** What is at hand, by entry. Values stand for those only that are there. */
  #definitions = new Uint8Array(SCRATCH_VALUES)
  #repetitions = new Uint8Array(SCRATCH_VALUES)
  #values: unknown[] = []
  #count = 0
  #bytes = 0
  /** The row of the first entry, and where it and those behind it begin; the last may go on in what was not read. */
  #firstRow = 0
  #starts: number[] = []
  /** The bytes of texts before the row that was begun last. */
  #bytesBefore = 0
  readonly #stepDefinitions = new Int32Array(SCRATCH_VALUES)
  readonly #stepRepetitions = new Int32Array(SCRATCH_VALUES)
  readonly #stepValues: unknown[] = []
  readonly #stepSizes = new Int32Array(SCRATCH_VALUES)
  /** How many values the next step has at most. */
  #stepMost = STEP_VALUES
  /** The entry that is assembled next. */
  cursor = 0

  constructor({ levels, value }: NestedLeafPlan, options: ColumnOptions) {
    this.levels = levels
    this.#pages = new ChunkPages(options)
    if (value === undefined) return
    const { column, reading, type } = value
    this.#lane = createLane(column, reading, type, options.pageBytesMax)
    this.#scratch = new ScratchValues(type)
  }

  get heldBytes(): number {
    const entries = this.#definitions.length + this.#repetitions.length + this.#values.length * 8
    return this.#pages.heldBytes + entries + this.#bytes + (this.#lane?.heldBytes ?? 0)
  }

  /** Where in the file the page starts that is read now, for errors. */
  get place(): number {
    return this.#pages.place
  }

  /** The first row behind those at hand. */
  get end(): number {
    return this.#firstRow + this.#wholeRows
  }

  /** The last of the rows begun is whole only where the chunk has no more. */
  get #wholeRows(): number {
    return Math.max(0, this.#left === 0 ? this.#starts.length : this.#starts.length - 1)
  }

  /** The definition level of an entry. */
  definition(entry: number): number {
    return this.#definitions[entry]!
  }

  /** The repetition level of an entry; 0 behind the last one. */
  repetition(entry: number): number {
    return entry < this.#count ? this.#repetitions[entry]! : 0
  }

  /** The value of an entry that is there. */
  value(entry: number): unknown {
    return this.#values[entry]
  }

  /** Where a row at hand begins; where the last one ends, for the row behind it. */
  startOf(row: number): number {
    return this.#starts[row - this.#firstRow] ?? this.#count
  }

  /** What must be brought before a row can be read; see `ContainerDecoder.wanted`. */
  wanted(group: RowGroup, chunk: ColumnChunk, row: number): WantedBytes | undefined {
    if (group !== this.#group || row < this.#firstRow) this.#begin(group, chunk)
    if (row < this.end) return undefined
    this.#drop(row)
    while (row >= this.end || !this.#isFull()) {
      if (this.#left === 0) {
        demand(this.end === group.firstRow + group.rows, "a column has another number of rows than its row group")
        return undefined
      }
      if (this.#page === undefined) {
        const wanted = this.#nextPage(group, row)
        if (wanted !== undefined) return wanted
      } else this.#step(this.#page, row)
      this.#refuseEndless()
    }
    return undefined
  }

  /** The bytes wanted are there. */
  supplied(): void {
    this.#pages.supplied()
  }

  #isFull(): boolean {
    return this.#count >= ENTRIES || this.#bytes >= BYTES
  }

  #refuseEndless(): void {
    const entries = this.#count - (this.#starts.at(-1) ?? 0)
    demand(entries <= ROW_ENTRIES, `a row has more than ${ROW_ENTRIES} values in it`)
    const bytes = this.#bytes - this.#bytesBefore
    demand(bytes <= ROW_BYTES, `the texts in a row have more than ${ROW_BYTES} bytes`)
  }

  #begin(group: RowGroup, chunk: ColumnChunk): void {
    this.#group = group
    this.#pages.begin(chunk)
    this.#lane?.dropDictionary()
    this.#page = undefined
    this.#left = chunk.values
    this.#row = group.firstRow - 1
    this.#firstRow = group.firstRow
    this.#count = this.#bytes = this.#bytesBefore = 0
    this.#starts = []
    this.#values = []
  }

  /** Lets go of the rows before one. Those of which nothing was read will not be kept. */
  #drop(row: number): void {
    const at = row <= this.#row ? this.startOf(row) : this.#count
    this.#definitions.copyWithin(0, at, this.#count)
    this.#repetitions.copyWithin(0, at, this.#count)
    this.#values = this.#values.slice(at)
    this.#starts = this.#starts.slice(row - this.#firstRow).map((start) => start - at)
    this.#count -= at
    // What is left is of one row.
    this.#bytes = this.#count === 0 ? 0 : this.#bytes - this.#bytesBefore
    this.#bytesBefore = 0
    this.#firstRow = row
  }

  /** Goes on to the next page, or gives what it needs for that. */
  #nextPage(group: RowGroup, row: number): WantedBytes | undefined {
    const pages = this.#pages
    const header = pages.header()
    if (!("kind" in header)) return header
    const isData = header.kind === "data" || header.kind === "data2"
    if (isData) demand(header.values <= this.#left, "a column has more values than it says")
    // Pages of version 2 begin with a row: one that ends before the row asked for is passed over.
    const isPassed = header.kind === "data2" && this.#row + header.rows < row
    if (isPassed) {
      this.#left -= header.values
      this.#row += header.rows
      demand(this.#row < group.firstRow + group.rows, "a column has more rows than its row group")
    } else if (isData || header.kind === "dictionary") {
      const wanted = pages.wantBody(header)
      if (wanted !== undefined) return wanted
      if (isData) this.#page = this.#beginPage(header)
      else if (this.#lane !== undefined) {
        const { bytes, at, end } = pages.dictionary(header)
        this.#lane.beginDictionary(bytes, at, end, header.values)
      }
    }
    pages.pass(header)
    return undefined
  }

  #beginPage(header: PageHeader): Page | undefined {
    const { kind, values } = header
    demand(values <= MAX_PAGE_VALUES, `a page has ${values} values, and at most ${MAX_PAGE_VALUES} are read`)
    const { definition, repetition } = this.levels
    if (kind === "data") {
      const { bytes, at, end } = this.#pages.unpacked(header, 0)
      const repetitions = prefixedLevels(bytes, at, end, repetition, header.repetitionEncoding)
      const definitions = prefixedLevels(bytes, repetitions.next, end, definition, header.levelEncoding)
      return this.#openPage(header, repetitions, definitions, { bytes, at: definitions.next, end })
    }
    const { definitionBytes, repetitionBytes, uncompressedBytes, compressedBytes } = header
    const levelBytes = definitionBytes + repetitionBytes
    demand(levelBytes <= Math.min(uncompressedBytes, compressedBytes), "levels go on behind the end of their page")
    const { bytes, at } = this.#pages.packed(header)
    const definitionsAt = at + repetitionBytes
    const repetitions = { bytes, at, end: definitionsAt }
    const definitions = { bytes, at: definitionsAt, end: definitionsAt + definitionBytes }
    return this.#openPage(header, repetitions, definitions, this.#pages.unpacked(header, levelBytes))
  }

  #openPage(header: PageHeader, repetitions: Body, definitions: Body, body: Body): Page | undefined {
    const { kind, values, rows, encoding } = header
    const { definition, repetition } = this.levels
    const present = countLevel(levelsOf(definitions, definition, values), values, definition)
    this.#lane?.beginPage(encoding, body.bytes, body.at, body.end, present)
    demand(kind === "data" || values > 0 || rows === 0, "a page has rows and no values")
    if (values === 0) return undefined
    return {
      definitions: levelsOf(definitions, definition, values),
      repetitions: levelsOf(repetitions, repetition, values),
      left: values,
      rowsLeft: kind === "data2" ? rows : undefined,
      beginsRow: kind === "data2",
    }
  }

  /** Reads some values of the page. Those of rows before `row` are not kept. */
  #step(page: Page, row: number): void {
    const count = Math.min(this.#stepMost, page.left)
    const { definition, repetition } = this.levels
    const [definitions, repetitions] = [this.#stepDefinitions, this.#stepRepetitions]
    page.definitions.read(count, definitions)
    page.repetitions.read(count, repetitions)
    let [rows, passed, passedPresent, present] = [0, 0, 0, 0]
    for (let index = 0; index < count; index++) {
      const isThere = definitions[index] === definition
      demand(
        definitions[index]! <= definition && repetitions[index]! <= repetition,
        "a level is beyond those of its schema",
      )
      if (repetitions[index] === 0) rows++
      const isPassed = this.#row + rows < row
      if (isPassed) passed++
      if (isPassed && isThere) passedPresent++
      else if (isThere) present++
    }
    const mayGoOn = this.#row >= this.#group!.firstRow && !page.beginsRow
    demand(mayGoOn || repetitions[0] === 0, "a column, or a page of version 2, does not begin with a row")
    page.beginsRow = false
    this.#readValues(passedPresent, present)
    this.#keep(passed, count)
    page.left -= count
    this.#left -= count
    if (page.rowsLeft !== undefined) page.rowsLeft -= rows
    demand(this.#row < this.#group!.firstRow + this.#group!.rows, "a column has more rows than its row group")
    if (page.left > 0) return
    demand(page.rowsLeft === undefined || page.rowsLeft === 0, "a page has another number of rows than it says")
    this.#page = undefined
  }

  #readValues(passed: number, count: number): void {
    this.#stepValues.length = 0
    const [lane, scratch] = [this.#lane, this.#scratch]
    if (lane === undefined || scratch === undefined) return
    if (passed > 0) lane.skip(passed)
    scratch.begin()
    lane.read(count, scratch.reader, scratch.faults)
    lane.spread?.(undefined, 0, count, scratch.reader)
    const bytes = scratch.appendTo(this.#stepValues, this.#stepSizes, count)
    if (bytes > STEP_BYTES) this.#stepMost = Math.max(1, this.#stepMost >> 2)
    else if (bytes * 4 < STEP_BYTES) this.#stepMost = Math.min(SCRATCH_VALUES, this.#stepMost * 2)
  }

  /** Keeps the entries of a step from `from` on. */
  #keep(from: number, count: number): void {
    this.#reserve(this.#count + count - from)
    const { definition } = this.levels
    const [definitions, repetitions] = [this.#stepDefinitions, this.#stepRepetitions]
    for (let index = 0; index < from; index++) if (repetitions[index] === 0) this.#row++
    let next = 0
    for (let index = from; index < count; index++) {
      const entry = this.#count++
      this.#definitions[entry] = definitions[index]!
      this.#repetitions[entry] = repetitions[index]!
      if (repetitions[index] === 0) {
        this.#row++
        this.#starts.push(entry)
        this.#bytesBefore = this.#bytes
      }
      if (this.#lane === undefined) continue
      const isThere = definitions[index] === definition
      this.#values.push(isThere ? this.#stepValues[next] : undefined)
      if (isThere) this.#bytes += this.#stepSizes[next++]!
    }
    assert(next === this.#stepValues.length, "every value has its level")
  }

  #reserve(entries: number): void {
    if (this.#definitions.length >= entries) return
    const room = Math.max(entries, this.#definitions.length * 2)
    const grown = (from: Uint8Array): Uint8Array<ArrayBuffer> => {
      const to = new Uint8Array(room)
      to.set(from)
      return to
    }
    this.#definitions = grown(this.#definitions)
    this.#repetitions = grown(this.#repetitions)
  }
}

const ALL_ZERO: LevelReader = { read: (count, target) => void target.fill(0, 0, count) }

/** Reads levels of at most `most`: where all are 0 none are written. */
function levelsOf({ bytes, at, end }: Body, most: number, values: number): LevelReader {
  return most === 0 ? ALL_ZERO : new HybridReader(bytes, at, end, 32 - Math.clz32(most), values)
}

/** Levels that begin with their length, of which there are none where all are 0. */
function prefixedLevels(
  bytes: Uint8Array,
  at: number,
  end: number,
  most: number,
  encoding: number,
): Body & { readonly next: number } {
  if (most === 0) return { bytes, at, end: at, next: at }
  demand(encoding === ENCODING.rle, `levels have the encoding ${encoding}, which is not read`)
  const next = prefixedEnd(bytes, at, end)
  return { bytes, at: at + 4, end: next, next }
}

/** How many of the levels are the one wanted. */
function countLevel(levels: LevelReader, values: number, wanted: number): number {
  const step = new Int32Array(Math.min(SCRATCH_VALUES, values))
  let found = 0
  for (let left = values; left > 0; left -= step.length) {
    const count = Math.min(step.length, left)
    levels.read(count, step)
    for (let index = 0; index < count; index++) if (step[index] === wanted) found++
  }
  return found
}
