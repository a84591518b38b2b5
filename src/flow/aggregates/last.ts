/** `last`: the value with the greatest event time; of several the one that arrived last. Records with null are skipped. */
import { assert } from "../../base/assert.ts"
import { resultOf, type AggregateDefinition } from "./aggregate.ts"
import { PickedValue } from "./picked-value.ts"

class Last extends PickedValue {
  protected prefers(time: number, picked: number): boolean {
    return time >= picked
  }
}

/** See the head of this file. */
export const last: AggregateDefinition = {
  resultType: (input) => (input === undefined ? undefined : resultOf(input, input)),
  accumulator(input) {
    assert(input !== undefined, "last reads a column")
    return new Last(input, -Infinity)
  },
}
