/**
 * The source text of functions as the engine keeps it.
 *
 * Tools that watch errors replace `Function.prototype.toString`, so that their wrappers look like what they wrap. The
 * text of another function is worse than none, so the engine's own is taken when this module is loaded, or nothing.
 */

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a function as `this`
const toStringOfFunctions = Function.prototype.toString
const NATIVE_TO_STRING = "function toString() { [native code] }"
const isTrustworthy = textOf(toStringOfFunctions) === NATIVE_TO_STRING

/** By function: the text of the one that it stands for. */
const standIns = new WeakMap<(...args: never[]) => unknown, string>()

/** The text of a function, or `undefined` where the engine cannot be asked. */
export function sourceTextOf(fn: (...args: never[]) => unknown): string | undefined {
  return standIns.get(fn) ?? (isTrustworthy ? textOf(fn) : undefined)
}

/**
 * A function that stands for one of another thread, of which only the text is here: it can be compiled and not be called,
 * as what the text names is not here.
 */
export function standInFor(text: string): (...args: never[]) => unknown {
  const standIn = (): never => {
    throw new TypeError("only the text of this function is here")
  }
  standIns.set(standIn, text)
  return standIn
}

/** Whether a value is a function of the engine's own with that name. */
export function isNativeFunction(value: unknown, name: string): value is (...args: never[]) => unknown {
  if (!isTrustworthy || typeof value !== "function") return false
  return textOf(value as (...args: never[]) => unknown) === `function ${name}() { [native code] }`
}

function textOf(fn: (...args: never[]) => unknown): string {
  return Reflect.apply(toStringOfFunctions, fn, [])
}
