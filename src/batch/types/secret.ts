/**
 * `secret`: a text that is a parameter of a job, and that nobody may see. What would write its value writes stars.
 *
 * Invariant:
 * - SE1 No text, JSON or message that this type makes has anything of a value in it; not even its length.
 */
import { ColumnType, type TypeDefinition } from "../type.ts"

/** What stands in the place of a value. */
const STARS = "***"

const definition: TypeDefinition<string> = {
  kind: "secret",
  label: "secret",
  storage: "dictionary",
  typeOf: "string",
  isSecret: true,
  check: (value) => (typeof value === "string" ? undefined : "not a string"),
  fromText: (text) => text,
  fromJson: () => STARS,
  toText: () => STARS,
  toJson: () => JSON.stringify(STARS),
}

/** See `t.secret`. */
export const secretType = new ColumnType<string, "secret">(definition)
