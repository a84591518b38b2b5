/**
 * The globals that compiled lambdas may use: pure functions of ECMAScript that never throw for the arguments allowed.
 *
 * The functions are captured when this module is loaded. That a lambda's `Math` is the global one is for the proof in
 * `CompileOptions` to say; that nobody has replaced a function since is asked again before each batch (`isIntact`).
 *
 * Invariants:
 * - B1 What stands here gives the same answer for the same arguments, for ever, and throws for no value of the kinds
 *   that it accepts.
 * - B2 What was not the engine's own when this module was loaded does not stand here.
 */
import { assert } from "../base/assert.ts"
import { isNativeFunction } from "./source-text.ts"
import { BIGINT, BOOLEAN, NUMBER, PRIMITIVE, STRING, UNDEFINED, type Kinds } from "./value-type.ts"

/** A function that lambdas may call. */
export interface KnownFunction {
  /** As it is called: `Math.abs`, or for a method of strings `String.prototype.trim`. */
  readonly name: string
  /** The free name that it depends on. */
  readonly global: string
  /** The engine's own. */
  readonly genuine: (...args: never[]) => unknown
  /** What each argument may be. */
  readonly accepts: Kinds
  readonly result: Kinds
  /** Where set, the first argument stands in the source, or is left out, and is one of these values. */
  readonly firstArgument?: FirstArgument
}

/** Which constants a function takes first: for others it throws, or makes texts of any size. */
interface FirstArgument {
  /** Said of them in words. */
  readonly label: string
  test(value: unknown): boolean
}

/** Anything but a bigint, which `ToNumber` refuses. */
const TO_NUMBER = PRIMITIVE & ~BIGINT

