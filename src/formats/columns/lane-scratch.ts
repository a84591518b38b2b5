/** Room for the numbers of a block while it is written or read: one for all lanes of a thread, as each is done before the next begins. */
import { MAX_BATCH_ROWS } from "../../batch/batch.ts"
import { DistinctValues } from "./distinct-values.ts"

/** Lanes have at most so many numbers. */
export const LANE_COUNT_MAX = MAX_BATCH_ROWS

const words = (count: number): Int32Array<ArrayBuffer> => new Int32Array(count)

/** See the head of this file. */
export class LaneScratch {
  /** Values of a column of one or two words each, those of nulls replaced; numbers of some rows; whole numbers that stand for doubles. */
  readonly values = words(2 * LANE_COUNT_MAX)
  readonly gathered = words(LANE_COUNT_MAX)
  readonly wholes = words(2 * LANE_COUNT_MAX)
  /** The halves of values of two words. */
  readonly lows = words(LANE_COUNT_MAX)
  readonly highs = words(LANE_COUNT_MAX)
  /** What is packed for them: distances, runs, numbers of distinct ones; and the lengths of runs. */
  readonly parts = words(LANE_COUNT_MAX)
  readonly lengths = words(LANE_COUNT_MAX)
  /** Packed bits. */
  readonly packed = words(LANE_COUNT_MAX)
  readonly distinct = new DistinctValues()
}

let ofThread: LaneScratch | undefined

/** That of this thread. */
export function laneScratch(): LaneScratch {
  return (ofThread ??= new LaneScratch())
}
