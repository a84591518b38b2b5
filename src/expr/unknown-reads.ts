/**
 * Names that a lambda reads of its row or of the parameters, and that these do not have. JavaScript gives undefined for
 * them, so that a mistyped predicate quietly drops every row: the compiler of TypeScript finds it, and where nobody has
 * asked it, a warning does.
 *
 * It goes by the source text and is for warnings only: what is not certain is passed over.
 *
 * Invariants:
 * - UR1 A name is told only where the row (or the parameters) of this very function is read by a name that stands there.
 * - UR2 Names that the function sets itself, or asks for with `in`, are not told; nor those that every object has.
 */
import type { Pattern } from "acorn"
import { nameHint } from "../base/did-you-mean.ts"
import type { Field, Schema } from "../batch/schema.ts"
import type { RowFunction } from "./lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { parseFunction } from "./parse.ts"

/** A name that is read and does not exist. */
export interface UnknownRead {
  /** As the lambda has it: `row.fair`. */
  readonly text: string
  /** What it would be: a column of the rows, a parameter of the job, or a field of an object in one of these. */
  readonly what: "column" | "parameter" | "field"
  /** Which was probably meant, and which there are. */
  readonly hint: string
}

interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** An object whose fields are known: the row, the parameters, or an object in one of them. */
interface KnownObject {
  readonly fields: readonly Field[]
  readonly what: UnknownRead["what"]
}

/** The unknown names that a lambda reads, each once, in the order in which they stand. */
export function unknownReads(lambda: RowFunction, rows: Schema, params: Schema): readonly UnknownRead[] {
  try {
    const { node, text } = parseFunction(lambda)
    const search = new Search(text)
    const [row, second] = node.params
    if (row !== undefined) search.bind(row, { fields: rows.fields, what: "column" })
    if (second !== undefined) search.bind(second, { fields: params.fields, what: "parameter" })
    return search.over(node as unknown as SyntaxNode)
  } catch (error) {
    // The text is not that of a plain function, or nested so deep that the stack ends.
    if (error instanceof NotCompilable || error instanceof RangeError) return []
    throw error
  }
}

class Search {
  readonly #text: string
  /** What names of the function's own parameters stand for. */
  readonly #objects = new Map<string, KnownObject>()
  /** How often each name is declared or assigned in the function: those of parameters may be only once. */
  readonly #bindings = new Map<string, number>()
  readonly #found = new Map<string, UnknownRead & { readonly name: string }>()
  /** Names that are set, or asked for with `in`. */
  readonly #expected = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  /** Takes note of what a parameter stands for. */
  bind(pattern: Pattern, object: KnownObject): void {
    if (pattern.type === "AssignmentPattern") this.bind(pattern.left, object)
    else if (pattern.type === "Identifier") this.#objects.set(pattern.name, object)
    else this.#takeApart(pattern as unknown as SyntaxNode, object, object.what === "column" ? "row" : "params")
  }

