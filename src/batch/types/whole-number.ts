/**
 * Types of whole numbers that are numbers in lambdas: `int8` to `int53`, `uint8` to `uint32`. They differ in their range.
 *
 * A range that storage does not have itself is asked for where a value is stored (`Narrowing`), so readers of the whole
 * storage read narrower types, too.
 */
import { readInt53 } from "../column.ts"
import { ColumnType, Invalid, type NumberRange, type Slots, type TypeDefinition } from "../type.ts"
import { int32FromBytes, int53FromBytes } from "./decimal-bytes.ts"
import { int32ToBytes, int53ToBytes } from "./decimal-to-bytes.ts"

const WHOLE = /^-?[0-9]+$/
/** So much of a value out of range is shown. */
const SHOWN_LENGTH = 40

/** A type of whole numbers, which reads and writes them as decimal digits. It has no −0. */
export function wholeNumberType<const K extends string>(
  kind: K,
  storage: "int32" | "int64",
  range: NumberRange,
  narrowed?: TypeDefinition,
): ColumnType<number, K> {
  const isShort = storage === "int32"
  const { least, greatest } = range
  const fromBytes = isShort ? int32FromBytes : int53FromBytes
  const valueAt = (slots: Slots, row: number) => (isShort ? slots[row]! : readInt53(slots as Int32Array, row))
  const admit = (slots: Slots, row: number): boolean => {
    const value = valueAt(slots, row)
    return value >= least && value <= greatest
  }
  const definition: TypeDefinition<number> = {
    kind,
    label: kind,
    storage,
    typeOf: "number",
    range,
    adds: "whole",
    check: (value) => wholeNumberProblem(value, kind, range),
    fromText: (text) => wholeNumberFromText(text, kind, range),
    fromJson: (value, raw) => wholeNumberFromJson(value, raw, kind, range),
    fromBytes:
      narrowed === undefined
        ? fromBytes
        : (bytes, start, end, slots: Int32Array, row) => fromBytes(bytes, start, end, slots, row) && admit(slots, row),
    ...(narrowed !== undefined && { narrowing: { of: narrowed, admit } }),
    toBytes: isShort ? int32ToBytes : int53ToBytes,
    toText: (value) => String(value),
    toJson: (value) => String(value),
  }
  return new ColumnType<number, K>(definition)
}

/** Why a value is no whole number of a range, as a clause behind "is"; `undefined` where it is one. */
function wholeNumberProblem(value: unknown, kind: string, { least, greatest }: NumberRange): string | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return "not a whole number"
  return value >= least && value <= greatest ? undefined : outsideRange(kind, least, greatest)
}

/** That a value is outside of a range, in words. */
export function outsideRange(kind: string, least: number | bigint, greatest: number | bigint): string {
  return `outside the range of ${kind} (${least} to ${greatest})`
}

/** The same of a text or a number that was read, which is shown. */
export function readOutsideRange(
  shown: string,
  kind: string,
  least: number | bigint,
  greatest: number | bigint,
): Invalid {
  const value = shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
  return new Invalid(`${value}, ${outsideRange(kind, least, greatest)}`)
}

/** From text: decimal digits with an optional minus. No plus, exponent, fraction or white space. */
function wholeNumberFromText(text: string, kind: string, range: NumberRange): number | Invalid {
  if (!WHOLE.test(text)) return new Invalid("not a whole number")
  const value = Number(text)
  if (wholeNumberProblem(value, kind, range) === undefined) return withoutSign(value)
  return readOutsideRange(text, kind, range.least, range.greatest)
}

/** From a JSON number of whole value, however it is written: `1.0` and `1e3` are whole. */
function wholeNumberFromJson(
  value: unknown,
  raw: string | undefined,
  kind: string,
  range: NumberRange,
): number | Invalid {
  if (typeof value !== "number") return new Invalid("not a number")
  if (!Number.isInteger(value)) return new Invalid("not a whole number")
  if (wholeNumberProblem(value, kind, range) === undefined) return withoutSign(value)
  return readOutsideRange(raw ?? String(value), kind, range.least, range.greatest)
}

/** Makes 0 of −0. */
function withoutSign(value: number): number {
  return value + 0
}
