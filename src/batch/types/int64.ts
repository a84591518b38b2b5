/** `int64`: a whole number from −2⁶³ to 2⁶³ − 1, in lambdas a bigint. JSON carries it as a string. */
import { ColumnType, type TypeDefinition } from "../type.ts"
import { int64FromBytes, int64ToBytes } from "./int64-bytes.ts"
import { wideNumberFromJson, wideNumberFromText, wideNumberProblem, type WideRange } from "./wide-number.ts"

const RANGE: WideRange = { kind: "int64", least: -(2n ** 63n), greatest: 2n ** 63n - 1n }

const definition: TypeDefinition<bigint> = {
  kind: "int64",
  label: "int64",
  storage: "int64",
  typeOf: "bigint",
  adds: "whole",
  fromBytes: int64FromBytes,
  toBytes: int64ToBytes,
  isQuotedInJson: true,
  check: (value) => wideNumberProblem(value, RANGE),
  fromText: (text) => wideNumberFromText(text, RANGE),
  fromJson: (value, raw) => wideNumberFromJson(value, raw, RANGE),
  toText: (value) => String(value),
  toJson: (value) => `"${value}"`,
}

/** See `t.int64`. */
export const int64Type = new ColumnType<bigint, "int64">(definition)
