/**
 * Sums of integers, exact: an entry's sum lies within its type's range, as a record that would take it out is refused.
 * A window's has 128 bits, so no order of slices makes it wrap, and whether it is in range is asked of the result alone.
 * So have entries of slices that windows share, which refuse nothing.
 *
 * Invariants:
 * - WH1 An entry's sum never leaves its range.
 * - WH2 A window fails where its sum is out of range, and nowhere else.
 */
import { i32, i64, type Code, type Local } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import type { EntryField, FieldPlace, RecordAccess, WindowField, WindowValues, Word } from "./aggregate.ts"
import { anyBits, asI64, isSafe } from "./fields.ts"

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Within which range a sum lies. */
export type SumRange = "int53" | "int64"

/** The greatest sums. */
export const MAX_SUMS = { int53: MAX_SAFE, int64: 2n ** 63n - 1n } as const

/** The entry's field. */
export function sumField(range: SumRange): EntryField {
  return { word: "i64", identity: 0n, isValid: range === "int53" ? isSafe : anyBits }
}

/** The window's fields: the low word and the high one. */
export const WIDE_FIELDS: readonly WindowField[] = [
  { word: "i64", identity: 0n },
  { word: "i64", identity: 0n },
]

/** The fields of an entry that has 128 bits. */
export const WIDE_ENTRY: readonly EntryField[] = WIDE_FIELDS.map((field) => ({ ...field, isValid: anyBits }))

/** Adds a record's value to an entry that has 128 bits. */
export function addToWide(
  record: RecordAccess,
  low: FieldPlace,
  high: FieldPlace,
  scope: FunctionScope,
): readonly Code<"none">[] {
  const [added, sum] = [scope.local("i64"), scope.local("i64")]
  const carry = i64.extendU(i64.ltU(sum.get, added.get))
  const sign = i64.shrS(added.get, i64.const(63n))
  return [
    added.set(asI64(record.value(0))),
    sum.set(i64.add(asI64(low.load()), added.get)),
    low.store(sum.get),
    high.store(i64.add(i64.add(asI64(high.load()), sign), carry)),
  ]
}

/** Whether a record must not be added, because the sum would leave its range. */
export function refuses(
  range: SumRange,
  isNullable: boolean,
  record: RecordAccess,
  sum: FieldPlace,
  scope: FunctionScope,
): Code<"i32"> {
  const leaves = leavesRange(range, sum, record.value(0), scope.local("i64"))
  return isNullable ? i32.and(record.isPresent(0), leaves) : leaves
}

function leavesRange(range: SumRange, sum: FieldPlace, value: Code<Word>, total: Local<"i64">): Code<"i32"> {
  const before = asI64(sum.load())
  const added = asI64(value)
  const after = total.tee(i64.add(before, added))
  if (range === "int53") return i64.gtU(i64.add(after, i64.const(MAX_SAFE)), i64.const(2n * MAX_SAFE))
  // It overflows where both have one sign and the sum has the other.
  const signs = i64.and(i64.xor(after, before), i64.xor(total.get, added))
  return i64.ltS(signs, i64.const(0n))
}

/** An entry's sum with 128 bits. */
export function widen(sum: Code<Word>): readonly Code<"i64">[] {
  return [asI64(sum), i64.shrS(asI64(sum), i64.const(63n))]
}

/** The sum of two numbers of 128 bits. */
export function addWide([lowA, highA]: WindowValues, [lowB, highB]: WindowValues): readonly Code<"i64">[] {
  const low = i64.add(asI64(lowA!.get), asI64(lowB!.get))
  const carry = i64.extendU(i64.ltU(low, asI64(lowA!.get)))
  return [low, i64.add(i64.add(asI64(highA!.get), asI64(highB!.get)), carry)]
}

/** The difference of two numbers of 128 bits. */
export function subtractWide([lowA, highA]: WindowValues, [lowB, highB]: WindowValues): readonly Code<"i64">[] {
  const low = i64.sub(asI64(lowA!.get), asI64(lowB!.get))
  const borrow = i64.extendU(i64.ltU(asI64(lowA!.get), asI64(lowB!.get)))
  return [low, i64.sub(i64.sub(asI64(highA!.get), asI64(highB!.get)), borrow)]
}

/** Whether a number of 128 bits is within the range. */
export function isInRange(range: SumRange, low: Local<Word>, high: Local<Word>): Code<"i32"> {
  const fits = i64.eq(asI64(high.get), i64.shrS(asI64(low.get), i64.const(63n)))
  if (range === "int64") return fits
  return i32.and(fits, i64.leU(i64.add(asI64(low.get), i64.const(MAX_SAFE)), i64.const(2n * MAX_SAFE)))
}
