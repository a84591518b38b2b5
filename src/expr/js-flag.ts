/**
 * Tests without branches: on data that no processor can foresee, wrongly predicted branches cost more than the test.
 *
 * `&&` and `||` become `&` and `|` on bits, which evaluate both sides. That is right because nodes are pure and total,
 * and good only where both sides are cheap: comparisons of numbers and codes, bits, and simple arithmetic.
 *
 * Invariants:
 * - JF1 `flagOf(node) | 0` is 1 where the node's value is truthy, and 0 elsewhere.
 * - JF2 What relies on a test before it (G1) is read although that test has failed. It is read from slots of columns only,
 *   which are safe to read whatever they hold, and the bit of the failed test decides in its place.
 */
import type { Binary, BinaryOperator, ColumnReference, Ir } from "./ir.ts"
import type { JsExpressions } from "./js-expression.ts"
import { BOOLEAN, isWithin, mayBe, NULL, NULLISH, NUMBER_LIKE } from "./value-type.ts"

const RELATIONS: ReadonlySet<BinaryOperator> = new Set<BinaryOperator>(["<", ">", "<=", ">="])
const CHEAP_OPERATORS: ReadonlySet<string> = new Set<BinaryOperator>(["+", "-", "*", "/", "&", "|", "^"])

/** An expression of a bit or a boolean that tells whether the node is truthy; `undefined` where branches are better. */
export function flagOf(node: Ir, expressions: JsExpressions): string | undefined {
  if (!isWithin(node.kinds, BOOLEAN | NULL)) return undefined
  switch (node.op) {
    case "constant":
      return node.value === true ? "1" : "0"
    case "column":
      return columnFlag(node, expressions)
    case "unary": {
      const flag = node.operator === "!" ? flagOf(node.operand, expressions) : undefined
      return flag === undefined ? undefined : `(${flag} ^ 1)`
    }
    case "logical": {
      if (node.operator === "??") return undefined
      const left = flagOf(node.left, expressions)
      const right = left === undefined ? undefined : flagOf(node.right, expressions)
      return right === undefined ? undefined : `(${left!} ${node.operator === "&&" ? "&" : "|"} ${right})`
    }
    case "binary":
      return comparisonFlag(node, expressions)
    default:
      return undefined
  }
}

function columnFlag(node: ColumnReference, expressions: JsExpressions): string {
  const value = expressions.value({ ...node, kinds: BOOLEAN })
  return mayBe(node.kinds, NULL) ? `((${expressions.isPresent(node)}) & ${value})` : value
}

function comparisonFlag(node: Binary, expressions: JsExpressions): string | undefined {
  const { operator, left, right } = node
  if (RELATIONS.has(operator)) {
    return isCheapNumber(left) && isCheapNumber(right) ? expressions.value(node) : undefined
  }
  const [column, other] = left.op === "column" ? [left, right] : [right, left]
  if (column.op !== "column") return undefined
  const isNegated = operator === "!==" || operator === "!="
  if (!isNegated && operator !== "===" && operator !== "==") return undefined
  const isLoose = operator === "==" || operator === "!="
  if (other.op === "constant" && isWithin(other.kinds, NULLISH) && (isLoose || other.value === null)) {
    if (!mayBe(column.kinds, NULL)) return isNegated ? "1" : "0"
    const isPresent = `(${expressions.isPresent(column)})`
    return isNegated ? isPresent : `(${isPresent} ^ 1)`
  }
  const isCheap = other.op === "constant" || other.op === "param" || isCheapNumber(other)
  const equal = isCheap ? expressions.equalityWithColumn(column, other) : undefined
  if (equal === undefined) return undefined
  const flag = mayBe(column.kinds, NULL) ? `((${expressions.isPresent(column)}) & ${equal})` : equal
  return isNegated ? `(${flag} ^ 1)` : flag
}

/** Whether a number-like value comes from a few instructions. */
function isCheapNumber(node: Ir): boolean {
  if (!isWithin(node.kinds, NUMBER_LIKE)) return false
  switch (node.op) {
    case "constant":
    case "param":
    case "column":
    case "let":
      return true
    case "unary":
      return node.operator !== "typeof" && isCheapNumber(node.operand)
    case "binary":
      return CHEAP_OPERATORS.has(node.operator) && isCheapNumber(node.left) && isCheapNumber(node.right)
    default:
      return false
  }
}
