/**
 * From the syntax of a lambda to IR: its parameters, its statements and its result.
 *
 * A body is declarations and assignments, then `return`; or `if (test) return …` with more of the same after it.
 *
 * Invariants:
 * - Z3 A lambda is lowered as a whole or not at all.
 * - Z4 What follows an `if` is lowered under what its test tells, as the `if` has returned otherwise.
 */
import type { Expression, IfStatement, ObjectExpression, Pattern, Property, Statement } from "acorn"
import type { VariableDeclaration } from "acorn"
import { assert, AssertionError } from "../base/assert.ts"
import type { Ir, LambdaIr, Let, ObjectResult } from "./ir.ts"
import { isReference, Lowering, TEST_FOR_NULL, type Bound, type LoweringContext } from "./lower.ts"
import { NO_FACTS } from "./narrow.ts"
import { makeConditional, makeConstant, makeLet } from "./nodes.ts"
import { NotCompilable } from "./not-compilable.ts"
import type { ParsedFunction } from "./parse.ts"
import type { Scope } from "./scope.ts"
import { OBJECT } from "./value-type.ts"

type Result = Ir | ObjectResult

/**
 * Lowers a lambda.
 *
 * @throws NotCompilable where it is outside the subset.
 */
export function lowerFunction({ node, text }: ParsedFunction, context: LoweringContext): LambdaIr {
  if (node.async) throw new NotCompilable("It is async: it gives a promise and not a value.")
  if (node.generator) throw new NotCompilable("It is a generator.")
  if (node.params.length > 2) throw new NotCompilable("It declares more than a row and parameters.")
  const lowering = new Lowering(context, text)
  const { scope } = lowering
  if (node.type === "FunctionExpression" && node.id) scope.declare(node.id.name, false)
  for (const pattern of node.params) declarePattern(pattern, scope, false)
  if (node.body.type === "BlockStatement") declareStatements(node.body.body, scope)
  const body = new BodyLowering(lowering)
  const [row, second] = node.params
  if (row !== undefined) body.bindPattern(row, { kind: "row" })
  if (second !== undefined) body.bindPattern(second, { kind: "params" })
  const result = node.body.type === "BlockStatement" ? body.statements(node.body.body) : body.result(node.body)
  return { result, lets: body.lets, globals: [...lowering.globals] }
}

/** Lowers what stands around the expressions of one lambda. */
class BodyLowering {
  readonly lets: Let[] = []
  readonly #lowering: Lowering

  constructor(lowering: Lowering) {
    this.#lowering = lowering
  }

  /** The result of statements that end with `return`, or with nothing: then it is undefined. */
  statements(statements: readonly Statement[]): Result {
    const [first, ...rest] = statements
    if (first === undefined) return makeConstant(undefined)
    switch (first.type) {
      case "ReturnStatement":
        return first.argument ? this.result(first.argument) : makeConstant(undefined)
      case "BlockStatement":
        if (alwaysReturns(first)) return this.statements(first.body)
        throw new NotCompilable("It has a block without a return.")
      case "IfStatement":
        return this.#if(first, rest)
      case "VariableDeclaration":
        this.#declaration(first)
        return this.statements(rest)
      case "ExpressionStatement":
        if (first.directive === undefined) this.#lowering.discard(first.expression)
        return this.statements(rest)
      case "EmptyStatement":
        return this.statements(rest)
      default:
        throw new AssertionError(`a ${first.type} was refused when names were declared`)
    }
  }

