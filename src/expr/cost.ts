/**
 * What evaluating a node costs, roughly, in nanoseconds of the JavaScript that is generated for it.
 *
 * It decides what is evaluated first or once; nothing that is computed depends on it.
 */
import { childrenOf, type Ir, typeOfReference } from "./ir.ts"
import { BIGINT, isWithin, mayBe, STRING } from "./value-type.ts"

/** A text is searched, made or compared from its first character on. */
const TEXT = 25
const REGEX = 60
const BIG = 30
const READ_TEXT = 8
const CALL = 5
const SIMPLE = 1

/** The cost of a node and all below it; a `let` has been evaluated before. */
export function costOf(node: Ir): number {
  let cost = ownCost(node)
  for (const child of childrenOf(node)) cost += costOf(child)
  return cost
}

function ownCost(node: Ir): number {
  switch (node.op) {
    case "constant":
    case "param":
    case "let":
    case "narrowed":
      return 0
    case "column": {
      const { typeOf } = typeOfReference(node).definition
      return typeOf === "string" || typeOf === "bigint" ? READ_TEXT : SIMPLE
    }
    case "binary": {
      const kinds = node.left.kinds | node.right.kinds
      // Codes are compared instead of a column's texts.
      const isCode = isWithin(node.right.kinds, STRING) && (node.right.op === "constant" || node.right.op === "param")
      if (mayBe(kinds, STRING)) return isCode && node.operator !== "+" ? SIMPLE : TEXT
      return mayBe(kinds, BIGINT) ? BIG : SIMPLE
    }
    case "unary":
      return mayBe(node.operand.kinds, BIGINT | STRING) && node.operator !== "!" ? TEXT : SIMPLE
    case "logical":
    case "conditional":
    case "guard":
      return SIMPLE
    case "call":
    case "datePart":
      return mayBe(node.kinds, STRING) ? TEXT : CALL
    case "stringMember":
      return node.arguments === undefined ? SIMPLE : TEXT
    case "numberMethod":
    case "template":
      return TEXT * 2
    case "regex":
      return REGEX
  }
}
