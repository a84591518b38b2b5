/** Points in a partition, and the records there that could not be read. */

/** A point between two records of a partition. */
export interface Position {
  /** Where the next record starts: for a file, in bytes. */
  readonly offset: number
  /** How many records lie before it: for a text file, how many lines (so that the next record's line is `ordinal + 1`). */
  readonly ordinal: number
}

/** The start of a partition. */
export const START: Position = { offset: 0, ordinal: 0 }

/** A record that could not be read, and why. */
export interface BadRecord {
  readonly position: Position
  /** A sentence without a full stop: `the field "fare" is not a number`. */
  readonly reason: string
  /** The field at fault, where there is one. */
  readonly field: string | undefined
  /** The operator at which it failed, where it could be read. */
  readonly operator?: string | undefined
  /** The record as read, cut to at most 4 KiB, invalid UTF-8 as U+FFFD. */
  readonly raw: string
}
