/**
 * What a test tells about null: which places are known not to be null where the test has come out one way.
 *
 * Invariant:
 * - W1 A place is named only where every evaluation of the test with that outcome finds it neither null nor undefined.
 */
import { placeOf, type Binary, type Ir, type Reference } from "./ir.ts"
import { isWithin, NULLISH } from "./value-type.ts"

/** Places (see `placeOf`) that are known not to be null. */
export type Facts = ReadonlySet<string>

/** Nothing is known. */
export const NO_FACTS: Facts = new Set()

/** What is known in addition to `facts` where `test` has come out truthy (`outcome`) or falsy. */
export function factsAfter(facts: Facts, test: Ir, outcome: boolean): Facts {
  const places = [...placesNotNull(test, outcome)]
  return places.length === 0 ? facts : new Set([...facts, ...places])
}

function* placesNotNull(test: Ir, outcome: boolean): Generator<string> {
  switch (test.op) {
    case "column":
    case "param":
      if (outcome) yield placeOf(test)
      return
    case "let":
      yield* placesNotNull(test.value, outcome)
      return
    case "unary":
      if (test.operator === "!") yield* placesNotNull(test.operand, !outcome)
      return
    case "logical":
      // Both sides of `&&` were truthy where it is truthy, both sides of `||` falsy where it is falsy.
      if (test.operator === (outcome ? "&&" : "||")) {
        yield* placesNotNull(test.left, outcome)
        yield* placesNotNull(test.right, outcome)
      }
      return
    case "binary": {
      const place = placeComparedWithNull(test, outcome)
      if (place !== undefined) yield placeOf(place)
      return
    }
    default:
  }
}

/** The place that is not null where the comparison has the given outcome, if there is one. */
function placeComparedWithNull({ operator, left, right }: Binary, outcome: boolean): Reference | undefined {
  const isEquality = operator === "===" || operator === "=="
  if (!isEquality && operator !== "!==" && operator !== "!=") return undefined
  if (isEquality === outcome) return undefined
  const isLoose = operator === "==" || operator === "!="
  const [place, other] = isReference(left) ? [left, right] : [right, left]
  if (!isReference(place) || other.op !== "constant" || !isWithin(other.kinds, NULLISH)) return undefined
  // `place !== undefined` says nothing about null.
  return isLoose || other.value === null ? place : undefined
}

function isReference(node: Ir): node is Reference {
  return node.op === "column" || node.op === "param"
}
