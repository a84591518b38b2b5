/**
 * Values of any column type as bytes of state. How a value is written follows from its type alone:
 *
 *     bit          uint8        0 or 1
 *     int32        int64        as numbers are rare here, one form serves all whole numbers
 *     int64        int64
 *     float64      float64
 *     dictionary   text         varint length, UTF-8
 *     struct       its fields in order, each behind a uint8 where it may be null: 1 with a value, 0 without
 */
import { unreachable } from "../../base/assert.ts"
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { readFlag } from "./presence.ts"

/** Writes a value that is not null, as lambdas see it. */
export function writeValueState(type: ColumnType, value: unknown, out: ByteWriter): void {
  const { storage } = type
  switch (storage) {
    case "bit":
      out.uint8(value === true ? 1 : 0)
      return
    case "int32":
    case "int64":
      out.int64(BigInt(value as number | bigint))
      return
    case "float64":
      out.float64(value as number)
      return
    case "dictionary":
      out.text(value as string)
      return
    case "struct":
      for (const field of type.definition.fields ?? []) {
        const member = (value as Readonly<Record<string, unknown>>)[field.name]
        if (field.type.isNullable) out.uint8(member === null ? 0 : 1)
        if (member !== null) writeValueState(field.type, member, out)
      }
      return
    default:
      unreachable(storage, "a type's storage")
  }
}

/**
 * Reads a value that is not null.
 *
 * @throws RangeError or TypeError where the bytes are no value of the type.
 */
export function readValueState(type: ColumnType, from: ByteReader): unknown {
  const value = readAny(type, from)
  const problem = type.check(value)
  if (problem !== undefined) throw new RangeError(`a value of the type ${type.label} is ${problem}`)
  return value
}

function readAny(type: ColumnType, from: ByteReader): unknown {
  const { storage } = type
  switch (storage) {
    case "bit":
      return readFlag(from)
    case "int32":
      return Number(from.int64())
    case "int64": {
      const value = from.int64()
      return type.kind === "int64" ? value : Number(value)
    }
    case "float64":
      return from.float64()
    case "dictionary":
      return from.text()
    case "struct": {
      const object: Record<string, unknown> = {}
      for (const field of type.definition.fields ?? []) {
        const isPresent = !field.type.isNullable || readFlag(from)
        object[field.name] = isPresent ? readAny(field.type, from) : null
      }
      return object
    }
    default:
      return unreachable(storage, "a type's storage")
  }
}
