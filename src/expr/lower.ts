/**
 * From the syntax of an expression to IR. Functions, statements and results are for `lower-function.ts`.
 *
 * Invariants:
 * - Z1 What is lowered is understood completely: any syntax that is not named here ends the attempt.
 * - Z2 Operands are lowered in the order in which JavaScript evaluates them, as assignments to local names need it.
 */
import type { AssignmentExpression, CallExpression, Expression, Identifier, Literal, MemberExpression } from "acorn"
import type { NewExpression, PrivateIdentifier, SpreadElement, Super, TemplateLiteral } from "acorn"
import { assert } from "../base/assert.ts"
import type { Schema } from "../batch/schema.ts"
import { isUsableGlobal, knownConstant, knownFunction } from "./globals.ts"
import { checkDatePart, checkMillis } from "./date-part.ts"
import { makeGuardedBinary } from "./guarded-binary.ts"
import { checkTemplateValue } from "./infer.ts"
import type { BinaryOperator, Constant, Ir, LogicalOperator, Reference, RegexMethod } from "./ir.ts"
import { factsAfter, keyOf, NO_FACTS, type Facts } from "./narrow.ts"
import {
  makeBinary,
  makeCall,
  makeColumn,
  makeConditional,
  makeConstant,
  makeDatePart,
  makeField,
  makeGuard,
  makeLength,
  makeLogical,
  makeMethodCall,
  makeParam,
  makeRegexCall,
  makeTemplate,
  makeUnary,
  withoutKinds,
} from "./nodes.ts"
import { NotCompilable } from "./not-compilable.ts"
import { isTextMethodOfRegex, kindsOfRegexCall } from "./regex.ts"
import { Scope, type Meaning } from "./scope.ts"
import { BIGINT, isWithin, kindsText, mayBe, NULLISH, NUMBER, OBJECT, STRING } from "./value-type.ts"

const BINARY_OPERATORS: ReadonlySet<string> = new Set<BinaryOperator>([
  ...(["+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>", ">>>"] as const),
  ...(["<", ">", "<=", ">=", "===", "!==", "==", "!="] as const),
])

/** How syntax outside the subset is called in reasons. */
const PHRASES: Readonly<Record<string, string>> = {
  ArrayExpression: "an array",
  ArrowFunctionExpression: "a function within the function",
  AwaitExpression: '"await"',
  ClassExpression: "a class",
  FunctionExpression: "a function within the function",
  ImportExpression: '"import"',
  MetaProperty: '"new.target" or "import.meta"',
  NewExpression: '"new"',
  ObjectExpression: "an object other than its result",
  TaggedTemplateExpression: "a tagged template",
  ThisExpression: '"this"',
  UpdateExpression: '"++" or "--"',
  YieldExpression: '"yield"',
}

const WRITE_IT = "Write what it does in the function itself."
const KEEP_OR_PASS =
  "Make it a const of the same file that holds a number, a text or the like, or pass it as a parameter of the job: (row, params) => row.fare < params.maxFare."

/** What to write instead of `row.note!.length`. */
export const TEST_FOR_NULL = "Test for null before it, or write ?. instead of !."

/** Methods that give arrays, of which mostly only whether there is a match is asked. */
const MATCHING: ReadonlySet<string> = new Set(["exec", "match", "matchAll"])

/** The objects before `?.` in a chain that may be null, in their order. */
type Links = Ir[]

/** What a name stands for that has a value. */
export type Bound = Exclude<Meaning, { kind: "unset" }>

/** What a lambda is lowered for. */
export interface LoweringContext {
  /** Its rows. */
  readonly schema: Schema
  /** The job's parameters. */
  readonly params: Schema
  /** The value, in an array, of a variable that the lambda captures, where it is proven to keep it. */
  readonly capturedConstant: (name: string) => readonly [Exclude<Constant["value"], undefined>] | undefined
}

/** Lowers the expressions of one lambda. */
export class Lowering {
  readonly scope = new Scope()
  /** The global names on which the IR relies. */
  readonly globals = new Set<string>()
  facts: Facts = NO_FACTS
  /** Whether what is lowered may not be evaluated, for a test before it. */
  isConditional = false
  readonly #context: LoweringContext
  /** Captured variables that were asked for. */
  readonly #captured = new Map<string, Constant | undefined>()
  /** The text that `start` and `end` of the syntax refer to. */
  readonly #text: string

