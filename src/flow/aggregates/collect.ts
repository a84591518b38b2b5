/**
 * The values themselves, as a list in order of event time; of equal times in the order in which they arrived. With a limit only
 * the first ones are kept: what is beyond it is in no result.
 *
 * In state: how many values, and of each, in order, its event time as a double, and itself.
 *
 * Invariant:
 * - CO1 A partial result is a function of the records and of the order in which those with equal times arrived.
 */
import { ColumnType } from "../../batch/type.ts"
import { listType } from "../../batch/types/list.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { insert, mergeInOrder } from "./ordered-items.ts"
import { readValue, writeValue } from "./value-bytes.ts"

interface Collected {
  readonly time: number
  readonly value: unknown
}

/** The definition of `collect`. */
export function collect({ limit = Infinity }: { readonly limit?: number }): AccumulatorDefinition {
  return {
    resultType: (input) => input && listType(elementOf(input)),
    accumulator: (input) => collected(elementOf(input!), limit),
  }
}

/** The type without null, its source name and its default. */
function elementOf({ definition }: ColumnType): ColumnType {
  return new ColumnType(definition)
}

function isBefore(one: Collected, other: Collected): boolean {
  return one.time < other.time
}

function collected(type: ColumnType, limit: number): Accumulator<Collected[]> {
  return {
    init: () => [],
    add(values, value, time) {
      insert(values, { time, value }, limit, isBefore)
      return values
    },
    merge: (earlier, later) => mergeInOrder(earlier, later, limit, isBefore),
    result: (values) => values.map(({ value }) => value),
    write(values, out) {
      out.varint(values.length)
      for (const { time, value } of values) {
        out.float64(time)
        writeValue(type, value, out)
      }
    },
    read(from) {
      const values: Collected[] = []
      for (let left = from.varint(); left > 0; left--)
        values.push({ time: from.float64(), value: readValue(type, from) })
      return values
    },
  }
}
