/** How a part of a file's column becomes values of a type: its shape and the type, side by side. */
import { nameHint } from "../../base/did-you-mean.ts"
import { Invalid, type ColumnType } from "../../batch/type.ts"
import type { FileColumn } from "../parquet/file-column.ts"
import { hintFor, readingOf, type Reading } from "../parquet/reading.ts"
import { declarationOf, type ObjectShape, type Shape } from "./shape.ts"

/** A part that is read. */
export type Nested<P> = NestedValue<P> | NestedObject<P> | NestedList<P>

interface NestedPart<P> {
  readonly place: P
  readonly type: ColumnType
}

/** Values that are not made of others. */
export interface NestedValue<P> extends NestedPart<P> {
  readonly kind: "value"
  readonly column: FileColumn
  readonly reading: Reading
}

/** An object: its fields in the order of the type. */
export interface NestedObject<P> extends NestedPart<P> {
  readonly kind: "object"
  readonly fields: readonly NestedField<P>[]
}

/** A field of an object. */
export interface NestedField<P> {
  readonly name: string
  /** Its name in the file, for what is said of it. */
  readonly source: string
  /** Undefined where the file does not have it; then `missing` stands for it. */
  readonly part: Nested<P> | undefined
  readonly missing: unknown
}

/** A list. */
export interface NestedList<P> extends NestedPart<P> {
  readonly kind: "list"
  readonly element: Nested<P>
}

/** Why a shape is not of a type. */
export class Unfit {
  readonly hint: string

  constructor(hint: string) {
    this.hint = hint
  }
}

/** How a column of the shape is read as one of the type, or why it is not. */
export function planNested<P>(shape: Shape<P>, type: ColumnType): Nested<P> | Unfit {
  const { fields, element } = type.definition
  const { place } = shape
  if (shape.kind === "value") {
    const { column } = shape
    const reading = readingOf(column, type)
    return reading === undefined ? new Unfit(hintFor(column, type)) : { kind: "value", place, type, column, reading }
  }
  if (shape.kind === "list" && element !== undefined) {
    const part = planNested(shape.element, element)
    return part instanceof Unfit ? part : { kind: "list", place, type, element: part }
  }
  if (shape.kind === "object" && fields !== undefined) return planObject(shape, type, fields)
  const declaration = declarationOf(shape)
  return new Unfit(
    declaration === undefined
      ? "Declare lists as t.list(...) and objects as t.object({ ... }), or leave the column out of the schema."
      : `Declare the column as ${declaration}.`,
  )
}

function planObject<P>(
  shape: ObjectShape<P>,
  type: ColumnType,
  fields: NonNullable<ColumnType["definition"]["fields"]>,
): Nested<P> | Unfit {
  const planned: NestedField<P>[] = []
  for (const { name, type: fieldType } of fields) {
    const source = fieldType.sourceName ?? name
    const named = shape.fields.filter((field) => field.name === source)
    if (named.length > 1) return new Unfit(`The field ${JSON.stringify(source)} stands twice in its objects.`)
    if (named.length === 0) {
      const missing = fieldType.fromMissing()
      if (missing instanceof Invalid) {
        const names = [...new Set(shape.fields.map((field) => field.name))]
        const mend = "Name the field with .from(...), make it nullable, or give it a default."
        return new Unfit(
          `Its objects have no field ${JSON.stringify(source)}. ${nameHint(source, names, "fields")} ${mend}`,
        )
      }
      planned.push({ name, source, part: undefined, missing })
      continue
    }
    const part = planNested(named[0]!.shape, fieldType)
    if (part instanceof Unfit) return part
    planned.push({ name, source, part, missing: undefined })
  }
  return { kind: "object", place: shape.place, type, fields: planned }
}

/** What stands for a null, or why there can be none. */
export function nullOf({ isNullable }: ColumnType): null | Invalid {
  return isNullable ? null : new Invalid("null, and the column is not nullable")
}
