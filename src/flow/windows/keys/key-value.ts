/**
 * Values of keys as bytes of state. How a value is written follows from its type alone:
 *
 *     bit            uint8        0 or 1
 *     int32, int64   int64
 *     float64        float64
 *     dictionary     text         varint length, UTF-8
 */
import type { ByteReader } from "../../../base/bytes.ts"
import type { ColumnType } from "../../../batch/type.ts"

/**
 * Reads a value that is not null.
 *
 * @throws RangeError or TypeError where the bytes are no value of the type.
 */
export function readKeyValue(type: ColumnType, from: ByteReader): unknown {
  const value = readAny(type, from)
  const problem = type.check(value)
  if (problem !== undefined) throw new RangeError(`a value of the type ${type.label} is ${problem}`)
  return value
}

function readAny(type: ColumnType, from: ByteReader): unknown {
  switch (type.storage) {
    case "bit": {
      const flag = from.uint8()
      if (flag > 1) throw new RangeError(`${flag} stands for a flag`)
      return flag === 1
    }
    case "int32":
      return from.int53()
    case "int64": {
      if (type.definition.typeOf === "number") return from.int53()
      const value = from.int64()
      return type.definition.isUnsigned ? BigInt.asUintN(64, value) : value
    }
    case "float64":
      return from.float64()
    case "dictionary":
      return from.text()
    case "struct":
      throw new TypeError("objects are no keys")
  }
}
