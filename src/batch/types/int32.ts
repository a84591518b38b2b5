/** `int32`: a whole number from −2³¹ to 2³¹ − 1. It has no −0. */
import { ColumnType, type TypeDefinition } from "../type.ts"
import { int32FromBytes } from "./decimal-bytes.ts"
import { int32ToBytes } from "./decimal-to-bytes.ts"
import { wholeNumberFromJson, wholeNumberFromText } from "./whole-number.ts"

const MIN = -(2 ** 31)
const MAX = 2 ** 31 - 1

const definition: TypeDefinition<number> = {
  kind: "int32",
  label: "int32",
  storage: "int32",
  typeOf: "number",
  check(value) {
    if (typeof value !== "number" || !Number.isInteger(value)) return "not a whole number"
    return value >= MIN && value <= MAX ? undefined : "outside the range of int32"
  },
  fromText: (text) => wholeNumberFromText(text, definition),
  fromJson: (value) => wholeNumberFromJson(value, definition),
  fromBytes: int32FromBytes,
  toBytes: int32ToBytes,
  toText: (value) => String(value),
  toJson: (value) => String(value),
}

/** See `t.int32`. */
export const int32Type = new ColumnType<number, "int32">(definition)
