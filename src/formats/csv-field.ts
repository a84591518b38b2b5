/**
 * Reads fields of CSV records that are not just as the generated code of `csv-row-code.ts` expects them: quoted, empty,
 * or spelled in any way that their type knows.
 */
import type { CsvSyntax } from "./csv-record.ts"
import type { FieldReader } from "./field-reader.ts"
import { isValidUtf8 } from "./utf8.ts"

const [LF, CR] = [10, 13] as const

/** Reads fields of one syntax. */
export class CsvFieldReader {
  /** Line ends within the quoted fields read since it was set to 0. */
  quotedLines = 0
  readonly #delimiter: number
  readonly #quote: number
  /** Doubled quotes of the quoted field that was last looked through. */
  #doubled = 0
  /** All bytes of the field that was last looked through, or-ed. */
  #high = 0
  #scratch = new Uint8Array(256)

  constructor({ delimiter, quote }: CsvSyntax) {
    this.#delimiter = delimiter
    this.#quote = quote
  }

  /**
   * Reads the field at `start` into row `row` (nowhere without a reader) and gives where its delimiter stands, for a
   * record's last field where the record's LF stands; -1 where there is no such field, or it is not one of its type.
   */
  read(
    bytes: Uint8Array,
    start: number,
    to: number,
    row: number,
    reader: FieldReader | undefined,
    isLast: boolean,
  ): number {
    const isQuoted = start < to && bytes[start] === this.#quote
    const begin = isQuoted ? start + 1 : start
    const end = isQuoted ? this.#quotedEnd(bytes, begin, to) : this.#plainEnd(bytes, begin, to)
    const behind = this.#endBehind(bytes, isQuoted ? end + 1 : end, to, isLast)
    if (end < 0 || behind < 0 || (this.#high >= 0x80 && !isValidUtf8(bytes, begin, end))) return -1
    if (reader === undefined) return behind
    if (!isQuoted || this.#doubled === 0) return reader.readText(bytes, begin, end, row, isQuoted) ? behind : -1
    const length = this.#undouble(bytes, begin, end)
    return reader.readText(this.#scratch, 0, length, row, true) ? behind : -1
  }

  /** Where the closing quote of the quoted text at `start` stands, or -1. */
  #quotedEnd(bytes: Uint8Array, start: number, to: number): number {
    const quote = this.#quote
    let high = 0
    let doubled = 0
    for (let at = start; at < to; at++) {
      const byte = bytes[at]!
      if (byte === quote) {
        if (at + 1 >= to || bytes[at + 1] !== quote) {
          this.#high = high
          this.#doubled = doubled
          return at
        }
        doubled++
        at++
      } else if (byte === LF) {
        this.quotedLines++
      }
      high |= byte
    }
    return -1
  }

  /** Where the text at `start` ends that is not quoted, or -1 where a quote stands in it. */
  #plainEnd(bytes: Uint8Array, start: number, to: number): number {
    let high = 0
    let at = start
    for (; at < to; at++) {
      const byte = bytes[at]!
      if (byte === this.#quote) return -1
      if (byte === this.#delimiter || byte === LF || (byte === CR && at + 1 < to && bytes[at + 1] === LF)) break
      high |= byte
    }
    this.#high = high
    return at
  }

  /** `at`, where the delimiter must stand, or the record's LF, with or without CR; -1 where it does not. */
  #endBehind(bytes: Uint8Array, at: number, to: number, isLast: boolean): number {
    if (at >= to) return -1
    const byte = bytes[at]
    if (!isLast) return byte === this.#delimiter ? at : -1
    if (byte === LF) return at
    return byte === CR && at + 1 < to && bytes[at + 1] === LF ? at + 1 : -1
  }

  /** Copies quoted text to the scratch bytes with single quotes for doubled ones, and gives its length. */
  #undouble(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2)
    let length = 0
    for (let at = start; at < end; at++) {
      this.#scratch[length++] = bytes[at]!
      if (bytes[at] === this.#quote) at++
    }
    return length
  }
}
