/** What `int64` and `uint64` share: reading whole numbers that are bigints from CSV text and from JSON. */
import { Invalid } from "../type.ts"
import { outsideRange, readOutsideRange } from "./whole-number.ts"

const WHOLE = /^-?[0-9]+$/
/** Longer digits than any number of 64 bits has are not worth a bigint, but leading zeros are allowed. */
const LEADING_ZEROS = /^(-?)0+(?=[0-9])/
const DIGITS_MAX = 20

/** Whole numbers of 64 bits. */
export interface WideRange {
  readonly kind: string
  readonly least: bigint
  readonly greatest: bigint
}

/** Why a value is none of the range, as a clause behind "is"; `undefined` where it is one. */
export function wideNumberProblem(value: unknown, { kind, least, greatest }: WideRange): string | undefined {
  if (typeof value !== "bigint") return "not a bigint"
  return value >= least && value <= greatest ? undefined : outsideRange(kind, least, greatest)
}

/** From decimal digits with an optional minus. */
export function wideNumberFromText(text: string, { kind, least, greatest }: WideRange): bigint | Invalid {
  if (!WHOLE.test(text)) return new Invalid("not a whole number")
  const digits = text.replace(LEADING_ZEROS, "$1")
  const value = digits.length > DIGITS_MAX ? undefined : BigInt(digits)
  if (value !== undefined && value >= least && value <= greatest) return value
  return readOutsideRange(text, kind, least, greatest)
}

/** From a string of digits, or a number. `raw` is the number's own text, where the reader still has it. */
export function wideNumberFromJson(value: unknown, raw: string | undefined, range: WideRange): bigint | Invalid {
  if (typeof value === "string") return wideNumberFromText(value, range)
  if (typeof value !== "number") return new Invalid("not a number, or a string of digits")
  if (raw !== undefined && WHOLE.test(raw)) return wideNumberFromText(raw, range)
  if (!Number.isInteger(value)) return new Invalid("not a whole number")
  // Without its digits, or with an exponent or fraction, a number beyond 2⁵³ may be another one than was written.
  if (!Number.isSafeInteger(value)) return new Invalid("beyond 2⁵³ and not written as plain digits")
  return wideNumberFromText(String(value), range)
}