  constructor(context: LoweringContext, text: string) {
    this.#context = context
    this.#text = text
  }

  /** Lowers under what is known where `test` has come out one way. */
  under<T>(test: Ir, outcome: boolean, lower: () => T): T {
    const { facts, isConditional } = this
    this.facts = factsAfter(facts, test, outcome)
    this.isConditional = true
    const result = lower()
    this.facts = facts
    this.isConditional = isConditional
    return result
  }

  /** The value of an expression. */
  expression(node: Expression): Ir {
    switch (node.type) {
      case "Literal":
        return lowerLiteral(node)
      case "Identifier":
        return this.#identifier(node.name)
      case "ParenthesizedExpression":
        return this.expression(node.expression)
      case "MemberExpression":
      case "CallExpression":
        return this.#chained(node, undefined)
      case "ChainExpression":
        return this.#chain(node.expression)
      case "TemplateLiteral":
        return this.#template(node)
      case "UnaryExpression":
        return this.#unary(node.operator, node.argument)
      case "BinaryExpression":
        return this.#binary(node.operator, node.left, node.right)
      case "LogicalExpression": {
        const left = this.expression(node.left)
        // What is nullish is falsy, so the right side of `??` knows what that of `||` knows.
        const [right] = this.scope.branch(() =>
          this.under(left, node.operator === "&&", () => this.expression(node.right)),
        )
        return makeLogical(node.operator satisfies LogicalOperator, left, right!)
      }
      case "ConditionalExpression": {
        const test = this.expression(node.test)
        const [then, otherwise] = this.scope.branch(
          () => this.under(test, true, () => this.expression(node.consequent)),
          () => this.under(test, false, () => this.expression(node.alternate)),
        )
        return makeConditional(test, then!, otherwise!)
      }
      case "SequenceExpression":
        for (const expression of node.expressions.slice(0, -1)) this.discard(expression)
        return this.expression(node.expressions.at(-1)!)
      case "AssignmentExpression":
        return this.#assignment(node)
      default:
        if (this.#textOf(node).startsWith("cov_")) throw countsCoverage()
        throw new NotCompilable(`It uses ${PHRASES[node.type] ?? node.type}, which is not compiled.`)
    }
  }

  /** Lowers an expression for its assignments only: nothing evaluates it any more. */
  discard(node: Expression): void {
    if (this.expression(node).isTotal) return
    throw new NotCompilable("It throws a value away, the evaluation of which may throw.", TEST_FOR_NULL)
  }

  /** What an identifier stands for, where it is declared by the lambda. */
  meaningOf(node: Expression): Meaning | undefined {
    return node.type === "Identifier" ? this.scope.lookUp(node.name) : undefined
  }

  /** A field of the row, the parameters, or an object in them that is not null. */
  field(of: Bound, name: string): Ir {
    switch (of.kind) {
      case "row":
        return this.#narrowed(makeColumn(this.#context.schema, name))
      case "params":
        return this.#narrowed(makeParam(this.#context.params, name))
      case "value":
        assert(of.ir.kinds === OBJECT && isReference(of.ir), "only structs have fields")
        return this.#narrowed(makeField(of.ir, name))
    }
  }

  #identifier(name: string): Ir {
    const meaning = this.scope.lookUp(name)
    if (meaning === undefined) return this.#freeName(name)
    switch (meaning.kind) {
      case "row":
        throw new NotCompilable("It uses the row as a whole.", "Read the columns that it needs by name: row.fare.")
      case "params":
        throw new NotCompilable("It uses the parameters as a whole.", "Read them by name: params.maxFare.")
      case "unset":
        throw new NotCompilable(`It reads "${name}", which has no certain value at that point.`)
      case "value":
        return this.#narrowed(meaning.ir)
    }
  }

