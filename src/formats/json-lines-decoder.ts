/**
 * Decodes JSON lines into columns: one JSON object a line, as strict as `JSON.parse`.
 *
 * A line is read in one of three ways. Flat lines that are all written alike are read by WebAssembly, many at a time
 * (`record-blocks.ts`), once such a line has been learnt. Otherwise the scanner walks over a line's bytes once; it takes
 * every line that is as it should be, with fields in any order, unknown fields of any kind, and null. Both write values
 * straight into the columns. Where they meet anything else (a field twice, a wrong type, text that is not JSON) they give
 * up without a word, and the line is read again the slow way (`json-line.ts`), which says what is wrong with it, or takes
 * it after all.
 *
 * Invariants: V1 to V3 of `decoder.ts`, and JL1 of `json-line.ts`.
 */
import type { Arena } from "../batch/arena.ts"
import { FOLD_PRIME, FOLD_SEED } from "../batch/dictionary.ts"
import type { Schema } from "../batch/schema.ts"
import { NO_NUMBER, scanDouble, scanInt32, scanInt53 } from "../batch/types/decimal-bytes.ts"
import { Invalid } from "../batch/type.ts"
import { parseJson } from "../batch/types/json-tree.ts"
import { BackOff } from "../expr/back-off.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { DecodeRun, RECORD_BYTES_MAX } from "./decode-run.ts"
import type { Decoded, DecodeWindow, RecordDecoder } from "./decoder.ts"
import { BOOL, DOUBLE, INT32, NUMBER, OBJECT, SYMBOL, TEXT, WHOLE, type FieldReader } from "./field-reader.ts"
import { JsonBlocks, type ReadValue } from "./json-blocks.ts"
import { readJsonLine } from "./json-line.ts"
import { ObjectShape, type ObjectField } from "./json-object.ts"
import { learnTemplate } from "./json-template.ts"
import { NO_END, skipNumber, skipped, skipSpace, skipString, skipValue, unescape } from "./json-text.ts"
import { FALSE, isLiteral, NULL, TRUE } from "./literal.ts"
import { RecordBlocks } from "./record-blocks.ts"
import type { TextTable } from "./text-table.ts"
import { isValidUtf8, textOfUtf8 } from "./utf8.ts"

const [LF, SPACE, QUOTE, COMMA, MINUS, ZERO, COLON] = [10, 32, 34, 44, 45, 48, 58] as const
const [BACKSLASH, OPEN_BRACE, CLOSE_BRACE] = [92, 123, 125] as const
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf)

/** Stamps stay within int32, with room for the objects of any one window. */
const STAMP_MAX = 2 ** 29

/** Windows of fewer bytes are not for blocks: what they cost to begin is about what they save. */
const BLOCK_WINDOW_BYTES = 16 * 1024

/** What a decoder is made for. */
export interface JsonLinesDecoderOptions {
  readonly arena: Arena
  readonly schema: Schema
  /** Longer lines, without their line end, are bad records: 1 MiB by default. */
  readonly maxRecordBytes?: number
  /** Windows of fewer bytes are not read by WebAssembly: 16 KiB by default. */
  readonly blockWindowBytes?: number
}

/** Decodes the records of a file of JSON lines. */
export class JsonLinesDecoder implements RecordDecoder {
  readonly #maxRecordBytes: number
  readonly #builder: BatchBuilder
  readonly #record: ObjectShape
  readonly #arena: Arena
  readonly #blockWindowBytes: number
  readonly #tables = new Map<FieldReader, TextTable>()
  readonly #readMember: ReadValue = (field, bytes, at, to, row) => this.#readValue(field, bytes, at, to, row, 1)
  /** Lines written like the one that was learnt last. */
  #format: JsonBlocks | undefined
  #blocks: RecordBlocks | undefined
  /** Rests where lines are written in many ways. */
  readonly #backOff = new BackOff()
  /** Counts the objects read. */
  #stamp = 0
  #scratch = new Uint8Array(256)

  constructor({
    arena,
    schema,
    maxRecordBytes = RECORD_BYTES_MAX,
    blockWindowBytes = BLOCK_WINDOW_BYTES,
  }: JsonLinesDecoderOptions) {
    this.#arena = arena
    this.#blockWindowBytes = blockWindowBytes
    this.#maxRecordBytes = maxRecordBytes
    this.#builder = new BatchBuilder(arena, schema)
    this.#record = new ObjectShape(this.#builder.readers)
  }

