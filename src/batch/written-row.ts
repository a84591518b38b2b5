/** A row as JSON text, written by its columns' types: for dead letters, messages and fingerprints, not for speed. */
import type { Batch } from "./batch.ts"
import type { Schema } from "./schema.ts"

/** The row of that index as JSON text, under the columns' names. */
export function writtenRow(batch: Batch, row: number): string {
  return rowAsJson(batch.schema, batch.row(row))
}

/** A row of the schema as JSON text. */
export function rowAsJson({ fields }: Schema, row: Readonly<Record<string, unknown>>): string {
  return `{${fields.map(({ name, type }) => `${JSON.stringify(name)}:${type.toJson(row[name])}`).join(",")}}`
}
