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
