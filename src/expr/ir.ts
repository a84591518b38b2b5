/**
 * The typed expressions that lambdas are lowered to, and that back ends generate code from.
 *
 * Operators are JavaScript's, with JavaScript's meaning. A node is pure: it has no effect. One without a `guard` in it is
 * total, too: evaluating it neither throws nor fails to end. So a back end may evaluate a node twice or early, and a total
 * one not at all; but see G1.
 *
 * Invariants:
 * - G1 A reference whose `kinds` lack NULL although its type is nullable, or that lies in a struct that is nullable,
 *   stands only where a test before it has made sure that there is a value; so does a `narrowed` node. Neither may be
 *   moved before that test.
 * - G2 A struct is a value of which only null, undefined, truth and `typeof` are asked. Its fields have references of
 *   their own.
 * - G3 The value of a `let` stands by itself: tests that its references need (G1) stand within it.
 * - G4 Wherever the lambda throws for a row, a `guard` fails that is evaluated wherever JavaScript would evaluate it. A
 *   guard may also fail for a row for which the lambda does not throw: it was evaluated early.
 */
import type { ColumnType } from "../batch/type.ts"
import type { Kinds } from "./value-type.ts"

/** Operators with two operands that evaluate both. */
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "&"
  | "|"
  | "^"
  | "<<"
  | ">>"
  | ">>>"
  | "<"
  | ">"
  | "<="
  | ">="
  | "==="
  | "!=="
  | "=="
  | "!="

/** Operators with one operand. */
export type UnaryOperator = "!" | "-" | "+" | "~" | "typeof"

/** Operators that evaluate their right side only where the left side does not decide. */
export type LogicalOperator = "&&" | "||" | "??"

interface NodeBase {
  readonly kinds: Kinds
  /** How many nodes stand in the tree below, this one included; a `let` counts as one. */
  readonly size: number
  /** Whether there is no `guard` in the tree below; a `let` has been evaluated before. */
  readonly isTotal: boolean
}

/** A value that stands in the source. */
export interface Constant extends NodeBase {
  readonly op: "constant"
  readonly value: null | undefined | boolean | number | bigint | string
}

/** A column of the row, or a field of a struct in it. */
export interface ColumnReference extends NodeBase {
  readonly op: "column"
  /** Index of the field in the schema, then in each struct on the way. */
  readonly path: readonly number[]
  /** The fields on the way, the last being the one meant. */
  readonly fields: readonly { readonly name: string; readonly type: ColumnType }[]
}

/** A parameter of the job, or a field of a struct in it. */
export interface ParamReference extends NodeBase {
  readonly op: "param"
  readonly fields: readonly { readonly name: string; readonly type: ColumnType }[]
}

/** What stands for a place of the row or the parameters. */
export type Reference = ColumnReference | ParamReference

/** `operator operand`. */
export interface Unary extends NodeBase {
  readonly op: "unary"
  readonly operator: UnaryOperator
  readonly operand: Ir
}

/** `left operator right`. */
export interface Binary extends NodeBase {
  readonly op: "binary"
  readonly operator: BinaryOperator
  readonly left: Ir
  readonly right: Ir
}

/** `left operator right`, evaluated from the left as far as needed. */
export interface Logical extends NodeBase {
  readonly op: "logical"
  readonly operator: LogicalOperator
  readonly left: Ir
  readonly right: Ir
}

/** `test ? then : otherwise`. */
export interface Conditional extends NodeBase {
  readonly op: "conditional"
  readonly test: Ir
  readonly then: Ir
  readonly otherwise: Ir
}

/** A call of a genuine global function, such as `Math.abs`. */
export interface Call extends NodeBase {
  readonly op: "call"
  /** Its name in `globals.ts`. */
  readonly name: string
  readonly arguments: readonly Ir[]
}

/** A call of a genuine method of strings, or the length of a string. */
export interface StringMember extends NodeBase {
  readonly op: "stringMember"
  readonly name: string
  readonly text: Ir
  /** `undefined` for `length`, which is no call. */
  readonly arguments: readonly Ir[] | undefined
}

/** A call of a genuine method of numbers, such as `toFixed`. */
export interface NumberMethod extends NodeBase {
  readonly op: "numberMethod"
  readonly name: string
  readonly value: Ir
  readonly arguments: readonly Ir[]
}

/** A template literal: `texts[0]${values[0]}texts[1]…`. */
export interface Template extends NodeBase {
  readonly op: "template"
  readonly texts: readonly string[]
  readonly values: readonly Ir[]
}

