/**
 * Columns that a lambda fills for the rows of a batch that count, and the selection of those rows for which it did not
 * fail: what `derive` and `map` have in common.
 */
import { allocateColumns, type Batch, type BatchColumns } from "../../batch/batch.ts"
import type { Schema } from "../../batch/schema.ts"
import type { Projection } from "../../expr/lambda.ts"
import { EveryRow } from "../every-row.ts"
import type { OperatorContext } from "../operator.ts"
import { RowFailures } from "../row-failures.ts"

/** Fills the columns of a schema, batch by batch. */
export class ComputedColumns {
  readonly #operator: string
  readonly #schema: Schema
  readonly #projection: Projection
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  readonly #everyRow = new EveryRow()
  #selected = new Int32Array(0)

  constructor(operator: string, schema: Schema, projection: Projection, context: OperatorContext) {
    this.#operator = operator
    this.#schema = schema
    this.#projection = projection
    this.#context = context
  }

  /** Calls `use` with the columns and with the batch, in which only rows count whose lambda did not fail. */
  compute(batch: Batch, use: (columns: BatchColumns["columns"], batch: Batch) => void): void {
    const { arena, params } = this.#context
    const made = allocateColumns(arena, this.#schema, batch.length)
    try {
      this.#projection.project(batch, params, made.columns, this.#failures.add)
      const rest = this.#failures.size === 0 ? batch : this.#withoutFailed(batch)
      this.#failures.report(this.#operator, batch, this.#context)
      if (rest.count > 0) use(made.columns, rest)
    } finally {
      made.release()
    }
  }

  #withoutFailed(batch: Batch): Batch {
    if (this.#selected.length < batch.length) this.#selected = new Int32Array(batch.length)
    const rows = batch.selection ?? this.#everyRow.below(batch.length)
    const count = this.#failures.without(rows, batch.count, this.#selected)
    return batch.with({ selection: this.#selected, count })
  }
}
