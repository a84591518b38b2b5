/**
 * What the text of a script tells of a variable that one of its functions captures: whether it is given a value once and
 * never again.
 *
 * It is enough to look at this text, as nothing else can assign to a variable of a module or of a function: an import is
 * read-only, and `eval` within the scope and `with` are refused. Scripts' own top-level variables are another matter:
 * whoever asks makes sure that the variable is none of those.
 *
 * Invariants:
 * - BN1 `true` only where every evaluation of the name in the function gives the same value, once it has one.
 * - BN2 Scopes are those of ECMAScript; where a name is declared several times, or in a way that is not named here, the
 *   answer is `false`.
 */
import type { AnyNode, Function as FunctionNode, Pattern, Program } from "acorn"
import { parse } from "acorn"
import { assert } from "../../base/assert.ts"

/** What is known of a script. */
export interface ScriptSyntax {
  readonly program: Program
  /** Whether it has `eval`, which may declare and assign variables that the text does not show, or `with`. */
  readonly isDynamic: boolean
  /** All names to which something is assigned somewhere. */
  readonly assigned: ReadonlySet<string>
}

/** Larger scripts are not looked at: their syntax would take too much memory. */
const MAX_LENGTH = 4_000_000

/** What is known of a script, or `undefined` where its text is not understood. */
export function parseSource(source: string, isModule: boolean): ScriptSyntax | undefined {
  if (source.length > MAX_LENGTH) return undefined
  try {
    const program = parse(source, {
      ecmaVersion: "latest",
      sourceType: isModule ? "module" : "script",
      // CommonJS modules are bodies of functions.
      allowReturnOutsideFunction: true,
    })
    const assigned = new Set<string>()
    const isDynamic = addAssigned(program, assigned)
    return { program, isDynamic, assigned }
  } catch {
    return undefined
  }
}

/**
 * Whether `name`, as the function `[start, end)` of the script uses it, is a variable of the script that keeps the value
 * it is given first.
 */
export function isBoundOnce(script: ScriptSyntax, start: number, end: number, name: string): boolean {
  assert(start < end, "a function has a text")
  const path = pathTo(script.program, start, end)
  if (path === undefined || script.isDynamic) return false
  for (let depth = path.length - 2; depth >= 0; depth--) {
    const scope = path[depth]!
    const declarations = declarationsIn(scope, name, path[depth + 1]!)
    if (declarations.length > 1) return false
    if (declarations.length === 1) {
      return keepsItsValue(declarations[0]!, scope, name, script.assigned.has(name))
    }
  }
  return false
}

/** The nodes from the script to the function, both included. */
function pathTo(node: AnyNode, start: number, end: number): AnyNode[] | undefined {
  if (node.start === start && node.end === end && isFunction(node)) return [node]
  for (const child of childrenOf(node)) {
    if (child.start > start || child.end < end) continue
    const path = pathTo(child, start, end)
    if (path !== undefined) return [node, ...path]
  }
  return undefined
}

type Declaration =
  | { readonly kind: "const" | "let" | "parameter" }
  /** `isRepeated` where the declaration may be evaluated several times for one variable. */
  | { readonly kind: "var"; readonly isRepeated: boolean }
  | { readonly kind: "other" }

/** `mayBeAssigned`: whether a variable of that name, though perhaps another, is assigned to. */
function keepsItsValue(declaration: Declaration, scope: AnyNode, name: string, mayBeAssigned: boolean): boolean {
  switch (declaration.kind) {
    case "const":
      return true
    case "let":
      return !mayBeAssigned || !isAssigned(scope, scope, name)
    case "var":
      return !declaration.isRepeated && (!mayBeAssigned || !isAssigned(scope, scope, name))
    case "parameter":
      // In sloppy functions `arguments[0] = 1` assigns to the parameter.
      return (!mayBeAssigned || !isAssigned(scope, scope, name)) && !mentionsArguments(scope)
    case "other":
      return false
  }
}

/** The declarations of `name` in one scope, as they hold for what lies within its child `inner`. */
function declarationsIn(scope: AnyNode, name: string, inner: AnyNode | undefined): Declaration[] {
  const found: Declaration[] = []
  switch (scope.type) {
    case "Program":
      addVars(scope.body, name, false, found)
      addLexical(scope.body, name, found)
      break
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      addFunction(scope, name, inner, found)
      break
    case "StaticBlock":
      addVars(scope.body, name, false, found)
      addLexical(scope.body, name, found)
      break
    case "BlockStatement":
      addLexical(scope.body, name, found)
      break
    case "SwitchStatement":
      addLexical(
        scope.cases.flatMap((each) => each.consequent),
        name,
        found,
      )
      break
    case "ForStatement":
      if (scope.init) addLexical([scope.init], name, found)
      break
    case "ForInStatement":
    case "ForOfStatement":
      addLexical([scope.left], name, found)
      break
    case "CatchClause":
      if (scope.param && bindsName(scope.param, name)) found.push({ kind: "other" })
      break
    case "ClassDeclaration":
    case "ClassExpression":
      if (scope.id?.name === name) found.push({ kind: "other" })
      break
    default:
  }
  return found
}

