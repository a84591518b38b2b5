/**
 * Decodes CSV into columns.
 *
 * A record is read twice at most. The fast way walks over its bytes once and writes values straight into the columns;
 * it takes every record that is as it should be. Where it meets anything else it gives up without a word, and the
 * record is read again the slow way, which says what is wrong with it, or takes it after all.
 *
 * `ordinal` counts lines: the line ends within quoted fields too, the header as one or more.
 *
 * Invariants: V1 to V3 of `decoder.ts`, and
 * - CV1 Of several faults of a record the first of these is told: too long, not UTF-8, a stray or unclosed quote, the
 *   wrong number of fields, and then the first field, in the file's order, that is not of its type.
 */
import type { Arena } from "../batch/arena.ts"
import { writeInt53 } from "../batch/column.ts"
import { FOLD_PRIME, FOLD_SEED } from "../batch/dictionary.ts"
import type { Schema } from "../batch/schema.ts"
import { scanDouble, scanned, scanWholeNumber } from "../batch/types/decimal-bytes.ts"
import { Invalid } from "../batch/type.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { WITHIN_NUMBERS, type CsvLayout } from "./csv-layout.ts"
import { CsvRecordScan, ENDED, QUOTED } from "./csv-record.ts"
import { DecodeRun, RECORD_BYTES_MAX, type Fault } from "./decode-run.ts"
import type { Decoded, DecodeWindow, RecordDecoder } from "./decoder.ts"
import { BOOL, DOUBLE, INT32, NUMBER, OTHER, SKIPPED, SYMBOL, TEXT, WHOLE, type FieldReader } from "./field-reader.ts"
import { FALSE, isLiteral, TRUE } from "./literal.ts"
import { isValidUtf8 } from "./utf8.ts"

const [LF, CR] = [10, 13] as const

/** What a decoder is made for. */
export interface CsvDecoderOptions {
  readonly arena: Arena
  readonly schema: Schema
  /** Of the file that is read. */
  readonly layout: CsvLayout
  /** Longer records, without their line end, are bad records: 1 MiB by default. */
  readonly maxRecordBytes?: number
}

/** Decodes the records of one CSV file. */
export class CsvDecoder implements RecordDecoder {
  readonly #layout: CsvLayout
  readonly #delimiter: number
  readonly #quote: number
  /** The greatest byte that means something. */
  readonly #limit: number
  readonly #maxRecordBytes: number
  readonly #builder: BatchBuilder
  /** By column of the file: how it is read, and by what; a column that is skipped has no reader. */
  readonly #hows: Int32Array
  readonly #readers: readonly (FieldReader | undefined)[]
  /** The fields that the file does not have, and what stands for them. */
  readonly #absent: readonly { readonly reader: FieldReader; readonly value: unknown }[]
  /** Line ends within the quoted fields of the record that is read. */
  #quotedLines = 0
  /** Of the text that was last looked through; see `Dictionary.codeOfHashedBytes`. */
  #fold = 0
  #scratch = new Uint8Array(256)

