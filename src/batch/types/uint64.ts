/**
 * `uint64`: a whole number from 0 to 2⁶⁴ − 1, in lambdas a bigint. JSON carries it as a string.
 *
 * Its 64 bits lie as they are, so half of its values look negative to who takes them for an int64: what adds, compares
 * or prints them must know. What reads and writes bytes knows those below 2⁶³, which both types have.
 */
import { ColumnType, type Slots, type TypeDefinition } from "../type.ts"
import { int64FromBytes, int64ToBytes } from "./int64-bytes.ts"
import { int64Type } from "./int64.ts"
import { wideNumberFromJson, wideNumberFromText, wideNumberProblem, type WideRange } from "./wide-number.ts"

const RANGE: WideRange = { kind: "uint64", least: 0n, greatest: 2n ** 64n - 1n }

/** Whether the value is below 2⁶³. */
const isSmall = (halves: Slots, row: number): boolean => halves[2 * row + 1]! >= 0

const definition: TypeDefinition<bigint> = {
  kind: "uint64",
  label: "uint64",
  storage: "int64",
  typeOf: "bigint",
  isUnsigned: true,
  narrowing: { of: int64Type.definition, admit: isSmall },
  fromBytes: (bytes, start, end, halves: Int32Array, row) =>
    int64FromBytes(bytes, start, end, halves, row) && isSmall(halves, row),
  toBytes: (halves: Int32Array, row, bytes, at) => (isSmall(halves, row) ? int64ToBytes(halves, row, bytes, at) : -1),
  isQuotedInJson: true,
  check: (value) => wideNumberProblem(value, RANGE),
  fromText: (text) => wideNumberFromText(text, RANGE),
  fromJson: (value, raw) => wideNumberFromJson(value, raw, RANGE),
  toText: (value) => String(value),
  toJson: (value) => `"${value}"`,
}

/** See `t.uint64`. */
export const uint64Type = new ColumnType<bigint, "uint64">(definition)
