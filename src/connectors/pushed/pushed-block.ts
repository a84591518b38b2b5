/** What was pushed at once, on its way from who pushes to the job: rows as columns, and what could not become any. */
import type { Batch } from "../../batch/batch.ts"
import type { BadRecord } from "../../batch/position.ts"
import type { LogPlace } from "../../log/log-reader.ts"

/** A record that is no row. Where it stands among the others is known when it is read. */
export type BadRow = Omit<BadRecord, "position">

/** Where a block lies in the log, and what tells it from another one. */
export interface BlockPlace extends LogPlace {
  readonly checksum: number
}

/** See the head of this file. */
export interface PushedBlock {
  /** The rows: all of the batch counts. `undefined` where there is none. */
  readonly batch: Batch | undefined
  readonly bad: readonly BadRow[]
  /** How many records more there were, of which the prefix of the plan has left nothing. */
  readonly dropped: number
  /** The fingerprint of the prefix behind which its rows are; empty where they are as they were pushed. */
  readonly form: string
  /** How many records it had before these, which were read as they were pushed: by a program that kept all of them. */
  readonly skipped: number
  /** `undefined` where blocks are not kept. */
  readonly place: BlockPlace | undefined
  /** Frees the batch. */
  release(): void
}

/** How many records of a block the job is given: rows first, and behind them those that are none. */
export function countOf({ batch, bad }: Pick<PushedBlock, "batch" | "bad">): number {
  return (batch?.length ?? 0) + bad.length
}