  decode(window: DecodeWindow): Decoded {
    const run = new DecodeRun(window)
    if (this.#stamp > STAMP_MAX) {
      this.#stamp = 0
      this.#record.forgetStamps()
    }
    const { bytes, from, to, atEnd, oversized, maxRows } = window
    if (oversized !== undefined) {
      const end = lineEnd(bytes, from, to)
      if (end === NO_END && !atEnd) return run.goOnOversized(0, 0)
      run.endOversized(end === NO_END ? to : end, 1, this.#maxRecordBytes)
    }
    this.#builder.begin(run.bytesAhead, maxRows)
    if (this.#skipByteOrderMark(run)) this.#readWindow(run)
    return run.finish(this.#builder)
  }

  /** Reads what the window holds, by blocks where they are worth it. */
  #readWindow(run: DecodeRun): void {
    if (run.bytesAhead < this.#blockWindowBytes) {
      this.#readLines(run, undefined)
      return
    }
    const blocks = !this.#backOff.isResting() && this.#blocks?.begin() === true ? this.#blocks : undefined
    let readByBlocks = 0
    try {
      readByBlocks = this.#readLines(run, blocks)
    } finally {
      blocks?.end()
    }
    const isWorthIt = readByBlocks * 2 >= run.rows
    if (blocks !== undefined && isWorthIt) this.#backOff.succeeded()
    else if (blocks !== undefined) this.#backOff.failed()
    if (blocks === undefined ? this.#blocks === undefined : !isWorthIt) this.#learn(run)
  }

  /** Learns how lines are written from the last one that was read. */
  #learn({ window, base, rows }: DecodeRun): void {
    if (rows === 0) return
    const template = learnTemplate(this.#record, window.bytes, this.#builder.offsets[rows - 1]! - base, window.to)
    this.#format = template && new JsonBlocks(template, this.#tables, this.#readMember)
    const options = { arena: this.#arena, builder: this.#builder, maxRecordBytes: this.#maxRecordBytes }
    this.#blocks = this.#format && new RecordBlocks(options, this.#format)
  }

  /** Skips a byte order mark at the partition's start. Gives whether the window tells that there is none or all of it. */
  #skipByteOrderMark(run: DecodeRun): boolean {
    const { bytes, to, atEnd } = run.window
    if (run.base + run.at > 0 || !run.mayGoOn) return true
    const present = Math.min(BYTE_ORDER_MARK.length, to - run.at)
    if (!isLiteral(bytes, run.at, to, BYTE_ORDER_MARK.subarray(0, present))) return true
    if (present === BYTE_ORDER_MARK.length) run.at += present
    else run.needsMore = !atEnd
    return present === BYTE_ORDER_MARK.length || atEnd
  }

  /** Gives how many lines were read by blocks. */
  #readLines(run: DecodeRun, blocks: RecordBlocks | undefined): number {
    const { bytes, to, atEnd } = run.window
    const max = this.#maxRecordBytes
    let readByBlocks = 0
    while (run.rows < this.#builder.capacity && run.mayGoOn) {
      const read = blocks?.read(run) ?? 0
      if (read > 0) {
        this.#format!.fillAbsent(run.rows - read, run.rows)
        readByBlocks += read
        continue
      }
      if (this.#readGood(run, blocks?.patience ?? Infinity)) continue
      const { at } = run
      const found = lineEnd(bytes, at, to)
      if (found === NO_END && !(atEnd && at < to)) {
        if (!atEnd) run.stopWithin(max, 0, 0)
        break
      }
      const end = found === NO_END ? to : found
      if (end - at > max) run.refuseTooLong(end, 1, max)
      else if (skipSpace(bytes, at, end) === end) run.goOn(end, 1)
      else this.#readSlow(run, end)
    }
    return readByBlocks
  }

  /** Reads lines one by one as long as they are as they should be. Gives whether there was any. */
  #readGood(run: DecodeRun, most: number): boolean {
    const { bytes, to, untilOffset, maxRows } = run.window
    const { base } = run
    const { offsets, ordinals, capacity } = this.#builder
    const rowsEnd = Math.min(capacity, maxRows - run.bad.length, run.rows + most)
    const startEnd = Math.min(to, untilOffset - base)
    const first = run.at
    let { at, lines, rows } = run
    while (rows < rowsEnd && at < startEnd) {
      const end = this.#readFast(bytes, at, to, rows)
      if (end === NO_END || end - at > this.#maxRecordBytes) {
        this.#builder.clear(rows)
        break
      }
      offsets[rows] = base + at
      ordinals[rows] = lines
      rows++
      lines++
      at = end + 1
    }
    run.at = at
    run.lines = lines
    run.rows = rows
    return at > first
  }

  /** Reads the line from `run.at` to `end` the slow way. */
  #readSlow(run: DecodeRun, end: number): void {
    const { at, rows } = run
    const { readers, offsets, ordinals } = this.#builder
    const fault = readJsonLine(run.window.bytes, at, end, readers, rows)
    if (fault !== undefined) {
      this.#builder.clear(rows)
      run.refuse(end, 1, fault)
      return
    }
    offsets[rows] = run.base + at
    ordinals[rows] = run.lines
    run.rows++
    run.goOn(end, 1)
  }

  /** Reads the line at `start` into row `row` and gives where its LF stands; `NO_END` where anything is unusual. */
  #readFast(bytes: Uint8Array, start: number, to: number, row: number): number {
    const brace = start < to && bytes[start] === OPEN_BRACE ? start : skipSpace(bytes, start, to)
    if (brace >= to || bytes[brace] !== OPEN_BRACE) return NO_END
    const end = this.#readObject(this.#record, bytes, brace + 1, to, row, 1)
    if (end === NO_END) return NO_END
    const at = end < to && bytes[end] === LF ? end : skipSpace(bytes, end, to)
    return at < to && bytes[at] === LF ? at : NO_END
  }

