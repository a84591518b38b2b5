/** `enum`: one text of a closed list. Any other text is not of the type. */
import { TidemarkError } from "../../base/errors.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"

/** See `t.enum`. */
export function enumType<const S extends readonly [string, ...string[]]>(...symbols: S): ColumnType<S[number], "enum"> {
  const known = new Set<unknown>(symbols)
  if (known.size === 0 || known.size !== symbols.length || known.has("") || symbols.some(hasLoneSurrogate)) {
    throw new TidemarkError("invalid-schema", `An enum cannot have the symbols ${JSON.stringify(symbols)}.`, {
      hint: "Give at least one symbol; symbols are distinct, not empty, and well-formed Unicode.",
    })
  }
  const unknown = `not one of ${symbols.map((symbol) => JSON.stringify(symbol)).join(", ")}`
  const definition: TypeDefinition<S[number]> = {
    kind: "enum",
    label: `enum(${symbols.map((symbol) => JSON.stringify(symbol)).join(", ")})`,
    storage: "dictionary",
    typeOf: "string",
    symbols,
    check: (value) => (known.has(value) ? undefined : unknown),
    fromText: (text) => (known.has(text) ? text : new Invalid(unknown)),
    fromJson: (value) => (known.has(value) ? (value as S[number]) : new Invalid(unknown)),
    toText: (value) => value,
    toJson: (value) => JSON.stringify(value),
  }
  return new ColumnType<S[number], "enum">(definition)
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text)
}