function addFunction(fn: FunctionNode, name: string, inner: AnyNode | undefined, found: Declaration[]): void {
  for (const param of fn.params) if (bindsName(param, name)) found.push({ kind: "parameter" })
  // What stands in a default value does not see the variables of the body.
  if (fn.body.type === "BlockStatement" && (inner === undefined || inner === fn.body)) {
    addVars(fn.body.body, name, false, found)
  }
  const hasOwnName = fn.type === "FunctionExpression" && fn.id?.name === name
  if (found.length === 0 && (hasOwnName || (fn.type !== "ArrowFunctionExpression" && name === "arguments"))) {
    found.push({ kind: "other" })
  }
}

/** Declarations by `let`, `const`, `class`, `function` and `import` that stand directly among the statements. */
function addLexical(statements: readonly AnyNode[], name: string, found: Declaration[]): void {
  for (const statement of statements) {
    const declared = isExport(statement) ? (statement.declaration as AnyNode | null) : statement
    switch (declared?.type) {
      case "VariableDeclaration": {
        const { kind } = declared
        if (kind === "var") break
        for (const { id } of declared.declarations) {
          if (bindsName(id, name)) found.push({ kind: kind === "const" || kind === "let" ? kind : "other" })
        }
        break
      }
      case "ClassDeclaration":
      case "FunctionDeclaration":
        if (declared.id?.name === name) found.push({ kind: "other" })
        break
      case "ImportDeclaration":
        if (declared.specifiers.some(({ local }) => local.name === name)) found.push({ kind: "other" })
        break
      default:
    }
  }
}

/** Declarations by `var` at any depth, and of functions, which sloppy code hoists; not within functions. */
function addVars(nodes: readonly AnyNode[], name: string, isInLoop: boolean, found: Declaration[]): void {
  for (const node of nodes) {
    if (node.type === "FunctionDeclaration" && node.id?.name === name) found.push({ kind: "other" })
    if (isFunction(node) || node.type === "StaticBlock") continue
    if (node.type === "VariableDeclaration" && node.kind === "var") {
      for (const { id } of node.declarations) {
        if (bindsName(id, name)) found.push({ kind: "var", isRepeated: isInLoop })
      }
    }
    addVars(childrenOf(node), name, isInLoop || LOOPS.has(node.type), found)
  }
}

const LOOPS: ReadonlySet<string> = new Set([
  ...["DoWhileStatement", "ForInStatement", "ForOfStatement", "ForStatement", "WhileStatement"],
])

/** Whether something within `node` assigns to the variable `name` of `scope`. */
function isAssigned(node: AnyNode, scope: AnyNode, name: string): boolean {
  if (node !== scope && declarationsIn(node, name, undefined).length > 0) {
    // Another variable of that name; but default values of parameters do not see those of the body.
    if (!isFunction(node) || node.params.some((param) => bindsName(param, name))) return false
    return node.params.some((param) => isAssigned(param, scope, name))
  }
  const target = targetOf(node)
  if (target !== undefined && bindsName(target, name)) return true
  return childrenOf(node).some((child) => isAssigned(child, scope, name))
}

/** Adds the names to which something within `node` assigns; gives whether there is an `eval` or a `with`. */
function addAssigned(node: AnyNode, assigned: Set<string>): boolean {
  const target = targetOf(node)
  if (target !== undefined) for (const name of boundNames(target)) assigned.add(name)
  let isDynamic = node.type === "WithStatement"
  if (node.type === "CallExpression" && node.callee.type === "Identifier") isDynamic = node.callee.name === "eval"
  for (const child of childrenOf(node)) if (addAssigned(child, assigned)) isDynamic = true
  return isDynamic
}

/** What a node assigns to, declarations aside. */
function targetOf(node: AnyNode): Pattern | undefined {
  switch (node.type) {
    case "AssignmentExpression":
      return node.left
    case "UpdateExpression":
      return node.argument as Pattern
    case "ForInStatement":
    case "ForOfStatement":
      return node.left.type === "VariableDeclaration" ? undefined : node.left
    default:
      return undefined
  }
}

function bindsName(pattern: Pattern, name: string): boolean {
  return boundNames(pattern).includes(name)
}

/** Names of the variables to which a pattern gives values. */
function boundNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name]
    case "ObjectPattern":
      return pattern.properties.flatMap((each) => boundNames(each.type === "RestElement" ? each.argument : each.value))
    case "ArrayPattern":
      return pattern.elements.flatMap((each) => (each === null ? [] : boundNames(each)))
    case "RestElement":
      return boundNames(pattern.argument)
    case "AssignmentPattern":
      return boundNames(pattern.left)
    case "MemberExpression":
      return []
  }
}

function isFunction(node: AnyNode): node is FunctionNode & AnyNode {
  const { type } = node
  return type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression"
}

function isExport(node: AnyNode) {
  return node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration"
}

function mentionsArguments(node: AnyNode): boolean {
  if (node.type === "Identifier" && node.name === "arguments") return true
  return childrenOf(node).some(mentionsArguments)
}

/** All nodes that a node holds. */
function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = []
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) children.push(...value.filter(isNode))
    else if (isNode(value)) children.push(value)
  }
  return children
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
}
