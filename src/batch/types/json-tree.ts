/**
 * JSON text (RFC 8259) as plain values whose numbers are exact: where the double that a number reads as may be another
 * number than its digits say, the digits are kept with it. For types whose values are made of others.
 *
 * Invariants:
 * - JX1 `parseJson` takes what `JSON.parse` takes and gives what that gives, but for numbers of many digits, which are a
 *   `JsonNumber`. Of a name that stands twice in an object the last value counts, and `__proto__` is a name like others.
 * - JX2 A number is left a double only where its digits can be had back from it: it has at most 15 of them. Where it is beyond
 *   2⁵³, or too great for a double, it was written with an exponent.
 */
import type { ColumnType } from "../type.ts"

/** A number that a double may not hold. */
export class JsonNumber {
  readonly value: number
  /** Its digits, as they stand. */
  readonly raw: string

  constructor(raw: string) {
    this.value = Number(raw)
    this.raw = raw
  }
}

/** Numbers of more digits are kept as they stand, and those near 0. The same within a string costs time and changes nothing. */
const LONG = /[0-9][0-9.]{15}|[eE]-[0-9]{3}/
/** A token behind white space: punctuation, a string, a number or a literal. The text is JSON already. */
const TOKEN = /[ \t\r\n]*([{}[\],:]|"(?:[^"\\]|\\.)*"|[-0-9][-+.0-9eE]*|true|false|null)/y

/** The tree of a text, or `undefined`, which no JSON is, where it is none. */
export function parseJson(text: string): unknown {
  let tree: unknown
  try {
    tree = JSON.parse(text)
  } catch {
    return undefined
  }
  return LONG.test(text) ? exactTree(text) : tree
}

/** An array or an object that is being read. */
type Open = { readonly array: unknown[] } | { readonly object: Record<string, unknown>; name: string | undefined }

/** The tree of a text that is JSON, token by token, as deep as it may be. */
function exactTree(text: string): unknown {
  const open: Open[] = []
  TOKEN.lastIndex = 0
  for (;;) {
    const token = TOKEN.exec(text)![1]!
    let value: unknown
    if (token === "{" || token === "[") {
      open.push(token === "{" ? { object: {}, name: undefined } : { array: [] })
      continue
    }
    if (token === "}" || token === "]") {
      const closed = open.pop()!
      value = "array" in closed ? closed.array : closed.object
    } else if (token === "," || token === ":") continue
    else if (token.startsWith('"')) value = JSON.parse(token)
    else value = numberOrLiteral(token)
    const holder = open.at(-1)
    if (holder === undefined) return value
    if ("array" in holder) holder.array.push(value)
    else if (holder.name === undefined) holder.name = value as string
    else {
      setOwn(holder.object, holder.name, value)
      holder.name = undefined
    }
  }
}

function numberOrLiteral(token: string): unknown {
  return LONG.test(token) ? new JsonNumber(token) : JSON.parse(token)
}

/** Gives an object a member of any name: `__proto__`, too, is one like others. */
export function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
  } else object[name] = value
}

/** What a part of a tree is as a value of the type, or `Invalid`. */
export function fromTree(type: ColumnType, part: unknown): unknown {
  if (part instanceof JsonNumber) return type.fromJson(part.value, part.raw)
  if (typeof part !== "number" || Math.abs(part) <= Number.MAX_SAFE_INTEGER) return type.fromJson(part)
  return type.fromJson(part, Number.isFinite(part) ? part.toExponential() : `${Math.sign(part)}e400`)
}

/**
 * What a part of a tree that the type's `toJson` has written is as a value of it: fields of objects go by their own names, as
 * that wrote them, and not by those that they are read from.
 */
export function fromOwnTree(type: ColumnType, part: unknown): unknown {
  const { fields, element } = type.definition
  if (element !== undefined && Array.isArray(part)) return part.map((inner) => fromOwnTree(element, inner))
  if (fields === undefined || !isPlainObject(part)) return fromTree(type, part)
  const object: Record<string, unknown> = {}
  for (const field of fields) object[field.name] = fromOwnTree(field.type, part[field.name])
  return object
}

/** Whether a value is what JSON objects are read as. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
