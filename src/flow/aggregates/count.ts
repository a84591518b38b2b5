/** `count`: the number of records, whatever they hold. */
import { ColumnType } from "../../batch/type.ts"
import { int53Type } from "../../batch/types/int53.ts"
import type { Accumulator } from "./accumulator.ts"
import type { AggregateDefinition, AggregateKernel } from "./aggregate.ts"
import { COUNT_FIELD, countUp, minus, plus } from "./fields.ts"
import { addToCount } from "./lanes.ts"

const TYPE = new ColumnType(int53Type.definition)

const kernel: AggregateKernel = {
  inputs: [],
  results: [{ path: [], type: TYPE }],
  entry: [COUNT_FIELD],
  window: [COUNT_FIELD],
  add: (_record, [count]) => [countUp(count!)],
  lanes: ["count"],
  blocks: ({ rows }, [count]) => ({ begin: [], addBlock: [], end: [addToCount(count!, rows)] }),
  lift: (entry) => entry,
  combine: ([earlier], [later]) => [plus(earlier!, later!)],
  remove: ([whole], [part]) => [minus(whole!, part!)],
  finish: ([count], result) => [result.store(0, count!.get)],
  pairs: { finish: (counts) => counts },
}

const accumulator: Accumulator<number> = {
  init: () => 0,
  add: (count) => count + 1,
  merge: (earlier, later) => earlier + later,
  remove: (whole, part) => whole - part,
  result: (count) => count,
  write: (count, out) => out.varint(count),
  read: (from) => from.varint(),
}

/** See the head of this file. */
export const count: AggregateDefinition = {
  resultType: (input) => (input === undefined ? TYPE : undefined),
  kernel: () => kernel,
  accumulator: () => accumulator,
}
