/**
 * What windows of plain values read of a batch: of each row the key, and what the aggregates read. Lambdas fill columns for
 * all rows that count, before any of them is read.
 */
import { unreachable } from "../../../base/assert.ts"
import { allocateColumns, type Batch } from "../../../batch/batch.ts"
import { readInt53, readValue, type Column } from "../../../batch/column.ts"
import type { rowReader } from "../../../batch/row-reader.ts"
import { Schema } from "../../../batch/schema.ts"
import type { OnRowError } from "../../../expr/lambda.ts"
import type { OperatorContext } from "../../operator.ts"
import type { WindowInput } from "../window-inputs.ts"

/** What an aggregate reads: as those of kernels do, or several columns, as an object. */
export type RowInput =
  | WindowInput
  | {
      readonly kind: "columns"
      readonly indexes: readonly number[]
      readonly schema: Schema
      /** Reads objects from batches of these columns alone. */
      readonly bind: ReturnType<typeof rowReader>
    }

/** Gives the value of a row. */
export type ReadRowValue = (row: number) => unknown

/** How to read a batch. */
export interface BoundRows {
  /** What each aggregate reads of a row: null as null, and `undefined` where it reads nothing. */
  readonly readers: readonly ReadRowValue[]
  release(): void
}

/** See the head of this file. */
export class RowValues {
  readonly #inputs: readonly RowInput[]
  readonly #projections
  readonly #schema: Schema
  readonly #context: OperatorContext

  constructor(inputs: readonly RowInput[], context: OperatorContext) {
    const lambdas = inputs.filter((input) => input.kind === "lambda")
    this.#inputs = inputs
    this.#projections = lambdas.map(({ projection }) => projection)
    this.#schema = new Schema(lambdas.map(({ type }, index) => ({ name: `lambda ${index}`, type })))
    this.#context = context
  }

  /** Rows whose lambda fails are told to `onRowError`; what is read of them is unspecified. */
  bind(batch: Batch, onRowError: OnRowError): BoundRows {
    const { arena, params } = this.#context
    const made = allocateColumns(arena, this.#schema, this.#projections.length === 0 ? 0 : batch.length)
    try {
      this.#projections.forEach((projection, index) => {
        projection.project(batch, params, [made.columns[index]!], onRowError)
      })
    } catch (error) {
      made.release()
      throw error
    }
    const fromLambdas = made.columns.values()
    const readers = this.#inputs.map((input) => {
      if (input.kind === "none") return () => undefined
      if (input.kind === "columns") {
        const columns = input.indexes.map((index) => batch.columns[index]!)
        return input.bind(batch.with({ schema: input.schema, columns }))
      }
      return rowValueReader(input.kind === "column" ? batch.columns[input.index]! : fromLambdas.next().value!)
    })
    return { readers, release: made.release }
  }
}

/** Reads values of a column as `readValue` does. */
export function rowValueReader(column: Column): ReadRowValue {
  const { validity } = column
  const read = presentReader(column)
  if (validity === null) return read
  return (row) => (((validity[row >> 3]! >> (row & 7)) & 1) === 0 ? null : read(row))
}

function presentReader(column: Column): ReadRowValue {
  switch (column.storage) {
    case "bit":
    case "struct":
      return (row) => readValue(column, row)
    case "int32":
    case "float64": {
      const { values } = column
      return (row) => values[row]
    }
    case "int64": {
      const { values, halves } = column
      const { typeOf, isUnsigned } = column.type.definition
      if (typeOf === "bigint") return isUnsigned ? (row) => BigInt.asUintN(64, values[row]!) : (row) => values[row]
      return (row) => readInt53(halves, row)
    }
    case "dictionary": {
      const { dictionary, values } = column
      if (column.type.definition.packing !== undefined) return (row) => readValue(column, row)
      return (row) => dictionary.text(values[row]!)
    }
    default:
      return unreachable(column, "a column")
  }
}
