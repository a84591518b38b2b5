import { describe, expect, it } from "vitest"
import { functionExpressionNames } from "./function-names.ts"

describe("names of function expressions", () => {
  it("FN1 are found whatever stands between", () => {
    const names = (source: string): string[] => [...functionExpressionNames(source)]
    expect(names("(function a(){}), async function b() {}, function*c(){}, function\n//x\n/* y **/ d() {}")).toEqual([
      ...["a", "b", "c", "d"],
    ])
    expect(
      names("function (){}; functional x; my_function y; $function z; { function: 1 }; function\u00a0\u00e9() {}"),
    ).toEqual(["\u00e9"])
    expect(names("'of the function\\.', /function\\n/")).toEqual([])
    expect(names("x = // of a function\n(function a() {}); // function\nfunction b() {}")).toEqual([
      "a",
      "function",
      "b",
    ])
    expect(names("function <!-- x\n--> y\n e() {}")).toEqual(["e"])
    expect(names("x.function\u2028w(1)")).toEqual(["w"])
  })

  it("FN1 are all names where one is written with an escape", () => {
    const names = functionExpressionNames("(function M\\u0061th(){})")
    expect([names.has("Math"), names.has("whatever")]).toEqual([true, true])
  })

  it("are found in time that grows with the text", () => {
    const comments = "/* */ ".repeat(20_000)
    const started = performance.now()
    expect(functionExpressionNames(`function ${comments};`.repeat(5)).size).toBe(0)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
