/**
 * Column types: what a value of a column is, how it lies in memory, and how it reads and writes as text and JSON.
 *
 * Each type is one file in `types/`: a `TypeDefinition` and a factory. Nothing outside that file switches on its
 * `kind`; code that must be fast switches on `storage`, of which there are six.
 *
 * Invariants:
 * - Y1 `label` spells every option of a type: two types with the same label mean the same.
 * - Y2 For every value `v` that passes `check`, `fromText(toText(v))` and `fromTree(parseJson(toJson(v)))` give `v` back,
 *   apart from what the storage itself cannot hold: −0 of whole numbers is 0, a lone surrogate of a text is U+FFFD.
 * - Y3 `fromText` and `fromJson` give values that pass `check`, or `Invalid`; they never throw.
 * - Y4 A default passes the type's own check.
 * - Y5 `fromBytes` gives false, or stores what `fromText` gives for the same text; `toBytes` gives -1, or writes what
 *   `toText` gives (and `toJson`, but for the quotes).
 */
import { TidemarkError } from "../base/errors.ts"
import type { EpochUnit } from "../time/epoch.ts"
import type { TimeZone } from "../time/zone.ts"

/** How values lie in memory, in the Arrow layout (https://arrow.apache.org/docs/format/Columnar.html). */
export type Storage =
  /** One bit a value, least significant first. */
  | "bit"
  /** Four bytes a value. */
  | "int32"
  /** Eight bytes a value, two's complement. */
  | "int64"
  /** Eight bytes a value, IEEE 754. */
  | "float64"
  /** Four-byte codes into a dictionary of UTF-8 text: of the values, or what stands for them (`packing`). */
  | "dictionary"
  /** One child column a field. */
  | "struct"

/** Where a column's numbers lie: the values of `int32` and `float64` storage, the pairs of words of `int64` storage. */
export type Slots = Int32Array | Float64Array

/** The most bytes that `toBytes` of any type writes. */
export const NUMBER_BYTES_MAX = 32

