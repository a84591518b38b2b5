/**
 * Where single values end that `value-codec.ts` has written, without reading them.
 *
 * Invariant:
 * - VK1 A value that `writeTyped` wrote ends where its skip ends. Other bytes are skipped up to some place within them, or refused: what they
 *   say is looked at by who reads them.
 */
import { unreachable } from "../base/assert.ts"
import type { ByteReader } from "../base/bytes.ts"
import type { ColumnType } from "./type.ts"

/**
 * Leaves out the next value.
 *
 * @throws RangeError where the bytes end before it does.
 */
export type Skip = (from: ByteReader) => void

/** Bytes of numbers, whatever their type. */
const NUMBER_BYTES = 8

/** Stands for as many bytes as a varint says that comes before them. */
export const COUNTED_BYTES = -1

/** How many bytes each value of a type has; `undefined` where that depends on more than one number. */
export function bytesOf({ definition, isNullable }: ColumnType): number | undefined {
  if (isNullable || definition.storage === "struct") return undefined
  if (definition.storage === "dictionary") return COUNTED_BYTES
  return definition.storage === "bit" ? 1 : NUMBER_BYTES
}

/** Leaves out values of a type. */
export function skipOf(type: ColumnType): Skip {
  const present = skipPresent(type)
  if (!type.isNullable) return present
  return (from) => {
    if (from.uint8() !== 0) present(from)
  }
}

function skipPresent({ definition }: ColumnType): Skip {
  switch (definition.storage) {
    case "bit":
      return skipBytes(1)
    case "int32":
    case "float64":
    case "int64":
      return skipBytes(NUMBER_BYTES)
    case "dictionary":
      return (from) => {
        from.skip(from.varint())
      }
    case "struct": {
      const fields = definition.fields!.map(({ type }) => skipOf(type))
      return (from) => {
        for (const field of fields) field(from)
      }
    }
    default:
      return unreachable(definition.storage, "a column's storage")
  }
}

function skipBytes(count: number): Skip {
  return (from) => {
    from.skip(count)
  }
}
