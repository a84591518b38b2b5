/**
 * Where the words of a key lie.
 *
 * First come the null bits, where any part may be null, then the parts of one word, then those of two; kernels take words
 * by twos, so the first of two has an even place, and there is an even number of words unless there is but one.
 */
import { assert } from "../../../base/assert.ts"
import type { ColumnType, Storage } from "../../../batch/type.ts"

/** The place of one part of a key. */
export interface KeyPartLayout {
  readonly storage: Storage
  /** The index of its first word within a key. */
  readonly at: number
  /** How many words it has: one or two. */
  readonly width: number
  /** The bit that stands for null in the first word of a key, or 0 where it is never null. */
  readonly nullBit: number
}

/** The places of all parts, in their order. */
export interface KeyLayout {
  readonly parts: readonly KeyPartLayout[]
  /** Whether the first word holds null bits. */
  readonly hasNulls: boolean
  /** Words a key. */
  readonly stride: number
}

/** The layout of keys of such parts. */
export function keyLayout(types: readonly ColumnType[]): KeyLayout {
  assert(types.length <= 32, "a key has at most 32 columns")
  const widths = types.map(({ storage }) => {
    assert(storage !== "struct", "objects are no keys")
    return storage === "int64" || storage === "float64" ? 2 : 1
  })
  const hasNulls = types.some(({ isNullable }) => isNullable)
  const ones = (hasNulls ? 1 : 0) + widths.filter((width) => width === 1).length
  const isOneWord = ones === 1 && !widths.includes(2)
  let nextOne = hasNulls ? 1 : 0
  let nextTwo = isOneWord ? 1 : ones + (ones % 2)
  const parts = types.map(({ storage, isNullable }, index) => {
    const width = widths[index]!
    const at = width === 1 ? nextOne++ : nextTwo
    if (width === 2) nextTwo += 2
    return { storage, at, width, nullBit: isNullable ? 1 << index : 0 }
  })
  return { parts, hasNulls, stride: nextTwo }
}
