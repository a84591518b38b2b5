/**
 * The contract of containers: files that are read by what stands at their end, such as Parquet. Their records have
 * numbers, and any of them can be the first that is read.
 *
 * Nothing here reads: a decoder says which bytes it wants and where it wants them, and whoever has the file brings them.
 *
 * Invariants:
 * - CT1 Starting at another record, or asking for other numbers of records, gives the same rows and bad records.
 * - CT2 Every record is a row or a bad record.
 * - CT3 No input makes a decoder throw anything but `source-unreadable` (or `arena-exhausted`), loop, or take memory
 *   beyond its limits.
 */
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { BadRecord } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"

/**
 * How far apart the offsets of two records are. The bytes of a record lie in many places, so its offset is its number
 * times this: a morsel of `runtime/scheduler.ts` is then as many records as a batch may have.
 */
export const RECORD_OFFSETS = 16

/** Bytes that a decoder needs before it can go on. */
export interface WantedBytes {
  /** Where they start in the file. */
  readonly offset: number
  /** Where they go; all of it must be filled. */
  readonly target: Uint8Array
}

/** What a container is, as it was read from the end of its file, or gathered from all over it. */
export interface Footer {
  /** The file's last bytes, at least as many as `FooterBytes` asked for; for Arrow its index (`arrow/messages.ts`). */
  readonly bytes: Uint8Array
  /** The file's size in bytes. */
  readonly fileBytes: number
  /** The file, for errors: `the file "trips/a.parquet" of the input trips`. */
  readonly label: string
}

/** Some records of a container. */
export interface DecodedRecords {
  /** The good records, or `undefined` where there was none. */
  readonly batch: Batch | undefined
  readonly bad: readonly BadRecord[]
  /** How many records there were, good and bad: at least one. */
  readonly records: number
  /** Frees the batch's memory. */
  release(): void
}

/** Decodes the records of one file. */
export interface ContainerDecoder {
  /** How many records the file has. */
  readonly records: number
  /** The names of the codecs that it needs: they must be at hand before anything is decoded. */
  readonly codecs: readonly string[]
  /** How many bytes of buffers it holds. */
  readonly heldBytes: number
  /**
   * What must be brought before the record can be decoded, or `undefined` where all is at hand. It is brought, and
   * `supplied` is called, before the next question.
   *
   * @throws TidemarkError `source-unreadable` where the file is damaged.
   */
  wanted(record: number): WantedBytes | undefined
  /** The bytes that `wanted` asked for last are in their place. */
  supplied(): void
  /**
   * Decodes records from `record` on, one at least and `maxRecords` at most; fewer where it is easier.
   *
   * @param partition becomes `origin.partition`.
   */
  decode(record: number, maxRecords: number, partition: number): DecodedRecords
}

/**
 * How many of a file's last bytes its footer takes.
 *
 * @param tail the file's last bytes: 64 KiB, or the whole file where it has less.
 * @throws TidemarkError `source-unreadable` where the file is none of the format.
 */
export type FooterBytes = (tail: Uint8Array, fileBytes: number, label: string) => number

/** A format of containers with its options. */
export interface ContainerFormat {
  /**
   * How many records the file has.
   *
   * @throws TidemarkError `source-unreadable` where the footer is damaged.
   */
  countRecords(footer: Footer): number
  /**
   * Prepares to read a file.
   *
   * @throws TidemarkError `source-unreadable` where the footer is damaged, or the file does not fit the schema.
   */
  openContainer(footer: Footer, context: { arena: Arena; schema: Schema }): ContainerDecoder
}
