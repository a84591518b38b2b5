/**
 * From a function to its syntax tree, by its source text as the engine keeps it. What the tree means is for `lower.ts`.
 *
 * Invariant:
 * - U1 A text that means one thing in a module and another in a script is refused, as the text does not say which it is.
 */
import { parse, type ArrowFunctionExpression, type FunctionExpression } from "acorn"
import { assert } from "../base/assert.ts"
import type { RowFunction } from "./lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { sourceTextOf } from "./source-text.ts"

/** The syntax tree of a lambda. */
export type FunctionNode = ArrowFunctionExpression | FunctionExpression

/** A lambda's syntax tree and the text to which its positions refer. */
export interface ParsedFunction {
  readonly node: FunctionNode
  readonly text: string
}

/** Longer functions are programs rather than expressions. */
const MAX_SOURCE_LENGTH = 20_000

const WRITE_AN_ARROW = "Write it as an arrow function, such as (row) => row.fare > 0."

/**
 * The syntax tree of an arrow function or function expression.
 *
 * @throws NotCompilable where the text is anything else.
 */
export function parseFunction(fn: RowFunction): ParsedFunction {
  assert(typeof fn === "function", "a lambda is a function")
  const source = sourceTextOf(fn)
  if (source === undefined) throw new NotCompilable("Function.prototype.toString has been replaced in this process.")
  if (source.length > MAX_SOURCE_LENGTH) throw new NotCompilable("Its source text is too long to be compiled.")
  // In a script these begin comments, in a module they are operators.
  if (source.includes("<!--") || source.includes("-->")) {
    throw new NotCompilable(`Its source text holds "<!--" or "-->", which scripts and modules read differently.`)
  }
  const text = `(${source}\n)`
  const { body } = parseScript(text)
  const statement = body.length === 1 ? body[0] : undefined
  const node = statement?.type === "ExpressionStatement" ? statement.expression : undefined
  if (node?.type !== "ArrowFunctionExpression" && node?.type !== "FunctionExpression") throw notAFunction()
  assert(node.start === 1 && node.end === source.length + 1, "a function is all that its source text holds")
  return { node, text }
}

function parseScript(text: string) {
  try {
    // As a script, since every function of a module that has a meaning as a script has the same one (U1).
    return parse(text, { ecmaVersion: "latest", sourceType: "script" })
  } catch {
    throw notAFunction()
  }
}

function notAFunction(): NotCompilable {
  return new NotCompilable(
    "Its source text is not that of a plain function: it is native, bound, a method or a class.",
    WRITE_AN_ARROW,
  )
}
