/**
 * Columns as the addresses at which they lie, for threads that share their memory: what one has filled, another reads
 * where it lies.
 *
 * Invariant:
 * - CP1 The columns at the places of some columns have the same values, where dictionaries are the same.
 */
import { assert, unreachable } from "../base/assert.ts"
import type { Column, DictionaryColumn } from "./column.ts"
import { Dictionary } from "./dictionary.ts"
import type { ColumnType, Storage } from "./type.ts"

/** What stands for an array that a column does not have. */
const NONE = -1
/** Bits of a value. */
const BITS: Readonly<Record<Storage, number>> = { bit: 1, int32: 32, int64: 64, float64: 64, dictionary: 32, struct: 0 }

/** For each column, outer before inner: the address of its validity, and that of its values; −1 for what it has not. */
export function placesOf(columns: readonly Column[]): number[] {
  return columns.flatMap((column) => {
    const validity = column.validity?.byteOffset ?? NONE
    if (column.storage === "struct") return [validity, NONE, ...placesOf(column.children)]
    return [validity, column.values.byteOffset]
  })
}

/** How many text columns columns of these types have, those within structs too. */
export function textCountOf(types: readonly ColumnType[]): number {
  return types.reduce((count, { storage, definition }) => {
    if (storage === "struct") return count + textCountOf((definition.fields ?? []).map(({ type }) => type))
    return count + (storage === "dictionary" && definition.symbols === undefined ? 1 : 0)
  }, 0)
}

/** How many numbers the places of columns of these types are. */
export function placeCountOf(types: readonly ColumnType[]): number {
  return types.reduce((count, { definition }) => {
    return count + 2 + placeCountOf((definition.fields ?? []).map(({ type }) => type))
  }, 0)
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

/** The places of the rows from one on, a multiple of 8, as bits are not moved. */
export function placesFrom(types: readonly ColumnType[], places: readonly number[], row: number): number[] {
  assert(row % 8 === 0, "bits of rows begin with a byte")
  const moved: number[] = []
  const move = ({ storage, definition }: ColumnType): void => {
    const [validity, values] = [places[moved.length]!, places[moved.length + 1]!]
    moved.push(validity === NONE ? NONE : validity + row / 8)
    moved.push(values === NONE ? NONE : values + (row * BITS[storage]) / 8)
    if (storage === "struct") for (const { type } of definition.fields ?? []) move(type)
  }
  types.forEach(move)
  return moved
}
