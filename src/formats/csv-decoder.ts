/**
 * Decodes CSV into columns.
 *
 * A record is read in one of three ways. Records on one line are read by WebAssembly, many at a time
 * (`record-blocks.ts`). Where there are few, or fields with quotes within, code made for the file's layout (`csv-row-code.ts`) walks
 * over a record's bytes once. Both write values straight into the columns, and take records that are as they should be.
 * Where they meet anything else they give up without a word, and the record is read again the slow way, which says what is
 * wrong with it, or takes it after all.
 *
 * `ordinal` counts lines: the line ends within quoted fields too, the header as one or more.
 *
 * Invariants: V1 to V3 of `decoder.ts`, and
 * - CV1 Of several faults of a record the first of these is told: too long, not UTF-8, a stray or unclosed quote, the
 *   wrong number of fields, and then the first field, in the file's order, that is not of its type.
 */
import { counted } from "../base/counted.ts"
import type { Arena } from "../batch/arena.ts"
import type { Schema } from "../batch/schema.ts"
import { Invalid } from "../batch/type.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { CsvBlocks } from "./csv-blocks.ts"
import { CsvFieldReader } from "./csv-field.ts"
import type { CsvLayout } from "./csv-layout.ts"
import { CsvRecordScan, ENDED, QUOTED } from "./csv-record.ts"
import { columnsReaders, type ReadColumns } from "./csv-row-code.ts"
import { DecodeRun, RECORD_BYTES_MAX, type Fault } from "./decode-run.ts"
import type { Decoded, DecodeWindow, RecordDecoder } from "./decoder.ts"
import type { FieldReader } from "./field-reader.ts"
import { RecordBlocks } from "./record-blocks.ts"
import { isValidUtf8 } from "./utf8.ts"

const [LF, CR] = [10, 13] as const

/** Windows of fewer bytes are not for blocks: what they cost to begin is about what they save. */
const BLOCK_WINDOW_BYTES = 16 * 1024

/** What a decoder is made for. */
export interface CsvDecoderOptions {
  readonly arena: Arena
  readonly schema: Schema
  /** Of the file that is read. */
  readonly layout: Omit<CsvLayout, "start">
  /** Longer records, without their line end, are bad records: 1 MiB by default. */
  readonly maxRecordBytes?: number
  /** Windows of fewer bytes are not read by WebAssembly: 16 KiB by default. */
  readonly blockWindowBytes?: number
}

/** Decodes the records of one CSV file. */
export class CsvDecoder implements RecordDecoder {
  readonly #layout: Omit<CsvLayout, "start">
  readonly #maxRecordBytes: number
  readonly #builder: BatchBuilder
  readonly #fields: CsvFieldReader
  readonly #blocks: RecordBlocks | undefined
  readonly #blockWindowBytes: number
  /** By column of the file; a column that is skipped has no reader. */
  readonly #readers: readonly (FieldReader | undefined)[]
  /** They read the columns of a record, some each. */
  readonly #parts: readonly ReadColumns[]
  /** The fields that the file does not have, and what stands for them. */
  readonly #absent: readonly { readonly reader: FieldReader; readonly value: unknown }[]

