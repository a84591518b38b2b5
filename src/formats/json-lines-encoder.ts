/**
 * Encodes rows as JSON lines: one object a line, every column of the schema in its order, null included, no white space.
 *
 * Invariant:
 * - JE1 A line is `{"name":…,…}` with what the types' `toJson` gives, and LF.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "../batch/batch.ts"
import { readValue } from "../batch/column.ts"
import type { Dictionary } from "../batch/dictionary.ts"
import { NUMBER_BYTES_MAX, type ColumnType } from "../batch/type.ts"
import { copyBytes, writeBytes, writeText } from "./byte-output.ts"
import type { EncoderContext, OutputBuffer, RecordEncoder } from "./decoder.ts"
import {
  FieldWriter,
  kindOfColumn,
  WRITE_BOOL,
  WRITE_NUMBER,
  WRITE_OBJECT,
  WRITE_TEXT,
  type WriteText,
} from "./field-writer.ts"
import { FALSE, NULL, TRUE } from "./literal.ts"
import { WriteBlocks } from "./write-blocks.ts"

const encoder = new TextEncoder()
const [LF, QUOTE, BACKSLASH, CLOSE_BRACE, OPEN_BRACE] = [10, 34, 92, 125, 123] as const
const HEX = encoder.encode("0123456789abcdef")
/** By byte: the letter of its short escape, 1 where it needs a long one, or 0. */
const ESCAPES = makeEscapes()
/** By byte: the letter of its short escape, or 0. */
const SHORT_ESCAPES = ESCAPES.map((escape) => (escape === 1 ? 0 : escape))

/** What a value that is not a text takes at most, with its quotes and the braces that may close behind it. */
const VALUE_BYTES_MAX = NUMBER_BYTES_MAX + 8

/** Encodes rows of one schema. */
export class JsonLinesEncoder implements RecordEncoder {
  readonly header = new Uint8Array(0)
  readonly #writers: readonly FieldWriter[]
  /** Room for everything of a row but its texts. */
  readonly #rowBytes: number
  readonly #blocks: WriteBlocks

  constructor({ arena, schema }: EncoderContext) {
    this.#writers = writersOf(schema.fields)
    this.#rowBytes = roomOf(this.#writers)
    this.#blocks = new WriteBlocks(arena, {
      name: "jsonl",
      escapes: SHORT_ESCAPES,
      columns: this.#writers.map((writer) => {
        return { kind: kindOfColumn(writer), prefix: writer.prefix, quotes: writer.isQuoted }
      }),
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
    this.#blocks.write(batch, out)
  }

  #writeRow(row: number, out: OutputBuffer): void {
    out.reserve(this.#rowBytes)
    this.#writeObject(this.#writers, row, out)
    out.bytes[out.length++] = LF
  }

  /** There is room for the whole row at the start, and behind every text again. */
  #writeObject(writers: readonly FieldWriter[], row: number, out: OutputBuffer): void {
    if (writers.length === 0) out.bytes[out.length++] = OPEN_BRACE
    for (let index = 0; index < writers.length; index++) {
      const writer = writers[index]!
      copyBytes(writer.prefix, out)
      if (writer.isNull(row)) copyBytes(NULL, out)
      else this.#writeValue(writer, row, out)
    }
    out.bytes[out.length++] = CLOSE_BRACE
  }

  #writeValue(writer: FieldWriter, row: number, out: OutputBuffer): void {
    switch (writer.how) {
      case WRITE_TEXT:
        writer.writeText(row, out)
        out.reserve(this.#rowBytes)
        return
      case WRITE_NUMBER: {
        const start = writer.isQuoted ? out.length + 1 : out.length
        const end = writer.writeDigits(row, out.bytes, start)
        if (end < 0) break
        out.length = end
        if (!writer.isQuoted) return
        out.bytes[start - 1] = QUOTE
        out.bytes[out.length++] = QUOTE
        return
      }
      case WRITE_BOOL:
        copyBytes(writer.bitAt(row) ? TRUE : FALSE, out)
        return
      case WRITE_OBJECT:
        this.#writeObject(writer.children, row, out)
        return
    }
    writeText(writer.type.definition.toJson(readValue(writer.column, row)), out)
    out.reserve(this.#rowBytes)
  }
}

function writersOf(fields: readonly { readonly name: string; readonly type: ColumnType }[]): FieldWriter[] {
  return fields.map(({ name, type }, index) => {
    const prefix = encoder.encode(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`)
    return new FieldWriter(type, prefix, prepareFor(type), writersOf(type.definition.fields ?? []))
  })
}

function roomOf(writers: readonly FieldWriter[]): number {
  return writers.reduce((sum, { prefix, children }) => sum + prefix.length + VALUE_BYTES_MAX + roomOf(children), 8)
}

/** Any text is escaped from its bytes, and what is packed as JSON stands as it is; only the type knows how others are written. */
function prepareFor({ definition }: ColumnType): WriteText {
  if (definition.packing === "json") return (dictionary, code, out) => writeBytes(dictionary.bytes(code), out)
  if (definition.isAnyText || definition.packing === "string") return writeEscaped
  return (dictionary, code, out) => writeText(definition.toJson(dictionary.text(code)), out)
}

/** Appends a text as `JSON.stringify` does. */
function writeEscaped(dictionary: Dictionary, code: number, out: OutputBuffer): void {
  const source = dictionary.bytes(code)
  // A byte takes at most the six of its long escape.
  out.reserve(source.length * 6 + 2)
  const target = out.bytes
  let to = out.length
  target[to++] = QUOTE
  for (const byte of source) {
    const escape = ESCAPES[byte]!
    if (escape === 0) {
      target[to++] = byte
      continue
    }
    target[to++] = BACKSLASH
    if (escape > 1) {
      target[to++] = escape
      continue
    }
    target.set([117, 48, 48, HEX[byte >> 4]!, HEX[byte & 15]!], to)
    to += 5
  }
  target[to++] = QUOTE
  out.length = to
}

function makeEscapes(): Uint8Array {
  const escapes = new Uint8Array(256).fill(1, 0, 32)
  for (const character of '"\\\b\t\n\f\r') {
    escapes[character.charCodeAt(0)] = JSON.stringify(character).charCodeAt(2)
  }
  return escapes
}
