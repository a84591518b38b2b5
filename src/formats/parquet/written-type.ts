/** How a column's type stands in a Parquet file that is written: its physical type, and what is said of its meaning. */
import type { ColumnType } from "../../batch/type.ts"
import type { HeldColumn } from "../held-columns.ts"
import type { ThriftWriter } from "./thrift-writer.ts"

/** Numbers of physical types. */
export const PHYSICAL = { BOOLEAN: 0, INT32: 1, INT64: 2, FLOAT: 4, DOUBLE: 5, BYTE_ARRAY: 6 } as const

/** How values are written. */
export type WrittenPhysical = keyof typeof PHYSICAL

/** See the head of this file. */
export interface WrittenType {
  readonly physical: WrittenPhysical
  /** The number of the converted type, by which older readers know the meaning; `undefined` where there is none. */
  readonly converted: number | undefined
  /** Writes the logical type, a union. */
  readonly logical: ((out: ThriftWriter) => void) | undefined
  /** Whether values compare as signed numbers, or as bytes: then the least and the greatest are told. */
  readonly isOrdered: boolean
}

const CONVERTED = { utf8: 0, date: 6, timestampMicros: 10, json: 19, uint: { 8: 11, 16: 12, 32: 13, 64: 14 } } as const
const SIGNED = { 8: 15, 16: 16 } as const
/** Fields of the union of logical types. */
const LOGICAL = { string: 1, date: 6, timestamp: 8, integer: 10, json: 12 } as const

const TEXT = plain("BYTE_ARRAY", CONVERTED.utf8, LOGICAL.string, true)
const JSON_TEXT = plain("BYTE_ARRAY", CONVERTED.json, LOGICAL.json, false)
const BYTES: WrittenType = { physical: "BYTE_ARRAY", converted: undefined, logical: undefined, isOrdered: false }
const DATE = plain("INT32", CONVERTED.date, LOGICAL.date, true)
const TIMESTAMP: WrittenType = {
  physical: "INT64",
  converted: CONVERTED.timestampMicros,
  logical: (out) => {
    out.struct(LOGICAL.timestamp, () => {
      out.bool(1, true)
      // The unit, a union of which the second field is microseconds.
      out.struct(2, () => {
        out.struct(2, nothing)
      })
    })
  },
  isOrdered: true,
}

/** Whether the type's values stand as their text: Parquet has no lengths of time that other readers know. */
export function standsAsText({ definition }: ColumnType): boolean {
  return definition.span !== undefined
}

/** How a column stands in the file. */
export function writtenType({ type, form }: HeldColumn): WrittenType {
  const { isBytes, isSingle, isDate, instant, packing, storage } = type.definition
  switch (form) {
    case "bits":
      return { physical: "BOOLEAN", converted: undefined, logical: undefined, isOrdered: false }
    case "float64":
      return { physical: isSingle ? "FLOAT" : "DOUBLE", converted: undefined, logical: undefined, isOrdered: true }
    case "texts":
      if (isBytes) return BYTES
      return packing === "json" || storage === "struct" ? JSON_TEXT : TEXT
    case "int32":
      return isDate ? DATE : wholeType(type, "INT32")
    case "int64":
      return instant === undefined ? wholeType(type, "INT64") : TIMESTAMP
  }
}

/** Whole numbers: of a narrower range than their physical type has, or without a sign, they say so. */
function wholeType({ definition }: ColumnType, held: "INT32" | "INT64"): WrittenType {
  const { range, isUnsigned } = definition
  if (isUnsigned) return integer("INT64", 64, false)
  const bits = [8, 16, 32].find((each) => range?.greatest === 2 ** each - 1 || range?.greatest === 2 ** (each - 1) - 1)
  if (bits === undefined || range === undefined)
    return { physical: held, converted: undefined, logical: undefined, isOrdered: true }
  const isSigned = range.least < 0
  if (isSigned && bits === 32) return { physical: "INT32", converted: undefined, logical: undefined, isOrdered: true }
  return integer("INT32", bits as 8 | 16 | 32, isSigned)
}

function integer(physical: "INT32" | "INT64", bits: 8 | 16 | 32 | 64, isSigned: boolean): WrittenType {
  return {
    physical,
    converted: isSigned ? SIGNED[bits as 8 | 16] : CONVERTED.uint[bits],
    logical: (out) => {
      out.struct(LOGICAL.integer, () => {
        out.i8(1, bits)
        out.bool(2, isSigned)
      })
    },
    isOrdered: isSigned || bits < 32,
  }
}

function plain(
  physical: WrittenPhysical,
  converted: number | undefined,
  field: number,
  isOrdered: boolean,
): WrittenType {
  return {
    physical,
    converted,
    logical: (out) => {
      out.struct(field, nothing)
    },
    isOrdered,
  }
}

function nothing(): void {
  // A struct without fields.
}
