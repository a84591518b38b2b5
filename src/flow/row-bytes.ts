/** Rows as bytes of state: their values (see `batch/value-codec.ts`) in the order of the schema. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Field } from "../batch/schema.ts"
import { readTyped, writeTyped } from "../batch/value-codec.ts"

type Row = Readonly<Record<string, unknown>>

/** Writes a row whose values have passed their types' checks. */
export function writeRow(fields: readonly Field[], row: Row, out: ByteWriter): void {
  for (const { name, type } of fields) writeTyped(out, type, row[name])
}

/**
 * Reads a row.
 *
 * @throws RangeError where the bytes are no row of these fields.
 */
export function readRow(fields: readonly Field[], from: ByteReader): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, type }) => [name, readTyped(from, type)]))
}

/** A copy that shares no object with the row. */
export function copyRow(fields: readonly Field[], row: Row): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const value = row[name]
    const { fields: inner, unpack } = type.definition
    if (value === null) copy[name] = null
    else if (inner !== undefined) copy[name] = copyRow(inner, value as Row)
    else copy[name] = unpack === undefined ? value : unpack(type.toText(value))
  }
  return copy
}
