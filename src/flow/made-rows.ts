/**
 * Rows that a user's function has given as plain objects, on their way to columns: checked one by one, gathered, and
 * emitted as batches.
 */
import type { Arena } from "../batch/arena.ts"
import { batchOfRows, NO_ORIGIN, type Origin } from "../batch/batch.ts"
import type { Schema } from "../batch/schema.ts"
import { columnInvalid, columnMissing, resultNotAnObject } from "../expr/row-failure.ts"
import type { Emitter } from "./operator.ts"
import type { Port } from "./plan.ts"

/** A batch of them has at most so many rows. */
const BATCH_ROWS = 8192

type Row = Readonly<Record<string, unknown>>

/** See the head of this file. */
export class MadeRows {
  readonly #schema: Schema
  readonly #port: Port
  readonly #arena: Arena
  #rows: Row[] = []
  #watermarks: number[] = []
  /** Of rows that were made of those of a batch: which. */
  #indexes: number[] = []

  constructor(schema: Schema, port: Port, arena: Arena) {
    this.#schema = schema
    this.#port = port
    this.#arena = arena
  }

  /**
   * A row as it will be: the values of the columns, read once.
   *
   * @throws TidemarkError `lambda-failed` where it is no object, or a value is missing or not of its column's type.
   */
  checked(given: unknown): Row {
    if (typeof given !== "object" || given === null) throw resultNotAnObject(given)
    const row: Record<string, unknown> = {}
    for (const field of this.#schema.fields) {
      const value = (given as Row)[field.name]
      if (value === undefined) throw columnMissing(field)
      const reason = field.type.check(value)
      if (reason !== undefined) throw columnInvalid(field, value, reason)
      row[field.name] = value
    }
    return row
  }

  /** Takes a checked row that the job made itself, and the watermark before it. */
  add(row: Row, watermark: number): void {
    this.#rows.push(row)
    this.#watermarks.push(watermark)
  }

  /** Takes checked rows that were made of row `index` of a batch. */
  addOf(rows: readonly Row[], index: number): void {
    for (const row of rows) {
      this.#rows.push(row)
      this.#indexes.push(index)
    }
  }

  /** Emits the rows. `from` is the origin of the batch whose rows they were made of. */
  flush(out: Emitter, from: Origin = NO_ORIGIN): void {
    for (let at = 0; at < this.#rows.length; at += BATCH_ROWS) {
      const rows = this.#rows.slice(at, at + BATCH_ROWS)
      const origin = originOf(from, this.#indexes.slice(at, at + rows.length))
      const { batch, release } = batchOfRows(this.#arena, this.#schema, rows, origin)
      const watermarks = this.#watermarks.slice(at, at + rows.length)
      try {
        out.emit(
          this.#port,
          watermarks.length === 0 ? batch : batch.with({ watermarks: Float64Array.from(watermarks) }),
        )
      } finally {
        release()
      }
    }
    this.#rows = []
    this.#watermarks = []
    this.#indexes = []
  }
}

/** Where rows come from that were made of these rows of a batch. */
export function originOf(from: Origin, indexes: readonly number[]): Origin {
  const pick = (places: Float64Array | null) => places && Float64Array.from(indexes, (index) => places[index]!)
  return { partition: from.partition, offsets: pick(from.offsets), ordinals: pick(from.ordinals) }
}
