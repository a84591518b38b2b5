/** Records of a partition in which any can be had by its number: what is asked for, and what is given. */
import type { Batch } from "./batch.ts"
import type { BadRecord } from "./position.ts"

/** Records that come one after the other in a partition, their offsets evenly spaced. */
export interface NumberedRange {
  /** The number of the first record in its partition, from 0. */
  readonly first: number
  /** At most so many; at least 1. */
  readonly count: number
  /** How far the offsets of two records lie apart. */
  readonly stride: number
  /** Becomes `origin.partition`. */
  readonly partition: number
}

/** What became of a range of records. */
export interface NumberedRecords {
  readonly batch: Batch | undefined
  readonly bad: readonly BadRecord[]
  /** How many there were, good and bad: not all that were asked for, where these would take too much memory. */
  readonly records: number
  /** Frees the batch's memory. */
  readonly release: () => void
}