  constructor({
    arena,
    schema,
    layout,
    maxRecordBytes = RECORD_BYTES_MAX,
    blockWindowBytes = BLOCK_WINDOW_BYTES,
  }: CsvDecoderOptions) {
    this.#layout = layout
    this.#maxRecordBytes = maxRecordBytes
    this.#builder = new BatchBuilder(arena, schema)
    this.#fields = new CsvFieldReader(layout.syntax)
    const { readers } = this.#builder
    this.#readers = layout.columns.map((index) => readers[index])
    this.#parts = columnsReaders(this.#readers, this.#fields, layout.syntax)
    if (CsvBlocks.isFor(this.#readers.length, layout.syntax)) {
      const format = new CsvBlocks(this.#readers, this.#fields, layout.syntax)
      this.#blocks = new RecordBlocks({ arena, builder: this.#builder, maxRecordBytes }, format)
    }
    this.#blockWindowBytes = blockWindowBytes
    this.#absent = readers
      .filter((reader) => !this.#readers.includes(reader))
      .map((reader) => ({ reader, value: reader.type.fromMissing() }))
  }

  decode(window: DecodeWindow): Decoded {
    const run = new DecodeRun(window)
    const { bytes, from, to, atEnd, oversized, maxRows } = window
    if (oversized !== undefined) {
      const scan = new CsvRecordScan(this.#layout.syntax, oversized.state, oversized.lines)
      const end = scan.run(bytes, from, to)
      if (scan.state !== ENDED && !atEnd) return run.goOnOversized(scan.lines, scan.state)
      run.endOversized(end, scan.lines + 1, this.#maxRecordBytes)
    }
    this.#builder.begin(run.bytesAhead, maxRows)
    const blocks = run.bytesAhead >= this.#blockWindowBytes && this.#blocks?.begin() === true ? this.#blocks : undefined
    try {
      this.#readRecords(run, blocks)
    } finally {
      blocks?.end()
    }
    for (const { reader, value } of this.#absent) {
      for (let row = 0; row < run.rows; row++) reader.write(row, value)
    }
    return run.finish(this.#builder)
  }

  #readRecords(run: DecodeRun, blocks: RecordBlocks | undefined): void {
    const { bytes, to, atEnd } = run.window
    const { capacity } = this.#builder
    while (run.rows < capacity && run.mayGoOn) {
      const blankEnd = blankLineEnd(bytes, run.at, to, atEnd)
      if (blankEnd === CUT) {
        run.needsMore = !atEnd
        return
      }
      if (blankEnd !== NOT_BLANK) {
        run.goOn(blankEnd, 1)
        continue
      }
      if (blocks !== undefined && blocks.read(run) > 0) continue
      if (!this.#readGood(run, blocks?.patience ?? Infinity) && !this.#readSlow(run)) return
    }
  }

  /** Reads records one by one as long as they are as they should be. Gives whether there was any. */
  #readGood(run: DecodeRun, most: number): boolean {
    const { bytes, to, untilOffset, maxRows } = run.window
    const { base } = run
    const { offsets, ordinals, capacity } = this.#builder
    const rowsEnd = Math.min(capacity, maxRows - run.bad.length, run.rows + most)
    const startEnd = Math.min(to, untilOffset - base)
    const first = run.at
    let { at, lines, rows } = run
    while (rows < rowsEnd && at < startEnd && bytes[at] !== LF && bytes[at] !== CR) {
      const end = this.#readFast(bytes, at, to, rows)
      if (end < 0 || end - at > this.#maxRecordBytes) {
        this.#builder.clear(rows)
        break
      }
      offsets[rows] = base + at
      ordinals[rows] = lines
      rows++
      lines += this.#fields.quotedLines + 1
      at = end + 1
    }
    run.at = at
    run.lines = lines
    run.rows = rows
    return at > first
  }

  /** Reads the record at `start` into row `row` and gives where its LF stands; -1 where anything is unusual. */
  #readFast(bytes: Uint8Array, start: number, to: number, row: number): number {
    const parts = this.#parts
    this.#fields.quotedLines = 0
    let at = parts.length > 0 ? start : -1
    for (let part = 0; part < parts.length && at >= 0; part++) at = parts[part]!(bytes, at, to, row)
    return at
  }

  /** Reads the next record the slow way. Gives whether it ends in the window. */
  #readSlow(run: DecodeRun): boolean {
    const { at, window } = run
    const { bytes, to, atEnd } = window
    const scan = new CsvRecordScan(this.#layout.syntax)
    const end = scan.run(bytes, at, to)
    if (scan.state !== ENDED && !atEnd) {
      run.stopWithin(this.#maxRecordBytes, scan.lines, scan.state)
      return false
    }
    if (end - at > this.#maxRecordBytes) {
      run.refuseTooLong(end, scan.lines + 1, this.#maxRecordBytes)
      return true
    }
    const fault = this.#readFields(bytes, at, end, scan, run.rows)
    if (fault !== undefined) {
      this.#builder.clear(run.rows)
      run.refuse(end, scan.lines + 1, fault)
      return true
    }
    this.#builder.offsets[run.rows] = run.base + at
    this.#builder.ordinals[run.rows] = run.lines
    run.rows++
    run.goOn(end, scan.lines + 1)
    return true
  }

  /** Writes the fields of the record `bytes[start, end)` as row `row`, or says what is wrong with it (CV1). */
  #readFields(bytes: Uint8Array, start: number, end: number, scan: CsvRecordScan, row: number): Fault | undefined {
    const { hasHeader, names } = this.#layout
    if (!isValidUtf8(bytes, start, end)) return { reason: "the record is not valid UTF-8" }
    if (scan.isBroken) return { reason: "a quote stands where none can, or something behind a quoted field" }
    if (scan.state === QUOTED) return { reason: "the last field is quoted and the quote is never closed" }
    const fields = scan.fields(bytes, end)
    if (fields.length !== names.length) {
      const whole = hasHeader ? "the header" : "the schema"
      return { reason: `the record has ${counted(fields.length, "field")}, and ${whole} has ${names.length}` }
    }
    for (const [column, { text, isQuoted }] of fields.entries()) {
      const reader = this.#readers[column]
      if (reader === undefined) continue
      const value = reader.type.fromText(text, isQuoted)
      if (value instanceof Invalid) {
        return { field: reader.column, reason: `the field ${JSON.stringify(reader.sourceName)} is ${value.reason}` }
      }
      reader.write(row, value)
    }
    return undefined
  }
}

const NOT_BLANK = -1
const CUT = -2

/** Where the line end of the empty line at `at` stands; `NOT_BLANK`, or `CUT` where the window does not tell. */
function blankLineEnd(bytes: Uint8Array, at: number, to: number, atEnd: boolean): number {
  if (at === to) return CUT
  if (bytes[at] === LF) return at
  if (bytes[at] !== CR) return NOT_BLANK
  if (at + 1 < to) return bytes[at + 1] === LF ? at + 1 : NOT_BLANK
  return atEnd ? at : CUT
}
