/**
 * Rows as fresh plain objects, fast: code that is generated once a schema. The slow, obvious way is `Batch.row`.
 *
 * Invariant:
 * - X1 `rowReader(schema)(batch)(index)` equals `batch.row(index)`.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "./batch.ts"
import type { Column } from "./column.ts"
import { rowCode, type RowCode } from "./row-code.ts"
import type { Schema } from "./schema.ts"

/** Gives a row of the batch that it was made for, as an object of its own. */
export type ReadRow = (row: number) => Record<string, unknown>

/** How to read the rows of batches of a schema: bind it to a batch, then ask for rows until the batch is released. */
export function rowReader(schema: Schema): (batch: Batch) => ReadRow {
  const code: RowCode = { locals: [] }
  const object = rowCode(schema.fields, "columns", objectLiteral, code)
  const locals = code.locals.map(({ name, from }) => `const ${name} = ${from}`).join("\n")
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- It is our own code; see `row-code.ts`.
  const bind = new Function("columns", `${locals}\nreturn (row) => (${object})`) as (
    columns: readonly Column[],
  ) => ReadRow
  return (batch) => {
    assert(batch.columns.length === schema.fields.length, "a batch has the columns of its reader's schema")
    return bind(batch.columns)
  }
}

function objectLiteral(members: readonly { readonly name: string; readonly value: string }[]): string {
  return `{ ${members.map(({ name, value }) => `${JSON.stringify(name)}: ${value}`).join(", ")} }`
}
