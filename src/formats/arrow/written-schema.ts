/** Schemas as Arrow's metadata has them (`Schema.fbs`): the types of the columns that are written. */
import type { HeldColumn } from "../held-columns.ts"
import { HeldTree } from "./held-tree.ts"
import type { FlatField, FlatWriter } from "./flat-writer.ts"
import { TYPE } from "./type-numbers.ts"

const [SINGLE, DOUBLE] = [1, 2] as const
const MICROSECOND = 2
/** Arrow's metadata version V5. */
export const VERSION = 4

/** Writes the schema, and gives its place. */
export function writeSchema(out: FlatWriter, columns: readonly (HeldColumn | HeldTree)[]): number {
  const list = out.places(columns.map((column) => writeField(out, column)))
  return out.table([{ slot: 1, kind: "place", value: list }])
}

function writeField(out: FlatWriter, column: HeldColumn | HeldTree): number {
  const isTree = column instanceof HeldTree
  const { type, table } = isTree
    ? { type: column.isList ? TYPE.list : TYPE.struct, table: out.table([]) }
    : writeType(out, column)
  // Readers want the list of children, though there are none.
  const children = out.places(isTree ? column.children.map((child) => writeField(out, child)) : [])
  const name = out.text(column.name)
  return out.table([
    { slot: 0, kind: "place", value: name },
    { slot: 1, kind: "uint8", value: column.type.isNullable ? 1 : 0 },
    { slot: 2, kind: "uint8", value: type },
    { slot: 3, kind: "place", value: table },
    { slot: 5, kind: "place", value: children },
  ])
}

/** How many bytes a number has in the file; 0 for bits and texts. */
export function writtenWidth({ form, type }: HeldColumn): number {
  if (form === "bits" || form === "texts") return 0
  if (form === "float64") return type.definition.isSingle === true ? 4 : 8
  const { instant, span, isDate } = type.definition
  return instant !== undefined || span !== undefined ? 8 : isDate === true ? 4 : wholeBits(type) / 8
}

function writeType(out: FlatWriter, column: HeldColumn): { readonly type: number; readonly table: number } {
  const { form, type } = column
  const { isBytes, isSingle, isDate, isUnsigned, instant, span, range } = type.definition
  const made = (number: number, fields: readonly FlatField[] = []) => ({ type: number, table: out.table(fields) })
  if (form === "bits") return made(TYPE.bool)
  if (form === "texts") return made(isBytes === true ? TYPE.binary : TYPE.utf8)
  if (form === "float64")
    return made(TYPE.float, [{ slot: 0, kind: "int16", value: isSingle === true ? SINGLE : DOUBLE }])
  // Days are 0, which is not the default.
  if (isDate === true) return made(TYPE.date, [{ slot: 0, kind: "int16", value: 0 }])
  if (span !== undefined) return made(TYPE.duration, [{ slot: 0, kind: "int16", value: MICROSECOND }])
  if (instant !== undefined) {
    const zone = out.text("UTC")
    return made(TYPE.timestamp, [
      { slot: 0, kind: "int16", value: MICROSECOND },
      { slot: 1, kind: "place", value: zone },
    ])
  }
  const isSigned = isUnsigned !== true && (range === undefined || range.least < 0)
  return made(TYPE.int, [
    { slot: 0, kind: "int32", value: wholeBits(type) },
    { slot: 1, kind: "uint8", value: isSigned ? 1 : 0 },
  ])
}

/** How many bits hold the whole numbers of a type. */
function wholeBits({ definition: { range, storage } }: HeldColumn["type"]): number {
  const bits = [8, 16, 32].find((each) => range?.greatest === 2 ** each - 1 || range?.greatest === 2 ** (each - 1) - 1)
  return bits ?? (storage === "int32" ? 32 : 64)
}
