/**
 * What a test tells about null: which values are known not to be null, or not undefined, where the test has come out
 * one way.
 *
 * Invariant:
 * - W1 A kind is excluded only where every evaluation of the test with that outcome finds the value not of that kind.
 */
import { placeOf, type Binary, type Constant, type Ir } from "./ir.ts"
import { isWithin, mayBe, NULL, NULLISH, UNDEFINED, type Kinds } from "./value-type.ts"

/** The kinds that are excluded, by value (see `keyOf`). */
export type Facts = ReadonlyMap<string | Ir, Kinds>

/** Nothing is known. */
export const NO_FACTS: Facts = new Map()

/** What stands for a value in facts: the same for each reference to a place, and for each use of the same node. */
export function keyOf(node: Ir): string | Ir {
  switch (node.op) {
    case "column":
    case "param":
      return placeOf(node)
    case "narrowed":
      return keyOf(node.value)
    default:
      return node
  }
}

/** What is known in addition to `facts` where `test` has come out truthy (`outcome`) or falsy. */
export function factsAfter(facts: Facts, test: Ir, outcome: boolean): Facts {
  const more = [...exclusions(test, outcome)]
  if (more.length === 0) return facts
  const result = new Map(facts)
  for (const [key, kinds] of more) result.set(key, (result.get(key) ?? 0) | kinds)
  return result
}

type Exclusions = Generator<readonly [string | Ir, Kinds]>

function* exclusions(test: Ir, outcome: boolean): Exclusions {
  if (outcome) yield* excluded(test, NULLISH, ({ value }) => !value)
  switch (test.op) {
    case "unary":
      if (test.operator === "!") yield* exclusions(test.operand, !outcome)
      return
    case "logical":
      // Both sides of `&&` were truthy where it is truthy, both sides of `||` falsy where it is falsy.
      if (test.operator === (outcome ? "&&" : "||")) {
        yield* exclusions(test.left, outcome)
        yield* exclusions(test.right, outcome)
      }
      return
    case "binary":
      yield* exclusionsOfComparison(test, outcome)
      return
    case "guard":
      yield* exclusions(test.test, true)
      yield* exclusions(test.value, outcome)
      return
    default:
  }
}

function* exclusionsOfComparison({ operator, left, right }: Binary, outcome: boolean): Exclusions {
  const isEquality = operator === "===" || operator === "=="
  if (!isEquality && operator !== "!==" && operator !== "!=") return
  if (isEquality === outcome) return
  const [value, other] = right.op === "constant" ? [left, right] : [right, left]
  if (other.op !== "constant" || !isWithin(other.kinds, NULLISH)) return
  const isLoose = operator === "==" || operator === "!="
  const kinds = isLoose ? NULLISH : other.value === null ? NULL : UNDEFINED
  yield* excluded(value, kinds, (constant) => isWithin(constant.kinds, kinds))
}

/** The value of `node` is none of these kinds, and no constant that `isExcluded`. */
function* excluded(node: Ir, kinds: Kinds, isExcluded: (constant: Constant) => boolean): Exclusions {
  if (mayBe(node.kinds, kinds)) yield [keyOf(node), kinds]
  if (node.op === "let" || node.op === "narrowed") yield* excluded(node.value, kinds, isExcluded)
  if (node.op !== "conditional") return
  // Where one side gives an excluded constant, it was the other side: so `a?.b` that is not null tells of `a`, too.
  if (node.then.op === "constant" && isExcluded(node.then)) {
    yield* exclusions(node.test, false)
    yield* excluded(node.otherwise, kinds, isExcluded)
  } else if (node.otherwise.op === "constant" && isExcluded(node.otherwise)) {
    yield* exclusions(node.test, true)
    yield* excluded(node.then, kinds, isExcluded)
  }
}
