/**
 * Rows as bytes of state, their values in the order of the schema. Each is uint8 1 and the value, or 0 where it is null:
 *
 *     bit            uint8        0 or 1
 *     int32          float64
 *     int64          int64
 *     float64        float64
 *     dictionary     text         varint length, UTF-8
 *     struct         its fields, as a row
 */
import { unreachable } from "../base/assert.ts"
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { Field } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"

type Row = Readonly<Record<string, unknown>>

/** Writes a row whose values have passed their types' checks. */
export function writeRow(fields: readonly Field[], row: Row, out: ByteWriter): void {
  for (const { name, type } of fields) {
    const value = row[name]
    out.uint8(value === null ? 0 : 1)
    if (value !== null) writeValue(type, value, out)
  }
}

function writeValue({ definition }: ColumnType, value: unknown, out: ByteWriter): void {
  switch (definition.storage) {
    case "bit":
      return out.uint8(value === true ? 1 : 0)
    case "int32":
    case "float64":
      return out.float64(value as number)
    case "int64":
      return out.int64(BigInt(value as number | bigint))
    case "dictionary":
      return out.text(value as string)
    case "struct":
      return writeRow(definition.fields!, value as Row, out)
    default:
      return unreachable(definition.storage, "a type's storage")
  }
}

/**
 * Reads a row.
 *
 * @throws RangeError where the bytes are no row of these fields.
 */
export function readRow(fields: readonly Field[], from: ByteReader): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const value = readFlag(from) ? readValue(type, from) : null
    const problem = type.check(value)
    if (problem !== undefined) throw new RangeError(`a value of the type ${type.label} is ${problem}`)
    row[name] = value
  }
  return row
}

function readFlag(from: ByteReader): boolean {
  const flag = from.uint8()
  if (flag > 1) throw new RangeError(`${flag} stands for a flag`)
  return flag === 1
}

function readValue({ definition }: ColumnType, from: ByteReader): unknown {
  switch (definition.storage) {
    case "bit":
      return readFlag(from)
    case "int32":
    case "float64":
      return from.float64()
    case "int64": {
      const value = from.int64()
      return definition.typeOf === "bigint" ? value : Number(value)
    }
    case "dictionary":
      return from.text()
    case "struct":
      return readRow(definition.fields!, from)
    default:
      return unreachable(definition.storage, "a type's storage")
  }
}

/** A copy that shares no object with the row. */
export function copyRow(fields: readonly Field[], row: Row): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const { name, type } of fields) {
    const value = row[name]
    const inner = type.definition.fields
    copy[name] = inner === undefined || value === null ? value : copyRow(inner, value as Row)
  }
  return copy
}
