/**
 * Reads CSV records by WebAssembly, a block of some hundred at a time: an index of their fields, and then one column after
 * the other (`csv-index-code.ts`, `field-code.ts`).
 *
 * Bytes are copied into the arena a chunk at a time, which they are read from while the processor's cache still has
 * them. Fields that a kernel does not take are read by `CsvFieldReader`, as in the code for records one by one; the first
 * record with a field that this does not take, either, ends the block, and so does any record that is not of plain
 * fields. It is for the caller to read that one.
 *
 * A block that ends before its last record was for nothing from there on, so the next one is smaller: about twice what
 * this one came to. All that lies in the arena lies there for the time of a call.
 *
 * Invariants:
 * - CB1 What is read is what `columnsReaders` reads, record by record.
 * - CB2 Behind the rows read, every validity bit is set (FR1).
 */
import { assert } from "../base/assert.ts"
import type { Arena, Block } from "../batch/arena.ts"
import { int64FromBytes } from "../batch/types/int64-bytes.ts"
import { POWERS_OF_TEN } from "../batch/types/decimal-bytes.ts"
import type { BatchBuilder } from "./batch-builder.ts"
import type { CsvFieldReader } from "./csv-field.ts"
import { INDEX_SLACK, REPORT } from "./csv-index-code.ts"
import { csvKernelFunctions, type CsvKernelFunctions } from "./csv-kernel-module.ts"
import type { CsvSyntax } from "./csv-record.ts"
import type { DecodeRun } from "./decode-run.ts"
import { BOOL, DOUBLE, INT32, NUMBER, SYMBOL, TEXT, WHOLE, type FieldReader } from "./field-reader.ts"
import { MASK_BYTES, TABLE_BYTES } from "./text-code.ts"
import { TextTable } from "./text-table.ts"

/** So much is copied into the arena at a time: bytes. */
const CHUNK_BYTES = 64 * 1024
/** What readers may load behind a field, and the index behind the chunk. */
const CHUNK_SLACK = 64
/** The most records of a block, and the most fields. */
const BLOCK_RECORDS = 1024
const BLOCK_FIELDS = 32 * 1024
const BLOCK_RECORDS_MIN = 32

/** Offsets within the scratch block; lists lie behind. */
const PLACES = { report: 0, masks: 16, powers: 64, lists: 256 } as const

/** What reads a column. */
type Kernel = "readInt32" | "readWhole" | "readInt64" | "readTimestamp" | "readBool" | "readDouble" | "readText"

/** A column of the file. */
interface FileColumn {
  readonly reader: FieldReader | undefined
  /** Without one, JavaScript reads the column. */
  readonly kernel: Kernel | undefined
  readonly table: TextTable | undefined
}

/** What a reader of blocks is made for. */
export interface CsvBlocksOptions {
  readonly arena: Arena
  readonly builder: BatchBuilder
  readonly syntax: CsvSyntax
  readonly fields: CsvFieldReader
  /** By column of the file. */
  readonly readers: readonly (FieldReader | undefined)[]
  readonly maxRecordBytes: number
}

/** See the head of this file. */
export class CsvBlocks {
  readonly #options: CsvBlocksOptions
  readonly #columns: readonly FileColumn[]
  readonly #recordsMax: number
  readonly #bytes: { readonly lineEnds: number; readonly unread: number; readonly index: number; readonly all: number }
  #functions: CsvKernelFunctions | undefined
  #block: Block | undefined
  #words: Int32Array = new Int32Array(0)
  #chunk: Uint8Array = new Uint8Array(0)
  /** The bytes of the window that the chunk holds. */
  #chunkFrom = 0
  #chunkTo = 0
  #blockRecords: number

