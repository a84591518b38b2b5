/**
 * Replaces what is known before any row is read by its value: operations on constants, tests for null of what is never
 * null by its type, branches that are never taken.
 *
 * Invariants:
 * - FO1 What is folded gives the value that JavaScript gives, −0 and NaN included, and small ones only.
 * - FO2 What may throw is neither dropped nor folded.
 */
import { assert } from "../base/assert.ts"
import { knownFunction } from "./globals.ts"
import { childrenOf, type Binary, type Constant, type Ir, type Logical, type Unary } from "./ir.ts"
import { makeConstant, withChildren } from "./nodes.ts"
import { BIGINT, BOOLEAN, isWithin, mayBe, NULL, NULLISH, NUMBER, STRING, UNDEFINED, type Kinds } from "./value-type.ts"

type Value = Constant["value"]

/** Longer texts stay operations: they would stand in the code. */
const MAX_TEXT = 200

/** A node whose children are folded already, or what it is known to give. `lets` has what lets are replaced by. */
export function fold(node: Ir, lets: readonly Ir[]): Ir {
  if (node.op === "let") return lets[node.index]!
  const children = childrenOf(node)
  const folded = children.map((child) => fold(child, lets))
  const isSame = folded.every((child, index) => child === children[index])
  return simplified(isSame ? node : withChildren(node, folded))
}

function simplified(node: Ir): Ir {
  switch (node.op) {
    case "unary":
      return foldUnary(node)
    case "binary":
      return foldBinary(node)
    case "logical":
      return foldLogical(node)
    case "conditional":
      if (node.test.op !== "constant") return node
      return node.test.value ? node.then : node.otherwise
    case "guard":
      return node.test.op === "constant" && node.test.value ? node.value : node
    case "narrowed":
      return node.value.op === "constant" ? node.value : node
    case "template": {
      const values = constantsOf(node.values)
      if (values === undefined) return node
      const text = node.texts.reduce((before, part, index) => `${before}${String(values[index - 1])}${part}`)
      return small(text, node)
    }
    case "call": {
      const values = constantsOf(node.arguments)
      return values === undefined ? node : called(node.name, undefined, values, node)
    }
    case "stringMember": {
      const values = constantsOf([node.text, ...(node.arguments ?? [])])
      if (values === undefined) return node
      const [text, ...rest] = values
      if (node.arguments !== undefined) return called(`String.prototype.${node.name}`, text, rest, node)
      assert(typeof text === "string", "only texts have a length")
      return makeConstant(text.length)
    }
    default:
      return node
  }
}

function constantsOf(nodes: readonly Ir[]): Value[] | undefined {
  const constants = nodes.filter((node) => node.op === "constant")
  return constants.length === nodes.length ? constants.map(({ value }) => value) : undefined
}

function called(name: string, receiver: Value, values: readonly Value[], node: Ir): Ir {
  const known = knownFunction(name)
  assert(known !== undefined, "calls are of known functions")
  return small(Reflect.apply(known.genuine, receiver, values) as Value, node)
}

/** The constant, where it is one that may stand in the code. */
function small(value: Value, otherwise: Ir): Ir {
  return typeof value === "string" && value.length > MAX_TEXT ? otherwise : makeConstant(value)
}

const TYPE_NAMES: readonly (readonly [Kinds, string])[] = [
  ...([
    [NUMBER, "number"],
    [STRING, "string"],
    [BOOLEAN, "boolean"],
    [BIGINT, "bigint"],
  ] as const),
  ...([
    [UNDEFINED, "undefined"],
    [NULL, "object"],
  ] as const),
]

function foldUnary(node: Unary): Ir {
  const { operator, operand } = node
  if (operator === "typeof") {
    const name = operand.isTotal ? TYPE_NAMES.find(([kind]) => isWithin(operand.kinds, kind))?.[1] : undefined
    return name === undefined ? node : makeConstant(name)
  }
  if (operand.op !== "constant") return node
  const value = operand.value as number
  switch (operator) {
    case "!":
      return makeConstant(!value)
    case "-":
      return makeConstant(-value)
    case "+":
      return makeConstant(+value)
    case "~":
      return makeConstant(~value)
  }
}

function foldBinary(node: Binary): Ir {
  const { operator, left, right } = node
  if (left.op === "constant" && right.op === "constant") {
    // Of bigints these may throw, or give what is large.
    const isLarge = mayBe(left.kinds | right.kinds, BIGINT) && ["/", "%", "**", "<<"].includes(operator)
    return isLarge ? node : small(evaluate(operator, left.value, right.value), node)
  }
  const [value, other] = right.op === "constant" ? [left, right] : [right, left]
  if (other.op !== "constant" || !isWithin(other.kinds, NULLISH) || !value.isTotal) return node
  const isLoose = operator === "==" || operator === "!="
  if (!isLoose && operator !== "===" && operator !== "!==") return node
  // What equals null or undefined is of these kinds.
  const equal = isLoose ? NULLISH : other.kinds
  const isNegated = operator === "!=" || operator === "!=="
  if (!mayBe(value.kinds, equal)) return makeConstant(isNegated)
  return isWithin(value.kinds, equal) ? makeConstant(!isNegated) : node
}

function foldLogical(node: Logical): Ir {
  const { operator, left, right } = node
  if (operator === "??") {
    if (!mayBe(left.kinds, NULLISH)) return left
    return isWithin(left.kinds, NULLISH) && left.isTotal ? right : node
  }
  const isDecisive = (value: Value): boolean => Boolean(value) === (operator === "||")
  if (left.op === "constant") return isDecisive(left.value) ? left : right
  // `test && true` and `test || false` are the test.
  const isNeutral = right.op === "constant" && right.value === (operator === "&&")
  return isNeutral && isWithin(left.kinds, BOOLEAN) ? left : node
}

/** The operands are such as the operator was accepted for: numbers stand for all of them in the types here. */
function evaluate(operator: Binary["operator"], leftValue: Value, rightValue: Value): Value {
  const left = leftValue as number
  const right = rightValue as number
  return OPERATIONS[operator](left, right)
}

const OPERATIONS: Readonly<Record<Binary["operator"], (left: number, right: number) => Value>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "**": (left, right) => left ** right,
  "&": (left, right) => left & right,
  "|": (left, right) => left | right,
  "^": (left, right) => left ^ right,
  "<<": (left, right) => left << right,
  ">>": (left, right) => left >> right,
  ">>>": (left, right) => left >>> right,
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
  "<=": (left, right) => left <= right,
  ">=": (left, right) => left >= right,
  "===": (left, right) => left === right,
  "!==": (left, right) => left !== right,
  // eslint-disable-next-line eqeqeq -- the operator of the source is what is wanted
  "==": (left, right) => left == right,
  // eslint-disable-next-line eqeqeq -- the operator of the source is what is wanted
  "!=": (left, right) => left != right,
}
