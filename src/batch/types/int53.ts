/** `int53`: a whole number from −(2⁵³ − 1) to 2⁵³ − 1: those that a JavaScript number holds exactly. It has no −0. */
import { ColumnType, type TypeDefinition } from "../type.ts"
import { int53FromBytes } from "./decimal-bytes.ts"
import { int53ToBytes } from "./decimal-to-bytes.ts"
import { wholeNumberFromJson, wholeNumberFromText } from "./whole-number.ts"

const definition: TypeDefinition<number> = {
  kind: "int53",
  label: "int53",
  storage: "int64",
  typeOf: "number",
  check(value) {
    if (typeof value !== "number" || !Number.isInteger(value)) return "not a whole number"
    return Number.isSafeInteger(value) ? undefined : "outside the range of int53"
  },
  fromText: (text) => wholeNumberFromText(text, definition),
  fromJson: (value) => wholeNumberFromJson(value, definition),
  fromBytes: int53FromBytes,
  toBytes: int53ToBytes,
  toText: (value) => String(value),
  toJson: (value) => String(value),
}

/** See `t.int53`. */
export const int53Type = new ColumnType<number, "int53">(definition)
