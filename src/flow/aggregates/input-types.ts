/** Which input types aggregates take. */
import type { ColumnType } from "../../batch/type.ts"

/** Whether values are numbers or bigints that can be added up: timestamps are numbers, but a sum of them means nothing. */
export function isNumeric({ definition: { adds, isUnsigned } }: ColumnType): boolean {
  return adds !== undefined || isUnsigned === true
}

/** Whether values have a least and a greatest: numbers, bigints, timestamps. */
export function isOrdered({ definition: { typeOf } }: ColumnType): boolean {
  return typeOf === "number" || typeOf === "bigint"
}
