/** `first`: the value with the least event time; of several the one that arrived first. Records with null are skipped. */
import { assert } from "../../base/assert.ts"
import { resultOf, type AggregateDefinition } from "./aggregate.ts"
import { PickedValue } from "./picked-value.ts"

class First extends PickedValue {
  protected prefers(time: number, picked: number): boolean {
    return time < picked
  }
}

/** See the head of this file. */
export const first: AggregateDefinition = {
  resultType: (input) => (input === undefined ? undefined : resultOf(input, input)),
  accumulator(input) {
    assert(input !== undefined, "first reads a column")
    return new First(input, Infinity)
  },
}
