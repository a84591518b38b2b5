/** Rows as a program writes them by hand, with what can be filled in left out. */
import type { ColumnTypes } from "./schema.ts"
import type { ColumnType, ValueOf } from "./type.ts"
import type { Timestamp } from "../time/timestamp.ts"

/** The columns that may be left out: those with a default, those that may be null, and secrets, which the environment has. */
type OptionalName<C extends ColumnTypes> = {
  [N in keyof C]: C[N] extends { readonly hasDefault: true } | ColumnType<unknown, "secret">
    ? N
    : null extends ValueOf<C[N]>
      ? N
      : never
}[keyof C]

/** A row of the columns `C`; those with a default and those that may be null may be left out. */
export type GivenRow<C extends ColumnTypes> = {
  readonly [N in Exclude<keyof C, OptionalName<C>>]: ValueOf<C[N]>
} & { readonly [N in OptionalName<C>]?: ValueOf<C[N]> }

/** A value as a program computes it: of a timestamp any number, as sums of timestamps and durations are. */
type ComputedValue<V> = V extends Timestamp ? number : V

/** The columns `C` that rows of the type `Row` do not have, or have in another type. */
export type UnfitName<C extends ColumnTypes, Row> = {
  [N in keyof C]: N extends keyof Row
    ? Row[N] extends ComputedValue<ValueOf<C[N]>> | (N extends OptionalName<C> ? undefined : never)
      ? never
      : N
    : N extends OptionalName<C>
      ? never
      : N
}[keyof C]
