/**
 * Single values of a column type as bytes, and as what they are once they are stored: for state that is kept as plain
 * JavaScript values.
 *
 * Bytes of a value (numbers little-endian; the type is known to the reader):
 *
 *     nullable types   uint8 0 null, 1 a value follows
 *     bit              uint8
 *     int32, float64   float64
 *     int64            int64 (bigints), float64 (numbers)
 *     dictionary       text: the value, or what stands for it
 *     struct           its fields, in order
 *
 * Invariants:
 * - VC1 `readTyped` gives back what `writeTyped` wrote, bit for bit, where it was settled.
 * - VC2 What `settled` gives is what a column gives back that the value was written to, and nobody can change it.
 */
import { unreachable } from "../base/assert.ts"
import type { ByteReader, ByteWriter } from "../base/bytes.ts"
import { Invalid, type ColumnType } from "./type.ts"

/** Appends a settled value of the type. */
export function writeTyped(out: ByteWriter, type: ColumnType, value: unknown): void {
  if (type.isNullable) out.uint8(value === null ? 0 : 1)
  if (value === null) return
  const { definition } = type
  switch (definition.storage) {
    case "bit":
      out.uint8(value === true ? 1 : 0)
      break
    case "int32":
    case "float64":
      out.float64(value as number)
      break
    case "int64":
      if (definition.typeOf === "bigint") out.int64(value as bigint)
      else out.float64(value as number)
      break
    case "dictionary":
      out.text(definition.packing === undefined ? (value as string) : definition.toText(value))
      break
    case "struct":
      for (const field of definition.fields!) {
        writeTyped(out, field.type, (value as Readonly<Record<string, unknown>>)[field.name])
      }
      break
    default:
      unreachable(definition.storage, "a column's storage")
  }
}

/**
 * Reads a value of the type, settled.
 *
 * @throws RangeError where the bytes are none.
 */
export function readTyped(from: ByteReader, type: ColumnType): unknown {
  const value = type.isNullable && from.uint8() === 0 ? null : readPresent(from, type)
  const problem = type.check(value)
  if (problem !== undefined) throw new RangeError(`a value of the type ${type.label} is ${problem}`)
  return value
}

function readPresent(from: ByteReader, type: ColumnType): unknown {
  const { definition } = type
  switch (definition.storage) {
    case "bit":
      return from.uint8() === 1
    case "int32":
    case "float64":
      return from.float64()
    case "int64":
      if (definition.typeOf !== "bigint") return from.float64()
      return definition.isUnsigned === true ? BigInt.asUintN(64, from.int64()) : from.int64()
    case "dictionary":
      return definition.packing === undefined ? from.text() : frozenValue(type, from.text())
    case "struct":
      return Object.freeze(
        Object.fromEntries(definition.fields!.map(({ name, type: inner }) => [name, readTyped(from, inner)])),
      )
    default:
      return unreachable(definition.storage, "a column's storage")
  }
}

/** A value that has passed the type's check, as it is once it is stored. */
export function settled(type: ColumnType, value: unknown): unknown {
  if (value === null) return null
  const { definition } = type
  switch (definition.storage) {
    case "bit":
      return value
    case "float64":
      return definition.isSingle === true ? Math.fround(value as number) : value
    case "int32":
    case "int64":
      // Whole numbers have one zero.
      return value === 0 ? 0 : value
    case "dictionary":
      if (definition.packing !== undefined) return frozenValue(type, definition.toText(value))
      return definition.fromText(value as string)
    case "struct": {
      const object = value as Readonly<Record<string, unknown>>
      const fields = definition.fields!.map(({ name, type: inner }) => [name, settled(inner, object[name])])
      return Object.freeze(Object.fromEntries(fields) as Record<string, unknown>)
    }
    default:
      return unreachable(definition.storage, "a column's storage")
  }
}

/**
 * The value of a packed type that a text stands for, which nobody can change; but the elements of an array of bytes cannot be
 * frozen.
 *
 * @throws RangeError where the text stands for none.
 */
export function frozenValue(type: ColumnType, text: string): unknown {
  const value = type.definition.unpack!(text)
  if (value instanceof Invalid) throw new RangeError(`a value of the type ${type.label} is ${value.reason}`)
  return deeplyFrozen(value)
}

function deeplyFrozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) deeplyFrozen(part)
  return Object.freeze(value)
}
