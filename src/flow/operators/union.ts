/**
 * `union`: the rows of several streams, as they come. Columns are put in the order of the result's, and what is never null
 * may stand where the result's may be.
 *
 * What feeds a union comes from different inputs, straight through operators that keep nothing: so rows come in the order
 * in which the inputs are read, and batches do not show (F1).
 */
import { assert } from "../../base/assert.ts"
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Emitter, Operator } from "../operator.ts"

/** See the head of this file. */
export class Union implements Operator {
  readonly #schema: Schema
  /** By input: where the result's columns are, or `undefined` where they are what comes. */
  readonly #places: readonly (readonly number[] | undefined)[]

  constructor(inputs: readonly Schema[], schema: Schema) {
    this.#schema = schema
    this.#places = inputs.map((input) => {
      if (input.label === schema.label) return undefined
      const places = schema.fields.map(({ name }) => input.indexOf(name))
      assert(!places.includes(-1), "each input has the columns of the result")
      return places
    })
  }

  onBatch(batch: Batch, out: Emitter, input: number): void {
    const places = this.#places[input]
    if (places === undefined) return out.emit("main", batch)
    const columns = this.#schema.fields.map(({ type }, index) => ({ ...batch.columns[places[index]!]!, type }))
    out.emit("main", batch.with({ schema: this.#schema, columns }))
  }
}
