/** A source of rows in memory, one array a partition, whose offsets are made up: for tests of the runtime. */
import { batchOfRows } from "../batch/batch.ts"
import type { BadRecord, Position } from "../batch/position.ts"
import type { Partition, PartitionReader, Source, SourceBinding, SourceContext } from "../connect/source.ts"

/** A row, or why there is none. */
export type ArrayRecord = Readonly<Record<string, unknown>> | { readonly bad: string }

/** Partitions by id; a test may add to them between runs. */
export type ArrayPartitions = Record<string, readonly ArrayRecord[]>

/** How far two records lie apart: far enough that a morsel ends now and then. */
const RECORD_BYTES = 50_000

/** Binds partitions to an input. */
export function arraySource(partitions: ArrayPartitions): SourceBinding {
  return {
    describe: () => "array",
    openSource: (context) => Promise.resolve(new ArraySource(partitions, context)),
  }
}

class ArraySource implements Source {
  readonly #partitions: ArrayPartitions
  readonly #context: SourceContext

  constructor(partitions: ArrayPartitions, context: SourceContext) {
    this.#partitions = partitions
    this.#context = context
  }

  partitions(): Promise<Partition[]> {
    const found = Object.entries(this.#partitions).map(([id, records]) => {
      const tieBreak = JSON.stringify(records, (_key, value: unknown) =>
        typeof value === "bigint" ? `${value}` : value,
      )
      return { id, tieBreak, identity: id, size: records.length * RECORD_BYTES }
    })
    return Promise.resolve(found)
  }

  open(partition: Partition, index: number, position: Position): Promise<PartitionReader> {
    const records = this.#partitions[partition.id]!
    let at = position.offset / RECORD_BYTES
    return Promise.resolve({
      read: ({ rows, untilOffset }) => {
        const from = at
        while (at < records.length && at - from < rows && at * RECORD_BYTES < untilOffset) at++
        return Promise.resolve(this.#batchOf(records.slice(from, at), index, from, at === records.length))
      },
      close: () => Promise.resolve(),
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #batchOf(records: readonly ArrayRecord[], partition: number, from: number, end: boolean) {
    const good: Readonly<Record<string, unknown>>[] = []
    const places: number[] = []
    const bad: BadRecord[] = []
    records.forEach((record, index) => {
      const ordinal = from + index
      if ("bad" in record && typeof record.bad === "string") {
        const position = { offset: ordinal * RECORD_BYTES, ordinal }
        bad.push({ position, reason: record.bad, field: undefined, raw: "" })
        return
      }
      good.push(record)
      places.push(ordinal)
    })
    const { batch, release } = batchOfRows(this.#context.arena, this.#context.schema, good, {
      partition,
      offsets: Float64Array.from(places, (ordinal) => ordinal * RECORD_BYTES),
      ordinals: Float64Array.from(places),
    })
    const ordinal = from + records.length
    const next = { offset: ordinal * RECORD_BYTES, ordinal }
    return { batch: good.length === 0 ? undefined : batch, bad, next, end, release }
  }
}
