/**
 * Types that hold whatever values of another type are: for state that an earlier program has kept.
 *
 * Invariant:
 * - WI1 What a widening makes of a value is of the wider type, and tells as much: different values stay different.
 */
import type { ColumnType, TypeDefinition } from "./type.ts"

/** What becomes of a value of the narrower type. */
export type Widening = (value: unknown) => unknown

const same: Widening = (value) => value

/**
 * What makes a value of one type one of another, which tells as much; `undefined` where there are values that have no such.
 *
 * Whole numbers go into wider ones and into `float64`; `float32` into `float64`; enums into enums with more symbols and into texts; times
 * and durations, which are microseconds, into such with other formats. Objects may have further fields that have a default or may be
 * null. Null stays null.
 */
export function wideningOf(from: ColumnType, to: ColumnType): Widening | undefined {
  if (from.isNullable && !to.isNullable) return undefined
  const present = presentOf(from, to)
  if (present === undefined || present === same) return present
  return (value) => (value === null ? null : present(value))
}

function presentOf({ definition: from }: ColumnType, { definition: to }: ColumnType): Widening | undefined {
  if (from.label === to.label) return same
  if (from.fields !== undefined) return to.fields && fieldsOf(from, to)
  if (from.element !== undefined) return to.element && elementsOf(from.element, to.element)
  if (from.symbols !== undefined) {
    const isWider = to.kind === "string" || from.symbols.every((symbol) => to.symbols?.includes(symbol) === true)
    return isWider ? same : undefined
  }
  if (from.kind === to.kind) return from.kind === "timestamp" || from.kind === "duration" ? same : undefined
  return numbersOf(from, to)
}

function numbersOf(from: TypeDefinition, to: TypeDefinition): Widening | undefined {
  if (from.kind === "float32" && to.kind === "float64") return same
  const isBig = from.typeOf === "bigint"
  if (isBig) return from.kind === "uint64" || to.kind !== "int64" ? undefined : same
  if (from.range === undefined || !isCount(from)) return undefined
  if (to.kind === "float64") return same
  const { least, greatest } = from.range
  if (to.kind === "int64" || (to.kind === "uint64" && least >= 0)) return (value) => BigInt(value as number)
  const isWithin = to.range !== undefined && to.range.least <= least && greatest <= to.range.greatest
  return isWithin && isCount(to) ? same : undefined
}

/** Whether its values are plain whole numbers, and no moments or spans of time. */
function isCount({ kind }: TypeDefinition): boolean {
  return /^u?int\d+$/.test(kind)
}

function elementsOf(from: ColumnType, to: ColumnType): Widening | undefined {
  const element = wideningOf(from, to)
  if (element === undefined || element === same) return element
  return (value) => (value as readonly unknown[]).map(element)
}

function fieldsOf(from: TypeDefinition, to: TypeDefinition): Widening | undefined {
  const known = new Map(from.fields!.map(({ name, type }) => [name, type]))
  if ([...known.keys()].some((name) => to.fields!.every((field) => field.name !== name))) return undefined
  const makers: (readonly [string, Widening])[] = []
  for (const { name, type } of to.fields!) {
    const before = known.get(name)
    if (before !== undefined) {
      const widening = wideningOf(before, type)
      if (widening === undefined) return undefined
      makers.push([name, (object) => widening((object as Readonly<Record<string, unknown>>)[name])])
    } else if (type.hasDefault || type.isNullable) {
      makers.push([name, () => (type.hasDefault ? type.defaultValue : null)])
    } else return undefined
  }
  return (object) => Object.fromEntries(makers.map(([name, make]) => [name, make(object)]))
}
