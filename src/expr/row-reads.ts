/**
 * Which columns a closure can read at all, from its source text: only those need to be in the plain objects it is given.
 *
 * Invariant:
 * - RR1 A column is left out only where the text shows that the closure cannot tell: each use of the row is the reading
 *   of a column by a name that stands there.
 */
import type { Identifier, Pattern } from "acorn"
import type { Schema } from "../batch/schema.ts"
import type { RowFunction } from "./lambda.ts"
import { NotCompilable } from "./not-compilable.ts"
import { parseFunction } from "./parse.ts"

/** Names through which a function could reach its arguments, or code that is not in its text. */
const BACK_DOORS: ReadonlySet<string> = new Set(["arguments", "eval"])

interface SyntaxNode {
  readonly type: string
  readonly [key: string]: unknown
}

interface Search {
  /** The parameter that is the row, where it has a name. */
  readonly row: Identifier | undefined
  /** Names that were found to be read. */
  readonly names: Set<string>
}

/** Indexes of the columns that the closure can read, ascending. */
export function columnsRead(lambda: RowFunction, schema: Schema): readonly number[] {
  const all = schema.fields.map((_, index) => index)
  const names = namesRead(lambda)
  // Whoever asks for a name that is no column learns something of the object as a whole.
  if (names === undefined || [...names].some((name) => schema.indexOf(name) === -1)) return all
  return all.filter((index) => names.has(schema.fields[index]!.name))
}

/** Names of the row's members that the function reads, or `undefined` where that is not certain. */
function namesRead(lambda: RowFunction): ReadonlySet<string> | undefined {
  try {
    const { node } = parseFunction(lambda)
    const row = node.params[0]
    const names = new Set<string>()
    if (row?.type === "ObjectPattern" && !addPatternNames(row, names)) return undefined
    if (row !== undefined && row.type !== "ObjectPattern" && row.type !== "Identifier") return undefined
    const search: Search = { row: row?.type === "Identifier" ? row : undefined, names }
    return visit(node as unknown as SyntaxNode, search) ? names : undefined
  } catch (error) {
    // The text is not that of a plain function, or nested so deep that the stack ends.
    if (error instanceof NotCompilable || error instanceof RangeError) return undefined
    throw error
  }
}

/** Adds the names of a pattern's properties. `false` where there may be others. */
function addPatternNames(pattern: Pattern, names: Set<string>): boolean {
  if (pattern.type !== "ObjectPattern") return false
  for (const property of pattern.properties) {
    if (property.type === "RestElement" || property.computed || property.key.type !== "Identifier") return false
    names.add(property.key.name)
  }
  return true
}

/** Adds what is read below a node. `false` where the row may be used in another way, or other code may run in here. */
function visit(node: SyntaxNode, search: Search): boolean {
  if (node === (search.row as unknown)) return true
  if (node.type === "Identifier") return node.name !== search.row?.name && !BACK_DOORS.has(node.name as string)
  if (node.type === "WithStatement") return false
  if (node.type === "MemberExpression" && isRow(node.object, search)) {
    const name = memberName(node)
    if (name !== undefined) search.names.add(name)
    return name !== undefined
  }
  // A method of the row would be given the row.
  if (isCallOfRow(node, search)) return false
  if (node.type === "VariableDeclarator" && isRow(node.init, search)) {
    return addPatternNames(node.id as Pattern, search.names) && visit(node.id as SyntaxNode, search)
  }
  for (const [key, child] of Object.entries(node)) {
    // Names of members and of properties are not variables.
    if ((key === "property" || key === "key") && node.computed === false && node.shorthand !== true) continue
    for (const each of Array.isArray(child) ? (child as unknown[]) : [child]) {
      if (isSyntaxNode(each) && !visit(each, search)) return false
    }
  }
  return true
}

function isCallOfRow(node: SyntaxNode, search: Search): boolean {
  const callee =
    node.type === "CallExpression" ? node.callee : node.type === "TaggedTemplateExpression" ? node.tag : undefined
  return isSyntaxNode(callee) && callee.type === "MemberExpression" && isRow(callee.object, search)
}

function isRow(node: unknown, { row }: Search): boolean {
  return row !== undefined && isSyntaxNode(node) && node.type === "Identifier" && node.name === row.name
}

function memberName(node: SyntaxNode): string | undefined {
  const property = node.property as SyntaxNode
  if (node.computed === false) return property.type === "Identifier" ? (property.name as string) : undefined
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value
}
