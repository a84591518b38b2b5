/**
 * Rows as a table of text: a head, and a line for each row, in columns as wide as what stands in them. Numbers stand to the
 * right, other values to the left; null is an empty place. Control characters in texts are shown as U+FFFD.
 */
import type { Batch } from "../../batch/batch.ts"
import { readValue } from "../../batch/column.ts"
import type { Schema } from "../../batch/schema.ts"

/** A longer text is cut. */
const WIDTH_MAX = 60

/** Gathers rows, and gives them as a table. */
export class TableText {
  readonly #schema: Schema
  #rows: string[][] = []
  /** Letters in the rows gathered. */
  length = 0

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** Adds the rows of a batch that count. */
  add(batch: Batch): void {
    batch.forEachRow((row) => {
      const cells = this.#schema.fields.map(({ type }, column) => {
        const value = readValue(batch.columns[column]!, row)
        return value === null ? "" : shown(type.definition.toText(value))
      })
      this.#rows.push(cells)
      for (const cell of cells) this.length += cell.length
    })
  }

  /** The rows gathered since the last call; no text where there are none. */
  take(): string {
    const rows = this.#rows
    this.#rows = []
    this.length = 0
    if (rows.length === 0) return ""
    const { fields } = this.#schema
    const head = fields.map(({ name }) => shown(name))
    const widths = head.map((name, column) =>
      rows.reduce((width, row) => Math.max(width, row[column]!.length), name.length),
    )
    const isRight = fields.map(
      ({ type }) => type.storage !== "bit" && type.definition.typeOf !== "string" && type.kind !== "timestamp",
    )
    const line = (cells: readonly string[]): string => {
      const parts = cells.map((cell, column) =>
        isRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      return parts.join("  ").trimEnd()
    }
    const rule = widths.map((width) => "─".repeat(width)).join("  ")
    return [line(head), rule, ...rows.map(line), "", ""].join("\n")
  }
}

function shown(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, "\uFFFD")
  return plain.length <= WIDTH_MAX ? plain : `${plain.slice(0, WIDTH_MAX - 1)}…`
}
