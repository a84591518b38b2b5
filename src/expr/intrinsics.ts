/**
 * Built-ins on which lambdas rely without calling them as functions by their names: what is behind the literals of regular
 * expressions, and dates. `globals.ts` has the functions.
 *
 * Invariant:
 * - IN1 An intrinsic is intact only where all that JavaScript looks up for it is what it was when this module was loaded,
 *   and that was the engine's own.
 */
import { assert } from "../base/assert.ts"
import { UTC_PARTS } from "../time/utc-part.ts"
import type { DatePartName } from "./ir.ts"
import { isNativeFunction } from "./source-text.ts"

interface Property {
  readonly holder: object
  readonly key: string | symbol
  /** The property's value, or its getter. */
  readonly fn: unknown
}

/** What stands for a function that was not the engine's own from the start: no property holds it. */
const NOT_GENUINE = {}

function property(holder: object, key: string | symbol, name: string): Property {
  const fn = valueOrGetter(holder, key)
  return { holder, key, fn: isNativeFunction(fn, name) ? fn : NOT_GENUINE }
}

function valueOrGetter(holder: object, key: string | symbol): unknown {
  const descriptor = Reflect.getOwnPropertyDescriptor(holder, key)
  return descriptor === undefined || "value" in descriptor ? descriptor?.value : descriptor.get
}

/** What the methods of regular expressions look up: other methods, and the flags one by one. */
const REGEX_GETTERS = [
  ...["dotAll", "flags", "global", "hasIndices", "ignoreCase", "multiline", "sticky", "unicode", "unicodeSets"],
]

const intrinsics = new Map<string, readonly Property[]>([
  [
    "RegExp",
    [
      property(RegExp.prototype, "exec", "exec"),
      property(RegExp.prototype, "test", "test"),
      property(RegExp.prototype, Symbol.replace, "[Symbol.replace]"),
      property(RegExp.prototype, Symbol.search, "[Symbol.search]"),
      ...["replace", "replaceAll", "search"].map((name) => property(String.prototype, name, name)),
      ...REGEX_GETTERS.map((key) => property(RegExp.prototype, key, `get ${key}`)),
    ],
  ],
])

// eslint-disable-next-line no-restricted-globals -- It asks no clock: only who makes dates is looked at.
const makerOfDates = () => Date
const genuineDate = makerOfDates()
for (const part of Object.keys(UTC_PARTS)) {
  intrinsics.set(dateIntrinsic(part as DatePartName), [property(genuineDate.prototype, part, part)])
}

/** The name of the intrinsic behind `new Date(millis)[part]()`. */
export function dateIntrinsic(part: DatePartName): string {
  return `Date.${part}`
}

/** What gives, of milliseconds, what the intrinsic of that name gives; `undefined` where it is none of dates. */
export function datePart(name: string): ((this: void, millis: number) => number) | undefined {
  const parts: Readonly<Record<string, (this: void, millis: number) => number>> = UTC_PARTS
  return name.startsWith("Date.") ? parts[name.slice("Date.".length)] : undefined
}

/** The name of the intrinsic behind calls of literal regular expressions. */
export const REGEX_INTRINSIC = "RegExp"

/** Whether a name is that of an intrinsic. */
export function isIntrinsic(name: string): boolean {
  return intrinsics.has(name)
}

/** Whether the intrinsic is the engine's own, now. */
export function isIntrinsicIntact(name: string): boolean {
  const properties = intrinsics.get(name)
  assert(properties !== undefined, "only known intrinsics are asked for")
  if (datePart(name) !== undefined && makerOfDates() !== genuineDate) return false
  return properties.every(({ holder, key, fn }) => valueOrGetter(holder, key) === fn)
}
