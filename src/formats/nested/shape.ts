/**
 * How a file's column is made of values, objects and lists: what Parquet's groups and Arrow's children say, in one tree. `P` is
 * where a part of it lies in the file, which each format says in its own way.
 */
import type { FileColumn } from "../parquet/file-column.ts"
import { typeFor } from "../parquet/reading.ts"

/** A column of a file, or a part of one. */
export type Shape<P> = ValueShape<P> | ObjectShape<P> | ListShape<P>

interface PartShape<P> {
  readonly place: P
  /** Whether it may be null. */
  readonly isOptional: boolean
}

/** Values that are not made of others. */
export interface ValueShape<P> extends PartShape<P> {
  readonly kind: "value"
  readonly column: FileColumn
}

/** Parts by name. */
export interface ObjectShape<P> extends PartShape<P> {
  readonly kind: "object"
  readonly fields: readonly NamedShape<P>[]
}

/** Any number of one part. Maps are lists of objects with a key and a value. */
export interface ListShape<P> extends PartShape<P> {
  readonly kind: "list"
  readonly element: Shape<P>
}

/** A part with its name. */
export interface NamedShape<P> {
  readonly name: string
  readonly shape: Shape<P>
}

/** So much of a shape is told. */
const WORDS_MAX = 200

/** What a column holds, in the format's words: `list(object(id INT64, tag BYTE_ARRAY STRING))`. */
export function wordsOf(shape: Shape<unknown>): string {
  return cut(told(shape, ({ words }) => words, " "))
}

/** How a schema would declare it, or `undefined` where no type has its values. */
export function declarationOf(shape: Shape<unknown>): string | undefined {
  let isKnown = true
  const words = declared(shape, (column) => {
    const type = typeFor(column.meaning)
    if (type === undefined) isKnown = false
    return type ?? ""
  })
  return isKnown && words.length <= WORDS_MAX ? words : undefined
}

function told(shape: Shape<unknown>, value: (column: FileColumn) => string, sign: string): string {
  if (shape.kind === "value") return value(shape.column)
  if (shape.kind === "list") return `list(${told(shape.element, value, sign)})`
  let words = ""
  for (const { name, shape: part } of shape.fields) {
    // What is cut off in the end need not be told: schemas may be large.
    if (words.length > WORDS_MAX) break
    words += `${words === "" ? "" : ", "}${name}${sign}${told(part, value, sign)}`
  }
  return `object(${words})`
}

function declared(shape: Shape<unknown>, value: (column: FileColumn) => string): string {
  const type = declaredType(shape, value)
  return shape.isOptional ? `${type}.nullable()` : type
}

function declaredType(shape: Shape<unknown>, value: (column: FileColumn) => string): string {
  if (shape.kind === "value") return value(shape.column)
  if (shape.kind === "list") return `t.list(${declared(shape.element, value)})`
  let words = ""
  for (const { name, shape: part } of shape.fields) {
    if (words.length > WORDS_MAX) break
    words += `${words === "" ? "" : ", "}${nameOf(name)}: ${declared(part, value)}`
  }
  return `t.object({ ${words} })`
}

function nameOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

function cut(words: string): string {
  return words.length <= WORDS_MAX ? words : `${words.slice(0, WORDS_MAX)}…`
}