const MATH_FUNCTIONS = [
  ...["abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clz32", "cos", "cosh"],
  ...["exp", "expm1", "floor", "fround", "hypot", "imul", "log", "log10", "log1p", "log2", "max", "min", "pow"],
  ...["round", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"],
]

function wholeNumber(least: number, most: number, isOptional: boolean): FirstArgument {
  const label = `a whole number from ${least} to ${most} that is written out`
  return {
    label,
    test: (value) => {
      if (value === undefined) return isOptional
      return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
    },
  }
}

const FORMS: readonly unknown[] = [undefined, "NFC", "NFD", "NFKC", "NFKD"]

const FIRST_ARGUMENTS: Readonly<Record<string, FirstArgument>> = {
  "String.prototype.normalize": { label: "a form that is written out", test: (value) => FORMS.includes(value) },
  "String.prototype.padEnd": wholeNumber(0, 1000, false),
  "String.prototype.padStart": wholeNumber(0, 1000, false),
  "String.prototype.repeat": wholeNumber(0, 1000, false),
  "Number.prototype.toFixed": wholeNumber(0, 100, true),
  "Number.prototype.toPrecision": wholeNumber(1, 100, true),
  "Number.prototype.toString": wholeNumber(2, 36, true),
}

/** Methods of strings that ask their first argument how it wants to be searched for, whatever primitive value it is. */
const ASKED_SYMBOLS: Readonly<Record<string, symbol>> = {
  "String.prototype.replace": Symbol.replace,
  "String.prototype.replaceAll": Symbol.replace,
}
const ASKED_HOLDERS = [String.prototype, Number.prototype, Boolean.prototype] as unknown as readonly Readonly<
  Record<symbol, unknown>
>[]

const STRING_METHODS: Readonly<Record<string, Kinds>> = {
  at: STRING | UNDEFINED,
  charAt: STRING,
  charCodeAt: NUMBER,
  codePointAt: NUMBER | UNDEFINED,
  concat: STRING,
  endsWith: BOOLEAN,
  includes: BOOLEAN,
  indexOf: NUMBER,
  isWellFormed: BOOLEAN,
  lastIndexOf: NUMBER,
  normalize: STRING,
  padEnd: STRING,
  padStart: STRING,
  repeat: STRING,
  replace: STRING,
  replaceAll: STRING,
  slice: STRING,
  startsWith: BOOLEAN,
  substr: STRING,
  substring: STRING,
  toLowerCase: STRING,
  toUpperCase: STRING,
  toWellFormed: STRING,
  trim: STRING,
  trimEnd: STRING,
  trimStart: STRING,
}

const NUMBER_METHODS = ["toFixed", "toPrecision", "toString"]

/** What the global names hold now. */
const ROOTS: Readonly<Record<string, () => unknown>> = {
  Boolean: () => Boolean,
  Math: () => Math,
  Number: () => Number,
  String: () => String,
  isFinite: () => isFinite,
  isNaN: () => isNaN,
  parseFloat: () => parseFloat,
  parseInt: () => parseInt,
}

/** What they held when this module was loaded. */
const genuineRoots: ReadonlyMap<string, unknown> = new Map(Object.entries(ROOTS).map(([name, root]) => [name, root()]))

const known = new Map<string, KnownFunction>()
const capture = (name: string, accepts: Kinds, result: Kinds): void => {
  const genuine = lookUp(name)
  if (!isNativeFunction(genuine, name.slice(name.lastIndexOf(".") + 1))) return
  const firstArgument = FIRST_ARGUMENTS[name]
  const parts = { name, global: name.split(".")[0]!, genuine, accepts, result }
  known.set(name, firstArgument === undefined ? parts : { ...parts, firstArgument })
}
for (const name of MATH_FUNCTIONS) capture(`Math.${name}`, TO_NUMBER, NUMBER)
for (const name of ["isFinite", "isInteger", "isNaN", "isSafeInteger"]) capture(`Number.${name}`, PRIMITIVE, BOOLEAN)
for (const name of ["Number", "Number.parseFloat", "parseFloat"]) capture(name, PRIMITIVE, NUMBER)
// Their second argument, the radix, may not be a bigint.
for (const name of ["Number.parseInt", "parseInt"]) capture(name, TO_NUMBER, NUMBER)
for (const name of ["isFinite", "isNaN"]) capture(name, TO_NUMBER, BOOLEAN)
capture("String", PRIMITIVE, STRING)
capture("Boolean", PRIMITIVE, BOOLEAN)
for (const [name, result] of Object.entries(STRING_METHODS)) capture(`String.prototype.${name}`, TO_NUMBER, result)
for (const name of NUMBER_METHODS) capture(`Number.prototype.${name}`, TO_NUMBER, STRING)

/** These cannot be replaced, only shadowed; members of `Math` and `Number` depend on what these names hold (`isIntact`). */
const CONSTANTS: Readonly<Record<string, number | undefined>> = {
  undefined,
  NaN,
  Infinity,
  "Math.E": Math.E,
  "Math.LN10": Math.LN10,
  "Math.LN2": Math.LN2,
  "Math.LOG10E": Math.LOG10E,
  "Math.LOG2E": Math.LOG2E,
  "Math.PI": Math.PI,
  "Math.SQRT1_2": Math.SQRT1_2,
  "Math.SQRT2": Math.SQRT2,
  "Number.EPSILON": Number.EPSILON,
  "Number.MAX_SAFE_INTEGER": Number.MAX_SAFE_INTEGER,
  "Number.MAX_VALUE": Number.MAX_VALUE,
  "Number.MIN_SAFE_INTEGER": Number.MIN_SAFE_INTEGER,
  "Number.MIN_VALUE": Number.MIN_VALUE,
  "Number.NEGATIVE_INFINITY": Number.NEGATIVE_INFINITY,
  "Number.NaN": Number.NaN,
  "Number.POSITIVE_INFINITY": Number.POSITIVE_INFINITY,
}

/** Global names that a lambda may use at all, with a proof. */
const USABLE_GLOBALS: ReadonlySet<string> = new Set([
  ...Object.keys(CONSTANTS).filter((name) => !name.includes(".")),
  ...[...known.values()].map(({ global }) => global),
])

/** Whether lambdas may use something under this global name. */
export function isUsableGlobal(name: string): boolean {
  return USABLE_GLOBALS.has(name)
}

/** The function of that name, such as `Math.abs` or `String.prototype.trim`, where lambdas may call it. */
export function knownFunction(name: string): KnownFunction | undefined {
  return known.get(name)
}

/** Names of all functions that lambdas may call. */
export function knownFunctionNames(): readonly string[] {
  return [...known.keys()]
}

/** The constant of that name, such as `Math.PI`, as a value in an array; `undefined` where there is none. */
export function knownConstant(name: string): readonly [number | undefined] | undefined {
  return Object.hasOwn(CONSTANTS, name) ? [CONSTANTS[name]] : undefined
}

/** Whether a global name is one that can be given another value, and lambdas may use what it held at first. */
export function isReplaceable(name: string): boolean {
  return genuineRoots.has(name)
}

/** Whether the global function of that name still is the one that compiled code calls; or `Math` the object that it was. */
export function isIntact(name: string): boolean {
  if (genuineRoots.has(name)) return ROOTS[name]!() === genuineRoots.get(name)
  const captured = known.get(name)
  assert(captured !== undefined, "compiled code uses known functions only")
  const asked = ASKED_SYMBOLS[name]
  if (asked !== undefined && ASKED_HOLDERS.some((holder) => holder[asked] !== undefined)) return false
  return lookUp(name) === captured.genuine
}

function lookUp(name: string): unknown {
  const [root, ...members] = name.split(".")
  let value = ROOTS[root!]!()
  for (const part of members) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined
    value = (value as Readonly<Record<string, unknown>>)[part]
  }
  return value
}
