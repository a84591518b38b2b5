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

/** Where a row comes from, for those of a partition. */
export interface MadeRowPlace {
  readonly offset: number
  readonly ordinal: number
}

/** See the head of this file. */
export class MadeRows {
  readonly #schema: Schema
  readonly #port: Port
  readonly #arena: Arena
  #rows: Row[] = []
  #watermarks: number[] = []
  #places: MadeRowPlace[] = []

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

  /** Takes a checked row that was made of a record. */
  addAt(row: Row, place: MadeRowPlace): void {
    this.#rows.push(row)
    this.#places.push(place)
  }

  /** Emits the rows; `partition` is that of their places. */
  flush(out: Emitter, partition = -1): void {
    for (let from = 0; from < this.#rows.length; from += BATCH_ROWS) {
      const rows = this.#rows.slice(from, from + BATCH_ROWS)
      const { batch, release } = batchOfRows(
        this.#arena,
        this.#schema,
        rows,
        this.#originOf(from, rows.length, partition),
      )
      const watermarks = this.#watermarks.slice(from, from + rows.length)
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
    this.#places = []
  }

  #originOf(from: number, count: number, partition: number): Origin {
    if (this.#places.length === 0) return NO_ORIGIN
    const places = this.#places.slice(from, from + count)
    return {
      partition,
      offsets: Float64Array.from(places, ({ offset }) => offset),
      ordinals: Float64Array.from(places, ({ ordinal }) => ordinal),
    }
  }
}
