/**
 * Rows for closures: fresh plain objects with those columns that the closure can read.
 */
import { Batch } from "../batch/batch.ts"
import { rowReader, type ReadRow } from "../batch/row-reader.ts"
import { Schema } from "../batch/schema.ts"
import type { RowFunction } from "./lambda.ts"
import { columnsRead } from "./row-reads.ts"

/** How to make the rows that a closure is given: bind it to a batch, then ask for rows. */
export function rowSource(lambda: RowFunction, schema: Schema): (batch: Batch) => ReadRow {
  const indexes = columnsRead(lambda, schema)
  if (indexes.length === schema.fields.length) return rowReader(schema)
  const narrow = new Schema(indexes.map((index) => schema.fields[index]!))
  const read = rowReader(narrow)
  return ({ columns, length }) =>
    read(new Batch({ schema: narrow, columns: indexes.map((index) => columns[index]!), length }))
}
