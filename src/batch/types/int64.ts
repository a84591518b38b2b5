/** `int64`: a whole number from −2⁶³ to 2⁶³ − 1, in lambdas a bigint. JSON carries it as a string. */
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { int64FromBytes, int64ToBytes } from "./int64-bytes.ts"

const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n
const WHOLE = /^-?[0-9]+$/
/** Longer digits than any int64 has are not worth a bigint, but leading zeros are allowed. */
const LEADING_ZEROS = /^(-?)0+(?=[0-9])/

const definition: TypeDefinition<bigint> = {
  kind: "int64",
  label: "int64",
  storage: "int64",
  typeOf: "bigint",
  fromBytes: int64FromBytes,
  toBytes: int64ToBytes,
  isQuotedInJson: true,
  check(value) {
    if (typeof value !== "bigint") return "not a bigint"
    return value >= MIN && value <= MAX ? undefined : "outside the range of int64"
  },
  fromText,
  fromJson(value, raw) {
    if (typeof value === "string") return fromText(value)
    if (typeof value !== "number") return new Invalid("not a number, or a string of digits")
    if (raw !== undefined && WHOLE.test(raw)) return fromText(raw)
    if (!Number.isInteger(value)) return new Invalid("not a whole number")
    // Without its digits, or with an exponent or fraction, a number beyond 2⁵³ may be another one than was written.
    return Number.isSafeInteger(value) ? BigInt(value) : new Invalid("beyond 2⁵³ and not written as plain digits")
  },
  toText: (value) => String(value),
  toJson: (value) => `"${value}"`,
}

function fromText(text: string): bigint | Invalid {
  if (!WHOLE.test(text)) return new Invalid("not a whole number")
  const digits = text.replace(LEADING_ZEROS, "$1")
  if (digits.length > 20) return new Invalid("outside the range of int64")
  const value = BigInt(digits)
  return value >= MIN && value <= MAX ? value : new Invalid("outside the range of int64")
}

/** See `t.int64`. */
export const int64Type = new ColumnType<bigint, "int64">(definition)
