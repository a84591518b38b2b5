/**
 * The built-ins of this realm as they were when this module was loaded, so that later replacements are noticed.
 *
 * Invariant:
 * - GG1 A name is genuine only where the global object has it as an own data property, its value is the one captured,
 *   its members and those of its prototype are, and all functions among them are native.
 */
import { assert } from "../../base/assert.ts"

/** Names whose globals lambdas may use; there is no proof for others. */
const NAMES = [
  ...["undefined", "NaN", "Infinity"],
  ...["Boolean", "Math", "Number", "String", "isFinite", "isNaN", "parseFloat", "parseInt"],
]

/** What a property held. */
interface Captured {
  readonly holder: object
  readonly key: PropertyKey
  readonly value: unknown
}

/** A native function with a name: bound ones and proxies have none. */
const NATIVE = /^function (?:[\w$]+|\[Symbol\.\w+\])\(\) \{ \[native code\] \}$/

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
  const captured: Captured[] = [{ holder: globalThis, key: name, value }]
  if (isObject(value)) captured.push(...members(value))
  if (typeof value === "function" && isObject(value.prototype)) captured.push(...members(value.prototype as object))
  assert(captured.length > 0, "at least the global itself is captured")
  return captured.every((each) => isUnchanged(each) && isNativeOrPlain(each.value)) ? captured : undefined
}

function members(holder: object): Captured[] {
  return Reflect.ownKeys(holder)
    .filter((key) => key !== "arguments" && key !== "caller")
    .map((key) => ({ holder, key, value: Reflect.getOwnPropertyDescriptor(holder, key)?.value as unknown }))
}

function isUnchanged({ holder, key, value }: Captured): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(holder, key)
  return descriptor !== undefined && "value" in descriptor && Object.is(descriptor.value, value)
}

function isNativeOrPlain(value: unknown): boolean {
  return typeof value !== "function" || NATIVE.test(Function.prototype.toString.call(value))
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function"
}