  #freeName(name: string): Ir {
    const constant = knownConstant(name)
    if (constant !== undefined) {
      this.globals.add(name)
      return makeConstant(constant[0])
    }
    if (isUsableGlobal(name)) throw new NotCompilable(`It uses "${name}" as a value, which is not compiled.`)
    const captured = this.#capturedConstant(name)
    if (captured !== undefined) return captured
    throw new NotCompilable(`It uses "${name}" from outside of the function.`, KEEP_OR_PASS)
  }

  #capturedConstant(name: string): Constant | undefined {
    if (isUsableGlobal(name)) return undefined
    if (!this.#captured.has(name)) {
      const found = this.#context.capturedConstant(name)
      this.#captured.set(name, found === undefined ? undefined : makeConstant(found[0]))
    }
    return this.#captured.get(name)
  }

  /** The same value without the kinds that tests before have excluded. */
  #narrowed(node: Ir): Ir {
    return withoutKinds(node, this.facts.get(keyOf(node)) ?? 0)
  }

  #unary(operator: string, argument: Expression): Ir {
    if (operator === "void") {
      this.discard(argument)
      return makeConstant(undefined)
    }
    const operand = this.expression(argument)
    switch (operator) {
      case "-":
        if (operand.op === "constant" && typeof operand.value === "number") return makeConstant(-operand.value)
        if (operand.op === "constant" && typeof operand.value === "bigint") return makeConstant(-operand.value)
        return makeUnary(operator, operand)
      case "+":
      case "!":
      case "~":
      case "typeof":
        return makeUnary(operator, operand)
      default:
        throw new NotCompilable(`It uses "${operator}", which is not compiled.`)
    }
  }

  #binary(operator: string, left: Expression | PrivateIdentifier, right: Expression): Ir {
    if (left.type === "PrivateIdentifier" || !isBinaryOperator(operator)) {
      throw new NotCompilable(`It uses "${operator}", which is not compiled.`)
    }
    const operand = this.expression(left)
    return makeGuardedBinary(operator, operand, this.expression(right))
  }

  #template({ quasis, expressions }: TemplateLiteral): Ir {
    const texts = quasis.map(({ value }) => value.cooked)
    assert(
      texts.every((text) => typeof text === "string"),
      "the texts of an untagged template are valid",
    )
    return makeTemplate(
      texts,
      expressions.map((expression) => this.expression(expression)),
    )
  }

  #assignment({ operator, left, right }: AssignmentExpression): Ir {
    if (left.type !== "Identifier") throw new NotCompilable("It changes something other than its own variables.")
    if (operator !== "=") throw new NotCompilable(`It uses "${operator}", which is not compiled.`)
    const value = this.expression(right)
    this.scope.assign(left.name, value)
    return value
  }

  /** `a?.b.c`: undefined as a whole where the object before a `?.` is null. */
  #chain(node: MemberExpression | CallExpression): Ir {
    const links: Links = []
    // What stands behind a `?.` may not be evaluated.
    const [value] = this.scope.branch(() => this.#chained(node, links))
    return links.reduceRight<Ir>((inner, link) => {
      const isNull = makeBinary("==", link, makeConstant(null))
      return makeConditional(isNull, makeConstant(undefined), inner)
    }, value!)
  }

  /** A link of a chain. `links` takes the objects before `?.` that may be null; outside of a chain there are none. */
  #chained(node: Expression | Super, links: Links | undefined): Ir {
    if (node.type === "MemberExpression") return this.#member(node, links)
    if (node.type === "CallExpression") return this.#call(node, links)
    if (node.type === "Super") throw new NotCompilable('It uses "super", which is not compiled.')
    return this.expression(node)
  }

  #member(node: MemberExpression, links: Links | undefined): Ir {
    const known = this.#globalMember(node)
    if (known !== undefined) {
      const constant = knownConstant(known)
      if (constant === undefined) throw new NotCompilable(`It uses "${known}" as a value, which is not compiled.`)
      return makeConstant(constant[0])
    }
    const name = staticKey(node)
    const meaning = node.object.type === "Super" ? undefined : this.meaningOf(node.object)
    if (meaning?.kind === "row" || meaning?.kind === "params") return this.field(meaning, name)
    return this.#ofPresent(node, links, (object) => {
      if (object.kinds === STRING && name === "length") return makeLength(object)
      if (object.kinds === OBJECT && isReference(object)) return this.field({ kind: "value", ir: object }, name)
      throw new NotCompilable(`It reads "${name}" of ${kindsText(object.kinds)}, which is not compiled.`)
    })
  }

  /** What `make` makes of the object of a member, which is not null any more: a `?.` has its link, others a guard (G4). */
  #ofPresent(node: MemberExpression, links: Links | undefined, make: (object: Ir) => Ir): Ir {
    let object = this.#chained(node.object, links)
    const tests: Ir[] = []
    // What the guards of the object ask is asked for the member, too, so that the object stands bare.
    for (; object.op === "guard"; object = object.value) tests.push(object.test)
    const guarded = (value: Ir): Ir => tests.reduceRight((inner, test) => makeGuard(test, inner), value)
    if (mayBe(object.kinds, NULLISH)) {
      if (isWithin(object.kinds, NULLISH)) throw new NotCompilable(`${this.#textOf(node.object)} is always null.`)
      if (node.optional) {
        assert(links !== undefined, '"?." stands in chains only')
        links.push(guarded(object))
      } else tests.push(makeBinary("!=", object, makeConstant(null)))
      object = withoutKinds(object, NULLISH)
    }
    return guarded(make(object))
  }

  #call(node: CallExpression, links: Links | undefined): Ir {
    const { callee } = node
    if (node.optional || callee.type === "Super") throw this.#unknownCall(node)
    if (callee.type === "Identifier" && this.scope.lookUp(callee.name) === undefined) {
      if (knownFunction(callee.name) === undefined) throw this.#unknownCall(node)
      const args = this.#arguments(node.arguments)
      this.globals.add(callee.name)
      return makeCall(callee.name, args)
    }
    if (callee.type !== "MemberExpression") throw this.#unknownCall(node)
    const known = this.#globalMember(callee)
    if (known !== undefined) {
      if (knownFunction(known) === undefined) throw this.#unknownCall(node)
      return makeCall(known, this.#arguments(node.arguments))
    }
    if (this.#isUnknownName(callee.object)) throw this.#unknownCall(node)
    const name = staticKey(callee)
    if (callee.object.type === "NewExpression") return this.#datePart(callee.object, name, node)
    if (isRegexLiteral(callee.object)) {
      if (name !== "test" || node.arguments.length !== 1) throw this.#unknownCall(node)
      return this.#regexCall("test", callee.object, this.#arguments(node.arguments)[0]!, undefined)
    }
    return this.#ofPresent(callee, links, (object) => this.#methodCall(node, name, object))
  }

  #methodCall(node: CallExpression, name: string, object: Ir): Ir {
    const [first, ...rest] = node.arguments
    if (object.kinds === STRING && isTextMethodOfRegex(name) && first?.type === "Literal" && isRegexLiteral(first)) {
      if (rest.length !== (name === "search" ? 0 : 1)) throw this.#unknownCall(node)
      return this.#regexCall(name, first, object, this.#arguments(rest)[0])
    }
    const owner = object.kinds === STRING ? "String" : object.kinds === NUMBER ? "Number" : undefined
    if (owner === undefined || knownFunction(`${owner}.prototype.${name}`) === undefined) throw this.#unknownCall(node)
    this.globals.add(owner)
    return makeMethodCall(name, object, this.#arguments(node.arguments))
  }

  #regexCall(method: RegexMethod, { regex }: RegexNode, text: Ir, replacement: Ir | undefined): Ir {
    for (const each of [text, ...(replacement === undefined ? [] : [replacement])]) checkTemplateValue(each)
    const { pattern: source, flags } = regex
    this.globals.add("RegExp")
    if (method !== "test") this.globals.add("String")
    const kinds = kindsOfRegexCall(method, { source, flags })
    return makeRegexCall({ method, source, flags, text, replacement }, kinds)
  }

  /** `new Date(millis).getUTCHours()`. */
  #datePart(date: NewExpression, name: string, call: CallExpression): Ir {
    const [millis, ...rest] = date.arguments
    const isDate =
      date.callee.type === "Identifier" && date.callee.name === "Date" && isFreeName(date.callee, this.scope)
    if (!isDate) throw new NotCompilable(`It uses "new", which is not compiled.`)
    if (millis === undefined)
      throw new NotCompilable("It reads the clock, which gives other results each time the job runs.")
    if (rest.length > 0) throw new NotCompilable("It makes a Date of a local time, which depends on the machine.")
    if (call.arguments.length > 0) throw this.#unknownCall(call)
    checkDatePart(name)
    const [time] = this.#arguments([millis])
    checkMillis(time!)
    this.globals.add("Date")
    return makeDatePart(name, time!)
  }

  #isUnknownName(node: Expression | Super): boolean {
    return isFreeName(node, this.scope) && this.#capturedConstant(node.name) === undefined
  }

  /** `Math.abs` of a member of a free global name; the name is noted. `undefined` for any other member. */
  #globalMember(node: MemberExpression): string | undefined {
    const { object, optional } = node
    if (object.type !== "Identifier" || optional || this.scope.lookUp(object.name) !== undefined) return undefined
    if (!isUsableGlobal(object.name)) return undefined
    this.globals.add(object.name)
    return `${object.name}.${staticKey(node)}`
  }

  #arguments(nodes: readonly (Expression | SpreadElement)[]): Ir[] {
    return nodes.map((node) => {
      if (node.type === "SpreadElement") throw new NotCompilable('It uses "..." in a call, which is not compiled.')
      return this.expression(node)
    })
  }

  #unknownCall({ callee }: CallExpression): NotCompilable {
    // Bundlers write `(0, module.helper)(…)`, so that the function gets no `this`.
    const text = this.#textOf(callee.type === "SequenceExpression" ? callee.expressions.at(-1)! : callee)
    if (text.startsWith("cov_")) return countsCoverage()
    if (text === "Math.random") {
      return new NotCompilable("It calls Math.random, which gives other results each time the job runs.")
    }
    const name = callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : ""
    const hint = MATCHING.has(name) ? "Ask whether it matches: /a+/.test(row.zone)." : WRITE_IT
    return new NotCompilable(`It calls ${text}, which is not compiled.`, hint)
  }

  #textOf(node: { readonly start: number; readonly end: number }): string {
    const text = this.#text.slice(node.start, node.end).replace(/\s+/g, " ")
    return text.length > 60 ? `${text.slice(0, 60)}…` : text
  }
}

