/** Rows as a program writes them by hand, with what can be filled in left out. */
import type { ColumnTypes } from "../batch/schema.ts"
import type { ValueOf } from "../batch/type.ts"

/** The columns that may be left out: those with a default, and those that may be null. */
type OptionalName<C extends ColumnTypes> = {
  [N in keyof C]: C[N] extends { readonly hasDefault: true } ? N : null extends ValueOf<C[N]> ? N : never
}[keyof C]

/** A row of the columns `C`; those with a default and those that may be null may be left out. */
export type GivenRow<C extends ColumnTypes> = {
  readonly [N in Exclude<keyof C, OptionalName<C>>]: ValueOf<C[N]>
} & { readonly [N in OptionalName<C>]?: ValueOf<C[N]> }
