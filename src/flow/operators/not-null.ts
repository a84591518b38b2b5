/** `notNull`: drops the rows in which one of some columns is null; those columns are required from here on. */
import { assert } from "../../base/assert.ts"
import type { Arena } from "../../batch/arena.ts"
import type { Batch } from "../../batch/batch.ts"
import { isValid, type Column } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Emitter, Operator } from "../operator.ts"
import { withRowRoom } from "../row-room.ts"

/** See the head of this file. */
export class NotNull implements Operator {
  readonly #schema: Schema
  readonly #places: readonly number[]
  readonly #arena: Arena

  /** @param schema the input's columns, of which those named are required. */
  constructor(input: Schema, schema: Schema, names: readonly string[], arena: Arena) {
    this.#schema = schema
    this.#arena = arena
    this.#places = names.map((name) => input.indexOf(name))
    assert(!this.#places.includes(-1), "the columns that must not be null are there")
  }

  onBatch(batch: Batch, out: Emitter): void {
    withRowRoom(this.#arena, batch.count, (selection) => {
      const count = this.#select(batch, selection)
      if (count > 0) out.emit("main", this.#narrowed(batch).with({ selection, count }))
    })
  }

  /** Writes the rows in which no column is null to `selection`, and gives how many they are. */
  #select(batch: Batch, selection: Int32Array): number {
    let count = 0
    batch.forEachRow((row) => {
      selection[count++] = row
    })
    for (const place of this.#places) count = keepValid(batch.columns[place]!, selection, count)
    return count
  }

  /** The batch with the columns as required ones. They have no validity: no row that counts is null. */
  #narrowed(batch: Batch): Batch {
    const columns = batch.columns.map((column, place): Column => {
      return this.#places.includes(place)
        ? { ...column, type: this.#schema.fields[place]!.type, validity: null }
        : column
    })
    return batch.with({ schema: this.#schema, columns })
  }
}

/** Keeps those of the first `count` rows in which the column is not null, and gives how many they are. */
function keepValid(column: Column, rows: Int32Array, count: number): number {
  let kept = 0
  for (let at = 0; at < count; at++) if (isValid(column, rows[at]!)) rows[kept++] = rows[at]!
  return kept
}
