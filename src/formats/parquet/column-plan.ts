/** Which columns of a file are read, and into which fields of the schema. */
import { nameHint } from "../../base/did-you-mean.ts"
import { TidemarkError } from "../../base/errors.ts"
import type { Schema } from "../../batch/schema.ts"
import { Invalid, type ColumnType } from "../../batch/type.ts"
import type { FileColumn } from "./file-column.ts"
import type { ParquetFooter } from "./footer.ts"
import { CODECS } from "./page-codecs.ts"
import { hintFor, readingOf, type Reading } from "./reading.ts"

/** A field that the file has. */
export interface PlannedColumn {
  /** Its place in the schema. */
  readonly field: number
  /** Its place among the file's columns. */
  readonly leaf: number
  readonly column: FileColumn
  readonly type: ColumnType
  readonly reading: Reading
}

/**
 * The columns of the file that the schema reads. A field that the file does not have is its default or null.
 *
 * @throws TidemarkError `source-unreadable` where the file lacks a column, has it twice, or has another type.
 */
export function planColumns(
  footer: Pick<ParquetFooter, "columns" | "groups">,
  schema: Schema,
  label: string,
): PlannedColumn[] {
  const names = footer.columns.map(({ name }) => name)
  return schema.fields.flatMap(({ name, type }, field) => {
    const source = type.sourceName ?? name
    const leaf = names.indexOf(source)
    if (leaf < 0) {
      if (type.fromMissing() instanceof Invalid) throw lacking(source, names, label)
      return []
    }
    const column = footer.columns[leaf]!
    if (column.isFlat && leaf !== names.lastIndexOf(source)) {
      throw new TidemarkError("source-unreadable", `${quoted(source, label)} stands twice in it.`)
    }
    const reading = column.isFlat ? readingOf(column, type) : undefined
    if (reading === undefined) {
      const message = `${quoted(source, label)} holds ${column.words}, and the schema asks for ${type.label}.`
      throw new TidemarkError("source-unreadable", message, { hint: hintFor(column, type) })
    }
    refuseCodecs(footer, leaf, quoted(source, label))
    return [{ field, leaf, column, type, reading }]
  })
}

function refuseCodecs({ groups }: Pick<ParquetFooter, "groups">, leaf: number, subject: string): void {
  const other = groups.map(({ chunks }) => chunks[leaf]!.codec).find((codec) => !CODECS.includes(codec))
  if (groups.every(({ chunks }) => CODECS.includes(chunks[leaf]!.codec))) return
  throw new TidemarkError("source-unreadable", `${subject} is compressed by ${other ?? "an unknown codec"}.`, {
    hint: "Write the file with Snappy, Zstandard or gzip, or without compression.",
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
