/** The columns that aggregates read: columns of the batch, or columns that lambdas fill for the rows that count. */
import type { OnRowError } from "../../expr/lambda.ts"
import { allocateColumns, type Batch } from "../../batch/batch.ts"
import type { Column } from "../../batch/column.ts"
import { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Projection } from "../../expr/lambda.ts"
import type { OperatorContext } from "../operator.ts"

/** Where an aggregate's input comes from. */
export type WindowInput =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly index: number; readonly type: ColumnType }
  | { readonly kind: "lambda"; readonly projection: Projection; readonly type: ColumnType }

/** The inputs of all aggregates for one batch. */
export interface InputColumns {
  /** By aggregate. */
  readonly columns: readonly (Column | undefined)[]
  release(): void
}

/** Makes the columns. */
export class WindowInputs {
  readonly #inputs: readonly WindowInput[]
  readonly #projections: readonly Projection[]
  /** One column for each lambda. */
  readonly #schema: Schema
  readonly #context: OperatorContext

  constructor(inputs: readonly WindowInput[], context: OperatorContext) {
    const lambdas = inputs.filter((input) => input.kind === "lambda")
    this.#inputs = inputs
    this.#projections = lambdas.map(({ projection }) => projection)
    this.#schema = new Schema(lambdas.map(({ type }, index) => ({ name: `lambda ${index}`, type })))
    this.#context = context
  }

  /** The inputs for the rows of `batch` that count. Rows whose lambda fails are told to `onRowError`. */
  columnsOf(batch: Batch, onRowError: OnRowError): InputColumns {
    const { arena, params } = this.#context
    const made = allocateColumns(arena, this.#schema, this.#projections.length === 0 ? 0 : batch.length)
    try {
      this.#projections.forEach((projection, index) => {
        projection.project(batch, params, [made.columns[index]!], onRowError)
      })
      const fromLambdas = made.columns.values()
      const columns = this.#inputs.map((input) => {
        if (input.kind === "none") return undefined
        return input.kind === "column" ? batch.columns[input.index]! : fromLambdas.next().value
      })
      return { columns, release: made.release }
    } catch (error) {
      made.release()
      throw error
    }
  }
}
