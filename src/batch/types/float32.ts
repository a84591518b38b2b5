/**
 * `float32`: an IEEE 754 single, NaN, ±Infinity and −0 included. It takes eight bytes, as a float64 that is rounded.
 *
 * Where a value is stored (read, or given by a lambda) the nearest single takes its place, ties to even, as in a
 * `Float32Array`. A number whose nearest single would be an infinity is none of the type. As text it is written with
 * the fewest digits that read back as the same single: `0.1`, not `0.10000000149011612`.
 */
import { ColumnType, Invalid, type Slots, type TypeDefinition } from "../type.ts"
import { doubleFromBytes } from "./decimal-bytes.ts"
import { float64Type, fromWord, NUMBER } from "./float64.ts"

/** The least of the singles that have all 24 bits. */
const NORMAL_MIN = 2 ** -126
/** Any decimal number of six digits is told from others by its nearest single; nine digits tell any single. */
const [DIGITS_SURE, DIGITS_MAX] = [6, 9]

const OUTSIDE = "outside the range of float32 (-3.4028234663852886e+38 to 3.4028234663852886e+38, or an infinity)"

const { definition: float64 } = float64Type

const definition: TypeDefinition<number> = {
  kind: "float32",
  label: "float32",
  storage: "float64",
  typeOf: "number",
  adds: "float",
  isSingle: true,
  narrowing: { of: float64, admit: round },
  check(value) {
    if (typeof value !== "number") return "not a number"
    return isTooGreat(value) ? OUTSIDE : undefined
  },
  fromText: (text) => (NUMBER.test(text) ? singleOf(Number(text)) : (fromWord(text) ?? new Invalid("not a number"))),
  fromJson(value) {
    if (typeof value === "number") return singleOf(value)
    return (typeof value === "string" ? fromWord(value) : undefined) ?? new Invalid("not a number")
  },
  fromBytes: (bytes, start, end, doubles: Float64Array, row) =>
    doubleFromBytes(bytes, start, end, doubles, row) && round(doubles, row),
  toBytes(doubles: Float64Array, row, bytes, at) {
    scratch[0] = decimalOf(doubles[row]!)
    return float64.toBytes!(scratch, 0, bytes, at)
  },
  toText: (value) => float64.toText(decimalOf(value)),
  toJson: (value) => float64.toJson(decimalOf(value)),
}

/** A double on its way to text. */
const scratch = new Float64Array(1)

/** Whether a double is finite, and its nearest single is not. */
function isTooGreat(value: number): boolean {
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value))
}

function round(doubles: Slots, row: number): boolean {
  const value = doubles[row]!
  // Digits may say a number beyond all doubles, which is no infinity as the word is.
  if (!Number.isFinite(value) || isTooGreat(value)) return false
  doubles[row] = Math.fround(value)
  return true
}

function singleOf(value: number): number | Invalid {
  const single = Math.fround(value)
  return Number.isFinite(single) ? single : new Invalid(`${value}, ${OUTSIDE}`)
}

/** A double with few digits whose nearest single is that of `value`. */
function decimalOf(value: number): number {
  const single = Math.fround(value)
  if (!Number.isFinite(single) || single === 0) return single
  for (let digits = Math.abs(single) < NORMAL_MIN ? 1 : DIGITS_SURE; digits < DIGITS_MAX; digits++) {
    const decimal = Number(single.toPrecision(digits))
    if (Math.fround(decimal) === single) return decimal
  }
  return Number(single.toPrecision(DIGITS_MAX))
}

/** See `t.float32`. */
export const float32Type = new ColumnType<number, "float32">(definition)
