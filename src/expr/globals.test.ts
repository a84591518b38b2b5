import { describe, expect, it, vi } from "vitest"
import { isIntact, isUsableGlobal, knownConstant, knownFunction, knownFunctionNames } from "./globals.ts"
import { BIGINT, BOOLEAN, mayBe, NULL, NUMBER, STRING, UNDEFINED, type Kinds } from "./value-type.ts"

const VALUES: readonly (readonly [Kinds, readonly unknown[]])[] = [
  [NULL, [null]],
  [UNDEFINED, [undefined]],
  [BOOLEAN, [true, false]],
  [NUMBER, [0, -0, 1, -1.5, 2 ** 53, NaN, Infinity, -Infinity, 1e308, 5e-324]],
  [BIGINT, [0n, -1n, 2n ** 63n]],
  [STRING, ["", "1", "x", "\ud800", "😀".repeat(100)]],
]

function kindOf(value: unknown): Kinds {
  return VALUES.find(([, values]) => typeof values[0] === typeof value && (values[0] === null) === (value === null))![0]
}

describe("known globals", () => {
  it.each(knownFunctionNames().map((name) => [name]))("B1 %s throws for nothing that it accepts", (name) => {
    const { genuine, accepts, result, firstArgument } = knownFunction(name)!
    const accepted = VALUES.filter(([kind]) => mayBe(accepts, kind)).flatMap(([, values]) => values)
    const isNumbers = name.startsWith("Number.prototype.")
    const receivers = name.startsWith("String.prototype.") ? ["", "a", "😀b"] : isNumbers ? VALUES[3]![1] : [undefined]
    const firsts = [...accepted, 2, 10, 100, 1000, "NFC", "NFKD"].filter((first) => firstArgument?.test(first) ?? true)
    expect(isIntact(name)).toBe(true)
    const argumentLists = [...(firstArgument?.test(undefined) === false ? [] : [[]]), ...firsts.map((first) => [first])]
    for (const first of firsts) argumentLists.push(...accepted.map((second) => [first, second]))
    const surprises = receivers.flatMap((receiver) =>
      argumentLists.filter((args) => {
        const value: unknown = Reflect.apply(genuine, receiver, args)
        return !mayBe(result, kindOf(value)) || !Object.is(Reflect.apply(genuine, receiver, args), value)
      }),
    )
    expect(surprises).toEqual([])
  })

  it("B1 hold no clock, no chance and no language of the machine's", () => {
    const names = ["Math.random", "Date.now", "String.prototype.toLocaleUpperCase", "String.prototype.localeCompare"]
    expect(names.map(knownFunction)).toEqual([undefined, undefined, undefined, undefined])
    expect(["Math", "Number", "undefined", "Date", "globalThis", "constructor"].map(isUsableGlobal)).toEqual([
      ...[true, true, true, false, false, false],
    ])
  })

  it("B2 leave out what was replaced before they were loaded", async () => {
    const { abs, ceil, floor, sign } = Math
    try {
      Math.abs = (x) => (x < 0 ? -x : x)
      Math.ceil = floor
      Math.sign = Math.sign.bind(Math)
      vi.resetModules()
      const { knownFunction: known } = await import("./globals.ts")
      const names = ["Math.abs", "Math.ceil", "Math.sign", "Math.floor"]
      expect(names.map((name) => known(name) === undefined)).toEqual([true, true, true, false])
    } finally {
      Object.assign(Math, { abs, ceil, sign })
    }
  })

  it("know constants by name, undefined among them", () => {
    expect([knownConstant("Math.PI"), knownConstant("undefined"), knownConstant("toString")]).toEqual([
      [Math.PI],
      [undefined],
      undefined,
    ])
  })
})
