/** The compiler of lambdas with the real proof of their global names. */
import { describe, expect, it } from "vitest"
import { Arena } from "../src/batch/arena.ts"
import { batchOfRows } from "../src/batch/batch.ts"
import { Schema, schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { nodeScopes } from "../src/env/node/scopes.ts"
import { knownFunction, knownFunctionNames } from "../src/expr/globals.ts"
import { compilePredicate } from "../src/expr/predicate.ts"
import { isFinite, limitOfModule } from "./look-alikes.fixture.ts"

const Row = schema({ x: t.float64, text: t.string })
const arena = new Arena({ maxBytes: 1 << 20 })
const { batch } = batchOfRows(arena, Row, [
  { x: -2, text: "a" },
  { x: 2, text: "b" },
  { x: NaN, text: "" },
])
const proof = nodeScopes()

/** How a lambda runs, and which rows it selects. */
function run(lambda: (row: { readonly x: number; readonly text: string }) => unknown): [string, number[]] {
  const request = { lambda, schema: Row, params: new Schema([]), options: { mode: "auto", proof } as const }
  const predicate = compilePredicate(request)
  const { form } = predicate
  const selected = new Int32Array(3)
  const count = predicate.select(batch, {}, selected, () => expect.unreachable())
  return [form.kind === "compiled" ? form.ir : form.reason, [...selected.subarray(0, count)]]
}

const NOT_PROVEN = `It uses "Math", and it is not proven that this is JavaScript's own here.`

describe("lambdas with global names", () => {
  it("compile where the names are proven", () => {
    expect(run((row) => Math.abs(row.x) > 1)).toEqual(["(Math.abs(row.x:float64) > 1)", [0, 1]])
    expect(run((row) => Number.isNaN(row.x) || row.text.startsWith("a"))).toEqual([
      ...['(Number.isNaN(row.x:float64) || row.text:string.startsWith("a"))', [0, 2]],
    ])
    expect(run((row) => row.x > 0 && row.x < Infinity)).toEqual([
      ...["((row.x:float64 > 0) && (row.x:float64 < Infinity))", [1]],
    ])
  })

  it("run as closures where a name is shadowed, and see what shadows it", () => {
    const shadowed = ((Math: { abs(x: number): number }) => run((row) => Math.abs(row.x) > 1))({ abs: (x) => x })
    expect(shadowed).toEqual([NOT_PROVEN, [1]])
  })

  it("run as closures where a captured name is reassigned", () => {
    let limit = 0
    const lambda = (row: { readonly x: number }): boolean => row.x > limit
    const before = run(lambda)
    limit = 5
    expect([before[1], run(lambda)[1]]).toEqual([[1], []])
    expect(before[0]).toBe('It uses "limit" from outside of the function.')
  })

  it("compile where a captured variable keeps its value", () => {
    const limit = 1
    const word = "a"
    const zero = -0
    expect(run((row) => row.x > limit)).toEqual(["(row.x:float64 > 1)", [1]])
    expect(run((row) => word.concat(row.text) === "ab")).toEqual(['("a".concat(row.text:string) === "ab")', [1]])
    expect(run((row) => 1 / zero < 0 && row.x)).toEqual(["(((1 / -0) < 0) && row.x:float64)", [0, 1]])
    const made = (least: number) => (row: { readonly x: number }) => row.x >= least
    expect([run(made(2))[1], run(made(-2))]).toEqual([[1], ["(row.x:float64 >= -2)", [0, 1]]])
  })

  it("run as closures where what they capture is not a primitive value, or none yet", () => {
    const limits = { least: 1 }
    const lambda = (row: { readonly x: number }): boolean => row.x > late
    expect(run((row) => row.x > limits.least)).toEqual(['It uses "limits" from outside of the function.', [1]])
    const request = { lambda, schema: Row, params: new Schema([]), options: { mode: "auto", proof } as const }
    expect(compilePredicate(request).form).toMatchObject({ reason: 'It uses "late" from outside of the function.' })
    const late = 1
    expect(run(lambda)).toEqual(["(row.x:float64 > 1)", [1]])
  })

  it("run as closures where an import looks like a built-in or a constant", () => {
    const form = /^It (?:uses|calls) .*, (?:which is not compiled|and it is not proven)|^It uses .* from outside/
    const imported = run((row) => isFinite(row.x))
    expect([imported, imported[0]]).toEqual([[expect.any(String), [2]], expect.stringMatching(form)])
    const limited = run((row) => row.x > limitOfModule)
    expect([limited, limited[0]]).toEqual([[expect.any(String), [1]], expect.stringMatching(form)])
  })

  it("run as closures where a built-in was replaced, and call the replacement", () => {
    const { abs } = Math
    try {
      Math.abs = (x) => x
      expect(run((row) => Math.abs(row.x) > 1)).toEqual([NOT_PROVEN, [1]])
    } finally {
      Math.abs = abs
    }
    expect(run((row) => Math.abs(row.x) > 1)[1]).toEqual([0, 1])
  })

  /** A lambda that is compiled by either back end, as a function that tells how many rows it selects now. */
  function compiled(lambda: (row: { readonly x: number; readonly text: string }) => unknown): (() => number)[] {
    // Tables of texts hold for one object of parameters.
    const params = {}
    return (["JavaScript", "WebAssembly"] as const).map((only) => {
      const options = { mode: "auto", proof, only } as const
      const predicate = compilePredicate({ lambda, schema: Row, params: new Schema([]), options, arena })
      expect(predicate.form.kind).toBe("compiled")
      return () => predicate.select(batch, params, new Int32Array(3), () => expect.unreachable())
    })
  }

  /** Gives a property another value, for as long as `look` runs. */
  function replaced<T>(holder: object, key: PropertyKey, value: unknown, look: () => T): T {
    const before = Reflect.getOwnPropertyDescriptor(holder, key)
    Object.defineProperty(holder, key, { value, configurable: true })
    try {
      return look()
    } finally {
      if (before === undefined) Reflect.deleteProperty(holder, key)
      else Object.defineProperty(holder, key, before)
    }
  }

  it("run as closures where the object that a constant is read of is replaced between batches", () => {
    const runs = [...compiled((row) => row.x < Math.PI), ...compiled((row) => row.x < Number.MAX_VALUE)]
    const counts = (): number[] => runs.map((run) => run())
    expect(counts()).toEqual([2, 2, 2, 2])
    const otherMath = Object.create(Math, { PI: { value: 0 } }) as Math
    expect(replaced(globalThis, "Math", otherMath, counts)).toEqual([1, 1, 2, 2])
    const otherNumber = Object.assign((value: number) => value, { MAX_VALUE: 0 })
    expect(replaced(globalThis, "Number", otherNumber, counts)).toEqual([2, 2, 1, 1])
    expect(counts()).toEqual([2, 2, 2, 2])
  })

  it("run as closures where primitive values are given a way to search between batches", () => {
    const found = (): string => "found"
    for (const [prototype, pattern] of [
      [Boolean.prototype, compiled((row) => row.text.replace(true as never, "") === "found")],
      [Number.prototype, compiled((row) => row.text.replaceAll(7 as never, "") === "found")],
      [String.prototype, compiled((row) => row.text.replace("a", "") === "found")],
    ] as const) {
      const counts = (): number[] => pattern.map((run) => run())
      expect(counts()).toEqual([0, 0])
      expect(replaced(prototype, Symbol.replace, found, counts)).toEqual([3, 3])
      expect(counts()).toEqual([0, 0])
    }
  })

  it("are proven for every global that the compiler knows", () => {
    const globals = [...new Set(knownFunctionNames().map((name) => knownFunction(name)!.global))]
    expect(proof?.areGenuineGlobals((row: unknown) => row, [...globals, "undefined", "NaN", "Infinity"])).toBe(true)
  })
})
