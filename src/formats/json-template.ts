/**
 * How the lines of a file are written that all look alike: what stands before each value, between them and behind the last
 * one, learnt from a line that was read.
 *
 * Only lines that are one flat object are learnt: no value an object or array, no name twice or with escapes.
 */
import { Invalid } from "../batch/type.ts"
import { NUMBER, OBJECT, SYMBOL, TEXT, type FieldReader } from "./field-reader.ts"
import { STEP_TEXT_BYTES } from "./json-index-code.ts"
import type { ObjectField, ObjectShape } from "./json-object.ts"
import { NO_END, skipped, skipSpace, skipString, skipValue } from "./json-text.ts"

const [LF, QUOTE, COMMA, COLON, OPEN_BRACE, OPEN_BRACKET, CLOSE_BRACE] = [10, 34, 44, 58, 123, 91, 125] as const
/** Lines of more values are not learnt. */
const VALUES_MAX = 128

/** A value of the lines. */
export interface TemplateValue {
  /** What stands before it. */
  readonly before: Uint8Array
  /** The field that it is, where the schema has it. */
  readonly field: ObjectField | undefined
  /** Whether it is a string. */
  readonly isQuoted: boolean
}

/** How lines are written. */
export interface LineTemplate {
  readonly values: readonly TemplateValue[]
  /** What stands behind the last value, the line feed included. */
  readonly ending: Uint8Array
  /** The schema's fields that lines lack. */
  readonly absent: readonly ObjectField[]
}

/** Learns from the line at `start`, which has been read, or gives `undefined` where its kind is not learnt. */
export function learnTemplate(
  shape: ObjectShape,
  bytes: Uint8Array,
  start: number,
  to: number,
): LineTemplate | undefined {
  const values: TemplateValue[] = []
  const seen = new Set<ObjectField>()
  let before = start
  let at = skipSpace(bytes, start, to)
  if (bytes[at] !== OPEN_BRACE) return undefined
  do {
    at = skipSpace(bytes, at + 1, to)
    if (bytes[at] !== QUOTE) return undefined
    const nameEnd = skipString(bytes, at + 1, to)
    if (nameEnd === NO_END || skipped.hasEscapes) return undefined
    const code = shape.find(bytes, at + 1, nameEnd - 1)
    const field = code >= 0 && code < shape.declared ? shape.fields[code] : undefined
    at = skipSpace(bytes, nameEnd, to)
    if (bytes[at] !== COLON) return undefined
    at = skipSpace(bytes, at + 1, to)
    const isString = bytes[at] === QUOTE
    const end = bytes[at] === OPEN_BRACE || bytes[at] === OPEN_BRACKET ? NO_END : skipValue(bytes, at, to, 1)
    const isTwice = field !== undefined && seen.has(field)
    if (end === NO_END || isTwice || field?.reader?.how === OBJECT || at - before > STEP_TEXT_BYTES) return undefined
    if (field !== undefined) seen.add(field)
    const isQuoted = field?.reader === undefined ? isString : isStringIn(field.reader, isString)
    values.push({ before: bytes.slice(before, at), field, isQuoted })
    before = end
    at = skipSpace(bytes, end, to)
  } while (bytes[at] === COMMA && values.length < VALUES_MAX)
  if (bytes[at] !== CLOSE_BRACE) return undefined
  at = skipSpace(bytes, at + 1, to)
  if (at >= to || bytes[at] !== LF || at + 1 - before > STEP_TEXT_BYTES) return undefined
  const absent = shape.fields.slice(0, shape.declared).filter((field) => !seen.has(field))
  if (absent.some(({ missing }) => missing instanceof Invalid)) return undefined
  return { values, ending: bytes.slice(before, at + 1), absent }
}

/** Whether the values of a column are strings, where the one at hand is one or not. */
function isStringIn({ how, type }: FieldReader, isString: boolean): boolean {
  if (how === TEXT || how === SYMBOL) return true
  return how === NUMBER && type.definition.isQuotedInJson === true && (isString || type.definition.isIsoText === true)
}