  constructor({ arena, schema, layout, maxRecordBytes = RECORD_BYTES_MAX }: CsvDecoderOptions) {
    const { delimiter, quote } = layout.syntax
    this.#layout = layout
    this.#delimiter = delimiter
    this.#quote = quote
    this.#limit = Math.max(delimiter, quote, CR)
    this.#maxRecordBytes = maxRecordBytes
    this.#builder = new BatchBuilder(arena, schema)
    const { readers } = this.#builder
    this.#readers = layout.columns.map((index) => readers[index])
    const isPlain = !WITHIN_NUMBERS.test(String.fromCharCode(delimiter, quote))
    this.#hows = Int32Array.from(this.#readers, (reader) => {
      if (reader === undefined) return SKIPPED
      return isPlain || reader.how === TEXT ? reader.how : OTHER
    })
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
    this.#builder.begin(to - run.at, maxRows)
    this.#readRecords(run)
    for (const { reader, value } of this.#absent) {
      for (let row = 0; row < run.rows; row++) reader.write(row, value)
    }
    return run.finish(this.#builder)
  }

  #readRecords(run: DecodeRun): void {
    const { bytes, to, atEnd } = run.window
    const { capacity } = this.#builder
    while (run.rows < capacity && run.mayGoOn) {
      const blankEnd = blankLineEnd(bytes, run.at, to, atEnd)
      if (blankEnd === CUT) {
        run.needsMore = !atEnd
        return
      }
      if (blankEnd !== NOT_BLANK) run.goOn(blankEnd, 1)
      else if (!this.#readGood(run) && !this.#readSlow(run)) return
    }
  }

  /** Reads records as long as they are as they should be. Gives whether there was any. */
  #readGood(run: DecodeRun): boolean {
    const { bytes, to, untilOffset, maxRows } = run.window
    const { base } = run
    const { offsets, ordinals, capacity } = this.#builder
    const rowsEnd = Math.min(capacity, maxRows - run.bad.length)
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
      lines += this.#quotedLines + 1
      at = end + 1
    }
    run.at = at
    run.lines = lines
    run.rows = rows
    return at > first
  }

  /** Reads the record at `start` into row `row` and gives where its LF stands; -1 where anything is unusual. */
  #readFast(bytes: Uint8Array, start: number, to: number, row: number): number {
    const hows = this.#hows
    const readers = this.#readers
    const delimiter = this.#delimiter
    const last = hows.length - 1
    this.#quotedLines = 0
    let at = start
    for (let column = 0; column <= last; column++) {
      const begin = at
      const reader = readers[column]!
      let isRead = false
      switch (hows[column]) {
        case SKIPPED:
          at = this.#plainEnd(bytes, begin, to)
          isRead = at >= begin
          break
        case TEXT:
          at = this.#plainEnd(bytes, begin, to)
          isRead = at > begin
          if (isRead) reader.words[row] = reader.dictionary.codeOfHashedBytes(bytes, begin, at, this.#fold)
          break
        case SYMBOL:
          at = this.#plainEnd(bytes, begin, to)
          isRead = at > begin && (reader.words[row] = reader.dictionary.findBytes(bytes, begin, at)) >= 0
          break
        case DOUBLE: {
          const value = scanDouble(bytes, begin, to)
          at = scanned.end
          isRead = value === value
          reader.doubles[row] = value
          break
        }
        case WHOLE: {
          const value = scanWholeNumber(bytes, begin, to)
          at = scanned.end
          isRead = value === value
          writeInt53(reader.halves, row, value)
          break
        }
        case INT32: {
          const value = scanWholeNumber(bytes, begin, to)
          at = scanned.end
          isRead = value === (value | 0)
          reader.words[row] = value
          break
        }
        case NUMBER: {
          at = begin + reader.lastLength
          if (!(at < to && bytes[at] === (column < last ? delimiter : LF))) {
            at = this.#plainEnd(bytes, begin, to)
            if (at < 0) break
            reader.lastLength = at - begin
          }
          const value = reader.numberOf(bytes, begin, at)
          isRead = value === value
          if (isRead) reader.writeNumber(row, value)
          break
        }
        case BOOL: {
          const isTrue = isLiteral(bytes, begin, to, TRUE)
          isRead = isTrue || isLiteral(bytes, begin, to, FALSE)
          at = isTrue ? begin + 4 : begin + 5
          if (isRead) reader.writeBit(row, isTrue)
          break
        }
      }
      if (isRead && at < to && bytes[at] === (column < last ? delimiter : LF)) {
        if (column === last) return at
        at++
        continue
      }
      if (isRead && column === last && at + 1 < to && bytes[at] === CR && bytes[at + 1] === LF) return at + 1
      at = this.#readUnusual(bytes, begin, to, row, readers[column])
      if (at < 0) return -1
      if (column === last) return bytes[at] === LF ? at : bytes[at] === CR ? at + 1 : -1
      if (bytes[at] !== delimiter) return -1
      at++
    }
    return -1
  }

  /** Where the field at `start` ends if it is not quoted, or -1 where it is not valid UTF-8. */
  #plainEnd(bytes: Uint8Array, start: number, to: number): number {
    const delimiter = this.#delimiter
    const quote = this.#quote
    const limit = this.#limit
    let at = start
    let high = 0
    let fold = FOLD_SEED
    for (; at < to; at++) {
      const byte = bytes[at]!
      if (byte <= limit && (byte === delimiter || byte === LF || byte === CR || byte === quote)) break
      high |= byte
      fold = Math.imul(fold ^ byte, FOLD_PRIME)
    }
    this.#fold = fold
    return high < 0x80 || isValidUtf8(bytes, start, at) ? at : -1
  }

  /**
   * Reads the field at `start`, which may be quoted, empty, or spelled in any way that its type knows. Gives where its
   * delimiter stands, or its record's LF or CR LF; -1 where it is not a field, or not one of its type.
   */
  #readUnusual(bytes: Uint8Array, start: number, to: number, row: number, reader: FieldReader | undefined): number {
    const quote = this.#quote
    const isQuoted = start < to && bytes[start] === quote
    let at = isQuoted ? start + 1 : start
    let high = 0
    let doubled = 0
    for (; at < to; at++) {
      const byte = bytes[at]!
      if (byte === quote) {
        if (!isQuoted) return -1
        if (at + 1 >= to || bytes[at + 1] !== quote) break
        doubled++
        at++
      } else if (byte === LF) {
        if (!isQuoted) break
        this.#quotedLines++
      } else if (!isQuoted && (byte === this.#delimiter || (byte === CR && at + 1 < to && bytes[at + 1] === LF))) {
        break
      }
      high |= byte
    }
    const begin = isQuoted ? start + 1 : start
    const end = at
    if (isQuoted) at++
    if (at >= to || (high >= 0x80 && !isValidUtf8(bytes, begin, end))) return -1
    const after = bytes[at]
    const isEnd = after === this.#delimiter || after === LF || (after === CR && at + 1 < to && bytes[at + 1] === LF)
    if (!isEnd) return -1
    if (reader === undefined) return at
    if (doubled === 0) return reader.readText(bytes, begin, end, row, isQuoted) ? at : -1
    const length = this.#undouble(bytes, begin, end)
    return reader.readText(this.#scratch, 0, length, row, isQuoted) ? at : -1
  }

  /** Copies quoted text to the scratch bytes with single quotes for doubled ones, and gives its length. */
  #undouble(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2)
    let length = 0
    for (let at = start; at < end; at++) {
      this.#scratch[length++] = bytes[at]!
      if (bytes[at] === this.#quote) at++
    }
    return length
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
      return { reason: `the record has ${fields.length} fields, and ${whole} has ${names.length}` }
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
