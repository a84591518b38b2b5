/**
 * Sums of floats, block by block: value by value and in order, as any other order would give other bits (G3). In place of
 * null stands −0, to which any sum adds as itself, so that no branch has to be foreseen.
 */
import { f64, f64x2, type Code } from "../../base/wasm-code.ts"
import type { FunctionScope } from "../../base/wasm-module.ts"
import { BLOCK_ROWS, type BlockAccess, type BlockCode, type FieldPlace } from "./aggregate.ts"
import { asF64 } from "./fields.ts"
import { addToCount, blockVectors, countPresent, vectorOf } from "./lanes.ts"

const BYTES = 8

/** Adds to the sum, and to the count of values where there is one. */
export function floatSumBlocks(
  isNullable: boolean,
  access: BlockAccess,
  [sum, count]: readonly FieldPlace[],
  scope: FunctionScope,
): BlockCode {
  const add = (value: Code<"f64">) => sum!.store(f64.add(asF64(sum!.load()), value))
  const counted = count === undefined ? [] : [count]
  if (!isNullable) {
    const values = Array.from({ length: BLOCK_ROWS }, (_, row) => f64.load(access.values(0), row * BYTES))
    return { begin: [], addBlock: values.map(add), end: counted.map((each) => addToCount(each, access.rows)) }
  }
  const pair = scope.local("v128")
  const pairs = blockVectors(access, BYTES, vectorOf(Float64Array.of(-0, -0)))
  return {
    begin: [],
    addBlock: [
      ...pairs.flatMap((values) => [
        pair.set(values),
        add(f64x2.extractLane(pair.get, 0)),
        add(f64x2.extractLane(pair.get, 1)),
      ]),
      ...counted.map((each) => countPresent(access, each)),
    ],
    end: [],
  }
}
