/**
 * Values of column types as plain values: their bytes in state, and the one value that stands for all that a column would
 * give back as the same.
 *
 * A value that may be null has a byte in front: 0 null, 1 not. Then numbers have 8 bytes as a double, bigints 8 bytes, a
 * boolean one; a text is its UTF-8 behind its length; an object its fields, in order; anything else the text that stands for it.
 *
 * Invariants:
 * - VB1 `readValue` of what `writeValue` wrote is `heldValue` of what was written, bit for bit (NaN is one value).
 * - VB2 `heldValue` is a fixed point: what it gives, it gives back as it is.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import { frozenValue } from "../../batch/value-codec.ts"

type Row = Readonly<Record<string, unknown>>

/** Appends a value that belongs to the type. */
export function writeValue(type: ColumnType, value: unknown, out: ByteWriter): void {
  if (type.isNullable) {
    out.uint8(value === null ? 0 : 1)
    if (value === null) return
  }
  switch (type.definition.typeOf) {
    case "number":
      return out.float64(value as number)
    case "bigint":
      return out.int64(BigInt.asIntN(64, value as bigint))
    case "boolean":
      return out.uint8(value === true ? 1 : 0)
    case "string":
      return out.text(value as string)
    case "any":
    case "object": {
      const { fields } = type.definition
      if (fields === undefined) return out.text(type.toText(value))
      for (const field of fields) writeValue(field.type, (value as Row)[field.name], out)
    }
  }
}

/**
 * Reads a value.
 *
 * @throws RangeError where the bytes are no value of the type.
 */
export function readValue(type: ColumnType, from: ByteReader): unknown {
  if (type.isNullable && from.uint8() === 0) return null
  const value = readPresent(type, from)
  // What the fields of an object are was checked as each was read.
  const problem = type.storage === "struct" ? undefined : type.check(value)
  if (problem !== undefined) throw new RangeError(`a value of the type ${type.label} is ${problem}`)
  return value
}

function readPresent(type: ColumnType, from: ByteReader): unknown {
  switch (type.definition.typeOf) {
    case "number":
      return from.float64()
    case "bigint": {
      const value = from.int64()
      // A type of unsigned numbers has its upper half where int64 has the negative ones.
      return type.check(value) === undefined ? value : BigInt.asUintN(64, value)
    }
    case "boolean":
      return from.uint8() !== 0
    case "string":
      return from.text()
    case "any":
    case "object": {
      const { fields } = type.definition
      if (fields === undefined) return frozenValue(type, from.text())
      return Object.freeze(Object.fromEntries(fields.map((field) => [field.name, readValue(field.type, from)])))
    }
  }
}

/**
 * What a column of the type holds of a value that belongs to it: objects have their declared fields and no others and are
 * frozen, whole numbers no −0, singles 24 bits, texts no lone surrogates.
 */
export function heldValue(type: ColumnType, value: unknown): unknown {
  if (value === null) return null
  const { typeOf, storage, fields, isSingle } = type.definition
  switch (typeOf) {
    case "number":
      if (isSingle === true) return Math.fround(value as number)
      return storage === "float64" ? value : (value as number) + 0
    case "string":
      return type.fromText(value as string, true)
    case "any":
    case "object": {
      if (fields === undefined) return frozenValue(type, type.toText(value))
      const held: Record<string, unknown> = {}
      for (const field of fields) held[field.name] = heldValue(field.type, (value as Row)[field.name])
      return Object.freeze(held)
    }
    default:
      return value
  }
}
