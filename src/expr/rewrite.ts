/**
 * From IR to IR that gives the same and costs less, for every back end.
 *
 * Invariants:
 * - RW1 Rewritten IR gives the same values by `Object.is`; where only truth is asked, the same truth.
 * - RW2 A guard that would fail still fails.
 */
import { fold } from "./fold.ts"
import type { Ir, LambdaIr, Let } from "./ir.ts"
import { makeLet } from "./nodes.ts"
import { orderTest, orderTests } from "./order.ts"
import { shareRepeated } from "./share.ts"

/** The lambda, rewritten. `asked` says whether all of its result counts, or only its truth. */
export function rewrite(ir: LambdaIr, asked: "value" | "truth"): LambdaIr {
  return shareRepeated(simplify(ir, asked))
}

function simplify({ result, lets, globals }: LambdaIr, asked: "value" | "truth"): LambdaIr {
  const kept: Let[] = []
  const values: Ir[] = []
  for (const { value } of lets) {
    const simplified = orderTests(fold(value, values))
    if (simplified.op === "constant") values.push(simplified)
    else {
      const added = makeLet(kept.length, simplified)
      kept.push(added)
      values.push(added)
    }
  }
  const order = asked === "truth" ? orderTest : orderTests
  if (result.op !== "object") return { result: order(fold(result, values)), lets: kept, globals }
  const entries = new Map([...result.entries].map(([name, entry]) => [name, orderTests(fold(entry, values))]))
  return { result: { op: "object", entries }, lets: kept, globals }
}
