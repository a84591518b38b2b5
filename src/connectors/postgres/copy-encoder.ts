/**
 * Rows as the text that `COPY … FROM STDIN` reads, column by column: no object is made of a row.
 *
 * It is text and not PostgreSQL's binary form, as the server parses text by the type that the table's column has, which may be another than ours
 * (`uuid`, `varchar(20)`, an enum): see decision 0061. A row is a line: values with a tab between them, `\N` for null, and LF behind. Backslash,
 * tab, LF and CR in a value are escaped, so LF ends a row and nothing else.
 *
 * Invariant:
 * - CE1 A row has as many LF as rows, which is one, and the server reads each value as the one that the column has.
 */
import type { Batch } from "../../batch/batch.ts"
import { isValid, readInt53, readValue, slotsOf, type Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import { NUMBER_BYTES_MAX, type ColumnType } from "../../batch/type.ts"
import { writeText } from "../../formats/byte-output.ts"
import type { OutputBuffer } from "../../formats/decoder.ts"
import { dateText } from "../../time/calendar-date.ts"
import { writeIsoBytes } from "../../time/iso-bytes.ts"
import { writtenAs } from "./column-type.ts"

const encoder = new TextEncoder()
const [TAB, LF, BACKSLASH, UPPER_N] = [9, 10, 92, 78] as const
/** By byte: the letter that stands for it behind a backslash, or 0. */
const ESCAPES = new Uint8Array(256)
ESCAPES.set([0x74, 0x6e], TAB)
ESCAPES[13] = 0x72
ESCAPES[BACKSLASH] = BACKSLASH

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
/** 0001-01-01 as days since 1970: PostgreSQL has no year 0. */
const FIRST_DAY = -719_162

/** Room for a value that is no text, and what stands behind it. */
const VALUE_BYTES_MAX = Math.max(NUMBER_BYTES_MAX, 40) + 1

/** Writes a value that is not null; there is room for one that is no text. */
type WriteValue = (row: number, out: OutputBuffer) => void

/** Encodes rows of one schema. */
export class CopyEncoder {
  readonly #types: readonly ColumnType[]
  readonly #columns: readonly number[]
  readonly #isNumbered: boolean

  /**
   * @param columns those that are written, by their places in the schema.
   * @param isNumbered whether a row begins with its number.
   */
  constructor({ fields }: Schema, columns: readonly number[], isNumbered: boolean) {
    this.#types = fields.map(({ type }) => type)
    this.#columns = columns
    this.#isNumbered = isNumbered
  }

  /** Appends the rows of a batch that count. `firstNumber` is that of the first of them. */
  encode(batch: Batch, firstNumber: number, out: OutputBuffer): void {
    const columns = this.#columns.map((index) => batch.columns[index]!)
    const writers = this.#columns.map((index) => writerOf(this.#types[index]!, batch.columns[index]!))
    const rowBytes = (columns.length + 1) * VALUE_BYTES_MAX
    let number = firstNumber
    batch.forEachRow((row) => {
      out.reserve(rowBytes)
      if (this.#isNumbered) {
        writeText(String(number++), out)
        out.bytes[out.length++] = TAB
      }
      for (let index = 0; index < columns.length; index++) {
        if (index > 0) out.bytes[out.length++] = TAB
        if (isValid(columns[index]!, row)) {
          writers[index]!(row, out)
          out.reserve(rowBytes)
        } else {
          out.bytes[out.length++] = BACKSLASH
          out.bytes[out.length++] = UPPER_N
        }
      }
      out.bytes[out.length++] = LF
    })
  }
}

function writerOf(type: ColumnType, column: Column): WriteValue {
  switch (writtenAs(type)) {
    case "bool":
      return (row, out) => writeText(readValue(column, row) === true ? "t" : "f", out)
    case "number":
    case "single":
    case "double":
      return numberWriter(column)
    case "timestamp":
      return timestampWriter(column)
    case "interval":
      return (row, out) => writeText(intervalText(readValue(column, row) as number), out)
    case "date":
      return (row, out) => writeText(postgresDate(readValue(column, row) as number), out)
    case "bytes":
      return (row, out) => writeHex(readValue(column, row) as Uint8Array, out)
    case "text":
    case "json":
      if (column.storage === "dictionary") return textWriter(column)
      return (row, out) => writeEscaped(encoder.encode(type.toJson(readValue(column, row))), out)
  }
}

function numberWriter(column: Column): WriteValue {
  const slots = slotsOf(column)
  const { definition } = column.type
  return (row, out) => {
    const end = definition.toBytes?.(slots, row, out.bytes, out.length) ?? -1
    if (end >= 0) out.length = end
    else writeText(definition.toText(readValue(column, row)), out)
  }
}

const scratch = new Float64Array(1)

function timestampWriter(column: Column): WriteValue {
  const halves = slotsOf(column) as Int32Array
  return (row, out) => {
    scratch[0] = readInt53(halves, row)
    out.length = writeIsoBytes(scratch, 0, out.bytes, out.length)
  }
}

function textWriter(column: Extract<Column, { storage: "dictionary" }>): WriteValue {
  const { dictionary, values } = column
  return (row, out) => writeEscaped(dictionary.bytes(values[row]!), out)
}

function writeEscaped(source: Uint8Array, out: OutputBuffer): void {
  out.reserve(source.length * 2)
  const target = out.bytes
  let to = out.length
  for (let at = 0; at < source.length; at++) {
    const byte = source[at]!
    const escape = ESCAPES[byte]!
    if (escape !== 0) target[to++] = BACKSLASH
    target[to++] = escape === 0 ? byte : escape
  }
  out.length = to
}

function writeHex(bytes: Uint8Array, out: OutputBuffer): void {
  let text = "\\\\x"
  for (const byte of bytes) text += HEX[byte]!
  writeText(text, out)
}

/** The year 0 is the first before our era. */
function postgresDate(days: number): string {
  const text = dateText(days as Parameters<typeof dateText>[0])
  return days >= FIRST_DAY ? text : `0001${text.slice(4)} BC`
}

/** As hours, minutes and seconds, which is what an interval keeps apart from days and months. */
function intervalText(micros: number): string {
  const all = Math.abs(micros)
  const two = (value: number): string => String(value).padStart(2, "0")
  const seconds = Math.floor(all / 1_000_000)
  const fraction = String(all - seconds * 1_000_000).padStart(6, "0")
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`
  return micros < 0 ? `-${clock}` : clock
}

/** The fields of a row as texts, `null` for null, from its line without the LF. */
export function fieldsOfLine(line: string): (string | null)[] {
  return line.split("\t").map((field) => {
    if (field === "\\N") return null
    return field.replaceAll(/\\(.)/g, (_, letter: string) => LETTERS[letter] ?? letter)
  })
}

const LETTERS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" }
