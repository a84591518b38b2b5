/**
 * Proves that free names of a function are the genuine globals, by what V8's inspector shows of its scopes.
 *
 * A function's text does not say what its free names mean: `Math` may be a variable of an outer function, an import, or
 * a replaced global. The inspector lists the scopes of a closure, from the inside to the global object, with the names
 * in each. One kind of name is not in the list: that of an enclosing function expression, as in
 * `(function Math() { return (row) => Math.abs(row.x) })()`. So the script in which the function stands is searched for
 * such names, too, once a script.
 *
 * Invariants:
 * - SP1 `true` only where no scope before the global one has the name, the global object is that of this realm, the name
 *   is an own data property of it, and the value and its members are those that were there when this module was loaded,
 *   native functions all.
 * - SP2 Anything unexpected is `false`: a `with` block, a function without a script of its own (made by `eval` or `new
 *   Function`), a proxy, another realm, an attached debugger, an error.
 * - SP3 Nothing of the inspection stays behind: no session, no global property.
 */
import { createRequire } from "node:module"
import type { Session } from "node:inspector"
import { assert } from "../../base/assert.ts"
import type { ScopeProver } from "../env.ts"
import { functionExpressionNames } from "./function-names.ts"
import { genuineGlobals } from "./genuine-globals.ts"

type Inspector = typeof import("node:inspector")

/** Under this name the inspected function is handed over; nobody else can have the symbol. */
const SLOT = "tidemark.inspected"

/** Runs in the inspected realm, on the list of scopes. Gives `true` where the scopes are as SP1 wants them. */
const SCOPES_TEST = `function (names) {
  const last = this.length - 1
  if (last < 0 || this[last].object !== globalThis) return false
  for (let at = 0; at < last; at++) {
    if (this[at].description.startsWith("With")) return false
    for (let index = 0; index < names.length; index++) if (names[index] in this[at].object) return false
  }
  return true
}`

/** What is asked of the inspector; the rest of its protocol is not used. */
type Post = (method: string, parameters?: Record<string, unknown>) => Record<string, unknown>

interface InternalProperty {
  readonly name: string
  readonly value: { readonly objectId?: string; readonly value?: { readonly scriptId?: string } }
}

/** The names of function expressions by script; `undefined` where the script has no source of its own. */
type ScriptNames = Map<string, ReadonlySet<string> | undefined>

/** Sees into closures by V8's inspector; `undefined` where this Node was built without one. */
export function nodeScopes(): ScopeProver | undefined {
  const inspector = loadInspector()
  if (inspector === undefined) return undefined
  const scripts: ScriptNames = new Map()
  return {
    areGenuineGlobals(fn, names) {
      assert(names.length > 0, "something is asked")
      if (inspector.url() !== undefined || !names.every((name) => genuineGlobals.isGenuine(name))) return false
      return inspect(inspector, fn, names, scripts)
    },
  }
}

/** Whether a debugger is attached to this process, or may attach: then lambdas should run as their users wrote them. */
export function isDebuggerAttached(): boolean {
  return loadInspector()?.url() !== undefined
}

function loadInspector(): Inspector | undefined {
  try {
    return createRequire(import.meta.url)("node:inspector") as Inspector
  } catch {
    return undefined
  }
}

function inspect(
  inspector: Inspector,
  fn: (...args: never[]) => unknown,
  names: readonly string[],
  scripts: ScriptNames,
): boolean {
  const session = new inspector.Session()
  try {
    session.connect()
    return areUnshadowed(session, fn, names, scripts)
  } catch {
    return false
  } finally {
    session.disconnect()
  }
}

function areUnshadowed(
  session: Session,
  fn: (...args: never[]) => unknown,
  names: readonly string[],
  scripts: ScriptNames,
): boolean {
  const post = synchronously(session)
  const internals = internalProperties(post, fn)
  const scopes = internals.find(({ name }) => name === "[[Scopes]]")?.value.objectId
  const script = internals.find(({ name }) => name === "[[FunctionLocation]]")?.value.value?.scriptId
  if (scopes === undefined || script === undefined) return false
  const tested = post("Runtime.callFunctionOn", {
    objectId: scopes,
    functionDeclaration: SCOPES_TEST,
    arguments: [{ value: names }],
    returnByValue: true,
  }).result as { readonly value?: unknown }
  if (tested.value !== true) return false
  if (!scripts.has(script)) scripts.set(script, namesInScript(session, post, script))
  const named = scripts.get(script)
  return named !== undefined && !names.some((name) => named.has(name))
}

/** Sessions with the own thread answer before `post` returns. */
function synchronously(session: Session): Post {
  return (method, parameters) => {
    let answer: Record<string, unknown> | undefined
    session.post(method, parameters, (error, result) => {
      if (error === null) answer = result as Record<string, unknown>
    })
    if (answer === undefined) throw new Error(`the inspector does not answer ${method}`)
    return answer
  }
}

function internalProperties(post: Post, fn: unknown): readonly InternalProperty[] {
  const slot = Symbol.for(SLOT)
  const holder = globalThis as Record<symbol, unknown>
  try {
    holder[slot] = fn
    const expression = `globalThis[Symbol.for(${JSON.stringify(SLOT)})]`
    const { objectId } = post("Runtime.evaluate", { expression }).result as { readonly objectId?: string }
    if (objectId === undefined) return []
    return post("Runtime.getProperties", { objectId, ownProperties: true }).internalProperties as InternalProperty[]
  } finally {
    delete holder[slot]
  }
}

/**
 * Names of the function expressions of a script. Only the debugger's part of the inspector knows sources: it is switched
 * on for the moment, which takes some ten milliseconds, and while no code of the user's runs.
 */
function namesInScript(session: Session, post: Post, scriptId: string): ReadonlySet<string> | undefined {
  let hasSource = false
  const onParsed = (message: { readonly params: object }): void => {
    const script = message.params as { readonly scriptId: string; readonly embedderName?: string }
    // What `eval` and `new Function` make has no name of its own, and may lie within a function of another script.
    if (script.scriptId === scriptId) hasSource = script.embedderName !== undefined && script.embedderName !== ""
  }
  session.on("Debugger.scriptParsed", onParsed)
  try {
    post("Debugger.enable")
    if (!hasSource) return undefined
    return functionExpressionNames(post("Debugger.getScriptSource", { scriptId }).scriptSource as string)
  } finally {
    session.off("Debugger.scriptParsed", onParsed)
    post("Debugger.disable")
  }
}
