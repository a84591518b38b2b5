/**
 * What the compiler knows of a value before the job runs: the set of kinds of JavaScript value that it may be.
 *
 * Invariant:
 * - T1 A set is never too small: whatever the row holds, the value is of one of its kinds.
 */
import type { ColumnType } from "../batch/type.ts"

/** A set of kinds of value, one bit each. */
export type Kinds = number

export const NULL: Kinds = 1
export const UNDEFINED: Kinds = 2
export const BOOLEAN: Kinds = 4
export const NUMBER: Kinds = 8
export const BIGINT: Kinds = 16
export const STRING: Kinds = 32
/** An object of a struct column, a list or bytes. The compiler knows it only by its place: see `ir.ts`. */
export const OBJECT: Kinds = 64

export const NULLISH: Kinds = NULL | UNDEFINED
/** What arithmetic turns into a number without reading text. */
export const NUMBER_LIKE: Kinds = NUMBER | BOOLEAN | NULLISH

/** What `ToString` reads without running code of anybody's. */
export const PRIMITIVE: Kinds = NUMBER_LIKE | BIGINT | STRING

const NAMES: readonly (readonly [Kinds, string])[] = [
  [BOOLEAN, "a boolean"],
  [NUMBER, "a number"],
  [BIGINT, "a bigint"],
  [STRING, "a string"],
  [OBJECT, "an object"],
  [NULL, "null"],
  [UNDEFINED, "undefined"],
]

const OF_TYPE = {
  boolean: BOOLEAN,
  number: NUMBER,
  bigint: BIGINT,
  string: STRING,
  object: OBJECT,
  any: BOOLEAN | NUMBER | BIGINT | STRING | OBJECT,
} as const

/** The kinds of a column's values, null included where the column is nullable. */
export function kindsOfColumn(type: ColumnType): Kinds {
  return OF_TYPE[type.definition.typeOf] | (type.isNullable ? NULL : 0)
}

/** Whether every kind of `kinds` is one of `of`. */
export function isWithin(kinds: Kinds, of: Kinds): boolean {
  return (kinds & ~of) === 0
}

/** Whether some kind of `kinds` is one of `of`. */
export function mayBe(kinds: Kinds, of: Kinds): boolean {
  return (kinds & of) !== 0
}

/** A set in words: `a number or null`. */
export function kindsText(kinds: Kinds): string {
  const names = NAMES.filter(([kind]) => mayBe(kinds, kind)).map(([, name]) => name)
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)!}`
}
