/**
 * The slow twins of all aggregates: each is told all values of a key, slice by slice, in order of arrival within a
 * slice, and says the result in the most obvious way.
 */
import type { ColumnType } from "../../batch/type.ts"
import type { AggregateKind } from "../plan.ts"
import { gridSum, type GridPlace } from "../windows/shared/shared-slices.reference.ts"

/** What an aggregate reads of a record, and when the record happened. */
export interface TimedValue {
  readonly time: number
  readonly value: unknown
  /** Where it lies in slices that windows share, if they do. */
  readonly grid?: GridPlace | undefined
}

/** Stands for the result of an aggregate that left its type's range. */
export const FAILED = Symbol("failed")

/** Whether a value can be added to those that a key has in a slice so far. */
export function referenceAccepts(
  kind: AggregateKind,
  type: ColumnType | undefined,
  before: readonly TimedValue[],
  value: unknown,
): boolean {
  if (kind !== "sum" && kind !== "mean") return true
  if (type!.definition.adds === "float" || value === null) return true
  return isInRange(kind, type!, exactSum([...present(before), value]))
}

/** Slices in order of time. */
type SlicesOfValues = readonly (readonly TimedValue[])[]

/** Slices of an older part of a window, of a newer one, and perhaps of more behind them. */
type Parts = readonly SlicesOfValues[]

/** How floats of a slice add: one by one, or in four sums that take turns, where there is no key (W13). */
export type SliceOrder = "one sum" | "in turns"

/** The result over the slices of a window, or `FAILED`. */
export function referenceResult(
  kind: AggregateKind,
  type: ColumnType | undefined,
  parts: Parts,
  order: SliceOrder = "one sum",
): unknown {
  const slices = parts.flat()
  if (kind === "count") return slices.flat().length
  const values = present(slices.flat())
  if (values.length === 0) return null
  switch (kind) {
    case "sum":
      return sumOf(kind, type!, parts, order)
    case "mean": {
      const sum = sumOf(kind, type!, parts, order)
      return sum === FAILED ? FAILED : Number(sum) / values.length
    }
    case "min":
      return type!.definition.typeOf === "bigint" ? leastBigint(values) : Math.min(...(values as number[]))
    case "max":
      return type!.definition.typeOf === "bigint"
        ? -leastBigint(values.map((value) => -(value as bigint)))
        : Math.max(...(values as number[]))
    case "first":
      return inOrderOfTime(slices)[0]!.value
    case "last":
      return inOrderOfTime(slices).at(-1)!.value
  }
}

function present(records: readonly TimedValue[]): unknown[] {
  return records.map(({ value }) => value).filter((value) => value !== null)
}

/** The sum of floats in one slice, if there are any. */
function sliceSum(records: readonly TimedValue[]): number[] {
  const values = records.filter(({ value }) => value !== null) as { value: number; grid?: GridPlace }[]
  if (values.length === 0) return []
  if (values[0]!.grid === undefined) return [values.map(({ value }) => value).reduce((sum, value) => sum + value)]
  return [gridSum(values.map(({ value, grid }) => ({ value, grid: grid! })))]
}

/** The same of a slice without a key: four sums that take turns, of which those opposite each other add first. */
function turnSum(records: readonly TimedValue[]): number[] {
  const ofTurn = (turn: number) =>
    records
      .filter(({ value }, place) => value !== null && place % 4 === turn)
      .reduce((sum, { value }) => sum + (value as number), -0)
  return present(records).length === 0 ? [] : [ofTurn(0) + ofTurn(2) + (ofTurn(1) + ofTurn(3))]
}

/** Records with a value by event time; those of the same time in order of arrival. */
function inOrderOfTime(slices: readonly (readonly TimedValue[])[]): TimedValue[] {
  const records = slices.flat().filter(({ value }) => value !== null)
  return records.sort((one, other) => one.time - other.time)
}

/** Sums of floats: each slice's by itself, then those of the older part from its end on, those of others from their start. */
function floatSumOf(parts: Parts, order: SliceOrder): number {
  const sums = parts.flatMap((slices, part) => {
    const ofSlices = slices.flatMap(order === "in turns" ? turnSum : sliceSum)
    if (ofSlices.length === 0) return []
    if (part === 0) return [ofSlices.reduceRight((later, sum) => sum + later)]
    return [ofSlices.reduce((sum, later) => sum + later)]
  })
  return sums.reduce((old, young) => old + young)
}

/** Sums of integers are exact, and fail where they are out of range. */
function sumOf(
  kind: AggregateKind,
  type: ColumnType,
  parts: Parts,
  order: SliceOrder,
): number | bigint | typeof FAILED {
  if (type.definition.adds === "float") return floatSumOf(parts, order)
  const sum = exactSum(present(parts.flat(2)))
  if (!isInRange(kind, type, sum)) return FAILED
  return kind === "sum" && type.definition.typeOf !== "bigint" ? Number(sum) : sum
}

function exactSum(values: readonly unknown[]): bigint {
  return values.reduce<bigint>((sum, value) => sum + BigInt(value as number | bigint), 0n)
}

function isInRange(kind: AggregateKind, type: ColumnType, sum: bigint): boolean {
  if (kind === "mean" || type.definition.typeOf === "bigint") return sum >= -(2n ** 63n) && sum < 2n ** 63n
  return sum > -(2n ** 53n) && sum < 2n ** 53n
}

function leastBigint(values: readonly unknown[]): bigint {
  return (values as bigint[]).reduce((least, value) => (value < least ? value : least))
}
