/**
 * A function as V8's inspector shows it: its scopes, and the script that it stands in.
 *
 * Invariant:
 * - IF1 Nothing of the inspection stays behind: no session, no global property.
 */
import { createRequire } from "node:module"
import type { Session } from "node:inspector"
import { assert } from "../../base/assert.ts"

type Inspector = typeof import("node:inspector")

/** Under this name the inspected function is handed over; nobody else can have the symbol. */
const SLOT = "tidemark.inspected"

/** What is asked of the inspector; the rest of its protocol is not used. */
type Post = (method: string, parameters?: Record<string, unknown>) => Record<string, unknown>

interface InternalProperty {
  readonly name: string
  readonly value: {
    readonly objectId?: string
    readonly value?: { readonly scriptId?: string; readonly lineNumber?: number; readonly columnNumber?: number }
  }
}

/** The text of a script. */
export interface ScriptSource {
  readonly text: string
  readonly isModule: boolean
  /** From where its lines and columns are counted. */
  readonly startLine: number
  readonly startColumn: number
}

/** What the inspector tells of a script. */
interface ScriptParsed {
  readonly scriptId: string
  readonly embedderName?: string
  readonly isModule?: boolean
  readonly startLine: number
  readonly startColumn: number
}

/** Node's inspector; `undefined` where this Node was built without one. */
export function loadInspector(): Inspector | undefined {
  try {
    return createRequire(import.meta.url)("node:inspector") as Inspector
  } catch {
    return undefined
  }
}

/** What `look` sees of a function; `undefined` where the inspector does not show it, or anything goes wrong. */
export function inspectFunction<T>(
  inspector: Inspector,
  fn: (...args: never[]) => unknown,
  look: (inspected: InspectedFunction) => T,
): T | undefined {
  const session = new inspector.Session()
  const holder = globalThis as Record<symbol, unknown>
  const slot = Symbol.for(SLOT)
  try {
    session.connect()
    const handedOver = { fn, found: undefined }
    holder[slot] = handedOver
    const inspected = inspectedFunction(session, handedOver)
    return inspected === undefined ? undefined : look(inspected)
  } catch {
    return undefined
  } finally {
    session.disconnect()
    delete holder[slot]
  }
}

function inspectedFunction(session: Session, handedOver: { found: unknown }): InspectedFunction | undefined {
  const post = synchronously(session)
  const expression = `globalThis[Symbol.for(${JSON.stringify(SLOT)})].fn`
  const { objectId } = post("Runtime.evaluate", { expression }).result as { readonly objectId?: string }
  if (objectId === undefined) return undefined
  const { internalProperties } = post("Runtime.getProperties", { objectId, ownProperties: true })
  const internals = internalProperties as readonly InternalProperty[]
  const scopes = internals.find(({ name }) => name === "[[Scopes]]")?.value.objectId
  const location = internals.find(({ name }) => name === "[[FunctionLocation]]")?.value.value
  if (scopes === undefined || location?.scriptId === undefined) return undefined
  const { scriptId, lineNumber = 0, columnNumber = 0 } = location
  return new InspectedFunction(session, post, handedOver, { scopes, scriptId, lineNumber, columnNumber })
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

interface Place {
  readonly scopes: string
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber: number
}

/** A function under inspection. */
export class InspectedFunction {
  /** Where the function's parameters begin in its script. */
  readonly place: Place
  readonly #session: Session
  readonly #post: Post
  readonly #handedOver: { found: unknown }

  constructor(session: Session, post: Post, handedOver: { found: unknown }, place: Place) {
    this.place = place
    this.#session = session
    this.#post = post
    this.#handedOver = handedOver
  }

  /**
   * Calls a function in the inspected realm, on the list of scopes from the inside to the global object; gives what it
   * gives to its first argument, which is the only way for a value to come as it is.
   */
  askScopes(functionDeclaration: string, argument: unknown): unknown {
    this.#handedOver.found = undefined
    const tell = `(value) => { globalThis[Symbol.for(${JSON.stringify(SLOT)})].found = value }`
    this.#post("Runtime.callFunctionOn", {
      objectId: this.place.scopes,
      functionDeclaration: `function (argument) { (${functionDeclaration}).call(this, ${tell}, argument) }`,
      arguments: [{ value: argument }],
      silent: true,
    })
    return this.#handedOver.found
  }

  /**
   * The text of the function's script; `undefined` where it has none of its own. Only the debugger's part of the
   * inspector knows: it is switched on for the moment, which takes some ten milliseconds, and while no code of the user's
   * runs.
   */
  script(): ScriptSource | undefined {
    const { scriptId } = this.place
    let found: Omit<ScriptSource, "text"> | undefined
    const onParsed = (message: { readonly params: object }): void => {
      const script = message.params as ScriptParsed
      // What `eval` and `new Function` make has no name of its own, and may lie within a function of another script.
      const hasName = script.embedderName !== undefined && script.embedderName !== ""
      if (script.scriptId !== scriptId || !hasName) return
      found = { isModule: script.isModule === true, startLine: script.startLine, startColumn: script.startColumn }
    }
    this.#session.on("Debugger.scriptParsed", onParsed)
    try {
      this.#post("Debugger.enable")
      if (found === undefined) return undefined
      const text = this.#post("Debugger.getScriptSource", { scriptId }).scriptSource
      assert(typeof text === "string", "a script has a text")
      return { ...found, text }
    } finally {
      this.#session.off("Debugger.scriptParsed", onParsed)
      this.#post("Debugger.disable")
    }
  }
}
