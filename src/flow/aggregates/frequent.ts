/**
 * The values that occur most often, in memory that does not grow with how many there are: m counters, by J. Misra and D. Gries
 * (1982), merged as P. Agarwal and others do (Mergeable Summaries, PODS 2012).
 *
 * Of n values, let d be how often all counters were lowered by one (`lowered`). A value that has a counter of c has occurred at
 * least c and at most c + d times; one that has none at most d times. Each time that counters are lowered m + 1 occurrences
 * are dropped at least: those of m counters, and the one that came (in `add`), or the m + 1 greatest counters (in
 * `merge`, by c each). So d ≤ (n − Σ counters)/(m + 1) ≤ n/(m + 1), whatever the values and their order (docs/decisions/0035).
 * While there are no more than m values, all counts are exact.
 *
 * In state: d; how many counters; of each its value and its count.
 *
 * Invariants:
 * - FQ1 A value occurred from `count` to `countMost` times, and `countMost` − `count` ≤ error · n.
 * - FQ2 A value that occurred more than error · n times has a counter.
 */
import { ColumnType } from "../../batch/type.ts"
import { int53Type } from "../../batch/types/int53.ts"
import { listType } from "../../batch/types/list.ts"
import { objectType } from "../../batch/types/object.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { readValue, writeValue } from "./value-bytes.ts"
import { valueKey, type ValueKey } from "./value-key.ts"

/** The errors that may be asked for, and the one that is usual. */
export const FREQUENT_ERRORS = { least: 0.000_01, greatest: 0.5, usual: 0.001 } as const

/** What is asked for. */
export interface FrequentOptions {
  /** How many values a result has at most. */
  readonly limit: number
  /** How many of all values a count may be short of, as a share. */
  readonly error: number
}

interface Counter {
  readonly value: unknown
  count: number
}

interface Counters {
  lowered: number
  /** By key of the value; none is 0. */
  readonly byKey: Map<ValueKey, Counter>
}

/** How many counters an error takes: 1/(m + 1) is not more than it. */
export function countersFor(error: number): number {
  return Math.max(1, Math.ceil(1 / error) - 1)
}

/** The definition of `frequent`. */
export function frequent(options: FrequentOptions): AccumulatorDefinition {
  return {
    resultType: (input) =>
      input && listType(objectType({ value: valueTypeOf(input), count: int53Type, countMost: int53Type })),
    accumulator: (input) => countersOf(valueTypeOf(input!), options),
  }
}

/** The type without null, its source name and its default. */
function valueTypeOf({ definition }: ColumnType): ColumnType {
  return new ColumnType(definition)
}

function countersOf(type: ColumnType, { limit, error }: FrequentOptions): Accumulator<Counters> {
  const room = countersFor(error)
  return {
    init: () => ({ lowered: 0, byKey: new Map() }),
    add(counters, value) {
      const { byKey } = counters
      const key = valueKey(type, value)
      const known = byKey.get(key)
      if (known !== undefined) known.count++
      else if (byKey.size < room) byKey.set(key, { value, count: 1 })
      else lower(counters, 1)
      return counters
    },
    merge(earlier, later) {
      const { byKey } = earlier
      for (const [key, { value, count }] of later.byKey) {
        const known = byKey.get(key)
        if (known === undefined) byKey.set(key, { value, count })
        else known.count += count
      }
      earlier.lowered += later.lowered
      if (byKey.size > room) lower(earlier, countOfRank([...byKey.values()], room + 1))
      return earlier
    },
    result({ lowered, byKey }) {
      const counters = [...byKey].sort(([oneKey, one], [otherKey, other]) => {
        return other.count - one.count || compareKeys(oneKey, otherKey)
      })
      return counters.slice(0, limit).map(([, { value, count }]) => ({ value, count, countMost: count + lowered }))
    },
    write({ lowered, byKey }, out) {
      out.varint(lowered)
      out.varint(byKey.size)
      for (const { value, count } of byKey.values()) {
        writeValue(type, value, out)
        out.varint(count)
      }
    },
    read(from) {
      const counters: Counters = { lowered: from.varint(), byKey: new Map() }
      for (let left = from.varint(); left > 0; left--) {
        const value = readValue(type, from)
        counters.byKey.set(valueKey(type, value), { value, count: from.varint() })
      }
      return counters
    },
  }
}

/** Lowers all counters, and drops those that are 0 then, or below. */
function lower(counters: Counters, by: number): void {
  counters.lowered += by
  for (const [key, counter] of counters.byKey) {
    counter.count -= by
    if (counter.count <= 0) counters.byKey.delete(key)
  }
}

/** The count of that rank, the greatest being the first. */
function countOfRank(counters: readonly Counter[], rank: number): number {
  return counters.map(({ count }) => count).sort((one, other) => other - one)[rank - 1]!
}

/** An order of keys of one type, in which NaN is the least. */
function compareKeys(one: ValueKey, other: ValueKey): number {
  if (one === other) return 0
  if (Number.isNaN(one)) return -1
  return Number.isNaN(other) || one > other ? 1 : -1
}
