/**
 * A window on one row of a batch, moved from row to row: reading a field allocates nothing, but for bigints and for
 * texts that are read for the first time.
 *
 * There is one view object, so whoever needs a row after the next `moveTo` must copy it or take a `rowReader`.
 *
 * Invariants:
 * - X2 After `moveTo(index)`, `row[name]` equals `batch.row(index)[name]` for every field; objects within it are views,
 *   too. The fields are getters of the view's class, so they are not the view's own keys.
 */
import { assert } from "../base/assert.ts"
import type { Batch } from "./batch.ts"
import type { Column } from "./column.ts"
import { rowCode, type ObjectCode, type RowCode } from "./row-code.ts"
import type { ColumnTypes, RowOfColumns, Schema } from "./schema.ts"

/** A window on one row of a batch. */
export interface RowView<Row> {
  /** The current row: the same object for ever, with other values after each move. */
  readonly row: Row
  /** Points the view to the first row of a batch. It must not be read any more when the batch is released. */
  bind(batch: Batch): void
  /** Points the view to the row of that index, whether or not it is selected. */
  moveTo(index: number): void
}

interface GeneratedView<Row> {
  readonly row: Row
  readonly bind: (columns: readonly Column[]) => void
  readonly moveTo: (index: number) => void
}

/** Makes a view on batches of a schema. */
export function rowView<C extends ColumnTypes>(schema: Schema<C>): RowView<RowOfColumns<C>> {
  const code: RowCode = { locals: [] }
  const nested: string[] = []
  const row = rowCode(schema.fields, "columns", viewIn(nested), code)
  const names = code.locals.map(({ name }) => name)
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- It is our own code; see `row-code.ts`.
  const generate = new Function(`
    let row = 0${names.map((name) => `, ${name} = null`).join("")}
    ${nested.join("\n")}
    return {
      row: ${row},
      bind(columns) { row = 0; ${code.locals.map(({ name, from }) => `${name} = ${from}`).join("; ")} },
      moveTo(index) { row = index },
    }`) as () => GeneratedView<RowOfColumns<C>>
  const view = generate()
  return {
    row: view.row,
    bind(batch) {
      assert(batch.columns.length === schema.fields.length, "a batch has the columns of its view's schema")
      view.bind(batch.columns)
    },
    moveTo: view.moveTo,
  }
}

/**
 * Objects of getters, each made once: their definitions are appended to `definitions`, inner ones first. Getters stand
 * on a class, where V8 inlines them, and not on the object; computed names allow for a field named "constructor".
 */
function viewIn(definitions: string[]): ObjectCode {
  return (members) => {
    const name = `view${definitions.length}`
    const getters = members.map((member) => `get [${JSON.stringify(member.name)}]() { return ${member.value} }`)
    definitions.push(`const ${name} = new (class { ${getters.join("; ")} })()`)
    return name
  }
}
