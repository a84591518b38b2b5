/**
 * Columns whose values are JavaScript numbers (int32, int53, float64, timestamp), read and written as doubles.
 *
 * Invariant:
 * - A1 `readNumbers` gives for each row what `readValue` gives; slots of null rows are unspecified.
 */
import { unreachable } from "../../base/assert.ts"
import { readInt53, writeInt53, type Column } from "../../batch/column.ts"
import type { ColumnType } from "../../batch/type.ts"

/** The columns that hold numbers. `int64` storage does where its kind promises numbers. */
export type NumberColumn = Extract<Column, { readonly storage: "int32" | "int64" | "float64" }>

/** Whether values of the type are JavaScript numbers. */
export function isNumberType(type: ColumnType): boolean {
  return type.definition.typeOf === "number"
}

/** Writes the value of row `rows[i]` to `out[i]`, for i in [start, end). */
export function readNumbers(
  column: NumberColumn,
  rows: Int32Array,
  start: number,
  end: number,
  out: Float64Array,
): void {
  switch (column.storage) {
    case "float64": {
      const { values } = column
      for (let at = start; at < end; at++) out[at] = values[rows[at]!]!
      return
    }
    case "int32": {
      const { values } = column
      for (let at = start; at < end; at++) out[at] = values[rows[at]!]!
      return
    }
    case "int64": {
      const { halves } = column
      for (let at = start; at < end; at++) out[at] = readInt53(halves, rows[at]!)
      return
    }
    default:
      unreachable(column, "a column of numbers")
  }
}

/** Writes `values[from + i]` to row `at + i` of the column, for i in [0, count). */
export function writeNumbers(
  column: NumberColumn,
  at: number,
  values: Float64Array,
  from: number,
  count: number,
): void {
  switch (column.storage) {
    case "float64":
    case "int32":
      for (let index = 0; index < count; index++) column.values[at + index] = values[from + index]!
      return
    case "int64": {
      const { halves } = column
      for (let index = 0; index < count; index++) writeInt53(halves, at + index, values[from + index]!)
      return
    }
    default:
      unreachable(column, "a column of numbers")
  }
}
