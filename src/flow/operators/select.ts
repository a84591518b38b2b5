/** `select`: keeps some columns, in the order given. */
import { assert } from "../../base/assert.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Emitter, Operator } from "../operator.ts"

/** See the head of this file. */
export class Select implements Operator {
  readonly #schema: Schema
  readonly #places: readonly number[]

  /** @param schema the columns to keep. */
  constructor(input: Schema, schema: Schema) {
    this.#schema = schema
    this.#places = schema.fields.map(({ name }) => input.indexOf(name))
    assert(!this.#places.includes(-1), "the columns to keep are there")
  }

  onBatch(batch: Batch, out: Emitter): void {
    const columns = this.#places.map((place) => batch.columns[place]!)
    out.emit("main", batch.with({ schema: this.#schema, columns }))
  }
}
