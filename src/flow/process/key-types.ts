/** The types of key columns that rows of several inputs have in common. */
import type { Schema } from "../../batch/schema.ts"
import type { ColumnType } from "../../batch/type.ts"

/** The type of a key that rows of all inputs have: null where it may be null in any of them. */
export function commonType(inputs: readonly Schema[], name: string): ColumnType {
  const types = inputs.map((input) => input.field(name)!.type)
  return types.find(({ isNullable }) => isNullable) ?? types[0]!
}
