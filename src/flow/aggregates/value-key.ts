/**
 * What tells values apart, for aggregates that count distinct ones: a primitive that is equal, as the keys of a `Map` are,
 * where the values are, and its 64-bit hash. Both come from the value alone: not from codes of dictionaries or ids of keys.
 *
 * Invariants:
 * - VK1 −0 and 0 are one value, and so are all NaN; objects are equal where their fields are, and
 *   lists where their elements are; JSON objects whatever the order of their names.
 * - VK2 Equal keys have equal hashes, on every platform: only 32-bit integer arithmetic, and the bits of doubles.
 */
import { isKeyable, type ColumnType } from "../../batch/type.ts"

/** A key: numbers, bigints, texts and booleans stand for themselves. */
export type ValueKey = number | bigint | string | boolean

/** The key of a value that is not null. */
export function valueKey(type: ColumnType, value: unknown): ValueKey {
  return isKeyable(type) ? (value as ValueKey) : keyText(type, value)
}

/** Text that is equal where values of the type are. */
function keyText(type: ColumnType, value: unknown): string {
  if (value === null) return "null"
  const { typeOf, fields, element } = type.definition
  if (typeOf === "string") return JSON.stringify(value)
  // String(-0) is "0".
  if (isKeyable(type)) return String(value as number | bigint | boolean)
  if (element !== undefined) return `[${(value as readonly unknown[]).map((part) => keyText(element, part)).join(",")}]`
  if (typeOf === "any") return jsonKey(value)
  if (fields === undefined) return type.toText(value)
  return `{${fields.map(({ name, type }) => keyText(type, (value as Record<string, unknown>)[name])).join(",")}}`
}

/** Text that is equal where JSON values are, whatever the order of their names. */
function jsonKey(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value !== "object" || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonKey).join(",")}]`
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, part]) => `${JSON.stringify(name)}:${jsonKey(part)}`).join(",")}}`
}

const double = new Float64Array(1)
const bigint = new BigInt64Array(double.buffer)
const halves = new Uint32Array(double.buffer)

/** A 64-bit hash of a key, as halves of 32 bits: MurmurHash3's steps in two lanes with constants of their own. */
export class KeyHash {
  high = 0
  low = 0

  /** Hashes a key: `high` and `low` are its hash until the next is hashed. */
  of(key: ValueKey): this {
    this.high = 0x9747b28c
    this.low = 0x85ebca6b
    if (typeof key === "string") return this.#finish(this.#takeText(key))
    // 0 for −0; and one NaN, whatever bits it has.
    if (typeof key === "bigint") bigint[0] = BigInt.asIntN(64, key)
    else double[0] = Number.isNaN(key) ? NaN : Number(key) + 0
    this.#step(halves[0]!)
    this.#step(halves[1]!)
    return this.#finish(halves.byteLength)
  }

  /** Takes a text in, two of its units at a time, and gives its length. */
  #takeText(text: string): number {
    const { length } = text
    let at = 0
    for (; at + 1 < length; at += 2) this.#step(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
    if (at < length) this.#step(text.charCodeAt(at))
    return length
  }

  /** Takes 32 bits in. Each lane is a bijection of them, and the lanes feed each other. */
  #step(word: number): void {
    let first = Math.imul(word, 0xcc9e2d51)
    first = Math.imul((first << 15) | (first >>> 17), 0x1b873593)
    let high = this.high ^ first
    high = ((high << 13) | (high >>> 19)) + this.low
    this.high = (Math.imul(high, 5) + 0xe6546b64) | 0
    let second = Math.imul(word, 0x239b961b)
    second = Math.imul((second << 16) | (second >>> 16), 0xab0e9789)
    let low = this.low ^ second
    low = ((low << 17) | (low >>> 15)) + this.high
    this.low = (Math.imul(low, 5) + 0x561ccd1b) | 0
  }

  #finish(length: number): this {
    let high = this.high ^ length
    let low = this.low ^ length
    high = (high + low) | 0
    low = (low + high) | 0
    high = mixed(high)
    low = mixed(low)
    high = (high + low) | 0
    this.high = high >>> 0
    this.low = (low + high) >>> 0
    return this
  }
}

/** The finaliser of MurmurHash3, for 32 bits: a bijection in which each bit depends on all. */
function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