/** Coverage tools write calls of a counter of theirs between statements and operands. */
function countsCoverage(): NotCompilable {
  return new NotCompilable("It counts its coverage, which only the closure does.")
}

/** Whether a node is a place of the row or the parameters. */
export function isReference(node: Ir): node is Reference {
  return node.op === "column" || node.op === "param"
}

/** The name of a member that stands in the source. */
function staticKey({ property, computed }: MemberExpression): string {
  if (property.type === "Identifier" && !computed) return property.name
  const isKey =
    property.type === "Literal" && (typeof property.value === "string" || typeof property.value === "number")
  if (isKey) return String(property.value)
  throw new NotCompilable("It reads a field whose name is computed.")
}

function isFreeName(node: Expression | Super, scope: Scope): node is Identifier {
  return node.type === "Identifier" && scope.lookUp(node.name) === undefined
}

/** A literal that is a regular expression. */
type RegexNode = Literal & { readonly regex: { readonly pattern: string; readonly flags: string } }

function isRegexLiteral(node: Expression | Super): node is RegexNode {
  return node.type === "Literal" && Boolean(node.regex)
}

function isBinaryOperator(operator: string): operator is BinaryOperator {
  return BINARY_OPERATORS.has(operator)
}

function lowerLiteral(node: Literal): Ir {
  if (typeof node.bigint === "string") return makeConstant(BigInt(node.bigint))
  const { value } = node
  if (node.regex !== undefined || value instanceof RegExp) {
    throw new NotCompilable("It uses a regular expression as a value.", "Ask it: /a+/.test(row.zone).")
  }
  if (typeof value === "bigint" || value === undefined) throw new NotCompilable("It uses a literal that is not known.")
  const constant = makeConstant(value)
  assert(!mayBe(constant.kinds, BIGINT | OBJECT), "a literal is a primitive value")
  return constant
}