/** What a call of a regular expression is, as JavaScript names the method that is called. */
export type RegexMethod = "test" | "search" | "replace" | "replaceAll"

/** `/source/flags.test(text)`, or `text.replace(/source/flags, replacement)` and its like. */
export interface RegexCall extends NodeBase {
  readonly op: "regex"
  readonly method: RegexMethod
  /** The literal's. Each evaluation of a literal gives a new regular expression, so no match knows of those before. */
  readonly source: string
  readonly flags: string
  readonly text: Ir
  /** Of `replace` and `replaceAll` only. */
  readonly replacement: Ir | undefined
}

/** A part of a point in time, as the method of `Date` is called that gives it. */
export type DatePartName =
  | "getTime"
  | "getUTCDate"
  | "getUTCDay"
  | "getUTCFullYear"
  | "getUTCHours"
  | "getUTCMilliseconds"
  | "getUTCMinutes"
  | "getUTCMonth"
  | "getUTCSeconds"

/** `new Date(millis).getUTCHours()` and its like, where `millis` is read as a number. */
export interface DatePart extends NodeBase {
  readonly op: "datePart"
  readonly part: DatePartName
  readonly millis: Ir
}

/** `value` where `test` is truthy. Where it is not, the kernel leaves the whole batch to the closure. */
export interface Guard extends NodeBase {
  readonly op: "guard"
  readonly test: Ir
  readonly value: Ir
}

/** A value that a test before has shown not to be of some kinds. Of a reference, the `kinds` alone say it (G1). */
export interface Narrowed extends NodeBase {
  readonly op: "narrowed"
  readonly value: Ir
}

/** A value that the lambda gave a name and may use several times: it is evaluated once a row. */
export interface Let extends NodeBase {
  readonly op: "let"
  /** Lets are numbered from 0 in a lambda; one may use those before it. */
  readonly index: number
  readonly value: Ir
}

/** An expression. */
export type Ir =
  | Constant
  | ColumnReference
  | ParamReference
  | Unary
  | Binary
  | Logical
  | Conditional
  | Call
  | StringMember
  | NumberMethod
  | Template
  | RegexCall
  | DatePart
  | Guard
  | Narrowed
  | Let

/** A lambda's result that is an object of columns. */
export interface ObjectResult {
  readonly op: "object"
  readonly entries: ReadonlyMap<string, Ir>
}

/** A lambda, lowered. */
export interface LambdaIr {
  readonly result: Ir | ObjectResult
  /** In the order of their indexes. */
  readonly lets: readonly Let[]
  /** The global names on which it relies, such as `Math`. */
  readonly globals: readonly string[]
}

/** Whether the lambda throws for some rows that there might be. */
export function mayThrow({ result, lets }: LambdaIr): boolean {
  const results = result.op === "object" ? [...result.entries.values()] : [result]
  return [...results, ...lets.map(({ value }) => value)].some(({ isTotal }) => !isTotal)
}

/** Which place a reference means: the same text for the same place. */
export function placeOf(reference: Reference): string {
  const names = reference.fields.map(({ name }) => JSON.stringify(name)).join(".")
  return `${reference.op} ${names}`
}

/** The type of the place that a reference means, whatever is known there of null. */
export function typeOfReference(reference: Reference): ColumnType {
  return reference.fields.at(-1)!.type
}

/** Calls `visit` with each node of the tree, outer first; lets are visited, what they stand for is not. */
export function walk(node: Ir, visit: (node: Ir) => void): void {
  visit(node)
  for (const child of childrenOf(node)) walk(child, visit)
}

/** The operands of a node, in the order in which JavaScript evaluates them. */
export function childrenOf(node: Ir): readonly Ir[] {
  switch (node.op) {
    case "constant":
    case "column":
    case "param":
    case "let":
      return []
    case "unary":
      return [node.operand]
    case "binary":
    case "logical":
      return [node.left, node.right]
    case "conditional":
      return [node.test, node.then, node.otherwise]
    case "call":
      return node.arguments
    case "stringMember":
      return [node.text, ...(node.arguments ?? [])]
    case "numberMethod":
      return [node.value, ...node.arguments]
    case "template":
      return node.values
    case "regex":
      return node.replacement === undefined ? [node.text] : [node.text, node.replacement]
    case "datePart":
      return [node.millis]
    case "guard":
      return [node.test, node.value]
    case "narrowed":
      return [node.value]
  }
}
