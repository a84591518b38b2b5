/**
 * Columns in the Arrow layout: a validity bitmap and values, in blocks of an arena.
 *
 * Kernels take the typed arrays and work on them directly; `readValue` and `writeValue` are the slow, obvious way.
 *
 * Invariants:
 * - N1 Bit `i` of `validity` (least significant first) is set where value `i` is not null; without a bitmap none is null.
 * - N2 Where a value is null its slot holds an unspecified value of the storage that is safe to read: codes are 0, which
 *   is in range unless the dictionary is empty, and the same holds for the columns within a struct.
 * - N3 `int64` storage is two's complement, low word first in `halves`; of unsigned types it is the 64 bits as they are.
 * - N4 Kinds in `int64` storage whose values are numbers (int53, uint32, timestamp) hold only safe integers.
 * - N5 Where a type is packed, the texts of its dictionary are what `toText` gives of values of the type.
 */
import { assert, unreachable } from "../base/assert.ts"
import type { Block } from "./arena.ts"
import { Dictionary } from "./dictionary.ts"
import type { ColumnType, Slots } from "./type.ts"

const NO_SLOTS = new Int32Array(0)

interface ColumnBase {
  readonly type: ColumnType
  /** One bit a row, set where the value is not null; without a bitmap (`null`) no value is null. */
  validity: Uint8Array | null
}

/** One bit a value. */
export interface BitColumn extends ColumnBase {
  readonly storage: "bit"
  readonly values: Uint8Array
}

/** Four bytes a value. */
export interface Int32Column extends ColumnBase {
  readonly storage: "int32"
  readonly values: Int32Array
}

/** Eight bytes a value: as bigints in `values`, as pairs of words (low, high) in `halves`. */
export interface Int64Column extends ColumnBase {
  readonly storage: "int64"
  readonly values: BigInt64Array
  readonly halves: Int32Array
}

/** Eight bytes a value. */
export interface Float64Column extends ColumnBase {
  readonly storage: "float64"
  readonly values: Float64Array
}

/** Codes into a dictionary. */
export interface DictionaryColumn extends ColumnBase {
  readonly storage: "dictionary"
  readonly values: Int32Array
  dictionary: Dictionary
}

/** One child column a field of the type. */
export interface StructColumn extends ColumnBase {
  readonly storage: "struct"
  readonly children: readonly Column[]
}

/** The values of one field for all rows of a batch. */
export type Column = BitColumn | Int32Column | Int64Column | Float64Column | DictionaryColumn | StructColumn

/** Where a column's numbers lie, empty where it has none. */
export function slotsOf(column: Column): Slots {
  if (column.storage === "int64") return column.halves
  return column.storage === "int32" || column.storage === "float64" ? column.values : NO_SLOTS
}

/** Where columns lie: an arena, or what hands out blocks as one does. */
export interface ColumnRoom {
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  allocate(bytes: number): Block
}

/** Allocates a column of `capacity` rows; the blocks taken are pushed on `blocks`, for the batch to free. */
export function allocateColumn(arena: ColumnRoom, type: ColumnType, capacity: number, blocks: Block[]): Column {
  const take = (bytes: number): Block => {
    const block = arena.allocate(bytes)
    blocks.push(block)
    return block
  }
  const { buffer } = arena
  const bitmapBytes = (capacity + 7) >> 3
  const validity = type.isNullable ? new Uint8Array(buffer, take(bitmapBytes).offset, bitmapBytes) : null
  validity?.fill(0)
  const { storage } = type
  switch (storage) {
    case "bit":
      return { storage, type, validity, values: new Uint8Array(buffer, take(bitmapBytes).offset, bitmapBytes) }
    case "int32":
      return { storage, type, validity, values: new Int32Array(buffer, take(capacity * 4).offset, capacity) }
    case "int64": {
      const { offset } = take(capacity * 8)
      const values = new BigInt64Array(buffer, offset, capacity)
      return { storage, type, validity, values, halves: new Int32Array(buffer, offset, capacity * 2) }
    }
    case "float64":
      return { storage, type, validity, values: new Float64Array(buffer, take(capacity * 8).offset, capacity) }
    case "dictionary": {
      const { symbols } = type.definition
      const dictionary = symbols === undefined ? new Dictionary() : Dictionary.fixed(symbols)
      return {
        storage,
        type,
        validity,
        dictionary,
        values: new Int32Array(buffer, take(capacity * 4).offset, capacity),
      }
    }
    case "struct": {
      const fields = type.definition.fields ?? []
      return { storage, type, validity, children: fields.map((f) => allocateColumn(arena, f.type, capacity, blocks)) }
    }
    default:
      return unreachable(storage, "a column's storage")
  }
}

