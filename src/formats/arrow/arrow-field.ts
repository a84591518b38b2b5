/**
 * What a column of an Arrow file holds, in the words in which Parquet's columns are described (`parquet/file-column.ts`), as
 * both become a schema's columns in the same way; and how many buffers it has in each record batch.
 *
 * (https://arrow.apache.org/docs/format/Columnar.html, and `Schema.fbs` of the format)
 */
import type { Shape } from "../nested/shape.ts"
import type { FileColumn, Meaning } from "../parquet/file-column.ts"
import { demand } from "../parquet/malformed.ts"
import type { FlatTable } from "./flat-table.ts"
import { TYPE } from "./type-numbers.ts"

const NAMES = [
  ...["nothing", "Null", "Int", "FloatingPoint", "Binary", "Utf8", "Bool", "Decimal", "Date", "Time", "Timestamp"],
  ...["Interval", "List", "Struct", "Union", "FixedSizeBinary", "FixedSizeList", "Map", "Duration", "LargeBinary"],
  ...["LargeUtf8", "LargeList", "RunEndEncoded", "BinaryView", "Utf8View", "ListView", "LargeListView"],
]
/** How many buffers a type has, without those of its children: validity among them, which unions and runs do not have. */
const BUFFERS = [0, 0, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 2, 1, 2, 2, 3, 3, 2, 0, 2, 2, 3, 3]
const [UNION, BINARY_VIEW, UTF8_VIEW] = [14, 23, 24] as const
const UNITS = ["s", "ms", "us", "ns"] as const
/** No schema is nested deeper. */
const DEPTH_MAX = 64
/** No schema has more columns, with those within others: a table may stand for several, so few bytes could say very many. */
const COLUMNS_MAX = 100_000

/** How many more columns a schema may have. */
export interface ColumnBudget {
  left: number
}

export function columnBudget(): ColumnBudget {
  return { left: COLUMNS_MAX }
}

/** How a column lies in a record batch. */
export interface ArrowLayout {
  /** Its own buffers begin with validity, unless it has none. */
  readonly buffers: number
  /** Whether it has more of them in each batch than its type says. */
  readonly hasViews: boolean
  readonly children: readonly ArrowLayout[]
}

/** A column of a file. */
export interface ArrowField {
  readonly column: FileColumn
  readonly layout: ArrowLayout
  /** Bytes of a value, 0 for bits and texts: of an index, where there is a dictionary. */
  readonly width: number
  readonly isSigned: boolean
  /** Bytes of an offset of a text or of bytes; 0 for others. */
  readonly offsetWidth: 0 | 4 | 8
  /** The dictionary that values are indexes of. */
  readonly dictionary: bigint | undefined
  /** What it is made of, unless it has values of its own. */
  readonly nesting: ArrowNesting | undefined
}

/** How a column is made of others. */
type ArrowNesting =
  | { readonly kind: "object"; readonly children: readonly ArrowField[] }
  /** Elements of which offsets of so many bytes tell, or so many of them in each list. Those of maps have a key and a value. */
  | {
      readonly kind: "list"
      readonly offsetWidth: 4 | 8
      readonly size: undefined
      readonly isMap: boolean
      readonly element: ArrowField
    }
  | {
      readonly kind: "list"
      readonly offsetWidth: 0
      readonly size: number
      readonly isMap: false
      readonly element: ArrowField
    }

/** A column of a schema message, or one within it. */
export function arrowField(field: FlatTable, budget: ColumnBudget, depth = 0): ArrowField {
  demand(budget.left-- > 0, `its schema has more than ${COLUMNS_MAX} columns`)
  demand(depth < DEPTH_MAX, `its schema is nested deeper than ${DEPTH_MAX} levels`)
  const type = field.uint8(2, 0)
  const table = field.table(3)
  const encoding = field.table(4)
  const known = meaningOf(type, table)
  const isText = known.meaning.kind === "text" || known.meaning.kind === "bytes"
  const column: FileColumn = {
    name: field.text(0) ?? "",
    // A dictionary of anything but texts and bytes is not read.
    meaning: encoding === undefined || isText ? known.meaning : { kind: "other" },
    physical: known.physical,
    valueBytes: 0,
    isOptional: field.uint8(1, 0) !== 0,
    words: encoding === undefined ? known.words : `a dictionary of ${known.words}`,
  }
  const offsetWidth = !isText ? 0 : type === TYPE.largeUtf8 || type === TYPE.largeBinary ? 8 : 4
  if (encoding === undefined) {
    const children = field.tables(5).map((child) => arrowField(child, budget, depth + 1))
    const layout = layoutOf(type, table, children)
    const nesting = nestingOf(type, table, children)
    const { width, isSigned } = known
    return { column, layout, width, isSigned, offsetWidth, dictionary: undefined, nesting }
  }
  const index = encoding.table(1)
  const width = (index?.int32(0, 0) ?? 32) / 8
  demand([1, 2, 4, 8].includes(width), "indexes of a dictionary have another width than whole numbers")
  const isSigned = index === undefined || index.uint8(1, 0) !== 0
  const layout = { buffers: 2, hasViews: false, children: [] }
  return { column, layout, width, isSigned, offsetWidth, dictionary: encoding.id(0), nesting: undefined }
}

function layoutOf(type: number, table: FlatTable | undefined, children: readonly ArrowField[]): ArrowLayout {
  const buffers = BUFFERS[type]
  demand(buffers !== undefined, `it has a column of the type ${type}, which this reader does not know`)
  const isDense = type === UNION && (table?.int16(0, 0) ?? 0) === 1
  return {
    buffers: isDense ? 2 : buffers,
    hasViews: type === BINARY_VIEW || type === UTF8_VIEW,
    children: children.map(({ layout }) => layout),
  }
}

