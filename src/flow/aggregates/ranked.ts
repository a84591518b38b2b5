/**
 * What goes with the least or the greatest values: of one row (`minBy`, `maxBy`) or of the k first (`topK`).
 *
 * Values are in the order of `min` and `max` (W14): NaN comes before every number, whichever end is asked for; −0 is less than
 * 0. Of equal ones the row with the earlier event time comes first, and of those the one that arrived first.
 *
 * In state: how many rows, and of each, in order, its value, its event time as a double, and what goes with it.
 *
 * Invariant:
 * - RK1 A partial result is a function of the rows and of the order in which those with equal values and times arrived.
 */
import { assert } from "../../base/assert.ts"
import { ColumnType } from "../../batch/type.ts"
import { listType } from "../../batch/types/list.ts"
import { objectType } from "../../batch/types/object.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { isOrdered } from "./input-types.ts"
import { insert, mergeInOrder } from "./ordered-items.ts"
import { readValue, writeValue } from "./value-bytes.ts"

/** Which rows, and what of them. */
export interface RankedOptions {
  readonly which: "min" | "max"
  /** The field of the input that is ranked by: never null where a row counts. */
  readonly by: string
  /** A field of the input, or several, which make an object. */
  readonly of: string | readonly string[]
}

interface RankedRow {
  readonly by: number | bigint
  readonly time: number
  readonly value: unknown
}

/** Rows, best first. */
type RankedRows = RankedRow[]

type Row = Readonly<Record<string, unknown>>

/** The definition of `minBy` and `maxBy`: over an input that is an object with the fields named. */
export function extremeBy(options: RankedOptions): AccumulatorDefinition {
  return {
    resultType(input) {
      const types = input && rankedTypes(options, input)
      if (types === undefined) return undefined
      return new ColumnType(types.value.definition, { isNullable: types.by.isNullable || types.value.isNullable })
    },
    accumulator(input): Accumulator<RankedRows> {
      const types = rankedTypes(options, input!)
      assert(types !== undefined, "it was asked for the type of its results")
      return {
        ...rankedRows(options, types, 1),
        result: ([best]) => (best === undefined ? null : best.value),
      }
    },
  }
}

/** The definition of `topK`: what goes with the k most extreme values, best first, as a list. */
export function ranking(options: RankedOptions, limit: number): AccumulatorDefinition {
  return {
    resultType(input) {
      const value = input && rankedTypes(options, input)?.value
      return value && listType(new ColumnType(value.definition, { isNullable: value.isNullable }))
    },
    accumulator(input): Accumulator<RankedRows> {
      const types = rankedTypes(options, input!)
      assert(types !== undefined, "it was asked for the type of its results")
      return {
        ...rankedRows(options, types, limit),
        result: (rows) => rows.map(({ value }) => value),
      }
    },
  }
}

interface RankedTypes {
  readonly by: ColumnType
  readonly value: ColumnType
}

/** What rows are ranked by, and what is kept of them; `undefined` where that has no order. */
function rankedTypes({ by, of }: RankedOptions, input: ColumnType): RankedTypes | undefined {
  const { fields } = input.definition
  const typeOf = (name: string) => {
    const field = fields?.find((field) => field.name === name)
    assert(field !== undefined, `the input has the field ${name}`)
    return field.type
  }
  if (!isOrdered(typeOf(by))) return undefined
  const value =
    typeof of === "string" ? typeOf(of) : objectType(Object.fromEntries(of.map((name) => [name, typeOf(name)])))
  return { by: typeOf(by), value }
}

function rankedRows(
  options: RankedOptions,
  types: RankedTypes,
  limit: number,
): Omit<Accumulator<RankedRows>, "result"> {
  const { which, by, of } = options
  const byType = types.by.required()
  const isBefore = (one: RankedRow, other: RankedRow) => {
    const order = compareExtremes(which, one.by, other.by)
    return order < 0 || (order === 0 && one.time < other.time)
  }
  return {
    init: () => [],
    add(rows, value, time) {
      const row = value as Row
      if (row[by] === null) return rows
      const kept =
        typeof of === "string" ? row[of] : Object.freeze(Object.fromEntries(of.map((name) => [name, row[name]])))
      insert(rows, { by: row[by] as number | bigint, time, value: kept }, limit, isBefore)
      return rows
    },
    merge: (earlier, later) => mergeInOrder(earlier, later, limit, isBefore),
    write(rows, out) {
      out.varint(rows.length)
      for (const row of rows) {
        writeValue(byType, row.by, out)
        out.float64(row.time)
        writeValue(types.value, row.value, out)
      }
    },
    read(from) {
      const rows: RankedRows = []
      for (let left = from.varint(); left > 0; left--) {
        const by = readValue(byType, from) as number | bigint
        rows.push({ by, time: from.float64(), value: readValue(types.value, from) })
      }
      return rows
    },
  }
}

/** Negative where `one` is the more extreme, 0 where neither is. */
function compareExtremes(which: "min" | "max", one: number | bigint, other: number | bigint): number {
  if (one === other && one !== 0) return 0
  const [isOneNaN, isOtherNaN] = [Number.isNaN(one), Number.isNaN(other)]
  if (isOneNaN || isOtherNaN) return Number(isOtherNaN) - Number(isOneNaN)
  const order = one === other ? Number(Object.is(other, -0)) - Number(Object.is(one, -0)) : one < other ? -1 : 1
  return which === "min" ? order : -order
}
