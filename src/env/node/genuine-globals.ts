/**
 * The built-ins of this realm as they were when this module was loaded, so that later replacements are noticed.
 *
 * Invariant:
 * - GG1 A name is genuine only where the global object has it as an own data property, its value is the one captured,
 *   its members and those of its prototype are (values, getters and setters), and all functions among them are native.
 */
import { assert } from "../../base/assert.ts"

/** Names whose globals lambdas may use; there is no proof for others. */
const NAMES = [
  ...["undefined", "NaN", "Infinity"],
  ...["Boolean", "Date", "Math", "Number", "RegExp", "String", "isFinite", "isNaN", "parseFloat", "parseInt"],
]

/** What a property held: a value, or functions that read and write it. */
interface Captured {
  readonly holder: object
  readonly key: PropertyKey
  readonly held: Held
}

type Held = Pick<PropertyDescriptor, "value" | "get" | "set">

/** A native function with a name: bound ones and proxies have none. Getters are called `get flags`, or even `` get $` ``. */
const NATIVE = /^function [^(){}]+\(\) \{ \[native code\] \}$/

/** Captured properties by global name; a name whose properties were not genuine from the start is missing. */
class GenuineGlobals {
  readonly #captured = new Map<string, readonly Captured[]>()

  constructor() {
    for (const name of NAMES) {
      const captured = capture(name)
      if (captured !== undefined) this.#captured.set(name, captured)
    }
  }

  /** Whether the global object still holds the engine's own under that name. */
  isGenuine(name: string): boolean {
    const captured = this.#captured.get(name)
    return captured !== undefined && captured.every(isUnchanged)
  }
}

/** Of this process, as it was at the start. */
export const genuineGlobals = new GenuineGlobals()

function capture(name: string): readonly Captured[] | undefined {
  const value = (globalThis as Record<string, unknown>)[name]
  const captured: Captured[] = [{ holder: globalThis, key: name, held: { value } }]
  if (isObject(value)) captured.push(...members(value))
  if (typeof value === "function" && isObject(value.prototype)) captured.push(...members(value.prototype as object))
  assert(captured.length > 0, "at least the global itself is captured")
  return captured.every((each) => isUnchanged(each) && isNativeOrPlain(each.held)) ? captured : undefined
}

function members(holder: object): Captured[] {
  return Reflect.ownKeys(holder)
    .filter((key) => key !== "arguments" && key !== "caller")
    .map((key) => ({ holder, key, held: Reflect.getOwnPropertyDescriptor(holder, key)! }))
}

function isUnchanged({ holder, key, held }: Captured): boolean {
  const now = Reflect.getOwnPropertyDescriptor(holder, key)
  if (now === undefined || "value" in now !== "value" in held) return false
  return Object.is(now.value, held.value) && now.get === held.get && now.set === held.set
}

function isNativeOrPlain({ value, get, set }: Held): boolean {
  return [value, get, set].every((fn) => typeof fn !== "function" || NATIVE.test(Function.prototype.toString.call(fn)))
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function"
}
