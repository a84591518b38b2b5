/**
 * The batches of a container that is decoded column by column: rows have their numbers as ordinals, a field that the file does not
 * have is its default or null, and rows in which a value is not of its column's type come as bad records.
 */
import type { Arena } from "../batch/arena.ts"
import type { Schema } from "../batch/schema.ts"
import { noteFaults, withoutBad, type BadRows } from "./bad-rows.ts"
import { BatchBuilder } from "./batch-builder.ts"
import { RECORD_OFFSETS, type DecodedRecords } from "./container.ts"
import type { FieldReader } from "./field-reader.ts"
import { Faults } from "./parquet/faults.ts"

/** A column of the file that a field of the schema is read from. */
export interface BatchColumn {
  /** The field's place in the schema. */
  readonly field: number
  /** Reads the values of the batch's rows, which are so many, and notes those that are not of the field's type. */
  read(rows: number, into: FieldReader, faults: Faults): void
}

/** See the head of this file. */
export class ContainerBatches {
  readonly #builder: BatchBuilder
  readonly #missing: readonly { readonly field: number; readonly value: unknown }[]
  readonly #faults = new Faults()

  /** @param present the places of the fields that the file has. */
  constructor(arena: Arena, schema: Schema, present: ReadonlySet<number>) {
    this.#builder = new BatchBuilder(arena, schema)
    this.#missing = schema.fields.flatMap(({ type }, field) =>
      present.has(field) ? [] : [{ field, value: type.fromMissing() }],
    )
  }

  /**
   * A batch of records from `record` on, of at most so many.
   *
   * @throws what a column throws; then nothing of the batch is left.
   */
  decode(record: number, most: number, columns: Iterable<BatchColumn>, partition: number): DecodedRecords {
    const builder = this.#builder
    builder.begin(Infinity, most)
    const rows = builder.capacity
    let isDone = false
    try {
      for (let row = 0; row < rows; row++) {
        builder.ordinals[row] = record + row
        builder.offsets[row] = (record + row) * RECORD_OFFSETS
      }
      const badRows: BadRows = new Map()
      for (const column of columns) {
        this.#faults.clear()
        column.read(rows, builder.readers[column.field]!, this.#faults)
        noteFaults(this.#faults, column.field, badRows)
      }
      for (const { field, value } of this.#missing) {
        for (let row = 0; row < rows; row++) builder.readers[field]!.write(row, value)
      }
      isDone = true
      const { batch, release } = builder.finish(rows, partition)
      return badRows.size === 0 ? { batch, bad: [], records: rows, release } : withoutBad(batch!, badRows, release)
    } finally {
      if (!isDone) builder.finish(0, partition)
    }
  }
}
