/**
 * `json`: any JSON value but null, which only `.nullable()` has at the top: what a column cannot declare, such as the
 * payload of a webhook. In a CSV field it is JSON text.
 *
 * Numbers are doubles, as `JSON.parse` reads them, but whole numbers in plain digits beyond ±(2⁵³ − 1) are bigints, so
 * that no digit is lost; they are written in plain digits again. A double of that size has an exponent (`1e+21`).
 *
 * Invariant:
 * - TJ1 The text is a function of the value: no white space, members in the order in which the object has them.
 */
import { shownValue } from "../../base/shown-value.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { isPlainObject, JsonNumber, parseJson, setOwn } from "./json-tree.ts"
import { wellFormed } from "./string.ts"

/**
 * A value of a JSON document. Whole numbers beyond ±(2⁵³ − 1) that stand in plain digits are bigints.
 *
 * @example
 * ```ts
 * import type { JsonValue } from "tidemark"
 *
 * const isList = (value: JsonValue): boolean => Array.isArray(value)
 * ```
 */
export type JsonValue =
  null | boolean | number | bigint | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** How deep arrays and objects may be nested within one value. */
const JSON_DEPTH_MAX = 32
/** A number of more digits is refused: to read it takes time that grows with their square. */
const DIGITS_MAX = 1000
const PLAIN_DIGITS = /^-?[0-9]+$/
const TOP_NULL = "null, and the column is not nullable"
const TOO_DEEP = `JSON nested deeper than ${JSON_DEPTH_MAX} levels`
const TOO_LONG = `JSON with a number of more than ${DIGITS_MAX} digits`
const TOO_GREAT = "JSON with a number too great for a double"

const definition: TypeDefinition = {
  kind: "json",
  label: "json",
  storage: "dictionary",
  packing: "json",
  typeOf: "any",
  check: problemOf,
  fromText,
  unpack: fromText,
  fromJson: (value, raw) => topOf(raw === undefined || typeof value !== "number" ? value : new JsonNumber(raw)),
  toText: jsonText,
  toJson: jsonText,
}

function fromText(text: string): unknown {
  const tree = parseJson(text)
  return tree === undefined ? new Invalid("not JSON") : topOf(tree)
}

/** Why a value is none of the type, as a clause behind "is": with the place of the part that is at fault. */
function problemOf(value: unknown): string | undefined {
  if (value === null) return TOP_NULL
  const path: (string | number)[] = []
  const problem = problemWithin(value, 0, path)
  if (problem === undefined || path.length === 0 || problem === TOO_DEEP) return problem
  return `JSON whose part ${path.map((part) => `[${JSON.stringify(part)}]`).join("")} is ${problem}`
}

/** The same of a part. Where it finds something, it puts the places that lead there into `path`. */
function problemWithin(value: unknown, depth: number, path: (string | number)[]): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined
    case "bigint":
      return value.toString().length > DIGITS_MAX ? TOO_LONG : undefined
    case "number":
      return Number.isFinite(value) ? undefined : `${value}, which JSON does not have`
    case "object":
      if (value === null) return undefined
      if (depth === JSON_DEPTH_MAX) return TOO_DEEP
      if (Array.isArray(value)) return problemOfParts(value.entries(), depth, path)
      if (isPlainObject(value)) return problemOfParts(Object.entries(value), depth, path)
      break
    default:
  }
  return `${shownValue(value)}, which JSON does not have`
}

function problemOfParts(
  parts: Iterable<readonly [string | number, unknown]>,
  depth: number,
  path: (string | number)[],
): string | undefined {
  for (const [place, part] of parts) {
    const problem = problemWithin(part, depth + 1, path)
    if (problem === undefined) continue
    path.unshift(place)
    return problem
  }
  return undefined
}

/** A tree as a value of its own, or `Invalid`. */
function topOf(tree: unknown): unknown {
  if (tree === null) return new Invalid(TOP_NULL)
  return valueOf(tree, 0)
}

function valueOf(tree: unknown, depth: number): unknown {
  switch (typeof tree) {
    case "string":
      return wellFormed(tree)
    case "number":
      return Number.isFinite(tree) ? tree : new Invalid(TOO_GREAT)
    case "boolean":
      return tree
    case "bigint":
      return ownBigint(tree)
    case "object":
      if (tree === null) return null
      if (tree instanceof JsonNumber) return numberOf(tree)
      return depth === JSON_DEPTH_MAX ? new Invalid(TOO_DEEP) : copyOf(tree, depth + 1)
    default:
      return new Invalid(`${shownValue(tree)}, which JSON does not have`)
  }
}

function numberOf({ value, raw }: JsonNumber): unknown {
  if (!PLAIN_DIGITS.test(raw)) return Number.isFinite(value) ? value : new Invalid(TOO_GREAT)
  return raw.length > DIGITS_MAX ? new Invalid(TOO_LONG) : Number.isSafeInteger(value) ? value : BigInt(raw)
}

/** A bigint that a number holds exactly, by the rule of this type, is that number. */
function ownBigint(value: bigint): unknown {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function copyOf(tree: object, depth: number): unknown {
  if (Array.isArray(tree)) {
    const array: unknown[] = []
    for (const part of tree) {
      const value = valueOf(part, depth)
      if (value instanceof Invalid) return value
      array.push(value)
    }
    return array
  }
  const object: Record<string, unknown> = {}
  for (const name of Object.keys(tree)) {
    const value = valueOf((tree as Record<string, unknown>)[name], depth)
    if (value instanceof Invalid) return value
    setOwn(object, wellFormed(name), value)
  }
  return object
}

/** The JSON text of a value of the type (TJ1). */
function jsonText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(wellFormed(value))
    case "number":
      return numberText(value)
    case "object":
      if (value === null) return "null"
      if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`
      return `{${Object.entries(value)
        .map(([name, part]) => `${JSON.stringify(wellFormed(name))}:${jsonText(part)}`)
        .join(",")}}`
    default:
      return String(value)
  }
}

/** Plain digits beyond 2⁵³ would be read as a bigint. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0"
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : value.toExponential()
}

/** See `t.json`. */
export const jsonType = new ColumnType<NonNullable<JsonValue>, "json">(definition)
