/** Which columns of a file are read, and into which fields of the schema. */
import { nameHint } from "../../base/did-you-mean.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Schema } from "../../batch/schema.ts"
import { Invalid, type ColumnType } from "../../batch/type.ts"
import type { FileColumn } from "./file-column.ts"
import { planNested, Unfit, type Nested } from "../nested/nested-plan.ts"
import { wordsOf, type NamedShape } from "../nested/shape.ts"
import type { Reading } from "./reading.ts"

/** A field that the file has: a column of values, or one that is made of several. */
export type PlannedColumn<P> = FlatColumn<P> | NestedColumn<P>

interface PlannedBase {
  /** Its place in the schema. */
  readonly field: number
  /** Its place among the file's columns. */
  readonly index: number
  /** Its name in the file. */
  readonly name: string
}

/** A column of values. */
export interface FlatColumn<P> extends PlannedBase {
  readonly kind: "flat"
  readonly place: P
  readonly column: FileColumn
  readonly type: ColumnType
  readonly reading: Reading
}

/** A column of lists or objects. */
export interface NestedColumn<P> extends PlannedBase {
  readonly kind: "nested"
  readonly plan: Nested<P>
}

/**
 * The columns of the file that the schema reads. A field that the file does not have is its default or null.
 *
 * @throws TidemarkError `source-unreadable` where the file lacks a column, has it twice, or has another type.
 */
export function planColumns<P>(columns: readonly NamedShape<P>[], schema: Schema, label: string): PlannedColumn<P>[] {
  const names = columns.map(({ name }) => name)
  return schema.fields.flatMap(({ name, type }, field): PlannedColumn<P>[] => {
    const source = type.sourceName ?? name
    const index = names.indexOf(source)
    if (index < 0) {
      if (type.fromMissing() instanceof Invalid) throw lacking(source, names, label)
      return []
    }
    if (index !== names.lastIndexOf(source)) {
      throw new TidemarkError("source-unreadable", `${quoted(source, label)} stands twice in it.`)
    }
    const { shape } = columns[index]!
    const plan = planNested(shape, type)
    if (plan instanceof Unfit) {
      const message = `${quoted(source, label)} holds ${wordsOf(shape)}, and the schema asks for ${type.label}.`
      throw new TidemarkError("source-unreadable", message, { hint: plan.hint })
    }
    const base = { field, index, name: source }
    if (plan.kind !== "value") return [{ kind: "nested", ...base, plan }]
    const { place, column, reading } = plan
    return [{ kind: "flat", ...base, place, column, type, reading }]
  })
}

function lacking(source: string, names: readonly string[], label: string): TidemarkError {
  const mend = "Name the column with .from(...), make it nullable, or give it a default."
  return new TidemarkError("source-unreadable", `${sentence(label)} has no column ${JSON.stringify(source)}.`, {
    hint: `${nameHint(source, [...new Set(names)], "columns")} ${mend}`,
  })
}

function quoted(source: string, label: string): string {
  return `The column ${JSON.stringify(source)} of ${label}`
}

function sentence(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1)
}