  over(node: SyntaxNode): readonly UnknownRead[] {
    walk(node, (each) => this.#countBindings(each))
    for (const [name, count] of this.#bindings) if (count > 1) this.#objects.delete(name)
    walk(node, (each) => this.#look(each))
    return [...this.#found.values()]
      .filter(({ name }) => !this.#expected.has(name))
      .map(({ text, what, hint }) => ({ text, what, hint }))
  }

  #countBindings(node: SyntaxNode): void {
    const patterns: unknown[] = []
    if (Array.isArray(node.params)) patterns.push(...(node.params as unknown[]))
    if (node.type === "VariableDeclarator" || /^(Function|Class)/.test(node.type)) patterns.push(node.id)
    if (node.type === "CatchClause") patterns.push(node.param)
    if (node.type === "AssignmentExpression") patterns.push(node.left)
    if (node.type === "UpdateExpression") patterns.push(node.argument)
    for (const pattern of patterns) this.#countNames(pattern)
  }

  #countNames(pattern: unknown): void {
    if (!isSyntaxNode(pattern) || pattern.type === "MemberExpression") return
    if (pattern.type === "Identifier") {
      const name = pattern.name as string
      this.#bindings.set(name, (this.#bindings.get(name) ?? 0) + 1)
      return
    }
    for (const [key, part] of Object.entries(pattern)) {
      // Names of properties bind nothing, and defaults are expressions.
      if (key === "key" || (key === "right" && pattern.type === "AssignmentPattern")) continue
      for (const each of Array.isArray(part) ? (part as unknown[]) : [part]) this.#countNames(each)
    }
  }

  #look(node: SyntaxNode): void {
    if (node.type === "AssignmentExpression" || node.type === "UpdateExpression" || node.operator === "delete") {
      const name = staticName(node.left ?? node.argument)
      if (name !== undefined) this.#expected.add(name)
    }
    if (node.type === "BinaryExpression" && node.operator === "in") {
      const left = node.left as SyntaxNode
      if (left.type === "Literal") this.#expected.add(String(left.value))
    }
    if (node.type === "MemberExpression") {
      const object = this.#objectOf(node.object)
      const name = staticName(node)
      if (object !== undefined && name !== undefined) this.#read(object, name, this.#text.slice(node.start, node.end))
    }
    if (node.type === "VariableDeclarator" && isSyntaxNode(node.init)) {
      const object = this.#objectOf(node.init)
      if (object !== undefined) this.#takeApart(node.id, object, this.#text.slice(node.init.start, node.init.end))
    }
  }

  /** The names that a pattern takes out of an object, which the text calls `of`. */
  #takeApart(pattern: unknown, object: KnownObject, of: string): void {
    if (!isSyntaxNode(pattern) || pattern.type !== "ObjectPattern") return
    for (const property of pattern.properties as readonly SyntaxNode[]) {
      const key = property.key as SyntaxNode | undefined
      if (property.type !== "Property" || property.computed === true || key?.type !== "Identifier") continue
      const name = key.name as string
      this.#read(object, name, `${of}.${name}`)
      const value = property.value as SyntaxNode
      const inner = innerObject(object, name)
      if (inner !== undefined)
        this.#takeApart(value.type === "AssignmentPattern" ? value.left : value, inner, `${of}.${name}`)
    }
  }

  #read({ fields, what }: KnownObject, name: string, text: string): void {
    if (fields.some((field) => field.name === name) || name in Object.prototype) return
    const names = fields.map((field) => field.name)
    if (!this.#found.has(text)) this.#found.set(text, { text, what, name, hint: nameHint(name, names, `${what}s`) })
  }

  /** The known object that an expression gives. */
  #objectOf(node: unknown): KnownObject | undefined {
    if (!isSyntaxNode(node)) return undefined
    if (node.type === "Identifier") return this.#objects.get(node.name as string)
    if (node.type === "ChainExpression" || node.type === "ParenthesizedExpression")
      return this.#objectOf(node.expression)
    if (node.type !== "MemberExpression") return undefined
    const object = this.#objectOf(node.object)
    const name = staticName(node)
    return object === undefined || name === undefined ? undefined : innerObject(object, name)
  }
}

function innerObject({ fields }: KnownObject, name: string): KnownObject | undefined {
  const inner = fields.find((field) => field.name === name)?.type.definition.fields
  return inner === undefined ? undefined : { fields: inner, what: "field" }
}

/** The name of a member that stands in the source; `undefined` for anything else. */
function staticName(node: unknown): string | undefined {
  if (!isSyntaxNode(node) || node.type !== "MemberExpression") return undefined
  const property = node.property as SyntaxNode
  if (node.computed === false) return property.type === "Identifier" ? (property.name as string) : undefined
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined
}

function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node)
  for (const child of Object.values(node)) {
    for (const each of Array.isArray(child) ? (child as unknown[]) : [child]) if (isSyntaxNode(each)) walk(each, visit)
  }
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value
}
