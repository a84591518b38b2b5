/**
 * What a message of a WebSocket has: records as the body of a request has them, and perhaps a line before them that is a JSON text: its key.
 *
 * A first line that is a JSON value by itself, and no array, begins JSON lines; all else is JSON, over one line or several. So an object that is
 * written over several lines is one record, and an object a line as many as there are lines.
 */
import { NO_END, skipSpace, skipString, skipValue } from "../../formats/json-text.ts"
import type { BodyFormat } from "./body-records.ts"
import { Refusal } from "./refusal.ts"

const [LF, QUOTE, OPEN_BRACKET] = [10, 34, 91] as const

/** A message, taken apart. */
export interface KeyedMessage {
  readonly key: string | undefined
  readonly body: Uint8Array
  readonly format: BodyFormat
}

const decoder = new TextDecoder()

/**
 * Takes a message apart.
 *
 * @throws Refusal `bad-key` where it begins with a text that is not all of its line.
 */
export function readMessage(bytes: Uint8Array): KeyedMessage {
  const start = skipBlank(bytes, 0)
  if (bytes[start] !== QUOTE) return { key: undefined, body: bytes, format: formatOf(bytes, start) }
  const end = skipString(bytes, start + 1, bytes.length)
  const lineEnd = end === NO_END ? end : skipSpace(bytes, end, bytes.length)
  if (lineEnd === NO_END || (lineEnd < bytes.length && bytes[lineEnd] !== LF)) {
    throw new Refusal(
      "bad-key",
      "The key of the message is not a line by itself.",
      "Send it as a JSON text, and the records from the next line on.",
    )
  }
  const body = bytes.subarray(lineEnd)
  const key = JSON.parse(decoder.decode(bytes.subarray(start, end))) as string
  return { key, body, format: formatOf(body, skipBlank(body, 0)) }
}

function formatOf(bytes: Uint8Array, start: number): BodyFormat {
  if (bytes[start] === OPEN_BRACKET) return "json"
  const found = bytes.indexOf(LF, start)
  const lineEnd = found < 0 ? bytes.length : found
  const end = skipValue(bytes, start, lineEnd, 0)
  return end !== NO_END && skipSpace(bytes, end, lineEnd) === lineEnd ? "json-lines" : "json"
}

/** The first place that is no white space of JSON. */
function skipBlank(bytes: Uint8Array, at: number): number {
  let next = skipSpace(bytes, at, bytes.length)
  while (next < bytes.length && bytes[next] === LF) next = skipSpace(bytes, next + 1, bytes.length)
  return next
}
