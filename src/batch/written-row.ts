/** A row as JSON text, written by its columns' types: for dead letters and messages, not for speed. */
import type { Batch } from "./batch.ts"
import { readValue } from "./column.ts"

/** The row of that index as JSON text, under the columns' names. */
export function writtenRow(batch: Batch, row: number): string {
  const parts = batch.schema.fields.map(({ name, type }, column) => {
    const value = readValue(batch.columns[column]!, row)
    return `${JSON.stringify(name)}:${value === null ? "null" : type.definition.toJson(value)}`
  })
  return `{${parts.join(",")}}`
}
