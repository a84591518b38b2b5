/** The values of a column's pages, whatever their encoding, into the slots, bits or codes of a batch's column. */
import type { FieldReader } from "../field-reader.ts"
import type { Faults } from "./faults.ts"

/** Reads the values of one page after the other that are not null. */
export interface Lane {
  /** How many bytes of buffers it holds. */
  readonly heldBytes: number
  /** Takes the dictionary `bytes[at, end)` of `count` values. It keeps no view of the bytes. */
  beginDictionary(bytes: Uint8Array, at: number, end: number, count: number): void
  dropDictionary(): void
  /**
   * Begins with the page `bytes[at, end)` of `count` values, which stays as it is until the next. At least `SLACK_BYTES`
   * bytes follow.
   */
  beginPage(encoding: number, bytes: Uint8Array, at: number, end: number, count: number): void
  /** Reads `count` values to the first places of the reader's column. */
  read(count: number, target: FieldReader, faults: Faults): void
  skip(count: number): void
  /**
   * Writes what `read` has read last to the rows of a page from `first` on for which a bit of `validity` is set, and nulls
   * to the others. Lanes have it that do not write by themselves.
   */
  spread?(validity: Uint8Array | undefined, first: number, count: number, target: FieldReader): void
}
