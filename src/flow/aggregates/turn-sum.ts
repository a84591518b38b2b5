/**
 * Sums of floats in windows without a key (W13): four of them for each slice, to which its records add in turns.
 *
 * Where all rows go to one entry, each addition would have to wait for the one before. The fourth before is long done; and as
 * vectors of two, four are two additions.
 *
 * An entry holds the sum whose turn it is first, and behind it the others in their order; with each record they move on by
 * one. The first and the third add, the second and the fourth, and then both: as x + y is y + x, that is the same whosever
 * turn it is, so nobody needs to know which was the slice's first. Where a value is null, it was its sum's turn all the same.
 */
import { f64, f64x2, type Code } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import type { AggregateKernel, BlockAccess, BlockCode, FieldPlace, RecordAccess } from "./aggregate.ts"
import { asF64, countUp, FLOAT_SUM_FIELD, ifPresent } from "./fields.ts"
import { addToCount, blockVectors, countPresent, vectorOf } from "./lanes.ts"

const BYTES = 8
const NOTHING = -0

/** What such a kernel has in place of what that of a window with keys has, of which the first field is the float sum. */
export function inTurns(kernel: AggregateKernel, isNullable: boolean): AggregateKernel {
  return {
    inputs: kernel.inputs,
    results: kernel.results,
    entry: [FLOAT_SUM_FIELD, FLOAT_SUM_FIELD, FLOAT_SUM_FIELD, ...kernel.entry],
    window: kernel.window,
    combine: (earlier, later) => kernel.combine(earlier, later),
    finish: (values, result) => kernel.finish(values, result),
    add: (record, fields, scope) => addInTurn(isNullable, record, fields, scope),
    blocks: (access, fields, scope) => turnBlocks(isNullable, access, fields, scope),
    lift: ([first, second, third, fourth, ...counts]) => [
      f64.add(f64.add(asF64(first!), asF64(third!)), f64.add(asF64(second!), asF64(fourth!))),
      ...counts,
    ],
  }
}

/** Adds a record to the sum whose turn it is, and counts it where values are counted. */
function addInTurn(
  isNullable: boolean,
  record: RecordAccess,
  [first, second, third, fourth, count]: readonly FieldPlace[],
  scope: FunctionScope,
): readonly Code<"none">[] {
  const sum = scope.local("f64")
  const present = asF64(record.value(0))
  const value = isNullable ? f64.select(record.isPresent(0), present, f64.const(NOTHING)) : present
  return [
    sum.set(f64.add(asF64(first!.load()), value)),
    first!.store(second!.load()),
    second!.store(third!.load()),
    third!.store(fourth!.load()),
    fourth!.store(sum.get),
    ...(count === undefined ? [] : ifPresent(isNullable, record, [countUp(count)])),
  ]
}

/** As `addInTurn`; the rows of a block are whole rounds, so that it is the same sum's turn behind each. */
function turnBlocks(
  isNullable: boolean,
  access: BlockAccess,
  [first, second, third, fourth, count]: readonly FieldPlace[],
  scope: FunctionScope,
): BlockCode {
  const [early, late] = [scope.local("v128"), scope.local("v128")]
  const vectors = blockVectors(access, BYTES, isNullable ? vectorOf(Float64Array.of(NOTHING, NOTHING)) : undefined)
  const counted = count === undefined ? [] : [count]
  const both = (one: FieldPlace, other: FieldPlace) =>
    f64x2.replaceLane(f64x2.splat(asF64(one.load())), 1, asF64(other.load()))
  return {
    begin: [early.set(both(first!, second!)), late.set(both(third!, fourth!))],
    addBlock: [
      ...vectors.map((values, index) => {
        const sums = index % 2 === 0 ? early : late
        return sums.set(f64x2.add(sums.get, values))
      }),
      ...(isNullable ? counted.map((each) => countPresent(access, each)) : []),
    ],
    end: [
      first!.store(f64x2.extractLane(early.get, 0)),
      second!.store(f64x2.extractLane(early.get, 1)),
      third!.store(f64x2.extractLane(late.get, 0)),
      fourth!.store(f64x2.extractLane(late.get, 1)),
      ...(isNullable ? [] : counted.map((each) => addToCount(each, access.rows))),
    ],
  }
}
