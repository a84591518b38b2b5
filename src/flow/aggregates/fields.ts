/** Fields that several aggregates have: counts, sums of floats, and how to add to them. */
import { f64, i64, when, type Code, type Local } from "../../base/wasm-code.ts"
import type { EntryField, FieldPlace, RecordAccess, WindowField, Word } from "./aggregate.ts"

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** What fields are valid that may hold any bits. */
export function anyBits(): boolean {
  return true
}

/** How many values there were. */
export const COUNT_FIELD: EntryField & WindowField = {
  word: "i64",
  identity: 0n,
  isCount: true,
  isValid: (bits) => bits >= 0n && bits <= MAX_SAFE,
}

/** The bits of a double. */
export function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigInt64(0)
}

/** A sum of floats. It starts from −0, to which any float adds as itself; +0 would turn −0 into +0. */
export const FLOAT_SUM_FIELD: EntryField & WindowField = { word: "f64", identity: bitsOf(-0), isValid: anyBits }

/** Whether bits are those of an integer that fits a type of so many bits that is safe as a double. */
export function isSafe(bits: bigint): boolean {
  return bits >= -MAX_SAFE && bits <= MAX_SAFE
}

/** A field's value, which is an integer. */
export function asI64(code: Code<Word>): Code<"i64"> {
  return code as Code<"i64">
}

/** A field's value, which is a double. */
export function asF64(code: Code<Word>): Code<"f64"> {
  return code as Code<"f64">
}

/** Adds one to a count. */
export function countUp(place: FieldPlace): Code<"none"> {
  return place.store(i64.add(asI64(place.load()), i64.const(1n)))
}

/** The code, for records whose input is not null only. */
export function ifPresent(
  isNullable: boolean,
  record: RecordAccess,
  then: readonly Code<"none">[],
): readonly Code<"none">[] {
  return isNullable ? [when(record.isPresent(0), then)] : then
}

/** The sum of two fields in variables. */
export function plus(one: Local<Word>, other: Local<Word>): Code<Word> {
  if (one.type === "f64") return f64.add(asF64(one.get), asF64(other.get))
  return i64.add(asI64(one.get), asI64(other.get))
}

/** The difference of two integer fields in variables. */
export function minus(one: Local<Word>, other: Local<Word>): Code<"i64"> {
  return i64.sub(asI64(one.get), asI64(other.get))
}
