/**
 * `map`: makes each row anew from what a lambda gives. Rows keep their places, their origin and their partition's
 * watermarks. A row whose lambda fails is reported and dropped.
 */
import type { Batch } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Projection } from "../../expr/lambda.ts"
import type { Emitter, Operator, OperatorContext } from "../operator.ts"
import { ComputedColumns } from "./computed-columns.ts"

/** See the head of this file. */
export class MapRows implements Operator {
  readonly #schema: Schema
  readonly #computed: ComputedColumns

  constructor(id: string, schema: Schema, projection: Projection, context: OperatorContext) {
    this.#schema = schema
    this.#computed = new ComputedColumns(id, schema, projection, context)
  }

  onBatch(batch: Batch, out: Emitter): void {
    this.#computed.compute(batch, (columns, rest) => out.emit("main", rest.with({ schema: this.#schema, columns })))
  }
}
