/**
 * JSON lines the slow and obvious way, as the decoder's twin: a document is split at its line feeds, `JSON.parse` reads
 * each line, and the types' own `fromJson` reads each field.
 */
import type { BadRecord, Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import { Invalid, type ColumnType } from "../batch/type.ts"

/** A row, and where it stands. */
export interface ReferenceRow {
  readonly position: Position
  readonly row: Record<string, unknown>
}

/** What a document holds. */
export interface ReferenceRecords {
  readonly rows: readonly ReferenceRow[]
  readonly bad: readonly BadRecord[]
}

const LF = 10

/** A fault: its reason, and the field where there is one. */
class Fault {
  readonly reason: string
  readonly field: string | undefined

  constructor(reason: string, field?: string) {
    this.reason = reason
    this.field = field
  }
}

/** The records of a whole document. */
export function readJsonLines(document: Uint8Array, schema: Schema, maxRecordBytes: number): ReferenceRecords {
  const rows: ReferenceRow[] = []
  const bad: BadRecord[] = []
  const hasMark = document[0] === 0xef && document[1] === 0xbb && document[2] === 0xbf
  let offset = hasMark ? 3 : 0
  for (let ordinal = 0; offset < document.length; ordinal++) {
    const found = document.indexOf(LF, offset)
    const end = found < 0 ? document.length : found
    const bytes = document.subarray(offset, end)
    const position = { offset, ordinal }
    offset = end + 1
    if (bytes.length <= maxRecordBytes && /^[ \t\r]*$/.test(lossyText(bytes))) continue
    const row =
      bytes.length > maxRecordBytes
        ? new Fault(`the record is longer than ${maxRecordBytes} bytes`)
        : readLine(bytes, schema)
    if (!(row instanceof Fault)) {
      rows.push({ position, row })
      continue
    }
    const kept = bytes.subarray(0, Math.min(4096, maxRecordBytes))
    bad.push({ position, reason: row.reason, field: row.field, raw: lossyText(kept) })
  }
  return { rows, bad }
}

function lossyText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}

function readLine(bytes: Uint8Array, schema: Schema): Record<string, unknown> | Fault {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return new Fault("the line is not valid UTF-8")
  }
  let value: unknown
  try {
    JSON.parse(text)
    value = JSON.parse(taggedText(text))
  } catch {
    return new Fault("the line is not JSON")
  }
  if (depthOf(text) > 64) return new Fault("the line is nested deeper than 64 levels")
  if (!isObject(value)) return new Fault("the line is not a JSON object")
  const row: Record<string, unknown> = {}
  for (const { name, type } of schema.fields) {
    const source = type.sourceName ?? name
    const field = fromTagged(type, value[`s${source}`])
    if (field instanceof Invalid) return new Fault(`the field ${JSON.stringify(source)} is ${field.reason}`, name)
    row[name] = field
  }
  return row
}

/** The same JSON with `n` before the digits of each number, as a string, and `s` before the text of each string. */
function taggedText(text: string): string {
  let tagged = ""
  let at = 0
  while (at < text.length) {
    const start = at
    if (text[at] === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++
      at++
      tagged += `"s${text.slice(start + 1, at)}`
    } else if (/[-0-9]/.test(text[at]!)) {
      while (at < text.length && /[-+.0-9eE]/.test(text[at]!)) at++
      tagged += `"n${text.slice(start, at)}"`
    } else {
      tagged += text[at++]
    }
  }
  return tagged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const unit of text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "")) {
    if (unit === "{" || unit === "[") depth++
    if (unit === "}" || unit === "]") depth--
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

/** The value of a type that a value with tags stands for, or `Invalid`. */
function fromTagged(type: ColumnType, value: unknown): unknown {
  const { fields, element } = type.definition
  if (value === undefined) return type.fromMissing()
  if (type.kind === "json" && value !== null) return type.fromJson(withoutTags(value))
  if (typeof value === "string") {
    const text = value.slice(1)
    return value.startsWith("n") ? type.fromJson(Number(text), text) : type.fromJson(text)
  }
  if (element !== undefined && Array.isArray(value)) {
    const list = value.map((part) => fromTagged(element, part))
    const index = list.findIndex((part) => part instanceof Invalid)
    return index < 0 ? list : new Invalid(`a list whose element [${index}] is ${(list[index] as Invalid).reason}`)
  }
  if (fields === undefined || !isObject(value)) return type.fromJson(value)
  const object: Record<string, unknown> = {}
  for (const field of fields) {
    const source = field.type.sourceName ?? field.name
    const member = fromTagged(field.type, value[`s${source}`])
    if (member instanceof Invalid) {
      return new Invalid(`an object whose field ${JSON.stringify(source)} is ${member.reason}`)
    }
    object[field.name] = member
  }
  return object
}

/** The same value without tags: whole numbers in plain digits that a double may not hold are bigints. */
function withoutTags(value: unknown): unknown {
  if (typeof value === "string") {
    const text = value.slice(1)
    if (value.startsWith("s")) return text
    return /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(Number(text)) ? BigInt(text) : Number(text)
  }
  if (Array.isArray(value)) return value.map(withoutTags)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name.slice(1), withoutTags(part)]))
}
