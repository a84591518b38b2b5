/** What tells keys of an operator apart. */
import type { ColumnType } from "../../batch/type.ts"
import { settled } from "../../batch/value-codec.ts"

/** One value is a key as it stands; several are, as text. Keys compare like those of a `Map` (W11). */
export function keyIdOf(types: readonly ColumnType[], values: readonly unknown[]): unknown {
  if (values.length === 1) return values[0]
  return values.map((value, index) => types[index]!.toJson(value === 0 ? 0 : value)).join(",")
}

/** The values as they are kept: nobody can change them, and −0 is +0. */
export function settledKey(types: readonly ColumnType[], values: readonly unknown[]): readonly unknown[] {
  return values.map((value, index) => (value === 0 ? 0 : settled(types[index]!, value)))
}
