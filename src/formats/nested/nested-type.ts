/** Which types are written as lists and objects. */
import type { ColumnType } from "../../batch/type.ts"

/** Whether values of the type are made of others. Where an object has no field, which groups and structs need, it is JSON text. */
export function isNested({ definition: { element, fields } }: ColumnType): boolean {
  return element !== undefined || (fields !== undefined && fields.length > 0)
}
