/**
 * The records in a body: of JSON the object, or what an array has; of JSON lines each line that is not blank.
 *
 * An array is taken apart by its bytes, so each record keeps the digits of its numbers, and which of two members of one name counts is for the decoder
 * to say. Between tokens line feeds become spaces; within texts JSON has none.
 *
 * Invariants:
 * - BR1 No record has a line feed.
 * - BR2 The records of a JSON body are the values that `JSON.parse` gives of it, where that takes it and none is nested deeper than a record may be.
 * - BR3 Work and memory are in proportion to the bytes of the body, whatever is in it.
 */
import { NO_END, skipSpace, skipValue } from "../../formats/json-text.ts"

const [LF, SPACE, QUOTE, BACKSLASH, COMMA, OPEN_BRACKET, CLOSE_BRACKET] = [10, 32, 34, 92, 44, 91, 93] as const

/** How records lie in a body. */
export type BodyFormat = "json" | "json-lines"

/** What a body has: its records; or that it is no JSON from a byte on, or has more than it may. */
export type BodyRecords = readonly Uint8Array[] | "not-json" | "too-many"

/** The records in a body, at most so many. The body's bytes may be changed. */
export function bodyRecords(body: Uint8Array, format: BodyFormat, most: number): BodyRecords {
  return format === "json" ? ofJson(body, most) : ofLines(body, most)
}

function ofLines(body: Uint8Array, most: number): BodyRecords {
  const records: Uint8Array[] = []
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(LF, start)
    const end = found < 0 ? body.length : found
    if (skipSpace(body, start, end) < end) {
      if (records.length === most) return "too-many"
      records.push(body.subarray(start, end))
    }
    start = end + 1
  }
  return records
}

function ofJson(body: Uint8Array, most: number): BodyRecords {
  if (body.includes(LF)) spaceLineFeeds(body)
  const { length } = body
  const start = skipSpace(body, 0, length)
  if (body[start] === OPEN_BRACKET) return ofArray(body, start + 1, most)
  const end = skipValue(body, start, length, 0)
  return end !== NO_END && skipSpace(body, end, length) === length ? [body.subarray(start, end)] : "not-json"
}

/** What the array whose bracket stands before `start` has, where nothing is behind it. */
function ofArray(body: Uint8Array, start: number, most: number): BodyRecords {
  const { length } = body
  const records: Uint8Array[] = []
  let at = skipSpace(body, start, length)
  if (body[at] === CLOSE_BRACKET) return skipSpace(body, at + 1, length) === length ? records : "not-json"
  for (;;) {
    const end = skipValue(body, at, length, 0)
    if (end === NO_END) return "not-json"
    if (records.length === most) return "too-many"
    records.push(body.subarray(at, end))
    at = skipSpace(body, end, length)
    if (at < length && body[at] === CLOSE_BRACKET) break
    if (at >= length || body[at] !== COMMA) return "not-json"
    at = skipSpace(body, at + 1, length)
  }
  return skipSpace(body, at + 1, length) === length ? records : "not-json"
}

/** Makes line feeds spaces where they are not within texts; there they stay, as no JSON has them. */
function spaceLineFeeds(body: Uint8Array): void {
  let isInText = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]
    if (byte === QUOTE) isInText = !isInText
    else if (byte === BACKSLASH && isInText) at++
    else if (byte === LF && !isInText) body[at] = SPACE
  }
}
