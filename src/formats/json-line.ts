/**
 * A line of JSON the slow and obvious way: `JSON.parse` says whether it is JSON, and each type what its value is. For
 * the lines that the decoder's fast way does not take; it says what is wrong with a line, or takes it after all.
 *
 * Invariant:
 * - JL1 Of several faults of a line the first of these is told: not UTF-8, not JSON, nested too deep, not an object, and
 *   then the first field, in the schema's order, that is not of its type.
 */
import { Invalid, type ColumnType } from "../batch/type.ts"
import { parseJson } from "../batch/types/json-tree.ts"
import type { Fault } from "./decode-run.ts"
import type { FieldReader } from "./field-reader.ts"
import { DEPTH_MAX, skipSpace, skipString, skipValue } from "./json-text.ts"
import { isValidUtf8, textOfUtf8 } from "./utf8.ts"

const [QUOTE, MINUS, ZERO, COMMA, OPEN_BRACE] = [34, 45, 48, 44, 123] as const

/** A range of bytes. */
interface Token {
  readonly start: number
  readonly end: number
}

/** Writes the fields of the line `bytes[start, end)` as row `row`, or says what is wrong with it. */
export function readJsonLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  readers: readonly FieldReader[],
  row: number,
): Fault | undefined {
  if (!isValidUtf8(bytes, start, end)) return { reason: "the line is not valid UTF-8" }
  const text = textOfUtf8(bytes, start, end)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { reason: "the line is not JSON" }
  }
  if (depthOf(text) > DEPTH_MAX) return { reason: `the line is nested deeper than ${DEPTH_MAX} levels` }
  if (!isObject(value)) return { reason: "the line is not a JSON object" }
  const members = membersOf(bytes, skipSpace(bytes, start, end), end)
  for (const reader of readers) {
    const read = valueOf(reader.type, bytes, members.get(reader.sourceName))
    if (read instanceof Invalid) {
      return { field: reader.column, reason: `the field ${JSON.stringify(reader.sourceName)} is ${read.reason}` }
    }
    reader.write(row, read)
  }
  return undefined
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** How deep the brackets of a JSON text are nested. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]
    if (unit === '"') isInString = !isInString
    else if (unit === "\\") at++
    else if (isInString) continue
    else if (unit === "{" || unit === "[") deepest = Math.max(deepest, ++depth)
    else if (unit === "}" || unit === "]") depth--
  }
  return deepest
}

/** The members of the object at `start`, which is JSON: by name, the bytes of the value that was given last. */
function membersOf(bytes: Uint8Array, start: number, end: number): ReadonlyMap<string, Token> {
  const members = new Map<string, Token>()
  let at = skipSpace(bytes, start + 1, end)
  while (bytes[at] === QUOTE) {
    const nameEnd = skipString(bytes, at + 1, end)
    const name = JSON.parse(textOfUtf8(bytes, at, nameEnd)) as string
    // Behind the name come a colon, a value, and a comma or the end.
    const valueStart = skipSpace(bytes, skipSpace(bytes, nameEnd, end) + 1, end)
    const valueEnd = skipValue(bytes, valueStart, end, 0)
    members.set(name, { start: valueStart, end: valueEnd })
    at = skipSpace(bytes, valueEnd, end)
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end)
  }
  return members
}

/** The value of a type that a JSON value stands for, or `Invalid`. */
function valueOf(type: ColumnType, bytes: Uint8Array, token: Token | undefined): unknown {
  if (token === undefined) return type.fromMissing()
  const { start, end } = token
  const { fields } = type.definition
  if (fields !== undefined && bytes[start] === OPEN_BRACE) return objectOf(fields, bytes, start, end)
  const text = textOfUtf8(bytes, start, end)
  const first = bytes[start]!
  const isNumber = first === MINUS || (first >= ZERO && first <= ZERO + 9)
  return isNumber ? type.fromJson(Number(text), text) : type.fromJson(parseJson(text))
}

/** The same for objects. `fromJson` of the whole would lose the digits of the numbers within. */
function objectOf(
  fields: readonly { readonly name: string; readonly type: ColumnType }[],
  bytes: Uint8Array,
  start: number,
  end: number,
): unknown {
  const members = membersOf(bytes, start, end)
  const object: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const source = type.sourceName ?? name
    const value = valueOf(type, bytes, members.get(source))
    if (value instanceof Invalid) {
      return new Invalid(`an object whose field ${JSON.stringify(source)} is ${value.reason}`)
    }
    object[name] = value
  }
  return object
}