  /** A result: an object of columns, or a value. */
  result(node: Expression): Result {
    switch (node.type) {
      case "ObjectExpression":
        return this.#object(node)
      case "ConditionalExpression": {
        const test = this.#lowering.expression(node.test)
        return this.#choose(
          test,
          () => this.result(node.consequent),
          () => this.result(node.alternate),
        )
      }
      case "ParenthesizedExpression":
        return this.result(node.expression)
      case "SequenceExpression": {
        const expressions = [...node.expressions]
        const last = expressions.pop()
        assert(last !== undefined, "a sequence is not empty")
        for (const expression of expressions) this.#lowering.discard(expression)
        return this.result(last)
      }
      default:
        return this.#lowering.expression(node)
    }
  }

  /** Gives the names of a pattern their places. A default is never used, as no place is ever undefined. */
  bindPattern(pattern: Pattern, value: Bound): void {
    const { scope } = this.#lowering
    if (pattern.type === "Identifier") return scope.bind(pattern.name, value)
    if (pattern.type !== "ObjectPattern")
      throw new NotCompilable("It takes its parameters apart in a way that is not compiled.")
    if (value.kind === "value" && value.ir.kinds !== OBJECT) {
      throw new NotCompilable("It takes apart what may be null or is not an object.")
    }
    for (const property of pattern.properties) {
      if (property.type === "RestElement") throw new NotCompilable('It uses "..." for the remaining columns.')
      const inner = property.value.type === "AssignmentPattern" ? property.value.left : property.value
      this.bindPattern(inner, { kind: "value", ir: this.#lowering.field(value, staticName(property)) })
    }
  }

  #if({ test, consequent, alternate }: IfStatement, rest: readonly Statement[]): Result {
    if (!alwaysReturns(consequent) || (alternate && !alwaysReturns(alternate))) {
      throw new NotCompilable('It has an "if" without a return.', "Use a conditional expression: test ? a : b.")
    }
    return this.#choose(
      this.#lowering.expression(test),
      () => this.statements([consequent]),
      () => this.statements(alternate ? [alternate] : rest),
    )
  }

  #choose(test: Ir, lowerThen: () => Result, lowerOtherwise: () => Result): Result {
    const [then, otherwise] = this.#lowering.scope.branch(
      () => this.#lowering.under(test, true, lowerThen),
      () => this.#lowering.under(test, false, lowerOtherwise),
    )
    assert(then !== undefined && otherwise !== undefined, "each branch has a result")
    if (then.op !== "object" && otherwise.op !== "object") return makeConditional(test, then, otherwise)
    if (then.op !== "object" || otherwise.op !== "object") {
      throw new NotCompilable("It gives an object on one way and a value on another.")
    }
    const entries = new Map<string, Ir>()
    for (const [name, ir] of then.entries) {
      const other = otherwise.entries.get(name)
      if (other !== undefined) entries.set(name, makeConditional(test, ir, other))
    }
    if (entries.size !== then.entries.size || entries.size !== otherwise.entries.size) {
      throw new NotCompilable("It gives objects with different columns.")
    }
    return { op: "object", entries }
  }

  #object({ properties }: ObjectExpression): ObjectResult {
    const entries = new Map<string, Ir>()
    for (const property of properties) {
      if (property.type === "SpreadElement") {
        throw new NotCompilable('It uses "..." in its result.', "Name the columns that it gives.")
      }
      const name = staticName(property)
      // `{ __proto__: value }` sets no property of that name.
      if (property.kind !== "init" || property.method || name === "__proto__") {
        throw new NotCompilable("Its result has a member that is not a plain value.")
      }
      if (entries.get(name)?.isTotal === false)
        throw new NotCompilable("It gives a column twice, the first of which may throw.")
      entries.set(name, this.#lowering.expression(property.value))
    }
    return { op: "object", entries }
  }

  #declaration({ kind, declarations }: VariableDeclaration): void {
    if (kind !== "const" && kind !== "let" && kind !== "var") throw new NotCompilable(`It uses "${kind}".`)
    for (const { id, init } of declarations) {
      if (!init) continue
      const known = this.#lowering.meaningOf(init)
      const alias = known?.kind === "row" || known?.kind === "params" ? known : undefined
      if (alias !== undefined) this.bindPattern(id, alias)
      else if (id.type === "Identifier")
        this.#lowering.scope.bind(id.name, this.#named(this.#lowering.expression(init)))
      else this.bindPattern(id, this.#place(init))
    }
  }

  /** The meaning of a name for a value: larger ones are evaluated once a row, where that is possible anywhere in it. */
  #named(ir: Ir): Bound {
    if (ir.op === "constant" || ir.op === "let" || isReference(ir)) return { kind: "value", ir }
    // It stands where it is used, which may be nowhere, or it is evaluated for each row: neither is what throws or not.
    if (!ir.isTotal && this.#lowering.isConditional) {
      throw new NotCompilable("It gives a name to what may throw, behind a test.", TEST_FOR_NULL)
    }
    if (this.#lowering.facts !== NO_FACTS) return { kind: "value", ir }
    const named = makeLet(this.lets.length, ir)
    this.lets.push(named)
    return { kind: "value", ir: named }
  }

  #place(init: Expression): Bound {
    const ir = this.#lowering.expression(init)
    if (!isReference(ir)) throw new NotCompilable("It takes apart something other than a column.")
    return { kind: "value", ir }
  }
}

function alwaysReturns(statement: Statement): boolean {
  switch (statement.type) {
    case "ReturnStatement":
      return true
    case "BlockStatement":
      return statement.body.some(alwaysReturns)
    case "IfStatement":
      return Boolean(statement.alternate) && alwaysReturns(statement.consequent) && alwaysReturns(statement.alternate!)
    default:
      return false
  }
}

/** Declares all names of a pattern. */
function declarePattern(pattern: Pattern, scope: Scope, isAssignable: boolean): void {
  switch (pattern.type) {
    case "Identifier":
      return scope.declare(pattern.name, isAssignable)
    case "AssignmentPattern":
      return declarePattern(pattern.left, scope, isAssignable)
    case "ObjectPattern":
      for (const property of pattern.properties) {
        if (property.type === "RestElement") throw new NotCompilable('It uses "..." for the remaining columns.')
        declarePattern(property.value, scope, isAssignable)
      }
      return
    default:
      throw new NotCompilable("It takes its parameters apart in a way that is not compiled.")
  }
}

/**
 * Declares all names that statements declare, at any depth (C1). Statements outside the subset are refused even where
 * they are never reached, as what they declare holds for the whole function.
 */
function declareStatements(statements: readonly Statement[], scope: Scope): void {
  for (const statement of statements) {
    switch (statement.type) {
      case "ReturnStatement":
      case "ExpressionStatement":
      case "EmptyStatement":
        break
      case "BlockStatement":
        declareStatements(statement.body, scope)
        break
      case "IfStatement":
        declareStatements([statement.consequent, ...(statement.alternate ? [statement.alternate] : [])], scope)
        break
      case "VariableDeclaration":
        for (const { id } of statement.declarations) declarePattern(id, scope, statement.kind !== "const")
        break
      default:
        throw new NotCompilable(`It has a statement (${statement.type}) other than const, if and return.`)
    }
  }
}

/** The name of a property that stands in the source. */
function staticName(property: Pick<Property, "key" | "computed">): string {
  const { key, computed } = property
  if (key.type === "Identifier" && !computed) return key.name
  const isName = key.type === "Literal" && (typeof key.value === "string" || typeof key.value === "number")
  if (isName) return String(key.value)
  throw new NotCompilable("It has a property whose name is computed.")
}
