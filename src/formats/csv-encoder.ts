/**
 * Encodes rows as CSV (RFC 4180): one record a line, ended by LF, with a header of the columns' names.
 *
 * Null is the empty field. The empty text is `""` where an empty field would mean something else (TY21). A field is
 * quoted where it holds a delimiter, a quote, CR or LF, or starts with a byte order mark, which readers may drop.
 *
 * Invariants:
 * - CE1 A field is what the type's `toText` gives, quoted where it must be.
 * - CE2 No record is an empty line, which readers skip: where the only column is null it is `""`, which reads as null
 *   again in columns other than `t.string`.
 */
import { assert } from "../base/assert.ts"
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import { readValue } from "../batch/column.ts"
import type { Schema } from "../batch/schema.ts"
import { NUMBER_BYTES_MAX, type ColumnType } from "../batch/type.ts"
import { ByteOutput, copyBytes, writeBytes } from "./byte-output.ts"
import { csvSyntax, type CsvOptions } from "./csv-layout.ts"
import { WITHIN_NUMBERS, type CsvSyntax } from "./csv-record.ts"
import type { EncoderContext, OutputBuffer, RecordEncoder } from "./decoder.ts"
import { FieldWriter, kindOfColumn, WRITE_BOOL, WRITE_NUMBER, WRITE_TEXT } from "./field-writer.ts"
import { FALSE, TRUE } from "./literal.ts"
import { WriteBlocks } from "./write-blocks.ts"

const encoder = new TextEncoder()
const [LF, CR] = [10, 13] as const
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const
const NO_BYTES = new Uint8Array(0)

/** Encodes rows of one schema. */
export class CsvEncoder implements RecordEncoder {
  readonly header: Uint8Array
  readonly #syntax: CsvSyntax
  readonly #writers: readonly FieldWriter[]
  /** Whether numbers can hold neither delimiter nor quote. */
  readonly #arePlain: boolean
  /** Room for everything of a row but its texts. */
  readonly #rowBytes: number
  readonly #blocks: WriteBlocks | undefined

  /** @throws TidemarkError `invalid-options` where the delimiter or the quote cannot be one. */
  constructor({ arena, schema }: EncoderContext, options: CsvOptions = {}) {
    const syntax = csvSyntax(options)
    this.#syntax = syntax
    this.#arePlain = !WITHIN_NUMBERS.test(String.fromCharCode(syntax.delimiter, syntax.quote))
    this.#rowBytes = schema.fields.length * (NUMBER_BYTES_MAX + 1) + 4
    this.#writers = schema.fields.map(({ type }) => {
      return new FieldWriter(type, NO_BYTES, (dictionary, code, out) => {
        const { isAnyText, packing } = type.definition
        const text =
          isAnyText === true || packing !== undefined
            ? dictionary.bytes(code)
            : encoder.encode(type.definition.toText(dictionary.text(code)))
        writeField(text, syntax, isEmptyQuoted(type), out)
      })
    })
    const header = new ByteOutput()
    if (options.header !== false) {
      schema.fields.forEach(({ name }, index) => {
        if (index > 0) writeBytes(Uint8Array.of(syntax.delimiter), header)
        writeField(encoder.encode(name), syntax, false, header)
      })
      writeBytes(Uint8Array.of(LF), header)
    }
    this.header = header.finish()
    this.#blocks = this.#arePlain ? this.#makeBlocks(arena, schema) : undefined
  }

  #makeBlocks(arena: Arena, schema: Schema): WriteBlocks {
    const syntax = this.#syntax
    const delimiter = Uint8Array.of(syntax.delimiter)
    return new WriteBlocks(arena, {
      name: "csv",
      syntax,
      columns: this.#writers.map((writer, index) => ({
        kind: kindOfColumn(writer),
        prefix: index === 0 ? NO_BYTES : delimiter,
        quotes: isEmptyQuoted(schema.fields[index]!.type),
      })),
      writeRow: (row, out) => {
        this.#writeRow(row, out)
      },
      writeField: (column, row, out) => {
        out.reserve(this.#rowBytes)
        this.#writeValue(this.#writers[column]!, row, out)
      },
    })
  }

  encode(batch: Batch, out: OutputBuffer): void {
    assert(batch.columns.length === this.#writers.length, "an encoder is made for the schema of its batches")
    this.#writers.forEach((writer, index) => writer.bind(batch.columns[index]!))
    if (this.#blocks !== undefined) this.#blocks.write(batch, out)
    else {
      batch.forEachRow((row) => {
        this.#writeRow(row, out)
      })
    }
  }

  #writeRow(row: number, out: OutputBuffer): void {
    const writers = this.#writers
    out.reserve(this.#rowBytes)
    const start = out.length
    for (let index = 0; index < writers.length; index++) {
      if (index > 0) out.bytes[out.length++] = this.#syntax.delimiter
      const writer = writers[index]!
      if (!writer.isNull(row)) this.#writeValue(writer, row, out)
    }
    if (out.length === start) {
      out.bytes[out.length++] = this.#syntax.quote
      out.bytes[out.length++] = this.#syntax.quote
    }
    out.bytes[out.length++] = LF
  }

  #writeValue(writer: FieldWriter, row: number, out: OutputBuffer): void {
    if (writer.how === WRITE_TEXT) {
      writer.writeText(row, out)
      out.reserve(this.#rowBytes)
      return
    }
    if (writer.how === WRITE_NUMBER && this.#arePlain) {
      const end = writer.writeDigits(row, out.bytes, out.length)
      if (end >= 0) {
        out.length = end
        return
      }
    }
    if (writer.how === WRITE_BOOL && this.#arePlain) {
      copyBytes(writer.bitAt(row) ? TRUE : FALSE, out)
      return
    }
    const text = writer.type.definition.toText(readValue(writer.column, row))
    writeField(encoder.encode(text), this.#syntax, false, out)
    out.reserve(this.#rowBytes)
  }
}

/** Whether the empty text must be told from an empty field. */
function isEmptyQuoted(type: ColumnType): boolean {
  return type.isNullable || type.hasDefault
}

/** Appends a field, quoted where it must be. */
function writeField(text: Uint8Array, syntax: CsvSyntax, isEmptyQuoted: boolean, out: OutputBuffer): void {
  const { delimiter, quote } = syntax
  let isQuoted = text.length === 0 ? isEmptyQuoted : BYTE_ORDER_MARK.every((byte, at) => text[at] === byte)
  for (const byte of text) isQuoted ||= byte === delimiter || byte === quote || byte === LF || byte === CR
  if (!isQuoted) {
    writeBytes(text, out)
    return
  }
  out.reserve(text.length * 2 + 2)
  out.bytes[out.length++] = quote
  for (const byte of text) {
    if (byte === quote) out.bytes[out.length++] = quote
    out.bytes[out.length++] = byte
  }
  out.bytes[out.length++] = quote
}
