/**
 * Whether records are what their input takes, told before they are stored: by the decoder that will read them.
 *
 * Invariant:
 * - RC1 A record passes just where the source will give it as a row.
 */
import { Arena } from "../../batch/arena.ts"
import type { Schema } from "../../batch/schema.ts"
import { RecordLines } from "../log/record-lines.ts"

/** A record that is no row, and why. */
export interface WrongRecord {
  /** Its place among those of the request, from 0. */
  readonly index: number
  readonly reason: string
  readonly field?: string
}

/** What checking has found. */
export interface CheckedRecords {
  /** How many are wrong. */
  readonly count: number
  /** The first of them. */
  readonly wrong: readonly WrongRecord[]
}

const ROWS_MAX = 4096
const ARENA_BYTES = 1 << 28

/** A byte order mark counts as such at the start of a partition only. */
const BEHIND_THE_START = 1

/** See the head of this file. */
export class RecordCheck {
  readonly #schema: Schema
  readonly #maxRecordBytes: number
  readonly #arena = new Arena({ maxBytes: ARENA_BYTES })
  #lines: RecordLines

  constructor(schema: Schema, maxRecordBytes: number) {
    this.#schema = schema
    this.#maxRecordBytes = maxRecordBytes
    this.#lines = this.#newLines()
  }

  /** Looks at all of the records, and tells of the first that are wrong, at most so many. */
  check(records: readonly Uint8Array[], most: number): CheckedRecords {
    const wrong: WrongRecord[] = []
    let count = 0
    let isDone = false
    try {
      this.#lines.add(records)
      let position = { offset: BEHIND_THE_START, ordinal: 0 }
      while (!this.#lines.isEmpty) {
        const decoded = this.#lines.decode(position, { rows: ROWS_MAX, untilOffset: Infinity })
        count += decoded.bad.length
        for (const { position: at, reason, field } of decoded.bad.slice(0, most - wrong.length)) {
          wrong.push({ index: at.ordinal, reason, ...(field !== undefined && { field }) })
        }
        position = decoded.next
        decoded.release()
      }
      isDone = true
    } finally {
      // What has failed is not gone on with.
      if (!isDone) this.#lines = this.#newLines()
    }
    return { count, wrong }
  }

  #newLines(): RecordLines {
    const maxRecordBytes = this.#maxRecordBytes
    return new RecordLines({ arena: this.#arena, schema: this.#schema, maxRecordBytes, partition: 0 })
  }
}