  /** Reads the object whose brace stands before `start` and gives where it ends. */
  #readObject(shape: ObjectShape, bytes: Uint8Array, start: number, to: number, row: number, depth: number): number {
    const { fields, next, declared } = shape
    const stamp = ++this.#stamp
    let found = 0
    let previous = 0
    let at = skipSpace(bytes, start, to)
    if (at < to && bytes[at] === CLOSE_BRACE) return this.#fillMissing(shape, stamp, row) ? at + 1 : NO_END
    for (;;) {
      if (at >= to || bytes[at] !== QUOTE) return NO_END
      let code = next[previous]!
      if (code < fields.length && isLiteral(bytes, at + 1, to, fields[code]!.key)) {
        at += fields[code]!.key.length + 1
      } else {
        const nameEnd = skipString(bytes, at + 1, to)
        if (nameEnd === NO_END) return NO_END
        code = this.#codeOfName(shape, bytes, at + 1, nameEnd - 1)
        if (code >= 0) next[previous] = code
        at = nameEnd
      }
      if (at >= to || bytes[at] !== COLON) at = skipSpace(bytes, at, to)
      if (at >= to || bytes[at] !== COLON) return NO_END
      at++
      if (at < to && bytes[at]! <= SPACE) at = skipSpace(bytes, at, to)
      if (code >= 0 && code < declared) {
        const field = fields[code]!
        if (field.stamp === stamp) return NO_END
        field.stamp = stamp
        found++
        at = this.#readValue(field, bytes, at, to, row, depth)
      } else {
        at = skipValue(bytes, at, to, depth)
      }
      if (at === NO_END) return NO_END
      if (at < to && bytes[at]! <= SPACE) at = skipSpace(bytes, at, to)
      if (at >= to) return NO_END
      previous = code + 1
      if (bytes[at] === CLOSE_BRACE) break
      if (bytes[at] !== COMMA) return NO_END
      at++
      if (at < to && bytes[at]! <= SPACE) at = skipSpace(bytes, at, to)
    }
    return found === declared || this.#fillMissing(shape, stamp, row) ? at + 1 : NO_END
  }

  #codeOfName(shape: ObjectShape, bytes: Uint8Array, start: number, end: number): number {
    if (!skipped.hasEscapes) return shape.findOrLearn(bytes, start, end)
    const length = this.#unescape(bytes, start, end)
    return shape.find(this.#scratch, 0, length)
  }

  /** Writes the text `bytes[start, end)` to the scratch bytes and gives its length. */
  #unescape(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2)
    return unescape(bytes, start, end, this.#scratch)
  }

  /** Writes what stands for the fields that the object of that stamp lacks. Gives whether it may lack them. */
  #fillMissing(shape: ObjectShape, stamp: number, row: number): boolean {
    for (let code = 0; code < shape.declared; code++) {
      const { stamp: seen, missing, reader } = shape.fields[code]!
      if (seen === stamp) continue
      if (missing instanceof Invalid) return false
      if (missing === null) reader!.writeNull(row)
      else reader!.write(row, missing)
    }
    return true
  }

  /** Reads the value at `at` as the field's and gives where it ends. */
  #readValue(field: ObjectField, bytes: Uint8Array, at: number, to: number, row: number, depth: number): number {
    const reader = field.reader!
    if (at >= to) return NO_END
    const first = bytes[at]!
    switch (reader.how) {
      case TEXT:
        if (first === QUOTE) return this.#readText(reader, bytes, at + 1, to, row)
        break
      case SYMBOL: {
        const end = first === QUOTE ? skipString(bytes, at + 1, to) : NO_END
        if (end === NO_END || skipped.hasEscapes) break
        const code = reader.dictionary.findBytes(bytes, at + 1, end - 1)
        if (code >= 0) reader.words[row] = code
        return code >= 0 ? end : NO_END
      }
      case DOUBLE: {
        const end = scanDouble(bytes, at, to, reader.slots as Float64Array, row)
        if (end === NO_NUMBER || !isJsonNumber(bytes, at, to)) break
        return end
      }
      case WHOLE: {
        const end = scanInt53(bytes, at, to, reader.slots as Int32Array, row)
        if (end === NO_NUMBER || !isJsonNumber(bytes, at, to)) break
        return end
      }
      case INT32: {
        const end = scanInt32(bytes, at, to, reader.slots as Int32Array, row)
        if (end === NO_NUMBER || !isJsonNumber(bytes, at, to)) break
        return end
      }
      case NUMBER: {
        const end = this.#readNumber(reader, bytes, at, to, row)
        if (end !== NO_END) return end
        break
      }
      case BOOL: {
        const isTrue = isLiteral(bytes, at, to, TRUE)
        if (!isTrue && !isLiteral(bytes, at, to, FALSE)) break
        reader.writeBit(row, isTrue)
        return at + (isTrue ? TRUE.length : FALSE.length)
      }
      case OBJECT:
        if (first === OPEN_BRACE) return this.#readObject(field.shape!, bytes, at + 1, to, row, depth + 1)
    }
    return readUnusual(reader, bytes, at, to, row, depth)
  }

  /** Reads the string whose quote stands before `start`. */
  #readText(reader: FieldReader, bytes: Uint8Array, start: number, to: number, row: number): number {
    let high = 0
    let fold = FOLD_SEED
    for (let at = start; at < to; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        if (high >= 0x80 && !isValidUtf8(bytes, start, at)) return NO_END
        reader.words[row] = reader.dictionary.codeOfHashedBytes(bytes, start, at, fold)
        return at + 1
      }
      if (byte < SPACE || byte === BACKSLASH) break
      high |= byte
      fold = Math.imul(fold ^ byte, FOLD_PRIME)
    }
    const end = skipString(bytes, start, to)
    if (end === NO_END) return NO_END
    const length = this.#unescape(bytes, start, end - 1)
    reader.words[row] = reader.dictionary.codeOfBytes(this.#scratch, 0, length)
    return end
  }

  /** Reads a number or a string that the type's `fromBytes` knows. */
  #readNumber(reader: FieldReader, bytes: Uint8Array, at: number, to: number, row: number): number {
    if (bytes[at] !== QUOTE) {
      const end = skipNumber(bytes, at, to)
      return end !== NO_END && reader.store(bytes, at, end, reader.slots, row) ? end : NO_END
    }
    if (reader.type.definition.isQuotedInJson !== true) return NO_END
    // Neighbours often have the same length: only where this one has not, its end is looked for.
    const start = at + 1
    const guess = start + reader.lastLength
    if (guess < to && bytes[guess] === QUOTE && reader.store(bytes, start, guess, reader.slots, row)) return guess + 1
    const end = skipString(bytes, start, to)
    if (end === NO_END) return NO_END
    reader.lastLength = end - 1 - start
    return reader.store(bytes, start, end - 1, reader.slots, row) ? end : NO_END
  }
}

