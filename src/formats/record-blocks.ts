/**
 * Reads records by WebAssembly, a block of some hundred at a time: an index of their fields, and then one column after the
 * other (`field-code.ts`). What the index looks like is for the format to say.
 *
 * Bytes are copied into the arena a chunk at a time, which they are read from while the processor's cache still has
 * them; those that lie in its memory already stay where they are. Fields that a kernel does not take are read by the format's scanner; the first record with a field that this does
 * not take, either, ends the block, and so does any record that the index cannot have. It is for the caller to read that one.
 *
 * A block that ends before its last record was for nothing from there on, so the next one is smaller: about twice what
 * this one came to. Where blocks come to few records at all, more and more are left to the caller before another is
 * tried. All that lies in the arena lies there for the time of a call.
 *
 * Invariants:
 * - RB1 What is read is what the format's scanner reads, record by record.
 * - RB2 Behind the rows read, every validity bit is set (FR1).
 */
import { assert } from "../base/assert.ts"
import type { LinearMemory } from "../base/linear-memory.ts"
import type { Arena, Block } from "../batch/arena.ts"
import { POWERS_OF_TEN } from "../batch/types/decimal-bytes.ts"
import type { BatchBuilder } from "./batch-builder.ts"
import type { DecodeRun } from "./decode-run.ts"
import type { FieldKernel, FieldFunctions } from "./field-kernels.ts"
import { TEXT, type FieldReader } from "./field-reader.ts"
import { REPORT } from "./index-report.ts"
import { MASK_BYTES } from "./text-code.ts"
import type { AddText, TextTable } from "./text-table.ts"

/** So much is copied into the arena at a time: bytes. */
const CHUNK_BYTES = 64 * 1024
/** What kernels may load behind a field, and indexes behind the chunk. */
const CHUNK_SLACK = 64
/** Blocks of fewer records cost more than they save. */
const WORTHWHILE_RECORDS = 64
/** The fewest records that a block is tried with after one that ended early. */
const BLOCK_RECORDS_MIN = 32
/** How many records are left to the caller at most, before another block is tried. */
const PATIENCE_MAX = 1024

/** Offsets within the scratch block; what the format needs lies behind. */
const PLACES = { report: 0, masks: 16, powers: 64, unread: 256 } as const

/** A column of the records. */
export interface BlockColumn {
  /** A field that the schema does not have has none. */
  readonly reader: FieldReader | undefined
  /** Without one, the scanner reads the column. */
  readonly kernel: FieldKernel | undefined
  /** That of a column of texts. */
  readonly table: TextTable | undefined
}

/** Where the fields of a column stand: see `FIELD_PARAMETERS`. */
export type FieldPlaces = readonly [starts: number, startStep: number, before: number, ends: number, endStep: number]

/** What blocks must know of a format. */
export interface BlockFormat {
  readonly columns: readonly BlockColumn[]
  /** The most records of a block. */
  readonly recordsMax: number
  /** What the index of so many records takes. */
  readonly indexBytes: number
  kernels(memory: LinearMemory): FieldFunctions
  /** Whether the index says null of a column of a reader, so that a kernel may write it. */
  hasNulls(reader: FieldReader): boolean
  /** Begins a call: the index lies in these words of the memory. */
  begin(memory: LinearMemory, words: Int32Array): void
  /** Indexes up to `wanted` records of the bytes from one address to another, and gives how many. */
  index(from: number, to: number, wanted: number, report: number): number
  /** The address of a record of the index, and of what stands behind the last one. */
  startOf(record: number): number
  placesOf(column: number): FieldPlaces
  /** What quotes fields, -1 where nothing does. */
  readonly quote: number
  /** Whether there is nothing to look at in a column. `isSpecial`: see `REPORT`. */
  isIdle(column: BlockColumn, isSpecial: boolean): boolean
  /**
   * Reads a field that no kernel has read, which the index has at `start` of the window with so many bytes, into a row. Gives
   * whether the scanner takes it.
   */
  readField(run: DecodeRun, column: number, row: number, start: number, length: number): boolean
}

