/** Types whose values are made of others: lists, JSON values and bytes. */
import { describe, expect, it, test } from "vitest"
import type { Prng } from "../../base/prng.ts"
import { randomJsonValue } from "../../../test/random-values.ts"
import { forEachSeed } from "../../../test/seeds.ts"
import { Arena } from "../arena.ts"
import { batchOfRows } from "../batch.ts"
import { readValue } from "../column.ts"
import { rowReader } from "../row-reader.ts"
import { schema, type RowOf } from "../schema.ts"
import { Invalid, isKeyable, whyNoKey, type ColumnType } from "../type.ts"
import { t } from "../types.ts"
import { settled } from "../value-codec.ts"
import { JsonNumber, parseJson } from "./json-tree.ts"

const shown = (value: unknown) => (value instanceof Invalid ? `invalid: ${value.reason}` : value)
const text = (type: ColumnType, value: string) => shown(type.fromText(value))
const nested = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`

describe("TY27 lists", () => {
  it("are of one type, and tell which element is not of it", () => {
    const numbers = t.list(t.int32)
    expect(text(numbers, "[1, 2,3]")).toEqual([1, 2, 3])
    expect(text(numbers, "[]")).toEqual([])
    expect(text(numbers, '[1,"2"]')).toBe("invalid: a list whose element [1] is not a number")
    expect(text(numbers, "[1,null]")).toBe("invalid: a list whose element [1] is null, and the column is not nullable")
    expect([text(numbers, "{}"), text(numbers, "[1"), text(numbers, "1")]).toEqual(
      new Array(3).fill("invalid: not a list"),
    )
    expect(numbers.check([1, 2.5])).toBe("a list whose element [1] is not a whole number")
    expect(numbers.check("1")).toBe("not a list")
    expect(numbers.label).toBe("list(int32)")
  })

  it("nest with objects, and any level may be null", () => {
    const Hook = schema({
      items: t.list(t.object({ id: t.int64.from("ID"), tags: t.list(t.string.nullable()).nullable() }).nullable()),
    })
    const row: RowOf<typeof Hook> = { items: [null, { id: 1n, tags: null }, { id: 2n, tags: ["a", null] }] }
    const { type } = Hook.fields[0]!
    expect(type.fromJson([null, { ID: "1" }, { ID: 2, tags: ["a", null] }])).toEqual(row.items)
    expect(type.toText(row.items)).toBe('[null,{"id":"1","tags":null},{"id":"2","tags":["a",null]}]')
    expect(shown(type.fromJson([{ ID: 1, tags: [2] }]))).toBe(
      'invalid: a list whose element [0] is an object whose field "tags" is a list whose element [0] is not a string',
    )
  })

  it("N5 VC1 keep objects whose fields are read from other names", () => {
    const type = t.list(t.object({ id: t.int64.from("ID"), of: t.list(t.object({ n: t.int8.from("N") })) }))
    const value = type.fromJson([{ ID: 1, of: [{ N: 2 }], id: 7 }]) as unknown[]
    const arena = new Arena({ maxBytes: 65_536 })
    const { batch } = batchOfRows(arena, schema({ type }), [{ type: value }])
    expect(value).toEqual([{ id: 1n, of: [{ n: 2 }] }])
    expect(readValue(batch.columns[0]!, 0)).toEqual(value)
    expect(rowReader(batch.schema)(batch)(0)).toEqual({ type: value })
    expect(settled(type, value)).toEqual(value)
    expect(type.toText(value)).toBe('[{"id":"1","of":[{"n":2}]}]')
  })

  it("have names and defaults, and their elements have none", () => {
    expect(t.list(t.string).from("Tags").default([]).fromMissing()).toEqual([])
    expect(() => t.list(t.string.from("x"))).toThrow(/elements of a list have neither a name nor a default/)
    expect(() => t.list(t.string.default("x"))).toThrow(/neither a name nor a default/)
    expect(() => t.list("string" as never)).toThrow(/takes a column type, not "string"/)
  })
})

describe("TY28 JSON values", () => {
  it("are any but null at the top", () => {
    expect(['"a"', "1.5", "true", "[1,null]", '{"a":{"b":null}}', "-0"].map((json) => text(t.json, json))).toEqual([
      ...["a", 1.5, true, [1, null], { a: { b: null } }, -0],
    ])
    expect(text(t.json, "null")).toBe("invalid: null, and the column is not nullable")
    expect([text(t.json, "{a:1}"), text(t.json, "nul")]).toEqual(["invalid: not JSON", "invalid: not JSON"])
    expect(t.json.nullable().fromJson(null)).toBe(null)
  })

  it("keep whole numbers beyond 2⁵³ as bigints, and write doubles of that size with an exponent", () => {
    const json = '{"id":12345678901234567890,"low":-9007199254740993,"safe":9007199254740991,"e":1e21,"f":0.1}'
    const value = text(t.json, json)
    expect(value).toEqual({
      id: 12345678901234567890n,
      low: -9007199254740993n,
      safe: 9007199254740991,
      e: 1e21,
      f: 0.1,
    })
    expect(t.json.toText(value)).toBe(json.replace("1e21", "1e+21"))
    expect(t.json.toText(2 ** 60)).toBe("1.152921504606847e+18")
    expect(t.json.toText([1n, 2n ** 53n])).toBe("[1,9007199254740992]")
    expect(settled(t.json, [1n, 2n ** 53n])).toEqual([1, 9007199254740992n])
  })

  it("have numbers of at most 1,000 digits, and none too great for a double", () => {
    expect(text(t.json, "9".repeat(1000))).toBe(10n ** 1000n - 1n)
    expect(text(t.json, `[${"9".repeat(1001)}]`)).toBe("invalid: JSON with a number of more than 1000 digits")
    expect(text(t.json, "[1e400]")).toBe("invalid: JSON with a number too great for a double")
    expect(text(t.json, "[1e-400]")).toEqual([0])
  })

  it("have nothing that JSON does not have, and tell where it stands", () => {
    expect(t.json.check({ a: [1, { "b c": NaN }] })).toBe(
      'JSON whose part ["a"][1]["b c"] is NaN, which JSON does not have',
    )
    expect(t.json.check([undefined])).toBe("JSON whose part [0] is undefined, which JSON does not have")
    expect(t.json.check(new Date())).toBe("an object, which JSON does not have")
    expect(t.json.check({ a: new Map() })).toBe('JSON whose part ["a"] is an object, which JSON does not have')
    expect(t.json.check(Object.create(null))).toBe(undefined)
    expect(t.json.check(() => 1)).toBe("a function, which JSON does not have")
  })
})

describe("TY29", () => {
  it("a name that stands twice has its last value, and __proto__ is a name", () => {
    const value = text(t.json, '{"a":1,"__proto__":{"isAdmin":true},"a":2}') as Record<string, unknown>
    expect(Object.keys(value)).toEqual(["a", "__proto__"])
    expect([value["a"], value["isAdmin"], Object.getPrototypeOf(value)]).toEqual([2, undefined, Object.prototype])
    expect(t.json.toText(value)).toBe('{"a":2,"__proto__":{"isAdmin":true}}')
    const long = text(t.json, '{"__proto__":{"n":12345678901234567890}}') as object
    expect([Object.keys(long), Object.getPrototypeOf(long)]).toEqual([["__proto__"], Object.prototype])
    const again = settled(t.json, long) as object
    expect([Object.keys(again), Object.getPrototypeOf(again)]).toEqual([["__proto__"], Object.prototype])
  })

  it("values nest up to 32 levels, however deep a text or a value is", () => {
    expect(text(t.json, nested(32))).toEqual(JSON.parse(nested(32)))
    const tooDeep = "JSON nested deeper than 32 levels"
    expect(text(t.json, nested(33))).toBe(`invalid: ${tooDeep}`)
    expect(text(t.json, nested(200_000))).toBe(`invalid: ${tooDeep}`)
    expect(text(t.json, `[12345678901234567890,${nested(200_000)}]`)).toBe(`invalid: ${tooDeep}`)
    const circle: unknown[] = []
    circle.push(circle)
    expect(t.json.check(circle)).toBe(tooDeep)
  })
})

test("JX1 JX2 TY30 trees are what JSON.parse gives, with the digits of long numbers", () => {
  const plain = (tree: unknown): unknown => {
    if (tree instanceof JsonNumber) return tree.value
    if (Array.isArray(tree)) return tree.map(plain)
    if (typeof tree !== "object" || tree === null) return tree
    return Object.fromEntries(Object.entries(tree).map(([name, part]) => [name, plain(part)]))
  }
  let long = 0
  forEachSeed(10_000, (prng) => {
    const json = spaced(prng, t.json.toText(randomJsonValue(prng, 4) ?? 0))
    const broken = prng.chance(0.2) ? damaged(prng, json) : json
    let expected: unknown
    try {
      expected = JSON.parse(broken)
    } catch {
      expected = undefined
    }
    const tree = parseJson(broken)
    if (tree !== undefined && JSON.stringify(tree).includes('"raw"')) long++
    expect(plain(tree), broken).toEqual(expected)
  })
  expect(long).toBeGreaterThan(500)
  expect(parseJson("[1.0,123456789012345,0.1234567890123456]")).toEqual([
    ...[1, 123456789012345, new JsonNumber("0.1234567890123456")],
  ])
  expect(text(t.list(t.int64), "[9223372036854775807]")).toEqual([2n ** 63n - 1n])
  expect(text(t.object({ at: t.timestamp({ format: "ns" }) }), '{"at":1710055800123456789}')).toEqual({
    at: 1_710_055_800_123_456,
  })
})

/** White space wherever JSON may have it; within texts it changes these, which is as good. */
function spaced(prng: Prng, json: string): string {
  return prng.chance(0.5) ? json.replaceAll(",", " ,\t ").replaceAll(":", "\r: ") : json
}

function damaged(prng: Prng, json: string): string {
  const at = prng.below(json.length)
  return json.slice(0, at) + prng.pick(["", "]", "}", ",", '"', "1", "\\"]) + json.slice(at + prng.below(2))
}

describe("TY31 bytes", () => {
  it("are strict base64 text", () => {
    const bytes = (...values: number[]) => Uint8Array.from(values)
    expect(["", "AA==", "AAE=", "AAEC", "////", "+/+/"].map((value) => t.binary.definition.fromText(value))).toEqual([
      ...[bytes(), bytes(0), bytes(0, 1), bytes(0, 1, 2), bytes(255, 255, 255), bytes(251, 255, 191)],
    ])
    for (const other of [
      "A",
      "AA",
      "AA=",
      "AB==",
      "AAF=",
      "A===",
      "====",
      "AA==AA==",
      "AAE-",
      " AAE",
      "AAÉ=",
      "AA\n=",
    ]) {
      expect(text(t.binary, other), other).toBe("invalid: not base64 text (RFC 4648, with padding)")
    }
    expect(shown(t.binary.fromJson(5))).toBe("invalid: not base64 text")
    expect([t.binary.check(new Uint8Array(1)), t.binary.check(Buffer.from("a"))]).toEqual([undefined, undefined])
    expect([t.binary.check(new Uint16Array(1)), t.binary.check([1])]).toEqual(new Array(2).fill("not a Uint8Array"))
  })

  it("read and write as Buffer has them", () => {
    forEachSeed(2000, (prng) => {
      const bytes = Uint8Array.from({ length: prng.below(40) }, () => prng.below(256))
      const base64 = Buffer.from(bytes).toString("base64")
      expect(t.binary.toText(bytes)).toBe(base64)
      expect(t.binary.definition.fromText(base64)).toEqual(bytes)
    })
  })
})

test("TY32 values are no keys, each with its words", () => {
  const keyless = [t.object({ a: t.bool }), t.list(t.bool), t.json, t.binary]
  expect(keyless.map(whyNoKey)).toEqual([
    "an object, and objects are no keys",
    "a list, and lists are no keys",
    "JSON, and JSON values are no keys",
    "bytes, and bytes are no keys",
  ])
  expect([t.string, t.int64, t.bool.nullable(), t.enum("a")].every(isKeyable)).toBe(true)
})

test("TY32 VC2 values of state are new and frozen", () => {
  const value = { a: [{ b: 1 }] }
  const kept = settled(t.json, value) as typeof value
  expect(kept).toEqual(value)
  expect([kept === value, Object.isFrozen(kept), Object.isFrozen(kept.a[0])]).toEqual([false, true, true])
  const bytes = Uint8Array.of(1)
  expect(settled(t.binary, bytes)).toEqual(bytes)
  expect(settled(t.binary, bytes) === bytes).toBe(false)
})