/** Reads the value at `at` by what its type says of it, and gives where it ends. */
function readUnusual(
  reader: FieldReader,
  bytes: Uint8Array,
  at: number,
  to: number,
  row: number,
  depth: number,
): number {
  if (isLiteral(bytes, at, to, NULL)) {
    if (!reader.isNullable) return NO_END
    reader.writeNull(row)
    return at + NULL.length
  }
  const end = skipValue(bytes, at, to, depth)
  if (end === NO_END || reader.how === OBJECT) return NO_END
  const text = textOfUtf8(bytes, at, end)
  const first = bytes[at]!
  const isNumber = first === MINUS || (first >= ZERO && first <= ZERO + 9)
  const value = isNumber ? reader.type.fromJson(Number(text), text) : reader.type.fromJson(parseJson(text))
  if (value instanceof Invalid) return NO_END
  reader.write(row, value)
  return end
}

/** Whether the digits at `at`, of a number that a scanner has passed, are JSON's: a leading zero stands alone. */
function isJsonNumber(bytes: Uint8Array, at: number, to: number): boolean {
  const first = bytes[at] === MINUS ? at + 1 : at
  return bytes[first] !== ZERO || first + 1 >= to || bytes[first + 1]! < ZERO || bytes[first + 1]! > ZERO + 9
}

/** Where the line that goes on at `start` ends, or `NO_END`. */
function lineEnd(bytes: Uint8Array, start: number, to: number): number {
  const length = bytes.subarray(start, to).indexOf(LF)
  return length < 0 ? NO_END : start + length
}
