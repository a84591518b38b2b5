/**
 * CSV the slow and obvious way, as the decoder's twin: one loop over a document's bytes that collects fields, and the
 * types' own `fromText`.
 */
import { counted } from "../base/counted.ts"
import type { BadRecord } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { Invalid } from "../batch/type.ts"
import type { CsvLayout } from "./csv-layout.ts"
import type { ReferenceRecords, ReferenceRow } from "./json-lines-decoder.reference.ts"

const [LF, CR] = [10, 13] as const

/** A record as it stands. */
interface RawRecord {
  /** One past its last byte, where its line feed stands or the document ends. */
  readonly end: number
  readonly lines: number
  readonly fields: readonly { readonly bytes: readonly number[]; readonly isQuoted: boolean }[]
  readonly fault: string | undefined
}

/** The records of a whole document, from the layout's start on. */
export function readCsv(
  document: Uint8Array,
  schema: Schema,
  layout: CsvLayout,
  maxRecordBytes: number,
): ReferenceRecords {
  const rows: ReferenceRow[] = []
  const bad: BadRecord[] = []
  let { offset, ordinal } = layout.start
  while (offset < document.length) {
    const isBlank = document[offset] === LF
    const isBlankWithCr = document[offset] === CR && (document[offset + 1] === LF || offset + 1 === document.length)
    if (isBlank || isBlankWithCr) {
      offset += isBlank ? 1 : 2
      ordinal++
      continue
    }
    const record = readRecord(document, offset, layout)
    const position = { offset, ordinal }
    const length = record.end - offset
    offset = record.end + 1
    ordinal += record.lines
    const isTooLong = length > maxRecordBytes
    const read = isTooLong
      ? { reason: `the record is longer than ${maxRecordBytes} bytes`, field: undefined }
      : readRow(document.subarray(position.offset, record.end), record, schema, layout)
    if ("row" in read) {
      rows.push({ position, row: read.row })
    } else {
      const kept = document.subarray(
        position.offset,
        position.offset + Math.min(4096, isTooLong ? maxRecordBytes : length),
      )
      bad.push({ position, ...read, raw: new TextDecoder("utf-8", { ignoreBOM: true }).decode(kept) })
    }
  }
  return { rows, bad }
}

/** Reads the record that starts at `start`, to its line feed or the document's end. */
function readRecord(document: Uint8Array, start: number, { syntax }: CsvLayout): RawRecord {
  const { delimiter, quote } = syntax
  const fields: { bytes: number[]; isQuoted: boolean }[] = []
  let fault: string | undefined
  let lines = 1
  let at = start
  const isLineEnd = () =>
    at >= document.length ||
    document[at] === LF ||
    (document[at] === CR && (at + 1 === document.length || document[at + 1] === LF))
  for (;;) {
    const field = { bytes: [] as number[], isQuoted: document[at] === quote }
    fields.push(field)
    if (field.isQuoted) {
      at++
      while (at < document.length && (document[at] !== quote || document[at + 1] === quote)) {
        if (document[at] === quote) at++
        if (document[at] === LF) lines++
        field.bytes.push(document[at++]!)
      }
      if (at === document.length) fault = "the last field is quoted and the quote is never closed"
      at++
    } else {
      while (!isLineEnd() && document[at] !== delimiter && document[at] !== quote) field.bytes.push(document[at++]!)
    }
    if (isLineEnd()) break
    if (document[at] !== delimiter) {
      fault = "a quote stands where none can, or something behind a quoted field"
      break
    }
    at++
  }
  while (at < document.length && document[at] !== LF) at++
  return { end: Math.min(at, document.length), lines, fields, fault }
}

function readRow(
  bytes: Uint8Array,
  { fields, fault }: RawRecord,
  schema: Schema,
  { columns, names, hasHeader }: CsvLayout,
): { row: Record<string, unknown> } | { reason: string; field: string | undefined } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  try {
    decoder.decode(bytes)
  } catch {
    return { reason: "the record is not valid UTF-8", field: undefined }
  }
  if (fault !== undefined) return { reason: fault, field: undefined }
  if (fields.length !== names.length) {
    const whole = hasHeader ? "the header" : "the schema"
    return {
      reason: `the record has ${counted(fields.length, "field")}, and ${whole} has ${names.length}`,
      field: undefined,
    }
  }
  const values = schema.fields.map(({ type }) => type.fromMissing())
  for (const [column, { bytes, isQuoted }] of fields.entries()) {
    const field = schema.fields[columns[column]!]
    if (field === undefined) continue
    const value = field.type.fromText(decoder.decode(Uint8Array.from(bytes)), isQuoted)
    if (value instanceof Invalid) {
      const source = JSON.stringify(field.type.sourceName ?? field.name)
      return { reason: `the field ${source} is ${value.reason}`, field: field.name }
    }
    values[columns[column]!] = value
  }
  return { row: Object.fromEntries(schema.fields.map(({ name }, index) => [name, values[index]])) }
}
