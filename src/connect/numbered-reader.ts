/**
 * Reads a partition whose records are numbered from 0, and of which any can be had by its number: generated ones, and rows
 * of an array. The record of number `n` starts at the offset `n × stride`.
 *
 * Invariants:
 * - NR1 What is read is a function of the numbers alone: not of the limits, of the pace, or of where reading began (O1).
 * - NR2 With a pace no record is given before its time, and none waits for another that is later.
 */
import { assert } from "../base/assert.ts"
import type { NumberedRange, NumberedRecords } from "../batch/numbered-records.ts"
import type { Position } from "../batch/position.ts"
import type { Env } from "../env/env.ts"
import type { PartitionReader, ReadLimits, SourceBatch } from "./source.ts"

/** A partition of numbered records. */
export interface NumberedPartition {
  /** How many there are; `Infinity` where they do not end. */
  readonly records: number
  readonly stride: number
  /** When a record may be read, in µs of the monotonic clock; absent where all may be read at once. It ascends. */
  readonly dueMicros?: ((number: number) => number) | undefined
  /** Makes the records of a range. */
  take(range: NumberedRange): NumberedRecords
}

const NOTHING = () => {}

/**
 * Opens a partition.
 *
 * @param index becomes `origin.partition`.
 * @param position where an earlier read of the partition has ended.
 */
export function openNumbered(source: NumberedPartition, env: Env, index: number, position: Position): PartitionReader {
  assert(position.ordinal <= source.records, "a partition is read on where an earlier read has ended")
  const Reader = source.dueMicros === undefined ? NumberedReader : PacedReader
  return new Reader(source, env, index, position.ordinal)
}

class NumberedReader implements PartitionReader {
  readonly #source: NumberedPartition
  readonly #env: Env
  readonly #index: number
  #next: number

  constructor(source: NumberedPartition, env: Env, index: number, next: number) {
    this.#source = source
    this.#env = env
    this.#index = index
    this.#next = next
  }

  async read({ rows, untilOffset }: ReadLimits): Promise<SourceBatch> {
    const first = this.#next
    const { stride, records } = this.#source
    await this.untilDue()
    const count = Math.min(rows, records - first, Math.ceil(untilOffset / stride) - first, this.#dueCount(first, rows))
    if (count <= 0) return this.#batchOf({ batch: undefined, bad: [], records: 0, release: NOTHING })
    return this.#batchOf(this.#source.take({ first, count, stride, partition: this.#index }))
  }

  async close(): Promise<void> {}

  #batchOf({ batch, bad, records, release }: NumberedRecords): SourceBatch {
    this.#next += records
    const { stride, records: all } = this.#source
    const next = { offset: this.#next * stride, ordinal: this.#next }
    return { batch, bad, next, end: this.#next === all, release }
  }

  /** Waits for the next record's time; `undefined` where it has come, or where there is none. */
  protected untilDue(signal?: AbortSignal): Promise<void> | undefined {
    const { dueMicros, records } = this.#source
    if (dueMicros === undefined || this.#next >= records) return undefined
    const { clock, timers } = this.#env
    const rest = dueMicros(this.#next) - clock.monotonicMicros()
    return rest <= 0 ? undefined : timers.sleep(Math.ceil(rest), signal)
  }

  /** How many records from one on have had their time, as far as anybody asks; the first one has. */
  #dueCount(first: number, max: number): number {
    const { dueMicros } = this.#source
    if (dueMicros === undefined) return max
    const now = this.#env.clock.monotonicMicros()
    // By halves: due times ascend. `low` are due, `high` are not, or need not be known.
    let [low, high] = [1, max + 1]
    while (high - low > 1) {
      const middle = low + ((high - low) >> 1)
      if (dueMicros(first + middle - 1) <= now) low = middle
      else high = middle
    }
    return low
  }
}

/** A reader of records that come with time. */
class PacedReader extends NumberedReader {
  whenReadable(signal: AbortSignal): Promise<void> | undefined {
    return this.untilDue(signal)
  }
}
