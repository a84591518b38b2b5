/**
 * `float64`: an IEEE 754 double, NaN, ±Infinity and −0 included.
 *
 * As text it is written as in JSON, or as one of the words `NaN`, `Infinity`, `-Infinity`, which JSON carries as strings.
 */
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { doubleFromBytes } from "./decimal-bytes.ts"
import { doubleToBytes } from "./decimal-to-bytes.ts"
import { shortestToBytes } from "./shortest-digits.ts"

/** How doubles are written. */
export const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

const definition: TypeDefinition<number> = {
  kind: "float64",
  label: "float64",
  storage: "float64",
  typeOf: "number",
  check: (value) => (typeof value === "number" ? undefined : "not a number"),
  fromText: (text) => (NUMBER.test(text) ? Number(text) : (fromWord(text) ?? new Invalid("not a number"))),
  fromJson(value) {
    if (typeof value === "number") return value
    return (typeof value === "string" ? fromWord(value) : undefined) ?? new Invalid("not a number")
  },
  adds: "float",
  fromBytes: doubleFromBytes,
  toBytes(doubles: Float64Array, row, bytes, at) {
    const end = doubleToBytes(doubles, row, bytes, at)
    return end >= 0 ? end : shortestToBytes(doubles, row, bytes, at)
  },
  toText,
  toJson: (value) => (Number.isFinite(value) ? toText(value) : `"${value}"`),
}

/** A value that is not written as digits. */
export function fromWord(text: string): number | undefined {
  if (text === "NaN") return NaN
  if (text === "Infinity") return Infinity
  if (text === "-Infinity") return -Infinity
  return undefined
}

function toText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value)
}

/** See `t.float64`. */
export const float64Type = new ColumnType<number, "float64">(definition)
