/** `bool`: true or false. As text `true`, `false` (in any letter case), `1` or `0`; in JSON `true` or `false`. */
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"

const definition: TypeDefinition<boolean> = {
  kind: "bool",
  label: "bool",
  storage: "bit",
  typeOf: "boolean",
  check: (value) => (typeof value === "boolean" ? undefined : "not a boolean"),
  fromText(text) {
    if (text === "1" || text.toLowerCase() === "true") return true
    if (text === "0" || text.toLowerCase() === "false") return false
    return new Invalid("not a boolean: true, false, 1 or 0")
  },
  fromJson: (value) => (typeof value === "boolean" ? value : new Invalid("not a boolean")),
  toText: String,
  toJson: String,
}

/** See `t.bool`. */
export const boolType = new ColumnType<boolean, "bool">(definition)
