/**
 * Arithmetic of bigints that throws for some operands: a guard before it keeps those away.
 *
 * Invariant:
 * - GB1 Where the operation throws (but for lack of room, see Q1), its guard fails.
 */
import type { BinaryOperator, Ir } from "./ir.ts"
import { makeBinary, makeConstant, makeGuard, withoutKinds } from "./nodes.ts"
import { BIGINT, isWithin, mayBe, NULLISH } from "./value-type.ts"

/** Operators of arithmetic: of bigints all of these take bigints only. */
const ARITHMETIC: ReadonlySet<BinaryOperator> = new Set<BinaryOperator>([
  ...(["+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>"] as const),
])

/** `left operator right`, within the guards that it needs. */
export function makeGuardedBinary(operator: BinaryOperator, left: Ir, right: Ir): Ir {
  if (!ARITHMETIC.has(operator) || ![left, right].every(isBigintOrNull)) return makeBinary(operator, left, right)
  const tests = [left, right].filter(({ kinds }) => mayBe(kinds, NULLISH)).map((each) => notNull(each))
  const divisor = withoutKinds(right, NULLISH)
  const operation = makeBinary(operator, withoutKinds(left, NULLISH), divisor)
  const limit = limitOf(operator, divisor)
  return [...tests, ...limit].reduceRight((value, test) => makeGuard(test, value), operation)
}

function isBigintOrNull({ kinds }: Ir): boolean {
  return isWithin(kinds, BIGINT | NULLISH) && mayBe(kinds, BIGINT)
}

function notNull(node: Ir): Ir {
  return makeBinary("!=", node, makeConstant(null))
}

/** What must hold of the right side. */
function limitOf(operator: BinaryOperator, right: Ir): Ir[] {
  const isKnown = right.op === "constant" && typeof right.value === "bigint"
  switch (operator) {
    case "/":
    case "%":
      return isKnown && right.value !== 0n ? [] : [makeBinary("!==", right, makeConstant(0n))]
    case "**":
      return isKnown && right.value >= 0n ? [] : [makeBinary(">=", right, makeConstant(0n))]
    default:
      return []
  }
}
