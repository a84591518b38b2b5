/**
 * Arrays of numbers become columns: typed arrays that lie in memory as the column does are copied, others are looked at number by number.
 *
 * Invariant:
 * - CN1 Where `writeNumbers` gives true, each value is one that the column's type checks, and what lies in the column is that value.
 */
import type { NumberRange } from "../batch/type.ts"
import type { FieldReader } from "./field-reader.ts"

/** A typed array. */
export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

const HIGH_WORD = 2 ** 32
/** So many numbers are looked at at once. */
const ROOM = 4096
const room = new Float64Array(ROOM)

/** Numbers on their way into a column. */
export interface NumbersIntoColumn {
  readonly reader: FieldReader
  /** The first value, and how many: for the rows from 0 on. */
  readonly first: number
  readonly count: number
  /** Whether the values are wanted: else it is enough that they are of the type. */
  readonly isWanted: boolean
}

/**
 * Writes values to a column. Gives false where one is none of the type, is null or missing, or the type is none of numbers: then anything
 * may be in the column.
 */
export function writeNumbers(array: readonly unknown[] | NumberArray, into: NumbersIntoColumn): boolean {
  const { reader, first, count, isWanted } = into
  const { storage, typeOf, isUnsigned = false, isSingle = false, range } = reader.type.definition
  if (typeOf === "bigint") {
    const values = array instanceof (isUnsigned ? BigUint64Array : BigInt64Array) ? array : undefined
    if (values !== undefined && isWanted) setWide(values, into)
    return values !== undefined
  }
  if (typeOf !== "number" || array instanceof BigUint64Array) return false
  if (array instanceof BigInt64Array) return range !== undefined && copyWide(array, range, into)
  const isSame = isSingle ? array instanceof Float32Array : !Array.isArray(array)
  if (storage === "float64" && isSame) {
    if (isWanted) reader.slots.set((array as Float64Array).subarray(first, first + count))
    return true
  }
  for (let from = 0; from < count; from += ROOM) {
    const some = Math.min(ROOM, count - from)
    if (!gather(array as readonly unknown[] | Float64Array, first + from, some)) return false
    const areOfType =
      storage === "float64"
        ? writeDoubles(from, some, into)
        : range !== undefined && writeWholes(from, some, range, into)
    if (!areOfType) return false
  }
  return true
}

function setWide(array: BigInt64Array | BigUint64Array, { reader, first, count }: NumbersIntoColumn): void {
  const { buffer, byteOffset } = reader.slots
  new BigInt64Array(buffer, byteOffset, count).set(array.subarray(first, first + count))
}

/** Copies numbers to the room; gives false where something is none. */
function gather(array: readonly unknown[] | Float64Array, first: number, count: number): boolean {
  if (!Array.isArray(array)) {
    room.set((array as Float64Array).subarray(first, first + count))
    return true
  }
  for (let index = 0; index < count; index++) {
    const value: unknown = array[first + index]
    if (typeof value !== "number") return false
    room[index] = value
  }
  return true
}

/** Writes doubles from the room; gives false where one is too great for a single, and should be one. */
function writeDoubles(from: number, count: number, { reader, isWanted }: NumbersIntoColumn): boolean {
  if (reader.type.definition.isSingle === true) {
    for (let index = 0; index < count; index++) {
      const value = room[index]!
      const single = Math.fround(value)
      if (single - single !== 0 && value - value === 0) return false
      room[index] = single
    }
  }
  if (isWanted) reader.slots.set(room.subarray(0, count), from)
  return true
}

/** Writes whole numbers from the room; gives false where one is none, or out of range. */
function writeWholes(
  from: number,
  count: number,
  range: NumberRange,
  { reader, isWanted }: NumbersIntoColumn,
): boolean {
  const { slots, type } = reader
  const { least, greatest } = range
  const isWide = type.storage === "int64"
  for (let index = 0; index < count; index++) {
    const value = room[index]!
    if (!(value >= least && value <= greatest) || Math.floor(value) !== value) return false
    if (!isWanted) continue
    if (isWide) {
      // Storing into an Int32Array takes the lowest 32 bits of a whole number (`writeInt53`).
      slots[2 * (from + index)] = value
      slots[2 * (from + index) + 1] = Math.floor(value / HIGH_WORD)
    } else slots[from + index] = value
  }
  return true
}

/** Writes values of 64 bits to a column whose values are numbers; gives false where one is out of range. */
function copyWide(array: BigInt64Array, { least, greatest }: NumberRange, into: NumbersIntoColumn): boolean {
  const { reader, first, count, isWanted } = into
  const words = new Int32Array(array.buffer, array.byteOffset + 8 * first, 2 * count)
  const isWide = reader.type.storage === "int64"
  for (let index = 0; index < count; index++) {
    const [low, high] = [words[2 * index]!, words[2 * index + 1]!]
    // Beyond 2⁵³ it is rounded, and stays beyond every range.
    const value = (low >>> 0) + high * HIGH_WORD
    if (value < least || value > greatest) return false
    if (isWanted && !isWide) reader.slots[index] = value
  }
  if (isWanted && isWide) reader.slots.set(words)
  return true
}
