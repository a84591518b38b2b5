/**
 * What is known of a CSV file before its first record is read: its syntax, which of its columns are the schema's
 * fields, and where the first record starts.
 *
 * With a header, columns are found by name and others are skipped; without one, the file's columns are the schema's
 * fields in order. A schema's field that a file with a header does not have is its default or null.
 */
import { nameHint } from "../base/did-you-mean.ts"
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import type { Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { Invalid } from "../batch/type.ts"
import { CsvRecordScan, QUOTED, withoutCarriageReturn, type CsvSyntax } from "./csv-record.ts"
import { isValidUtf8 } from "./utf8.ts"

const [LF, CR] = [10, 13] as const
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

/** How a CSV file is written. */
export interface CsvOptions {
  /** What stands between fields: one ASCII character, `","` by default. */
  readonly delimiter?: string
  /** What quotes fields: one ASCII character, `'"'` by default. */
  readonly quote?: string
  /** Whether the first line names the columns: `true` by default. */
  readonly header?: boolean
}

/** The start of a file. */
export interface CsvHead {
  readonly bytes: Uint8Array
  /** Whether the bytes are the whole file. */
  readonly isWhole: boolean
  /** The file, for errors: `the file "trips/a.csv" of the input trips`. */
  readonly label: string
}

/** What a decoder must know of a file. */
export interface CsvLayout {
  readonly syntax: CsvSyntax
  /** Whether `columns` comes from the file's header. */
  readonly hasHeader: boolean
  /** For each column of the file, the index of the schema's field, or -1. */
  readonly columns: readonly number[]
  /** The file's columns by name. */
  readonly names: readonly string[]
  /** Where the first record starts, behind a byte order mark and the header. */
  readonly start: Position
}

/**
 * The bytes that mean something.
 *
 * @throws TidemarkError `invalid-options` where the delimiter or the quote cannot be one.
 */
export function csvSyntax(options: CsvOptions): CsvSyntax {
  const { delimiter = ",", quote = '"' } = options
  for (const [name, text] of [
    ["delimiter", delimiter],
    ["quote", quote],
  ] as const) {
    if (typeof text !== "string" || !/^[\t\x20-\x7e]$/.test(text)) {
      throw new TidemarkError("invalid-options", `The ${name} of a CSV format cannot be ${shownValue(text)}.`, {
        hint: "Give one ASCII character that is not a line end.",
      })
    }
  }
  if (delimiter === quote) {
    throw new TidemarkError(
      "invalid-options",
      `The delimiter and the quote of a CSV format cannot both be ${JSON.stringify(quote)}.`,
    )
  }
  return { delimiter: delimiter.charCodeAt(0), quote: quote.charCodeAt(0) }
}

/**
 * The layout of a file.
 *
 * @throws TidemarkError `source-unreadable` where the file's header is none or lacks a column that the schema needs;
 *   `invalid-options` where the delimiter or the quote cannot be one.
 */
export function csvLayout(schema: Schema, head: CsvHead, options: CsvOptions = {}): CsvLayout {
  const syntax = csvSyntax(options)
  const start = BYTE_ORDER_MARK.every((byte, at) => head.bytes[at] === byte) ? BYTE_ORDER_MARK.length : 0
  if (options.header === false) {
    const names = schema.fields.map(({ name, type }) => type.sourceName ?? name)
    const columns = schema.fields.map((_, index) => index)
    return { syntax, hasHeader: false, columns, names, start: { offset: start, ordinal: 0 } }
  }
  const header = readHeader(head, start, syntax)
  return { syntax, hasHeader: true, ...header, columns: matchColumns(schema, header.names, head.label) }
}

function readHeader(head: CsvHead, from: number, syntax: CsvSyntax): { names: readonly string[]; start: Position } {
  const { bytes, isWhole, label } = head
  let start = from
  let ordinal = 0
  for (;;) {
    const lineEnd = bytes[start] === CR ? start + 1 : start
    if (bytes[lineEnd] !== LF) break
    start = lineEnd + 1
    ordinal++
  }
  if (isWhole && withoutCarriageReturn(bytes, start, bytes.length) === start) {
    return { names: [], start: { offset: bytes.length, ordinal } }
  }
  const scan = new CsvRecordScan(syntax)
  const end = scan.run(bytes, start, bytes.length)
  const isCut = end === bytes.length && !isWhole
  if (isCut || scan.isBroken || scan.state === QUOTED || !isValidUtf8(bytes, start, end)) {
    const problem = isCut ? `does not end within ${bytes.length} bytes` : "is not a line of CSV in UTF-8"
    throw new TidemarkError("source-unreadable", `The header of ${label} ${problem}.`, {
      hint: 'The first line must name the columns. For a file without a header, give the option "header: false".',
    })
  }
  const names = scan.fields(bytes, end).map(({ text }) => text)
  return { names, start: { offset: Math.min(end + 1, bytes.length), ordinal: ordinal + scan.lines + 1 } }
}

function matchColumns(schema: Schema, names: readonly string[], label: string): readonly number[] {
  const columns = names.map(() => -1)
  schema.fields.forEach(({ name, type }, index) => {
    const source = type.sourceName ?? name
    const place = names.indexOf(source)
    if (place >= 0) columns[place] = index
    if (place !== names.lastIndexOf(source)) {
      throw new TidemarkError(
        "source-unreadable",
        `The header of ${label} names the column ${JSON.stringify(source)} twice.`,
      )
    }
    // A file without a byte of content has no records either, so that it lacks nothing.
    if (place < 0 && names.length > 0 && type.fromMissing() instanceof Invalid) {
      throw new TidemarkError("source-unreadable", `The header of ${label} has no column ${JSON.stringify(source)}.`, {
        hint: missingColumnHint(source, names),
      })
    }
  })
  return columns
}

function missingColumnHint(source: string, names: readonly string[]): string {
  const delimiter = names.length === 1 ? /[;,|\t]/.exec(names[0]!)?.[0] : undefined
  if (delimiter !== undefined) {
    const quoted = JSON.stringify(delimiter)
    return `Its only column is ${shownValue(names[0])}. Where ${quoted} stands between columns, give the option { delimiter: ${quoted} }.`
  }
  const mend = "Name the column with .from(...), make it nullable, or give it a default."
  return `${nameHint(source, names, "columns")} ${mend}`
}
