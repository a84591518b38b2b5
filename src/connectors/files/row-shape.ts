/**
 * What the rows of a part have in common, as text: `SinkBinding.describeShape` of formats whose files have the columns of all their rows
 * at their start or end.
 *
 * The texts stand in logs and are compared with those of later versions: what is written here stays as it is.
 */
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"

/** Columns with their types: `id int32, "net price" float64?`. */
export function columnsText({ fields }: Pick<Schema, "fields">, typeText: (type: ColumnType) => string): string {
  return fields.map(({ name, type }) => `${nameText(name)} ${typeText(type)}`).join(", ")
}

/** A type as containers have it: what reading and other texts need, such as zones and the values of an enum, is left out. */
export function containerType({ definition, isNullable }: ColumnType): string {
  const { kind, label, element, fields, symbols, span } = definition
  // Parquet has lengths of time as text.
  const bare = symbols !== undefined ? "string" : span !== undefined ? label : kind
  const parts =
    element !== undefined ? containerType(element) : fields && columnsText({ fields }, (type) => containerType(type))
  return `${bare}${parts === undefined ? "" : `(${parts})`}${isNullable ? "?" : ""}`
}

function nameText(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name)
}
