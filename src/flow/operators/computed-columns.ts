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
import { withRowRoom } from "../row-room.ts"

/** Takes filled columns and the batch whose rows that count they belong to. */
type UseColumns = (columns: BatchColumns["columns"], batch: Batch) => void

/** Fills the columns of a schema, batch by batch. */
export class ComputedColumns {
  readonly #operator: string
  readonly #schema: Schema
  readonly #projection: Projection
  readonly #context: OperatorContext
  readonly #failures = new RowFailures()
  readonly #everyRow = new EveryRow()

  constructor(operator: string, schema: Schema, projection: Projection, context: OperatorContext) {
    this.#operator = operator
    this.#schema = schema
    this.#projection = projection
    this.#context = context
  }

  /** Calls `use` with the columns and with the batch, in which only rows count whose lambda did not fail. */
  compute(batch: Batch, use: UseColumns): void {
    const { arena, params } = this.#context
    const made = allocateColumns(arena, this.#schema, batch.length)
    try {
      this.#projection.project(batch, params, made.columns, this.#failures.add)
      if (this.#failures.size === 0) use(made.columns, batch)
      else this.#useWithoutFailed(made.columns, batch, use)
    } finally {
      made.release()
    }
  }

  #useWithoutFailed(columns: BatchColumns["columns"], batch: Batch, use: UseColumns): void {
    withRowRoom(this.#context.arena, batch.count, (selection) => {
      const rows = batch.selection ?? this.#everyRow.below(batch.length)
      const count = this.#failures.without(rows, batch.count, selection)
      this.#failures.report(this.#operator, batch, this.#context)
      if (count > 0) use(columns, batch.with({ selection, count }))
    })
  }
}
