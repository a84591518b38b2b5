/**
 * `derive`: adds columns that a lambda computes; a column of the same name is replaced in its place. The other columns
 * are shared with the batch that came in. A row whose lambda fails is reported and dropped.
 */
import { assert } from "../../base/assert.ts"
import type { Batch } from "../../batch/batch.ts"
import { Schema, type Field } from "../../batch/schema.ts"
import type { Projection } from "../../expr/lambda.ts"
import type { Emitter, Operator, OperatorContext } from "../operator.ts"
import { ComputedColumns } from "./computed-columns.ts"

/** What a derive operator is made of. */
export interface DeriveOptions {
  readonly id: string
  readonly input: Schema
  /** The columns that the lambda gives. */
  readonly columns: readonly Field[]
  /** All columns of the result. */
  readonly schema: Schema
  readonly projection: Projection
}

/** See the head of this file. */
export class Derive implements Operator {
  readonly #schema: Schema
  readonly #computed: ComputedColumns
  /** For each column of the result its place: in the input, or behind that among the computed ones. */
  readonly #places: readonly number[]

  constructor(options: DeriveOptions, context: OperatorContext) {
    const { input, columns, schema } = options
    const computed = new Schema(columns)
    this.#schema = schema
    this.#computed = new ComputedColumns(options.id, computed, options.projection, context)
    this.#places = schema.fields.map(({ name }) => {
      const amongComputed = computed.indexOf(name)
      if (amongComputed !== -1) return input.fields.length + amongComputed
      assert(input.indexOf(name) !== -1, "a column of the result is computed or passes through")
      return input.indexOf(name)
    })
  }

  onBatch(batch: Batch, out: Emitter): void {
    this.#computed.compute(batch, (computed, rest) => {
      const all = [...batch.columns, ...computed]
      out.emit("main", rest.with({ schema: this.#schema, columns: this.#places.map((place) => all[place]!) }))
    })
  }
}