/** What a reader of blocks is made for. */
export interface RecordBlocksOptions {
  readonly arena: Arena
  readonly builder: BatchBuilder
  readonly maxRecordBytes: number
}

/** The fields of a column that no kernel has read. */
interface RestOfColumn {
  readonly places: FieldPlaces
  readonly count: number
  /** Whether they are listed, or are all. */
  readonly isListed: boolean
  readonly unread: number
}

/** A text that has been read: its address, and where it stands in the window. */
interface TextAtHand {
  readonly start: number
  readonly at: number
  readonly length: number
  readonly quote: number
}

/** See the head of this file. */
export class RecordBlocks {
  readonly #options: RecordBlocksOptions
  readonly #format: BlockFormat
  #kernels: FieldFunctions | undefined
  #block: Block | undefined
  /** The scratch block. */
  #words: Int32Array = new Int32Array(0)
  /** Where bytes are copied to, and texts of tables before they are added. */
  #staging: Uint8Array = new Uint8Array(0)
  #chunk: Uint8Array = this.#staging
  /** The bytes of the window that the chunk holds. */
  #chunkFrom = 0
  #chunkTo = 0
  /** Where the record starts that is for the caller to read, in the window. */
  #stoppedAt = -1
  #blockRecords = Infinity
  #patience = 1

  constructor(options: RecordBlocksOptions, format: BlockFormat) {
    this.#options = options
    this.#format = format
  }

  /** How many records the caller reads before another block is tried. */
  get patience(): number {
    return this.#patience
  }

