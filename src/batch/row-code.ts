/**
 * The JavaScript that reads one row of columns: what `row-reader.ts` and `row-view.ts` generate their code from.
 *
 * Nothing of the user's stands in the code but field names, and those as `JSON.stringify` writes them.
 *
 * Invariant:
 * - J1 Every expression gives what `readValue` gives for the same column and row.
 */
import { unreachable } from "../base/assert.ts"
import type { Field } from "./schema.ts"

/** A bigint's lowest 64 bits, as an unsigned number: an operator, as names may be given other values. */
const UNSIGNED_MASK = "0xffffffffffffffffn"

/** Code under construction. */
export interface RowCode {
  /** Names that the expressions use, with where each value lies, as an expression of `columns`. */
  readonly locals: { readonly name: string; readonly from: string }[]
}

/** How the fields of an object, or of the row itself, become an object: one that is made anew, or one of getters. */
export type ObjectCode = (
  members: readonly { readonly name: string; readonly value: string }[],
  code: RowCode,
) => string

/** An expression of the row's object, given the `columns` that hold its fields. `row` is the row's index in it. */
export function rowCode(fields: readonly Field[], columns: string, makeObject: ObjectCode, code: RowCode): string {
  const members = fields.map(({ name, type }, index) => {
    const column = `${columns}[${index}]`
    const local = (prefix: string, from: string): string => {
      const name = `${prefix}${code.locals.length}`
      code.locals.push({ name, from: `${column}.${from}` })
      return name
    }
    const value = valueCode()
    // A column may carry a bitmap although its type is required now, so the bitmap decides and not the type.
    const validity = local("validity", "validity")
    return { name, value: `${validity} !== null && ((${validity}[row >> 3] >> (row & 7)) & 1) === 0 ? null : ${value}` }

    function unpacked(text: string): string {
      return type.definition.unpack === undefined ? text : `${local("unpack", "type.definition.unpack")}(${text})`
    }

    function valueCode(): string {
      const { storage, typeOf, isUnsigned } = type.definition
      switch (storage) {
        case "bit":
          return `((${local("values", "values")}[row >> 3] >> (row & 7)) & 1) === 1`
        case "int32":
        case "float64":
          return `${local("values", "values")}[row]`
        case "int64": {
          if (typeOf === "bigint") {
            const value = `${local("values", "values")}[row]`
            return isUnsigned ? `${value} & ${UNSIGNED_MASK}` : value
          }
          const halves = local("halves", "halves")
          return `(${halves}[2 * row] >>> 0) + ${halves}[2 * row + 1] * 4294967296`
        }
        case "dictionary":
          return unpacked(`${local("dictionary", "dictionary")}.text(${local("codes", "values")}[row])`)
        case "struct":
          return rowCode(type.definition.fields!, `${column}.children`, makeObject, code)
        default:
          return unreachable(storage, "a column's storage")
      }
    }
  })
  return makeObject(members, code)
}
