/** The encoders' slow and obvious twins: rows as text, by the types' own `toJson` and `toText`. */
import type { Schema } from "../batch/schema.ts"

type Row = Readonly<Record<string, unknown>>

/** Rows as JSON lines. */
export function jsonLinesText(schema: Schema, rows: readonly Row[]): string {
  return rows
    .map((row) => {
      const members = schema.fields.map(({ name, type }) => `${JSON.stringify(name)}:${type.toJson(row[name])}`)
      return `{${members.join(",")}}\n`
    })
    .join("")
}

/** Rows as CSV, without a header. */
export function csvText(schema: Schema, rows: readonly Row[], delimiter: string, quote: string): string {
  return rows
    .map((row) => {
      const fields = schema.fields.map(({ name, type }) => {
        const text = type.toText(row[name])
        const isSpecial =
          [delimiter, quote, "\n", "\r"].some((special) => text.includes(special)) || text.startsWith("\ufeff")
        const isEmptyText = text === "" && row[name] !== null && (type.isNullable || type.hasDefault)
        return isSpecial || isEmptyText ? quote + text.replaceAll(quote, quote + quote) + quote : text
      })
      return `${fields.join(delimiter) || quote + quote}\n`
    })
    .join("")
}