  /** Begins a call, once columns are bound. Gives whether there is room for it in the arena. */
  begin(): boolean {
    const { arena } = this.#options
    const { columns, indexBytes, recordsMax } = this.#format
    const index = PLACES.unread + recordsMax * 4
    const chunk = index + indexBytes
    const tables = chunk + CHUNK_BYTES + CHUNK_SLACK
    const bytes = columns.reduce((sum, { table }) => sum + (table?.byteLength ?? 0), tables)
    const block = arena.tryAllocate(bytes)
    if (block === undefined) return false
    this.#block = block
    this.#kernels ??= this.#format.kernels(arena.memory)
    const { offset } = block
    this.#words = new Int32Array(arena.buffer, offset, chunk >> 2)
    this.#format.begin(arena.memory, this.#words.subarray(index >> 2))
    new Uint8Array(arena.buffer, offset + PLACES.masks, 2 * MASK_BYTES).fill(0).fill(255, 0, MASK_BYTES)
    new Float64Array(arena.buffer, offset + PLACES.powers, POWERS_OF_TEN.length).set(POWERS_OF_TEN)
    this.#staging = new Uint8Array(arena.buffer, offset + chunk, CHUNK_BYTES)
    let place = offset + tables
    for (const { table, reader } of columns) {
      if (table === undefined) continue
      const { byteLength } = table
      table.begin(new Uint8Array(arena.buffer, place, byteLength), reader!.dictionary, this.#staging, this.#addToTable)
      place += byteLength
    }
    this.#chunkFrom = this.#chunkTo = 0
    this.#stoppedAt = -1
    return true
  }

  /** Ends the call. */
  end(): void {
    assert(this.#block !== undefined, "a call is begun before it ends")
    for (const { table } of this.#format.columns) table?.end()
    this.#options.arena.free(this.#block)
    this.#block = undefined
  }

  /** Reads records as long as they are as they should be, and gives how many. */
  read(run: DecodeRun): number {
    // It stopped here before: the caller has not yet read the record.
    if (run.at === this.#stoppedAt) return 0
    const before = run.rows
    while (this.#readBlock(run));
    const read = run.rows - before
    const isShort = read < WORTHWHILE_RECORDS && run.at === this.#stoppedAt
    this.#patience = isShort ? Math.min(PATIENCE_MAX, this.#patience * 2) : 1
    return read
  }

  /** Reads a block, or another chunk. Gives whether there may be more to read. */
  #readBlock(run: DecodeRun): boolean {
    if (run.at < this.#chunkFrom || run.at >= this.#chunkTo) this.#takeChunk(run)
    const { window, rows, at } = run
    const room = Math.min(this.#options.builder.capacity, window.maxRows - run.bad.length) - rows
    const wanted = Math.min(room, this.#blockRecords, this.#format.recordsMax)
    if (wanted <= 0 || at >= window.to) return false
    const found = this.#index(run, wanted)
    if (found === 0) {
      const isOut = this.#words[REPORT.isOut >> 2] !== 0
      const isCut = isOut && this.#chunkTo < window.to && this.#chunkFrom < at
      if (isCut) this.#takeChunk(run)
      else if (!isOut) this.#stoppedAt = at
      return isCut
    }
    const read = this.#readColumns(run, found)
    this.#goOn(run, read)
    if (read < found) {
      this.#stoppedAt = run.at
      this.#blockRecords = Math.max(BLOCK_RECORDS_MIN, read * 2)
    } else if (found === wanted) this.#blockRecords = Math.min(this.#format.recordsMax, this.#blockRecords * 2)
    return read === found
  }

  #takeChunk({ window, at }: DecodeRun): void {
    const { bytes, to } = window
    const { buffer } = this.#options.arena
    this.#chunkFrom = at
    this.#chunkTo = Math.min(to, at + CHUNK_BYTES)
    const chunk = bytes.subarray(at, this.#chunkTo)
    const hasSlack = bytes.byteOffset + this.#chunkTo + CHUNK_SLACK <= buffer.byteLength
    if (bytes.buffer === buffer && hasSlack) this.#chunk = chunk
    else {
      this.#staging.set(chunk)
      this.#chunk = this.#staging
    }
  }

  /** Add it to an address of the chunk for an index of the window's bytes. */
  get #shift(): number {
    return this.#chunkFrom - this.#chunk.byteOffset
  }

  /** Indexes some records from where the run is, and gives how many may be read. */
  #index(run: DecodeRun, wanted: number): number {
    const format = this.#format
    const { maxRecordBytes } = this.#options
    const [from, to] = [run.at - this.#shift, this.#chunkTo - this.#shift]
    let found = format.index(from, to, wanted, this.#block!.offset + PLACES.report)
    const startMax = from + (run.window.untilOffset - run.base - run.at)
    while (found > 0 && format.startOf(found - 1) >= startMax) found--
    if (maxRecordBytes < CHUNK_BYTES) {
      for (let record = 0; record < found; record++) {
        if (format.startOf(record + 1) - format.startOf(record) - 1 > maxRecordBytes) found = record
      }
    }
    return found
  }

  /** Reads all columns of the records, and gives how many records were read in all of them. */
  #readColumns(run: DecodeRun, found: number): number {
    const { columns } = this.#format
    const isSpecial = this.#words[REPORT.isSpecial >> 2] !== 0
    let read = found
    columns.forEach((column, index) => {
      if (read > 0 && !this.#format.isIdle(column, isSpecial)) read = this.#readColumn(run, index, column, read)
    })
    for (let record = read; record < found; record++) this.#options.builder.clear(run.rows + record)
    return read
  }

  readonly #addToTable: AddText = (table, entries, start, length, code) =>
    this.#kernels!.addText(table, entries, this.#block!.offset + PLACES.masks, start, length, code)

  #readColumn(run: DecodeRun, index: number, column: BlockColumn, count: number): number {
    const places = this.#format.placesOf(index)
    const { kernel, table } = column
    const isListed = kernel !== undefined && table?.isUsed !== false
    let unread = isListed ? this.#runKernel(run, column, places, count) : count
    table?.note(count, count - unread)
    if (isListed) unread = this.#listOthers(run, column, count, unread)
    return this.#readRest(run, index, column, { places, count, isListed, unread })
  }

  /**
   * Lists the records, too, whose value a kernel has read that is none of a narrower type. What stands in the slot of a null
   * may be listed with them, as it is read as null again. Gives how many are listed then.
   */
  #listOthers({ rows }: DecodeRun, { reader }: BlockColumn, count: number, unread: number): number {
    const admit = reader!.type.definition.narrowing?.admit
    if (admit === undefined) return unread
    const { slots } = reader!
    const list = PLACES.unread >> 2
    const others: number[] = []
    let next = 0
    for (let record = 0; record < count; record++) {
      if (next < unread && this.#words[list + next] === record) next++
      else if (!admit(slots, rows + record)) others.push(record)
    }
    if (others.length === 0) return unread
    const listed = this.#words.subarray(list, list + unread)
    const all = Int32Array.from([...listed, ...others]).sort()
    this.#words.set(all, list)
    return all.length
  }

  /** Reads the fields that no kernel has read: those listed, or all. Gives the record that it stopped at, or `count`. */
  #readRest(run: DecodeRun, index: number, { reader, table }: BlockColumn, rest: RestOfColumn): number {
    const { count, isListed, unread } = rest
    const [starts, startStep, before, ends, endStep] = rest.places
    const words = this.#words
    const { offset } = this.#block!
    const [startPlace, endPlace, shift] = [(starts - offset) >> 2, (ends - offset) >> 2, this.#shift]
    const { bytes } = run.window
    const { quote } = this.#format
    // Where there are neither quotes nor bytes beyond ASCII, a text is its bytes as they stand.
    const isPlain = reader?.how === TEXT && words[REPORT.isSpecial >> 2] === 0
    for (let place = 0; place < unread; place++) {
      const record = isListed ? words[(PLACES.unread >> 2) + place]! : place
      const row = run.rows + record
      const start = words[startPlace + record * (startStep >> 2)]! + before
      const length = words[endPlace + record * (endStep >> 2)]! - start
      const at = start + shift
      if (isPlain && length > 0) {
        reader.words[row] = reader.dictionary.codeOfBytes(bytes, at, at + length)
      } else if (!this.#format.readField(run, index, row, at, length)) {
        return record
      }
      if (table?.admits(length) === true) this.#addText(table, bytes, { start, at, length, quote }, reader!.words[row]!)
    }
    return count
  }

  /** Adds a text that has been read to the column's table, unless it has quotes within. */
  #addText(table: TextTable, bytes: Uint8Array, text: TextAtHand, code: number): void {
    const { at, length, quote, start } = text
    const isQuoted = length >= 2 && bytes[at] === quote
    const [first, count] = isQuoted ? [1, length - 2] : [0, length]
    // The empty text within quotes is another than a field without bytes.
    if (isQuoted && count === 0) return
    for (let place = at + first; place < at + first + count; place++) if (bytes[place] === quote) return
    if (this.#addToTable(table.address, table.entries, start + first, count, code) === 1) table.count()
  }

  #runKernel(run: DecodeRun, { reader, kernel, table }: BlockColumn, places: FieldPlaces, count: number): number {
    const { slots, words, bits, validity } = reader!
    const { offset } = this.#block!
    const { quote } = this.#format
    const unread = offset + PLACES.unread
    const nulls = this.#format.hasNulls(reader!) ? validity.byteOffset : 0
    const kernels = this.#kernels!
    switch (kernel!) {
      case "readText": {
        const { address, entries } = table!
        const masks = offset + PLACES.masks
        const given = [...places, count, run.rows, words.byteOffset, nulls, unread, quote] as const
        return kernels.readText(...given, address, entries, masks)
      }
      case "readDouble": {
        const powers = offset + PLACES.powers
        return kernels.readDouble(...places, count, run.rows, slots.byteOffset, nulls, unread, quote, powers)
      }
      case "readBool":
        return kernels.readBool(...places, count, run.rows, bits.byteOffset, nulls, unread, quote)
      default:
        return kernels[kernel as "readWhole"](...places, count, run.rows, slots.byteOffset, nulls, unread, quote)
    }
  }

  /** Writes where the records start, and goes on behind them. */
  #goOn(run: DecodeRun, read: number): void {
    const { offsets, ordinals } = this.#options.builder
    const format = this.#format
    const base = run.base + this.#shift
    for (let record = 0; record < read; record++) {
      offsets[run.rows + record] = base + format.startOf(record)
      ordinals[run.rows + record] = run.lines + record
    }
    run.at = this.#shift + format.startOf(read)
    run.rows += read
    run.lines += read
  }
}
