/** `binary`: bytes. In JSON and in CSV they are base64 text (RFC 4648, section 4), with padding; in lambdas a `Uint8Array`. */
import { base64Of, bytesOfBase64 } from "../../base/base64.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"

const definition: TypeDefinition<Uint8Array> = {
  kind: "binary",
  label: "binary",
  storage: "dictionary",
  packing: "string",
  isBytes: true,
  typeOf: "object",
  check: (value) => (isBytes(value) ? undefined : "not a Uint8Array"),
  fromText,
  unpack: fromText,
  fromJson: (value) => (typeof value === "string" ? fromText(value) : new Invalid("not base64 text")),
  toText: base64Of,
  toJson: (value) => `"${base64Of(value)}"`,
}

/** Arrays of another realm, too. */
function isBytes(value: unknown): boolean {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]"
}

function fromText(text: string): Uint8Array | Invalid {
  return bytesOfBase64(text) ?? new Invalid("not base64 text (RFC 4648, with padding)")
}

/** See `t.binary`. */
export const binaryType = new ColumnType<Uint8Array, "binary">(definition)
