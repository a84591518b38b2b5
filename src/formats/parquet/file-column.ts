/**
 * What a column of a file holds: Parquet's physical types (how values are written) and what they mean
 * (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md), in old files said by "converted types".
 */
import type { FileMetaData } from "hyparquet"
import { demand } from "./malformed.ts"

/** An element of a schema, which is a tree written from its root on. */
export type SchemaElement = FileMetaData["schema"][number]

/** How values are written. */
export type PhysicalType = NonNullable<SchemaElement["type"]>

/** What values mean. */
export type Meaning =
  | { readonly kind: "bool" | "float32" | "float64" | "float16" | "date" | "text" }
  | { readonly kind: "integer"; readonly bits: number; readonly isSigned: boolean }
  | { readonly kind: "timestamp"; readonly unit: "s" | "ms" | "us" | "ns" | "int96"; readonly isUtc: boolean }
  /** Lengths of time; Parquet has none. */
  | { readonly kind: "duration"; readonly unit: "s" | "ms" | "us" | "ns" }
  | { readonly kind: "decimal"; readonly scale: number }
  /** Bytes of which nothing is said. */
  | { readonly kind: "bytes"; readonly isMaybeText: boolean }
  /** What no column type has. */
  | { readonly kind: "other" }

/** The values of a column of a file, or of a part of one that is not made of others. */
export interface FileColumn {
  /** The name of the column, or of the outermost group that it is a part of. */
  readonly name: string
  readonly physical: PhysicalType
  /** How many bytes a value of FIXED_LEN_BYTE_ARRAY has. */
  readonly valueBytes: number
  /** Whether it may be null. */
  readonly isOptional: boolean
  readonly meaning: Meaning
  /** What it holds, in Parquet's words: `INT64 TIMESTAMP(MICROS, UTC)`. */
  readonly words: string
}

/** A leaf of a Parquet file's schema. */
export interface Leaf extends FileColumn {
  /** The names of the groups that it lies in, and its own. */
  readonly path: readonly string[]
}

/** The most bytes of a value of FIXED_LEN_BYTE_ARRAY. */
const VALUE_BYTES_MAX = 1024 * 1024

/** What an element of a schema says that is a leaf, within some groups. */
export function leafOf(element: SchemaElement, groups: readonly SchemaElement[]): Leaf {
  const { type: physical, type_length: length = 0, repetition_type: repetition } = element
  const isFixed = physical === "FIXED_LEN_BYTE_ARRAY"
  demand(!isFixed || (length > 0 && length <= VALUE_BYTES_MAX), "a column of fixed length has none")
  return {
    name: (groups[0] ?? element).name,
    path: [...groups, element].map(({ name }) => name),
    physical: physical!,
    valueBytes: isFixed ? length : 0,
    isOptional: repetition !== "REQUIRED",
    meaning: meaningOf(element),
    words: leafWords(element),
  }
}

const UNITS = { MILLIS: "ms", MICROS: "us", NANOS: "ns" } as const

/** The meaning, where what is said of it fits the physical type. */
function meaningOf(element: SchemaElement): Meaning {
  const { type, type_length: length, logical_type: logical } = element
  // A logical type that the library does not know comes without a name.
  if (logical !== undefined && logical.type === undefined) return { kind: "other" }
  switch (type) {
    case "BOOLEAN":
      return { kind: "bool" }
    case "FLOAT":
      return { kind: "float32" }
    case "DOUBLE":
      return { kind: "float64" }
    case "INT96":
      return { kind: "timestamp", unit: "int96", isUtc: true }
    case "INT32":
      return decimalOf(element) ?? integerOf(element, 32)
    case "INT64":
      return decimalOf(element) ?? timestampOf(element) ?? integerOf(element, 64)
    case "BYTE_ARRAY":
      return decimalOf(element) ?? textOf(element)
    default:
      if (element.logical_type?.type === "FLOAT16" && length === 2) return { kind: "float16" }
      return decimalOf(element) ?? fixedBytesOf(element)
  }
}

function decimalOf({ logical_type: logical, converted_type: converted, scale }: SchemaElement): Meaning | undefined {
  if (logical?.type !== "DECIMAL" && converted !== "DECIMAL") return undefined
  const digits = (logical?.type === "DECIMAL" ? logical.scale : scale) ?? 0
  return digits >= 0 && digits <= 1000 ? { kind: "decimal", scale: digits } : { kind: "other" }
}

function timestampOf({ logical_type: logical, converted_type: converted }: SchemaElement): Meaning | undefined {
  if (logical?.type === "TIMESTAMP") {
    return { kind: "timestamp", unit: UNITS[logical.unit], isUtc: logical.isAdjustedToUTC }
  }
  if (converted === "TIMESTAMP_MILLIS") return { kind: "timestamp", unit: "ms", isUtc: true }
  if (converted === "TIMESTAMP_MICROS") return { kind: "timestamp", unit: "us", isUtc: true }
  return undefined
}

/** A whole number, or a date: INT32 and INT64 that nothing is said of are whole numbers. */
function integerOf({ logical_type: logical, converted_type: converted }: SchemaElement, width: 32 | 64): Meaning {
  if (logical?.type === "INTEGER") {
    const { bitWidth: bits, isSigned } = logical
    return bits <= width ? { kind: "integer", bits, isSigned } : { kind: "other" }
  }
  if (width === 32 && (logical?.type === "DATE" || converted === "DATE")) return { kind: "date" }
  const match = /^(U?)INT_(\d+)$/.exec(converted ?? "")
  if (match !== null && Number(match[2]) <= width) {
    return { kind: "integer", bits: Number(match[2]), isSigned: match[1] === "" }
  }
  if (logical !== undefined || converted !== undefined) return { kind: "other" }
  return { kind: "integer", bits: width, isSigned: true }
}

/** Bytes of a fixed length of which nothing is said. */
function fixedBytesOf({ logical_type: logical, converted_type: converted }: SchemaElement): Meaning {
  return logical === undefined && converted === undefined ? { kind: "bytes", isMaybeText: false } : { kind: "other" }
}

/** Text: also enums and JSON. Bytes that nothing is said of may be text, which older writers meant by them. */
function textOf({ logical_type: logical, converted_type: converted }: SchemaElement): Meaning {
  const said = logical?.type ?? converted
  if (said === undefined) return { kind: "bytes", isMaybeText: true }
  const isText = ["STRING", "ENUM", "JSON", "UTF8"].includes(said)
  return { kind: isText ? "text" : "other" }
}

function leafWords({
  type,
  type_length: length,
  logical_type: logical,
  converted_type: converted,
  scale,
}: SchemaElement): string {
  const physical = type === "FIXED_LEN_BYTE_ARRAY" ? `${type}(${length})` : type!
  if (logical === undefined) {
    if (converted === undefined) return physical
    return `${physical} ${converted}${converted === "DECIMAL" ? `(scale ${scale ?? 0})` : ""}`
  }
  if (logical.type === "TIMESTAMP" || logical.type === "TIME") {
    return `${physical} ${logical.type}(${logical.unit}, ${logical.isAdjustedToUTC ? "UTC" : "local"})`
  }
  if (logical.type === "INTEGER") return `${physical} ${logical.isSigned ? "INT" : "UINT"}_${logical.bitWidth}`
  if (logical.type === "DECIMAL") return `${physical} DECIMAL(scale ${logical.scale})`
  return `${physical} ${(logical as { type?: string }).type ?? "of an unknown logical type"}`
}
