import { describe, expect, it } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import type { ColumnType } from "./type.ts"
import { t } from "./types.ts"

describe("column types", () => {
  it("Y1 spell their options in their labels", () => {
    const labels = (types: readonly ColumnType[]) => types.map(({ label }) => label)
    expect(labels([t.bool, t.int64.nullable(), t.float64.nullable().required()])).toEqual(["bool", "int64?", "float64"])
    expect(
      labels([
        t.timestamp(),
        t.timestamp({ format: "iso" }),
        t.timestamp({ zone: "UTC" }),
        t.timestamp({ format: "ms" }),
      ]),
    ).toEqual(["timestamp", "timestamp", 'timestamp(zone="UTC")', 'timestamp(format="ms")'])
    expect(t.enum("a", 'b"').label).toBe('enum("a", "b\\"")')
    expect(t.object({ a: t.int32.from("A").default(1), b: t.string.nullable() }).label).toBe(
      'object({ "a": int32 from "A" default 1, "b": string? })',
    )
  })

  it("say in their full labels how they are read, too", () => {
    expect(t.string.nullable().from("X").default(null).fullLabel).toBe('string? from "X" default null')
    expect(t.int64.default(5n).fullLabel).toBe('int64 default "5"')
  })

  it("Y4 refuse a default of another type", () => {
    expect(() => t.int32.default(1.5)).toThrow(
      new TidemarkError("invalid-schema", "A default of the type int32 is not a whole number."),
    )
    expect(() => t.int53.default(2 ** 53)).toThrow(TidemarkError)
    expect(() => t.string.default(null as unknown as string)).toThrow(TidemarkError)
    expect(t.string.nullable().default(null).hasDefault).toBe(true)
  })

  it("keep their other properties when one is changed", () => {
    const type = t.int32.from("N").default(7).nullable()
    expect([type.sourceName, type.defaultValue, type.isNullable, type.kind]).toEqual(["N", 7, true, "int32"])
    const required = type.required()
    expect([required.sourceName, required.defaultValue, required.isNullable]).toEqual(["N", 7, false])
    expect(t.int32.isNullable || t.int32.hasDefault).toBe(false)
  })

  it("lose a default of null with null itself", () => {
    expect(t.int32.nullable().default(null).required().hasDefault).toBe(false)
  })

  it("TY1 take null only where it is allowed, and never undefined", () => {
    expect(t.int32.check(null)).toBe("null, and the column is not nullable")
    expect(t.int32.nullable().check(null)).toBeUndefined()
    for (const type of [
      t.bool,
      t.int32,
      t.int53,
      t.int64,
      t.float64,
      t.string,
      t.timestamp(),
      t.enum("a"),
      t.object({ a: t.bool }),
    ]) {
      expect(type.nullable().check(undefined)).toBeTypeOf("string")
    }
  })

  it("check values of the wrong JavaScript type", () => {
    expect([
      t.bool.check(1),
      t.int32.check("1"),
      t.int32.check(1n),
      t.int53.check(0.5),
      t.int64.check(1),
    ]).not.toContain(undefined)
    expect([
      t.float64.check("1"),
      t.string.check(1),
      t.timestamp().check(0.5),
      t.timestamp().check(2 ** 53),
    ]).not.toContain(undefined)
    expect([
      t.object({ a: t.bool }).check(null),
      t.object({ a: t.bool }).check([]),
      t.int64.check(2n ** 63n),
    ]).not.toContain(undefined)
    expect([t.float64.check(NaN), t.int53.check(-0), t.timestamp().check(-1), t.string.check("")]).toEqual(
      new Array(4).fill(undefined),
    )
  })
})
