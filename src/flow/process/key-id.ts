/** What tells keys of an operator apart. */
import type { ColumnType } from "../../batch/type.ts"
import { settled } from "../../batch/value-codec.ts"

/** One value is a key as it stands; several are, as text. Keys compare like those of a `Map` (W11). */
export function keyIdOf(types: readonly ColumnType[], values: readonly unknown[]): unknown {
  if (values.length === 1) return values[0]
  return values.map((value, index) => types[index]!.toJson(value === 0 ? 0 : value)).join(",")
}

/** The values as they are kept: nobody can change them, −0 is +0, and what is no number has the same bits everywhere. */
export function settledKey(types: readonly ColumnType[], values: readonly unknown[]): readonly unknown[] {
  return values.map((value, index) => comparableKey(settled(types[index]!, value)))
}

/** A value of a column as it is kept: bytes of it are equal where keys are. */
export function comparableKey(value: unknown): unknown {
  if (typeof value !== "number") return value
  return value === 0 ? 0 : Number.isNaN(value) ? NaN : value
}

/** Orders keys for people: by their columns, null first, what is no number last. */
export function compareKeys(one: readonly unknown[], other: readonly unknown[]): number {
  for (let index = 0; index < one.length; index++) {
    const [left, right] = [rankOf(one[index]), rankOf(other[index])]
    if (left.rank !== right.rank) return left.rank - right.rank
    if (left.value < right.value) return -1
    if (left.value > right.value) return 1
  }
  return 0
}

function rankOf(value: unknown): { readonly rank: number; readonly value: number } {
  if (value === null) return { rank: 0, value: 0 }
  if (Number.isNaN(value)) return { rank: 2, value: 0 }
  // Those of a column are all of one kind, which `<` compares, whatever it is.
  return { rank: 1, value: value as number }
}
