/**
 * The grammar of CSV records (RFC 4180) as a machine that takes one byte at a time: the slow and obvious way through a
 * record, for records that the decoder's fast way does not take, for headers, and for skipping oversized records in
 * windows of any size.
 *
 * A field that starts with a quote is quoted; it ends at the next quote that is not doubled, and delimiters and line
 * ends in between belong to it. A quote anywhere else breaks the record, which then ends at the next line end, so that
 * one stray quote costs one line. A line ends with LF; a CR before it, or before the end of the file, belongs to it.
 */
import { textOfUtf8 } from "./utf8.ts"

const [LF, CR] = [10, 13] as const

/** At the start of a field. */
const FIELD_START = 0
/** Within a field that is not quoted. */
const PLAIN = 1
/** Within quotes. */
export const QUOTED = 2
/** Behind a quote within quotes, which ends the field or is doubled. */
const QUOTE_SEEN = 3
/** Behind a quoted field and a CR. */
const CLOSED = 4
/** Behind a stray quote. */
const BROKEN = 5
/** The record has ended. */
export const ENDED = 6

/** The bytes that mean something. */
export interface CsvSyntax {
  readonly delimiter: number
  readonly quote: number
}

/** The text of a field, and whether it was quoted. */
export interface CsvField {
  readonly text: string
  readonly isQuoted: boolean
}

/** Delimiters and quotes that could stand within a number or a time, where such fields are handled with care. */
export const WITHIN_NUMBERS = /[0-9A-Za-z +\-.:/]/

/** A walk through a record. */
export class CsvRecordScan {
  /** One of the constants above. */
  state: number
  /** Line ends within quotes. */
  lines: number
  /** Whether a stray quote was met. */
  isBroken: boolean
  /** Where each field starts, of those that started within the bytes at hand. */
  readonly starts: number[] = []
  readonly #syntax: CsvSyntax

  constructor(syntax: CsvSyntax, state = FIELD_START, lines = 0) {
    this.#syntax = syntax
    this.state = state
    this.lines = lines
    this.isBroken = state === BROKEN
  }

  /** Walks on through `bytes[start, end)` and gives where the record's line end stands, or `end` where it has none. */
  run(bytes: Uint8Array, start: number, end: number): number {
    if (this.state === FIELD_START) this.starts.push(start)
    for (let at = start; at < end; at++) {
      this.state = this.#after(bytes[at]!)
      if (this.state === ENDED) return at
      if (this.state === FIELD_START) this.starts.push(at + 1)
    }
    return end
  }

  /** The fields of a record of valid UTF-8 that ended at `end`, once the scan has run through all of it. */
  fields(bytes: Uint8Array, end: number): CsvField[] {
    const contentEnd = withoutCarriageReturn(bytes, this.starts[0]!, end)
    const quote = String.fromCharCode(this.#syntax.quote)
    return this.starts.map((start, index) => {
      const raw = textOfUtf8(bytes, start, index + 1 < this.starts.length ? this.starts[index + 1]! - 1 : contentEnd)
      if (!raw.startsWith(quote)) return { text: raw, isQuoted: false }
      return { text: raw.slice(1, -1).replaceAll(quote + quote, quote), isQuoted: true }
    })
  }

  #after(byte: number): number {
    const { delimiter, quote } = this.#syntax
    const { state } = this
    if (state === BROKEN) return byte === LF ? ENDED : BROKEN
    if (state === QUOTED) {
      if (byte === LF) this.lines++
      return byte === quote ? QUOTE_SEEN : QUOTED
    }
    if (byte === LF) return ENDED
    if (state !== CLOSED && byte === delimiter) return FIELD_START
    if (state === FIELD_START) return byte === quote ? QUOTED : PLAIN
    if (state === PLAIN && byte !== quote) return PLAIN
    if (state === QUOTE_SEEN && byte === quote) return QUOTED
    if (state === QUOTE_SEEN && byte === CR) return CLOSED
    this.isBroken = true
    return BROKEN
  }
}

/** Where a record's line ends without its line end: `end`, or the CR before it. */
export function withoutCarriageReturn(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === CR ? end - 1 : end
}