/** Why a text, JSON value or JavaScript value is not a value of a type. */
export class Invalid {
  /** A clause that goes on after "is": `"not a whole number"`. */
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** The whole numbers from one to another. */
export interface NumberRange {
  readonly least: number
  readonly greatest: number
}

/** What makes a type's values a part of those of another type, which lie in memory in the same way. */
export interface Narrowing {
  readonly of: TypeDefinition
  /**
   * Whether the value that the other type's `fromBytes` has stored as value `row` is one of this type. What is rounded,
   * it rounds.
   */
  admit(this: void, slots: Slots, row: number): boolean
}

/** A type's knowledge, without nullability, renaming or default. Values are never null here. */
export interface TypeDefinition<T = unknown> {
  /** The type's name in `t`, such as `"float64"`. */
  readonly kind: string
  /** The kind with its options: `timestamp(zone="UTC")`. */
  readonly label: string
  readonly storage: Storage
  /** What `typeof` says of its values in lambdas. */
  readonly typeOf: "boolean" | "number" | "bigint" | "string" | "object" | "any"
  /** What `t` was given for it, where its kind has options other than symbols and fields. */
  readonly options?: Readonly<Record<string, string>>
  /** Set where the values are the whole numbers of a range, as numbers. */
  readonly range?: NumberRange
  /** Set where the text of a value is that of the same value of a wider type. */
  readonly narrowing?: Narrowing
  /** Whether `int64` storage is read without a sign. */
  readonly isUnsigned?: true
  /** Whether values are rounded to the nearest single (IEEE 754 binary32) where they are stored. */
  readonly isSingle?: true
  /** How values add up: as whole numbers, or as doubles. Without it, a sum of them means nothing. */
  readonly adds?: "whole" | "float"
  /**
   * Set where the values of a dictionary column are no texts: the dictionary has the `toText` of each, and `unpack` makes a
   * new value of it whenever it is read. As JSON that text stands as it is, or as a string.
   */
  readonly packing?: "json" | "string"
  /** The value whose `toText` is this text, or `Invalid`, which it may hold, too, where the text is none. Packed types have it. */
  unpack?(this: void, text: string): T | Invalid
  /** Whether its values are bytes, as a `Uint8Array`. */
  readonly isBytes?: true
  /** What a list is of. */
  readonly element?: ColumnType
  /** The closed list of texts of a dictionary column whose codes are fixed, such as an enum. */
  readonly symbols?: readonly string[]
  /** The fields of a struct, in order. */
  readonly fields?: readonly { readonly name: string; readonly type: ColumnType }[]
  /** `undefined` where the JavaScript value is one of this type, else a clause that goes on after "is". */
  check(value: unknown): string | undefined
  /** From a CSV field, already unquoted. */
  fromText(text: string): T | Invalid
  /** From a parsed JSON value. `raw` is the number's own text, where the reader still has it. */
  fromJson(value: unknown, raw?: string): T | Invalid
  /**
   * Stores what the ASCII text `bytes[start, end)` stands for as value `row`, without allocation, and gives whether it
   * has: not where only `fromText` knows. `slots` are those of the type's storage. Kinds whose values are numbers or
   * bigints have it, for decoders' hot loops. In JSON it reads the digits of a number, and what stands between quotes
   * where `isQuotedInJson`.
   */
  fromBytes?(this: void, bytes: Uint8Array, start: number, end: number, slots: Slots, row: number): boolean
  /**
   * Writes what `toText` gives for value `row` at `bytes[at]`, without allocation, at most `NUMBER_BYTES_MAX` bytes, and
   * gives where it ends; -1 where only `toText` and `toJson` know. Kinds that have `fromBytes` have it, for encoders'
   * hot loops. JSON has it within quotes where `isQuotedInJson`.
   */
  toBytes?(this: void, slots: Slots, row: number, bytes: Uint8Array, at: number): number
  /** Whether JSON has its values in strings. */
  readonly isQuotedInJson?: true
  /** Whether its values are parameters that nobody may see: see `t.secret`. No column has such a type. */
  readonly isSecret?: true
  /** Whether every text is a value as it stands, so that decoders need not ask `fromText` or `fromJson`. */
  readonly isAnyText?: true
  /** Set where the values are points in time: the zone of local times, and what bare numbers count since 1970. */
  readonly instant?: { readonly zone: TimeZone | undefined; readonly unit: EpochUnit | undefined }
  /** Whether the values are days since 1970-01-01. */
  readonly isDate?: true
  /** Set where the values are lengths of time: what bare numbers count. */
  readonly span?: { readonly unit: EpochUnit | undefined }
  /** Whether its text is ISO 8601, so that text with an offset stands for one time whatever the type's options. */
  readonly isIsoText?: true
  /** As a CSV field, before quoting. */
  toText(value: T): string
  /** As JSON text. */
  toJson(value: T): string
}

declare const VALUE: unique symbol

/**
 * The type of a column: a definition with nullability, source name and default.
 *
 * `T` is the type of its values in lambdas; `K` the name of its kind.
 *
 * @example
 * ```ts
 * import { t, type ColumnType } from "tidemark"
 *
 * const amount: ColumnType<number | null, "float64"> = t.float64.nullable()
 * ```
 */
export class ColumnType<out T = unknown, out K extends string = string> {
  declare readonly [VALUE]: T
  readonly definition: TypeDefinition
  readonly isNullable: boolean
  /** The field's name in the input, where it differs from the column's. It says nothing about output. */
  readonly sourceName: string | undefined
  /** What stands for a field that is missing, where given. */
  readonly defaultValue: unknown
  readonly hasDefault: boolean

  constructor(
    definition: TypeDefinition,
    options: {
      isNullable?: boolean
      sourceName?: string | undefined
      defaultValue?: unknown
      hasDefault?: boolean
    } = {},
  ) {
    this.definition = definition
    this.isNullable = options.isNullable ?? false
    this.sourceName = options.sourceName
    this.defaultValue = options.defaultValue
    this.hasDefault = options.hasDefault ?? false
    const problem = this.hasDefault ? this.check(this.defaultValue) : undefined
    if (problem !== undefined) {
      throw new TidemarkError("invalid-schema", `A default of the type ${this.label} is ${problem}.`)
    }
  }

  get kind(): K {
    return this.definition.kind as K
  }

  get storage(): Storage {
    return this.definition.storage
  }

  /** What its values are: the kind with its options and `?` where it may be null, such as `timestamp(zone="UTC")?`. */
  get label(): string {
    return this.isNullable ? `${this.definition.label}?` : this.definition.label
  }

