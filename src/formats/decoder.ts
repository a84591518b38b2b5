/**
 * The contract of decoders: bytes of a partition become columns, record by record.
 *
 * A decoder sees a window of bytes and decodes the complete records in it, straight into columns. It keeps no record
 * between calls (dictionaries and header knowledge excepted), so that a partition can be read on from any position.
 *
 * Invariants:
 * - V1 Cutting the bytes into other windows, or asking for other numbers of rows, gives the same rows, ordinals and bad
 *   records.
 * - V2 Every record is a row or a bad record. Lines that are empty (or only white space, in JSON lines) are neither.
 * - V3 No input makes a decoder throw, loop or take memory beyond its window and `maxRecordBytes`.
 * - V4 Where records are as they should be, decoders and encoders allocate for a batch, and nothing for a row.
 */
import type { Arena } from "../batch/arena.ts"
import type { Batch } from "../batch/batch.ts"
import type { WantedBytes } from "./container.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"

/** A window of a partition's bytes. */
export interface DecodeWindow {
  /** The bytes at hand; `bytes[from]` is the byte at `position.offset` of the partition. */
  readonly bytes: Uint8Array
  readonly from: number
  /** One past the last byte at hand. */
  readonly to: number
  readonly position: Position
  /** Whether the partition ends with this window, so that a last record without a line end is complete. */
  readonly atEnd: boolean
  /** At most so many records, good and bad. */
  readonly maxRows: number
  /** No record that starts at or after this offset of the partition. */
  readonly untilOffset: number
  /** Becomes `origin.partition`. */
  readonly partition: number
  /** What the last call gave as `Decoded.oversized`; then `bytes[from]` is the byte at its `resumeOffset`. */
  readonly oversized?: OversizedRecord | undefined
}

/**
 * A record longer than `maxRecordBytes` that goes on behind the window: what its decoder must know to skip the rest of
 * it in windows of any size. It is for going on within a run and is never stored; a run that starts again at the
 * record's position finds out again.
 */
export interface OversizedRecord {
  /** Where the record starts. */
  readonly position: Position
  /** Where the next window must start; the bytes before it are not needed again. */
  readonly resumeOffset: number
  /** How many line ends it has had so far. */
  readonly lines: number
  /** Where within the format's grammar it was left. */
  readonly state: number
  /** See `BadRecord.raw`. */
  readonly raw: string
}

/**
 * What a decoder made of a window. It may stop before any limit; where it neither needs more bytes nor has an oversized
 * record, another call with the rest of the window goes on.
 */
export interface Decoded {
  /** The good records, or `undefined` where there was none. */
  readonly batch: Batch | undefined
  readonly bad: readonly BadRecord[]
  /** Where the next record starts. Equal to the window's position where the window holds no complete record. */
  readonly next: Position
  /** Whether it stopped for want of bytes: the next record is not complete in the window. */
  readonly needsMore: boolean
  /**
   * The next record is longer than `maxRecordBytes` and does not end in the window: the caller gives this back with the
   * bytes from its `resumeOffset` on, or a longer window from `next` on.
   */
  readonly oversized: OversizedRecord | undefined
  /** Frees the batch's memory. */
  release(): void
}

/** Decodes records of one format and schema. */
export interface RecordDecoder {
  decode(window: DecodeWindow): Decoded
}

/** What an encoder is made for. Rows of batches in the arena are written faster than others. */
export interface EncoderContext {
  readonly arena: Arena
  readonly schema: Schema
}

/** Encodes rows of one format and schema. */
export interface RecordEncoder {
  /** What stands once at the start of every file, such as a CSV header; empty where nothing does. */
  readonly header: Uint8Array
  /** Appends the rows of a batch that count, in order; some or all may be held until `finish`. */
  encode(batch: Batch, out: OutputBuffer): void
  /**
   * How much of a block it holds, as bytes that count in `Sink.bufferedBytes`: less than there are, since a sink is asked to write before
   * a block is full. Without it, it holds nothing.
   */
  readonly heldBytes?: number
  /** Appends what it holds. Encoders that hold rows have it. */
  finish?(out: OutputBuffer): void
  /**
   * What stands at the end of a file of which the first `end` bytes were written, the header among them: made of what these bytes
   * say of themselves, which it asks for. Formats have it that are read by their end.
   */
  trailer?(end: number): Generator<WantedBytes, Uint8Array>
}

/** Bytes on their way to a sink. */
export interface OutputBuffer {
  /** Where the next byte goes. */
  length: number
  bytes: Uint8Array
  /** Makes room for `count` more bytes behind `length`; `bytes` may be another array afterwards. */
  reserve(count: number): void
}
