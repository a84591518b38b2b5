/**
 * Proves what free names of a function mean, by what V8's inspector shows of its scopes: that they are the genuine
 * globals, or captured variables that keep the value they have.
 *
 * A function's text does not say it: `Math` may be a variable of an outer function, an import, or a replaced global. The
 * inspector lists the scopes of a closure, from the inside to the global object, with the names in each. One kind of
 * name is not in the list: that of an enclosing function expression, as in
 * `(function Math() { return (row) => Math.abs(row.x) })()`. So the script in which the function stands is searched for
 * such names, too, once a script. Nor does it say whether a variable may change: that the script's text tells
 * (`bindings.ts`).
 *
 * Invariants:
 * - SP1 A name is proven to be a global only where no scope before the global one has it, the global object is that of
 *   this realm, the name is an own data property of it, and the value and its members are those that were there when
 *   this module was loaded, native functions all.
 * - SP2 Nothing is proven where anything is unexpected: a `with` block, a function without a script of its own (made by
 *   `eval` or `new Function`), a proxy, another realm, an attached debugger, an error.
 * - SP3 Nothing of the inspection stays behind: no session, no global property.
 * - SP4 A captured variable is a constant only where its scope is that of a module or a function, the script's text says
 *   that it keeps its value, and it has got it.
 */
import { assert } from "../../base/assert.ts"
import type { PrimitiveValue, ScopeProver } from "../env.ts"
import { isBoundOnce, parseSource, type ScriptSyntax } from "./bindings.ts"
import { functionExpressionNames } from "./function-names.ts"
import { genuineGlobals } from "./genuine-globals.ts"
import { inspectFunction, loadInspector, type InspectedFunction, type ScriptSource } from "./inspected-function.ts"

/** Whether the scopes are as SP1 wants them for these names. */
const ARE_UNSHADOWED = `function (tell, names) {
  const last = this.length - 1
  if (last < 0 || this[last].object !== globalThis) return
  for (let at = 0; at < last; at++) {
    if (this[at].description.startsWith("With")) return
    for (let index = 0; index < names.length; index++) if (names[index] in this[at].object) return
  }
  tell(true)
}`

/** The value of the variable of that name, in an array, where its scope is as SP4 wants it. */
const CAPTURED_VALUE = `function (tell, name) {
  const last = this.length - 1
  if (last < 0 || this[last].object !== globalThis) return
  for (let at = 0; at < last; at++) {
    const { description, object } = this[at]
    if (description.startsWith("With") || description.startsWith("Script")) return
    if (name in object) return tell([object[name]])
  }
}`

/** What was read of scripts, by their ids. */
interface Scripts {
  /** Names of function expressions; `undefined` where the script has no source of its own. */
  readonly names: Map<string, ReadonlySet<string> | undefined>
  /** Large, and read again where it was dropped. */
  readonly syntax: Map<string, WeakRef<{ readonly source: ScriptSource; readonly syntax: ScriptSyntax }>>
}

/** Sees into closures by V8's inspector; `undefined` where this Node was built without one. */
export function nodeScopes(): ScopeProver | undefined {
  const inspector = loadInspector()
  if (inspector === undefined) return undefined
  const scripts: Scripts = { names: new Map(), syntax: new Map() }
  return {
    areGenuineGlobals(fn, names) {
      assert(names.length > 0, "something is asked")
      if (inspector.url() !== undefined || !names.every((name) => genuineGlobals.isGenuine(name))) return false
      return inspectFunction(inspector, fn, (inspected) => areUnshadowed(inspected, names, scripts)) === true
    },
    capturedConstant(fn, name) {
      if (inspector.url() !== undefined) return undefined
      return inspectFunction(inspector, fn, (inspected) => constantOf(inspected, fn, name, scripts))
    },
  }
}

/** Whether a debugger is attached to this process, or may attach: then lambdas should run as their users wrote them. */
export function isDebuggerAttached(): boolean {
  return loadInspector()?.url() !== undefined
}

function areUnshadowed(inspected: InspectedFunction, names: readonly string[], scripts: Scripts): boolean {
  if (inspected.askScopes(ARE_UNSHADOWED, names) !== true) return false
  const { scriptId } = inspected.place
  if (!scripts.names.has(scriptId)) {
    const source = inspected.script()
    scripts.names.set(scriptId, source === undefined ? undefined : functionExpressionNames(source.text))
  }
  const named = scripts.names.get(scriptId)
  return named !== undefined && !names.some((name) => named.has(name))
}

function constantOf(
  inspected: InspectedFunction,
  fn: (...args: never[]) => unknown,
  name: string,
  scripts: Scripts,
): readonly [PrimitiveValue] | undefined {
  const found = inspected.askScopes(CAPTURED_VALUE, name) as readonly [unknown] | undefined
  // A variable that has no value yet is shown as undefined.
  if (found === undefined || !isPrimitive(found[0])) return undefined
  const script = syntaxOf(inspected, scripts)
  if (script === undefined) return undefined
  const start = startOf(fn, inspected, script.source)
  if (start === undefined || !isBoundOnce(script.syntax, start, start + textOf(fn).length, name)) return undefined
  return [found[0]]
}

function isPrimitive(value: unknown): value is PrimitiveValue {
  return value === null || ["string", "number", "bigint", "boolean"].includes(typeof value)
}

function syntaxOf(inspected: InspectedFunction, { syntax }: Scripts) {
  const { scriptId } = inspected.place
  const known = syntax.get(scriptId)?.deref()
  if (known !== undefined) return known
  const source = inspected.script()
  const parsed = source === undefined ? undefined : parseSource(source.text, source.isModule)
  if (source === undefined || parsed === undefined) return undefined
  const script = { source, syntax: parsed }
  syntax.set(scriptId, new WeakRef(script))
  return script
}

/** Where the text of a function begins in that of its script; the inspector says where its parameters begin. */
function startOf(
  fn: (...args: never[]) => unknown,
  { place }: InspectedFunction,
  { text: script, startLine, startColumn }: ScriptSource,
): number | undefined {
  const lines = place.lineNumber - startLine
  const lineEnds = script.matchAll(/\r\n|[\n\r\u2028\u2029]/g)
  let line = 0
  for (let count = 0; count < lines; count++) {
    const end = lineEnds.next().value
    if (end === undefined) return undefined
    line = end.index + end[0].length
  }
  const text = textOf(fn)
  const params = line + place.columnNumber - (lines === 0 ? startColumn : 0)
  // The word `function` and a name may stand before the parameters.
  for (let start = params; start >= 0 && start > params - text.length; start--) {
    if (script.startsWith(text, start)) return start
  }
  return undefined
}

function textOf(fn: (...args: never[]) => unknown): string {
  return Function.prototype.toString.call(fn)
}