/** Whether value `row` is not null. */
export function isValid(column: Column, row: number): boolean {
  return column.validity === null || ((column.validity[row >> 3]! >> (row & 7)) & 1) === 1
}

/** Value `row` as lambdas see it: `null`, a boolean, number, bigint, string or object. */
export function readValue(column: Column, row: number): unknown {
  if (!isValid(column, row)) return null
  switch (column.storage) {
    case "bit":
      return ((column.values[row >> 3]! >> (row & 7)) & 1) === 1
    case "int32":
    case "float64":
      return column.values[row]
    case "int64":
      if (column.type.definition.typeOf !== "bigint") return readInt53(column.halves, row)
      return column.type.definition.isUnsigned ? BigInt.asUintN(64, column.values[row]!) : column.values[row]
    case "dictionary":
      return valueOfText(column.type, column.dictionary.text(column.values[row]!))
    case "struct":
      return readStruct(column, row)
    default:
      return unreachable(column, "a column")
  }
}

/** The value that a text of a dictionary column stands for. */
function valueOfText({ definition }: ColumnType, text: string): unknown {
  return definition.unpack === undefined ? text : definition.unpack(text)
}

/** The text that stands for a value in a dictionary column. */
function textOfValue({ definition }: ColumnType, value: unknown): string {
  return definition.packing === undefined ? (value as string) : definition.toText(value)
}

function readStruct({ type, children }: StructColumn, row: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  type.definition.fields!.forEach(({ name }, index) => {
    object[name] = readValue(children[index]!, row)
  })
  return object
}

/** Value `row` of `int64` storage as a number, which it must fit: no bigint is made (N4). */
export function readInt53(halves: Int32Array, row: number): number {
  return (halves[2 * row]! >>> 0) + halves[2 * row + 1]! * 0x1_0000_0000
}

/** Stores a safe integer as value `row` of `int64` storage. */
export function writeInt53(halves: Int32Array, row: number, value: number): void {
  // Storing into an Int32Array takes the lowest 32 bits of a whole number, of a negative one in two's complement.
  halves[2 * row] = value
  halves[2 * row + 1] = Math.floor(value / 0x1_0000_0000)
}

/** Stores a value that has passed `column.type.check`. */
export function writeValue(column: Column, row: number, value: unknown): void {
  if (value === null) {
    assert(column.validity !== null, "null goes into nullable columns only")
    column.validity[row >> 3]! &= ~(1 << (row & 7))
    writeNothing(column, row)
    return
  }
  if (column.validity !== null) column.validity[row >> 3]! |= 1 << (row & 7)
  switch (column.storage) {
    case "bit":
      if (value === true) column.values[row >> 3]! |= 1 << (row & 7)
      else column.values[row >> 3]! &= ~(1 << (row & 7))
      return
    case "int32":
      column.values[row] = value as number
      return
    case "float64":
      column.values[row] = column.type.definition.isSingle ? Math.fround(value as number) : (value as number)
      return
    case "int64":
      if (typeof value === "bigint") column.values[row] = value
      else writeInt53(column.halves, row, value as number)
      return
    case "dictionary":
      column.values[row] = column.dictionary.codeOf(textOfValue(column.type, value))
      return
    case "struct":
      column.type.definition.fields!.forEach(({ name }, index) => {
        writeValue(column.children[index]!, row, (value as Record<string, unknown>)[name])
      })
      return
    default:
      unreachable(column, "a column")
  }
}

/** Makes the slot of a null safe to read (N2). */
function writeNothing(column: Column, row: number): void {
  if (column.storage === "dictionary") column.values[row] = 0
  if (column.storage === "struct") for (const child of column.children) writeNothing(child, row)
}
