/** `string`: Unicode text. It lies as UTF-8, so a lone surrogate, which UTF-8 cannot say, becomes U+FFFD. */
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"

const LONE_SURROGATES = /\p{Surrogate}/gu

const definition: TypeDefinition<string> = {
  kind: "string",
  label: "string",
  storage: "dictionary",
  typeOf: "string",
  isAnyText: true,
  check: (value) => (typeof value === "string" ? undefined : "not a string"),
  fromText: wellFormed,
  fromJson: (value) => (typeof value === "string" ? wellFormed(value) : new Invalid("not a string")),
  toText: wellFormed,
  toJson: (value) => JSON.stringify(wellFormed(value)),
}

/** The text as UTF-8 can say it. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, "\ufffd")
}

/** See `t.string`. */
export const stringType = new ColumnType<string, "string">(definition)