  /** The label, and how the column is read: its source name and its default, where given. */
  get fullLabel(): string {
    const source = this.sourceName === undefined ? "" : ` from ${JSON.stringify(this.sourceName)}`
    return `${this.label}${source}${this.hasDefault ? ` default ${this.toJson(this.defaultValue)}` : ""}`
  }

  /** The same type, whose values may also be null. A field that is missing or empty reads as null. */
  nullable(): ColumnType<T | null, K> {
    return new ColumnType<T | null, K>(this.definition, { ...this.#options(), isNullable: true })
  }

  /** The same type without null, and without a default of null. */
  required(): ColumnType<NonNullable<T>, K> {
    const { hasDefault, defaultValue } = this
    const options = { ...this.#options(), isNullable: false, hasDefault: hasDefault && defaultValue !== null }
    return new ColumnType<NonNullable<T>, K>(this.definition, options)
  }

  /** The same type, read from a field of another name. Sinks write the column under its own name. */
  from(sourceName: string): ColumnType<T, K> {
    return new ColumnType<T, K>(this.definition, { ...this.#options(), sourceName })
  }

  /** The same type with a value that stands for a missing field. */
  default(defaultValue: T): ColumnType<T, K> & { readonly hasDefault: true } {
    const type = new ColumnType<T, K>(this.definition, { ...this.#options(), defaultValue, hasDefault: true })
    return type as ColumnType<T, K> & { readonly hasDefault: true }
  }

  /** `undefined` where the value belongs to this type, else a clause that goes on after "is". */
  check(value: unknown): string | undefined {
    if (value === null) return this.isNullable ? undefined : "null, and the column is not nullable"
    return this.definition.check(value)
  }

  /** What stands for a field that the record lacks: the default, else null where that is allowed. */
  fromMissing(): unknown {
    if (this.hasDefault) return this.defaultValue
    return this.isNullable ? null : new Invalid("missing")
  }

  /**
   * The value of a CSV field, already unquoted, or `Invalid`. An empty field is a missing one (TY21), but for a string
   * column that has neither default nor null, and for one whose field is quoted: there it is the empty text.
   */
  fromText(text: string, isQuoted = false): unknown {
    const value = this.definition.fromText(text)
    if (text !== "" || (isQuoted && !(value instanceof Invalid))) return value
    const missing = this.fromMissing()
    return missing instanceof Invalid ? (value instanceof Invalid ? new Invalid("empty") : value) : missing
  }

  /** The value of a parsed JSON value, or `Invalid`. `raw` is a number's own text, where the reader still has it. */
  fromJson(value: unknown, raw?: string): unknown {
    if (value !== null) return this.definition.fromJson(value, raw)
    return this.isNullable ? null : new Invalid("null, and the column is not nullable")
  }

  /** As a CSV field, before quoting; null is the empty field. */
  toText(value: unknown): string {
    return value === null ? "" : this.definition.toText(value)
  }

  /** As JSON text. */
  toJson(value: unknown): string {
    return value === null ? "null" : this.definition.toJson(value)
  }

  #options() {
    const { isNullable, sourceName, defaultValue, hasDefault } = this
    return { isNullable, sourceName, defaultValue, hasDefault }
  }
}

/** Whether values of the type tell groups apart, so that they are keys. */
export function isKeyable(type: Pick<ColumnType, "definition">): boolean {
  return whyNoKey(type) === undefined
}

/** Why values of the type are no keys, as a clause behind "is". */
export function whyNoKey(type: Pick<ColumnType, "definition">): string | undefined {
  const nouns = nounsOf(type)
  return nouns && `${nouns.one}, and ${nouns.many} are no keys`
}

/** What a value of the type is called, and several are, where it is made of others. */
export function nounsOf({ definition }: Pick<ColumnType, "definition">): { one: string; many: string } | undefined {
  if (definition.typeOf === "any") return { one: "JSON", many: "JSON values" }
  if (definition.typeOf !== "object") return undefined
  if (definition.element !== undefined) return { one: "a list", many: "lists" }
  return definition.isBytes === true ? { one: "bytes", many: "bytes" } : { one: "an object", many: "objects" }
}

/** The type of a column's values in lambdas. */
export type ValueOf<C> = C extends ColumnType<infer T, string> ? T : never