function nestingOf(
  type: number,
  table: FlatTable | undefined,
  children: readonly ArrowField[],
): ArrowNesting | undefined {
  if (type === TYPE.struct) return { kind: "object", children }
  const isMap = type === TYPE.map
  if (!isMap && type !== TYPE.list && type !== TYPE.largeList && type !== TYPE.fixedSizeList) return undefined
  const [element] = children
  demand(element !== undefined && children.length === 1, "a list has not one child")
  if (type === TYPE.fixedSizeList) {
    const size = table?.int32(0, 0) ?? 0
    demand(size >= 0, "lists of a fixed size have none")
    return { kind: "list", offsetWidth: 0, size, isMap: false, element }
  }
  const { nesting } = element
  demand(!isMap || (nesting?.kind === "object" && nesting.children.length === 2), "a map has no keys and values")
  return { kind: "list", offsetWidth: type === TYPE.largeList ? 8 : 4, size: undefined, isMap, element }
}

/** Where a part of a column lies: which field it is, and how to come to it from the column. */
export interface ArrowPlace {
  readonly field: ArrowField
  /** Children of children, by their numbers. */
  readonly path: readonly number[]
}

/** How a column is made of values, objects and lists. */
export function shapeOf(field: ArrowField, path: readonly number[] = []): Shape<ArrowPlace> {
  const { column, nesting } = field
  const { isOptional } = column
  const place = { field, path }
  if (nesting === undefined) return { kind: "value", isOptional, place, column }
  if (nesting.kind === "list") {
    const element = shapeOf(nesting.element, [...path, 0])
    return { kind: "list", isOptional, place, element: nesting.isMap ? pairOf(element) : element }
  }
  const fields = nesting.children.map((child, index) => {
    return { name: child.column.name, shape: shapeOf(child, [...path, index]) }
  })
  return { kind: "object", isOptional, place, fields }
}

/** The same with the names that keys and values have everywhere. */
function pairOf(shape: Shape<ArrowPlace>): Shape<ArrowPlace> {
  if (shape.kind !== "object") return shape
  return { ...shape, fields: shape.fields.map((part, index) => ({ ...part, name: index === 0 ? "key" : "value" })) }
}

interface KnownType {
  readonly meaning: Meaning
  readonly physical: FileColumn["physical"]
  readonly width: number
  readonly isSigned: boolean
  readonly words: string
}

function meaningOf(type: number, table: FlatTable | undefined): KnownType {
  const other = {
    meaning: { kind: "other" },
    physical: "BYTE_ARRAY",
    width: 0,
    isSigned: true,
    words: NAMES[type] ?? "an unknown type",
  } as const
  switch (type) {
    case TYPE.int:
      return wholeNumber(other, table?.int32(0, 0) ?? 0, (table?.uint8(1, 0) ?? 0) !== 0)
    case TYPE.float:
      return floating(other, table?.int16(0, 0) ?? 0)
    case TYPE.bool:
      return { ...other, meaning: { kind: "bool" }, physical: "BOOLEAN" }
    case TYPE.utf8:
    case TYPE.largeUtf8:
      return { ...other, meaning: { kind: "text" } }
    case TYPE.binary:
    case TYPE.largeBinary:
      return { ...other, meaning: { kind: "bytes", isMaybeText: false } }
    case TYPE.date: {
      // A date of milliseconds is a local time that should be midnight.
      const isDays = table?.int16(0, 1) === 0
      const meaning: Meaning = isDays ? { kind: "date" } : { kind: "timestamp", unit: "ms", isUtc: false }
      const words = isDays ? "Date(DAY)" : "Date(MILLISECOND)"
      return { ...other, meaning, physical: isDays ? "INT32" : "INT64", width: isDays ? 4 : 8, words }
    }
    case TYPE.timestamp: {
      const unit = UNITS[table?.int16(0, 0) ?? 0]
      demand(unit !== undefined, "a timestamp counts what this reader does not know")
      const isUtc = (table?.text(1) ?? "") !== ""
      const words = `Timestamp(${unit}, ${isUtc ? "UTC" : "local"})`
      return { ...other, meaning: { kind: "timestamp", unit, isUtc }, physical: "INT64", width: 8, words }
    }
    case TYPE.duration: {
      // A duration that does not say what it counts has milliseconds.
      const unit = UNITS[table?.int16(0, 1) ?? 1]
      demand(unit !== undefined, "a duration counts what this reader does not know")
      return { ...other, meaning: { kind: "duration", unit }, physical: "INT64", width: 8, words: `Duration(${unit})` }
    }
    default:
      return other
  }
}

function wholeNumber(other: KnownType, bits: number, isSigned: boolean): KnownType {
  demand([8, 16, 32, 64].includes(bits), "whole numbers have another width than 8 to 64 bits")
  const physical = bits === 64 ? "INT64" : "INT32"
  const words = `${isSigned ? "Int" : "Uint"}${bits}`
  return {
    meaning: { kind: "integer", bits, isSigned },
    physical,
    width: bits / 8,
    isSigned,
    words: words || other.words,
  }
}

function floating(other: KnownType, precision: number): KnownType {
  if (precision === 1) return { ...other, meaning: { kind: "float32" }, physical: "FLOAT", width: 4, words: "Float32" }
  if (precision === 2) return { ...other, meaning: { kind: "float64" }, physical: "DOUBLE", width: 8, words: "Float64" }
  return { ...other, words: "Float16" }
}
