import { describe, expect, expectTypeOf, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { schema, type RowOf, type Schema } from "./schema.ts"
import type { ColumnType, ValueOf } from "./type.ts"
import { t } from "./types.ts"

const Trip = schema({
  pickup: t.timestamp({ zone: "America/New_York" }),
  zone: t.string.from("PULocationID"),
  fare: t.float64,
  tip: t.float64.nullable(),
  rate: t.enum("standard", "airport").default("standard"),
  counter: t.int64.nullable().required(),
  vendor: t.object({ id: t.int53, name: t.string.nullable(), isTest: t.bool.default(false) }).nullable(),
})

describe("schemas", () => {
  it("infer the type of a row", () => {
    expectTypeOf<RowOf<typeof Trip>>().toEqualTypeOf<{
      readonly pickup: Timestamp
      readonly zone: string
      readonly fare: number
      readonly tip: number | null
      readonly rate: "standard" | "airport"
      readonly counter: bigint
      readonly vendor: { readonly id: number; readonly name: string | null; readonly isTest: boolean } | null
    }>()
    expect(Trip.fields.map(({ name }) => name)).toEqual(["pickup", "zone", "fare", "tip", "rate", "counter", "vendor"])
  })

  it("keep kinds and values in the types of t", () => {
    expectTypeOf(t.float64).toEqualTypeOf<ColumnType<number, "float64">>()
    expectTypeOf(t.int64.nullable()).toEqualTypeOf<ColumnType<bigint | null, "int64">>()
    expectTypeOf(t.timestamp()).toEqualTypeOf<ColumnType<Timestamp, "timestamp">>()
    expectTypeOf(t.enum("a", "b").from("x")).toEqualTypeOf<ColumnType<"a" | "b", "enum">>()
    expectTypeOf(t.enum("a", "b").nullable().required()).toEqualTypeOf<ColumnType<"a" | "b", "enum">>()
    expectTypeOf<ValueOf<typeof t.bool>>().toEqualTypeOf<boolean>()
    expectTypeOf(t.string).not.toExtend<ColumnType<number>>()
    expectTypeOf(t.string).toExtend<ColumnType>()
    expectTypeOf<typeof Trip>().toExtend<Schema>()
    expectTypeOf(t.timestamp)
      .parameter(0)
      .toEqualTypeOf<{ readonly zone?: string; readonly format?: "iso" | "s" | "ms" | "us" | "ns" } | undefined>()
    // @ts-expect-error -- A default is a value of the type.
    expect(() => t.enum("a", "b").default("c")).toThrow(TidemarkError)
    // @ts-expect-error -- An enum has at least one symbol.
    expect(() => t.enum()).toThrow(TidemarkError)
  })

  it("find fields by name, also by the names that objects have by birth", () => {
    const odd = schema({ constructor: t.int32, "a-b": t.string, toString: t.bool })
    expect([odd.indexOf("constructor"), odd.indexOf("a-b"), odd.indexOf("toString"), odd.indexOf("valueOf")]).toEqual([
      0, 1, 2, -1,
    ])
    expect(odd.field("a-b")?.type.kind).toBe("string")
    expect(odd.field("hasOwnProperty")).toBeUndefined()
  })

  it.each([
    ["an empty name", () => schema({ "": t.int32 })],
    ["the name __proto__", () => schema({ ["__proto__"]: t.int32 })],
    ["an empty source name", () => schema({ a: t.int32.from("") })],
    ["the source name __proto__", () => schema({ a: t.int32.from("__proto__") })],
    ["one source for two fields", () => schema({ a: t.int32.from("x"), b: t.int32.from("x") })],
    ["a source that is another field's name", () => schema({ a: t.int32, b: t.int32.from("a") })],
  ])("S1 refuse %s", (_, make) => {
    expect(make).toThrow(TidemarkError)
  })

  it.each<[what: string, make: () => unknown, message: string, hint: string]>([
    ["a type that was not called", () => schema({ at: t.timestamp as never }), '"at" is a function', "t.timestamp()"],
    ["a text for a type", () => schema({ fare: "float64" as never }), '"fare" is "float64", not a', "fare: t.string"],
    ["a list of names", () => schema(["fare"] as never), "not an array", "schema({"],
    ["nothing", () => schema(undefined as never), "not undefined", "schema({"],
  ])("refuse %s in words", (_, make, message, hint) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: "invalid-schema",
        message: expect.stringContaining(message) as string,
        hint: expect.stringContaining(hint) as string,
      }),
    )
  })

  it("S1 let two fields swap their names", () => {
    const swapped = schema({ a: t.int32.from("b"), b: t.int32.from("a") })
    expect(swapped.fields.map(({ type }) => type.sourceName)).toEqual(["b", "a"])
  })

  it("S2 have a label that tells all there is", () => {
    expect(schema({ a: t.int32.nullable(), b: t.string.from("B").default("x") }).label).toBe(
      '{ "a": int32?, "b": string from "B" default "x" }',
    )
    expect(schema({ a: t.int32, b: t.int32 }).label).not.toBe(schema({ b: t.int32, a: t.int32 }).label)
    expect(schema({ a: t.int32.default(1) }).label).not.toBe(schema({ a: t.int32.default(2) }).label)
  })
})
