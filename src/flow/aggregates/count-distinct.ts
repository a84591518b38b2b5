/**
 * The number of distinct values, exactly: the partial result is the set of them, and as large.
 *
 * In state a set is its size and its values, in the order in which they came.
 */
import { isKeyable, type ColumnType } from "../../batch/type.ts"
import { int53Type } from "../../batch/types/int53.ts"
import { stringType } from "../../batch/types/string.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { readValue, writeValue } from "./value-bytes.ts"
import { valueKey, type ValueKey } from "./value-key.ts"

/** See the head of this file. */
export const countDistinct: AccumulatorDefinition = {
  resultType: (input) => (input === undefined ? undefined : int53Type),
  accumulator: (input) => distinctValues(input!.required()),
}

/** The type whose values the keys of a type are. */
function keyType(type: ColumnType): ColumnType {
  return isKeyable(type) ? type.required() : stringType
}

function distinctValues(type: ColumnType): Accumulator<Set<ValueKey>> {
  const keys = keyType(type)
  return {
    init: () => new Set(),
    add: (values, value) => values.add(valueKey(type, value)),
    merge(earlier, later) {
      for (const value of later) earlier.add(value)
      return earlier
    },
    result: (values) => values.size,
    write(values, out) {
      out.varint(values.size)
      for (const value of values) writeValue(keys, value, out)
    },
    read(from) {
      const values = new Set<ValueKey>()
      for (let left = from.varint(); left > 0; left--) values.add(readValue(keys, from) as ValueKey)
      return values
    },
  }
}
