/**
 * Columns as the addresses at which they lie, for threads that share their memory: what one has filled, another reads
 * where it lies.
 *
 * Invariant:
 * - CP1 The columns at the places of some columns have the same values, where dictionaries are the same.
 */
import { unreachable } from "../base/assert.ts"
import type { Column, DictionaryColumn } from "./column.ts"
import { Dictionary } from "./dictionary.ts"
import type { ColumnType } from "./type.ts"

/** What stands for an array that a column does not have. */
const NONE = -1

/** For each column, outer before inner: the address of its validity, and that of its values; −1 for what it has not. */
export function placesOf(columns: readonly Column[]): number[] {
  return columns.flatMap((column) => {
    const validity = column.validity?.byteOffset ?? NONE
    if (column.storage === "struct") return [validity, NONE, ...placesOf(column.children)]
    return [validity, column.values.byteOffset]
  })
}

/** The columns at some places of a memory. Their dictionaries are empty, where they are not those of the type. */
export function columnsAt(
  buffer: SharedArrayBuffer,
  types: readonly ColumnType[],
  places: readonly number[],
  rows: number,
): Column[] {
  let at = 0
  const take = (type: ColumnType): Column => {
    const [validityAt, valuesAt] = [places[at]!, places[at + 1]!]
    at += 2
    const { storage } = type
    const bitmapBytes = (rows + 7) >> 3
    const validity = validityAt === NONE ? null : new Uint8Array(buffer, validityAt, bitmapBytes)
    switch (storage) {
      case "bit":
        return { storage, type, validity, values: new Uint8Array(buffer, valuesAt, bitmapBytes) }
      case "int32":
        return { storage, type, validity, values: new Int32Array(buffer, valuesAt, rows) }
      case "int64": {
        const values = new BigInt64Array(buffer, valuesAt, rows)
        return { storage, type, validity, values, halves: new Int32Array(buffer, valuesAt, rows * 2) }
      }
      case "float64":
        return { storage, type, validity, values: new Float64Array(buffer, valuesAt, rows) }
      case "dictionary": {
        const { symbols } = type.definition
        const dictionary = symbols === undefined ? new Dictionary() : Dictionary.fixed(symbols)
        return { storage, type, validity, dictionary, values: new Int32Array(buffer, valuesAt, rows) }
      }
      case "struct":
        return { storage, type, validity, children: (type.definition.fields ?? []).map((field) => take(field.type)) }
      default:
        return unreachable(storage, "a column's storage")
    }
  }
  return types.map(take)
}

/** The columns whose dictionaries grow, those within structs too, in the order of `placesOf`. */
export function textColumns(columns: readonly Column[]): DictionaryColumn[] {
  return columns.flatMap((column) => {
    if (column.storage === "struct") return textColumns(column.children)
    return column.storage === "dictionary" && column.type.definition.symbols === undefined ? [column] : []
  })
}