  constructor(options: CsvBlocksOptions) {
    this.#options = options
    this.#columns = options.readers.map((reader) => {
      const kernel = reader === undefined ? undefined : kernelOf(reader)
      return { reader, kernel, table: kernel === "readText" ? new TextTable() : undefined }
    })
    const columns = options.readers.length
    this.#recordsMax = Math.min(BLOCK_RECORDS, Math.floor(BLOCK_FIELDS / columns))
    this.#blockRecords = this.#recordsMax
    const lineEnds = PLACES.lists
    const unread = lineEnds + this.#recordsMax * 4
    const index = unread + this.#recordsMax * 4
    const chunk = index + (this.#recordsMax * columns + INDEX_SLACK) * 4
    const tables = this.#columns.filter(({ table }) => table !== undefined).length
    this.#bytes = { lineEnds, unread, index, all: chunk + CHUNK_BYTES + CHUNK_SLACK + tables * TABLE_BYTES }
  }

  /** Whether a file of so many columns is for blocks: one column may be empty, and hundreds make blocks of few records. */
  static isFor(columns: number): boolean {
    return columns >= 2 && columns <= BLOCK_FIELDS / BLOCK_RECORDS_MIN
  }

  /** Begins a call, once columns are bound. Gives whether there is room for it in the arena. */
  begin(): boolean {
    const { arena } = this.#options
    const block = arena.tryAllocate(this.#bytes.all)
    if (block === undefined) return false
    this.#block = block
    this.#functions ??= csvKernelFunctions(arena.memory)
    const { offset } = block
    this.#words = new Int32Array(arena.buffer, offset, this.#bytes.all >> 2)
    const masks = new Uint8Array(arena.buffer, offset + PLACES.masks, 2 * MASK_BYTES)
    masks.fill(255, 0, MASK_BYTES)
    masks.fill(0, MASK_BYTES)
    new Float64Array(arena.buffer, offset + PLACES.powers, POWERS_OF_TEN.length).set(POWERS_OF_TEN)
    let end = offset + this.#bytes.all
    for (const { table, reader } of this.#columns) {
      if (table === undefined) continue
      end -= TABLE_BYTES
      table.begin(new Uint8Array(arena.buffer, end, TABLE_BYTES), reader!.dictionary)
    }
    this.#chunk = new Uint8Array(arena.buffer, end - CHUNK_BYTES - CHUNK_SLACK, CHUNK_BYTES)
    this.#chunkFrom = this.#chunkTo = 0
    return true
  }

  /** Ends the call. */
  end(): void {
    assert(this.#block !== undefined, "a call is begun before it ends")
    for (const { table } of this.#columns) table?.end()
    this.#options.arena.free(this.#block)
    this.#block = undefined
  }

  /** Reads records as long as they are as they should be, and gives how many. */
  read(run: DecodeRun): number {
    const before = run.rows
    for (;;) {
      if (run.at < this.#chunkFrom || run.at >= this.#chunkTo) this.#copyChunk(run)
      const { window, rows, at } = run
      const room = Math.min(this.#options.builder.capacity, window.maxRows - run.bad.length) - rows
      const wanted = Math.min(room, this.#blockRecords)
      const found = wanted > 0 && at < window.to ? this.#index(run, wanted) : 0
      if (found === 0) {
        const isCut = this.#isOut && this.#chunkTo < window.to && this.#chunkFrom < at
        if (wanted <= 0 || !isCut) return rows - before
        this.#copyChunk(run)
        continue
      }
      const read = this.#readColumns(run, found)
      this.#goOn(run, read)
      if (read < found) {
        this.#blockRecords = Math.max(BLOCK_RECORDS_MIN, read * 2)
        return run.rows - before
      }
      if (found === wanted) this.#blockRecords = Math.min(this.#recordsMax, this.#blockRecords * 2)
    }
  }

  get #isOut(): boolean {
    return this.#words[REPORT.isOut >> 2] !== 0
  }

  #copyChunk({ window, at }: DecodeRun): void {
    this.#chunkFrom = at
    this.#chunkTo = Math.min(window.to, at + CHUNK_BYTES)
    this.#chunk.set(window.bytes.subarray(at, this.#chunkTo))
  }

  /** Indexes some records from where the run is, and gives how many may be read. */
  #index(run: DecodeRun, wanted: number): number {
    const { syntax, maxRecordBytes } = this.#options
    const { delimiter, quote } = syntax
    const { offset } = this.#block!
    const chunkAddress = this.#chunk.byteOffset
    const from = chunkAddress + run.at - this.#chunkFrom
    const to = chunkAddress + this.#chunkTo - this.#chunkFrom
    const [index, lineEnds] = [offset + this.#bytes.index, offset + this.#bytes.lineEnds]
    const columns = this.#columns.length
    const report = offset + PLACES.report
    let found = this.#functions!.indexRecords(from, to, index, lineEnds, columns, wanted, delimiter, quote, report)
    const startMax = from + (run.window.untilOffset - run.base - run.at)
    while (found > 0 && this.#boundaryOf(found - 1) + 1 >= startMax) found--
    if (maxRecordBytes < CHUNK_BYTES) {
      for (let record = 0; record < found; record++) {
        if (this.#boundaryOf(record + 1) - this.#boundaryOf(record) - 1 > maxRecordBytes) found = record
      }
    }
    return found
  }

  /** The address of the last byte before a record of the index. */
  #boundaryOf(record: number): number {
    return this.#words[(this.#bytes.index >> 2) + record * this.#columns.length]!
  }

  /** Reads all columns of the records, and gives how many records were read in all of them. */
  #readColumns(run: DecodeRun, found: number): number {
    let read = found
    for (let column = 0; column < this.#columns.length && read > 0; column++) read = this.#readColumn(run, column, read)
    for (let record = read; record < found; record++) this.#options.builder.clear(run.rows + record)
    return read
  }

  #readColumn(run: DecodeRun, column: number, count: number): number {
    const { reader, kernel } = this.#columns[column]!
    if (reader === undefined && this.#words[REPORT.high >> 2] === 0) return count
    const unread = kernel === undefined ? count : this.#runKernel(run, column, count)
    const list = this.#bytes.unread >> 2
    for (let place = 0; place < unread; place++) {
      const record = kernel === undefined ? place : this.#words[list + place]!
      if (!this.#readField(run, column, record)) return record
    }
    return count
  }

  #runKernel(run: DecodeRun, column: number, count: number): number {
    const { reader, kernel, table } = this.#columns[column]!
    const { slots, words, bits, validity, emptyIsNull } = reader!
    const { offset } = this.#block!
    const columns = this.#columns.length
    const isLast = column === columns - 1
    const starts = offset + this.#bytes.index + column * 4
    const ends = isLast ? offset + this.#bytes.lineEnds : starts + 4
    const given = [starts, columns * 4, 1, ends, isLast ? 4 : columns * 4, count, run.rows] as const
    const unread = offset + this.#bytes.unread
    const nulls = emptyIsNull ? validity.byteOffset : 0
    const functions = this.#functions!
    switch (kernel!) {
      case "readText": {
        const masks = offset + PLACES.masks
        return functions.readText(...given, words.byteOffset, nulls, unread, table!.address, masks)
      }
      case "readDouble":
        return functions.readDouble(...given, slots.byteOffset, nulls, unread, offset + PLACES.powers)
      case "readBool":
        return functions.readBool(...given, bits.byteOffset, nulls, unread)
      default:
        return functions[kernel as "readWhole"](...given, slots.byteOffset, nulls, unread)
    }
  }

  /** Reads a field that no kernel has read. */
  #readField(run: DecodeRun, column: number, record: number): boolean {
    const { fields } = this.#options
    const { reader, table } = this.#columns[column]!
    const columns = this.#columns.length
    const isLast = column === columns - 1
    const place = (this.#bytes.index >> 2) + record * columns + column
    const shift = this.#chunkFrom - this.#chunk.byteOffset
    const { bytes, to } = run.window
    const row = run.rows + record
    const start = this.#words[place]! + 1
    if (fields.read(bytes, start + shift, to, row, reader, isLast) < 0) return false
    if (table !== undefined) {
      const end = isLast ? this.#words[(this.#bytes.lineEnds >> 2) + record]! : this.#words[place + 1]!
      const length = end - start
      if (table.admits(length)) this.#addText(table, start, length, reader!.words[row]!)
    }
    return true
  }

  #addText(table: TextTable, start: number, length: number, code: number): void {
    const masks = this.#block!.offset + PLACES.masks
    if (this.#functions!.addText(table.address, masks, start, length, code) === 1) table.count()
  }

  /** Writes where the records start, and goes on behind them. */
  #goOn(run: DecodeRun, read: number): void {
    const { offsets, ordinals } = this.#options.builder
    const words = this.#words
    const columns = this.#columns.length
    const shift = this.#chunkFrom - this.#chunk.byteOffset + 1
    let place = this.#bytes.index >> 2
    for (let record = 0; record < read; record++) {
      offsets[run.rows + record] = run.base + shift + words[place]!
      ordinals[run.rows + record] = run.lines + record
      place += columns
    }
    run.at = shift + words[place]!
    run.rows += read
    run.lines += read
  }
}

function kernelOf({ how, type, store }: FieldReader): Kernel | undefined {
  switch (how) {
    case TEXT:
    case SYMBOL:
      return "readText"
    case DOUBLE:
      return "readDouble"
    case WHOLE:
      return "readWhole"
    case INT32:
      return "readInt32"
    case BOOL:
      return "readBool"
    case NUMBER:
      if (store === int64FromBytes) return "readInt64"
      return type.definition.isIsoText === true ? "readTimestamp" : undefined
    default:
      return undefined
  }
}
