import { describe, expect, it } from "vitest"
import { AssertionError } from "../base/assert.ts"
import { Schema, schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import {
  arena,
  batchOf,
  CLOSURES,
  lambdaOf,
  PARAMS,
  project,
  select,
  TRIP,
  TRIP_PARAMS,
  TRIPS,
  TRUSTING,
  type TripLambda,
} from "./lambda.fixture.ts"
import type { RowFunction } from "./lambda.ts"
import { compilePredicate } from "./predicate.ts"

const NOBODY = { mode: "auto", proof: undefined } as const

describe("predicates", () => {
  it("PR1 select rows by truthiness, in both forms", () => {
    const lambdas: readonly TripLambda[] = [
      (row) => row.fare > 0,
      (row) => row.tip,
      (row) => row.note,
      (row) => row.id,
      (row) => row.parent ?? row.zone,
      (row, params) => row.zone === params.zone,
      (row) => row.car,
      () => undefined,
      () => 1,
    ]
    const expected = [[0, 3], [1, 3], [1, 3], [0, 1, 2, 3], [0, 1, 3], [0, 3], [1, 2], [], [0, 1, 2, 3]]
    expect(lambdas.map((lambda) => select(lambda, TRUSTING))).toMatchObject(
      expected.map((rows) => ({ form: { kind: "compiled" }, rows, failures: [] })),
    )
    expect(lambdas.map((lambda) => select(lambda, CLOSURES))).toMatchObject(
      expected.map((rows) => ({ form: { kind: "closure" }, rows, failures: [] })),
    )
  })

  it("look only at the rows that count", () => {
    const batch = batchOf(TRIP, TRIPS).with({ selection: Int32Array.of(1, 3, 9), count: 2 })
    for (const options of [TRUSTING, CLOSURES]) {
      expect(select((row) => row.note !== null, options, batch).rows).toEqual([1, 3])
      expect(select((row) => row.fare > 0, options, batch).rows).toEqual([3])
    }
  })

  it("CL1 report a row that throws and go on with the next", () => {
    const thrower = (row: { readonly note: string | null }): boolean => row.note!.length > 0
    for (const options of [TRUSTING, CLOSURES]) {
      const outcome = select(thrower as TripLambda, options)
      expect(outcome.rows).toEqual([1, 3])
      expect(outcome.failures).toEqual([
        "0: TidemarkError: the lambda threw TypeError: Cannot read properties of null (reading 'length')",
      ])
    }
  })

  it("report whatever is thrown", () => {
    for (const [thrown, text] of [
      ["a text", "a text"],
      [undefined, "undefined"],
      [Object.create(null), "something that has no text"],
    ] as const) {
      const outcome = select(() => {
        throw thrown
      }, TRUSTING)
      expect(outcome.failures[0]).toBe(`0: TidemarkError: the lambda threw ${text}`)
    }
  })

  it("leave it to the caller whether a failure ends the batch", () => {
    const predicate = compilePredicate({
      lambda: lambdaOf("(row) => row.note.length"),
      schema: TRIP,
      params: PARAMS,
      options: TRUSTING,
    })
    const stop = new Error("stop")
    const onRowError = (): never => {
      throw stop
    }
    expect(() => predicate.select(batchOf(TRIP, TRIPS), TRIP_PARAMS, new Int32Array(4), onRowError)).toThrow(stop)
  })

  it("let an error of our own through", () => {
    const broken = (): never => {
      throw new AssertionError("a test breaks it")
    }
    const column = schema({ x: t.float64 })
    expect(() => project(broken, column, TRUSTING)).toThrow("a test breaks it")
  })

  it("refuse to write over the selection that they read", () => {
    const selection = Int32Array.of(0, 1)
    const batch = batchOf(TRIP, TRIPS).with({ selection, count: 2 })
    const predicate = compilePredicate({
      lambda: lambdaOf("(r) => r.fare"),
      schema: TRIP,
      params: PARAMS,
      options: TRUSTING,
    })
    expect(() => predicate.select(batch, TRIP_PARAMS, selection, () => expect.unreachable())).toThrow(AssertionError)
  })

  it("read a text once a row, and none where it is null", () => {
    const lambda = lambdaOf(
      "(r) => (r.note ?? '') + (r.note ?? 'x') + (r.driver.home?.city ?? '') + (r.driver.home?.city ?? '')",
    )
    // Dictionaries without any text, from which nothing can be read.
    const rows = [{ ...TRIPS[0]!, note: null, driver: { name: "", age: null, home: null } }]
    const outcome = select(lambda, TRUSTING, batchOf(TRIP, rows))
    expect(outcome).toMatchObject({ rows: [0], failures: [] })
    const code = outcome.form.kind === "compiled" ? outcome.form.code : ""
    // Two texts, in the loop over all rows and in that over a selection.
    expect(code.match(/\.text\(/g)).toHaveLength(4)
  })

  it("LL1 run the closure where a global name is not proven", () => {
    const lambda: TripLambda = (row) => Math.abs(row.fare) > 1 || Number.isNaN(row.fare)
    const reason = 'It uses "Math", "Number", and it is not proven that this is JavaScript\'s own here.'
    expect(select(lambda, NOBODY)).toMatchObject({ form: { reason, hint: undefined }, rows: [0, 2, 3] })
    const asked: unknown[] = []
    const proof = { ...TRUSTING.proof!, areGenuineGlobals: (...args: unknown[]) => asked.push(args) > 1 }
    expect(select(lambda, { mode: "auto", proof })).toMatchObject({ form: { reason }, rows: [0, 2, 3] })
    expect(asked).toEqual([[lambda, ["Math", "Number"]]])
    expect(select(lambda, TRUSTING)).toMatchObject({ form: { kind: "compiled" }, rows: [0, 2, 3] })
  })

  it("LL1 ask for no proof where there is no global name", () => {
    const proof = {
      ...TRUSTING.proof!,
      areGenuineGlobals(): never {
        throw new Error("nobody should ask")
      },
    }
    expect(select((row) => row.fare > 0, { mode: "auto", proof }).form.kind).toBe("compiled")
  })

  it("compile nothing when that is switched off", () => {
    expect(select((row) => row.fare > 0, CLOSURES).form).toEqual({
      kind: "closure",
      reason: "Compiling is switched off.",
      hint: undefined,
    })
  })

  it("JK1 see a global function that is replaced later", () => {
    const lambda: TripLambda = (row) => Math.abs(row.fare) > 1 && row.zone.startsWith("J")
    const predicate = compilePredicate({ lambda, schema: TRIP, params: PARAMS, options: TRUSTING })
    expect(predicate.form.kind).toBe("compiled")
    const count = (): number =>
      predicate.select(batchOf(TRIP, TRIPS), TRIP_PARAMS, new Int32Array(4), () => expect.unreachable())
    expect(count()).toBe(2)
    const { abs } = Math
    const startsWith = Object.getOwnPropertyDescriptor(String.prototype, "startsWith")!
    try {
      Math.abs = () => 0
      expect(count()).toBe(0)
      expect(select(lambda, TRUSTING).form).toMatchObject({ reason: "Math.abs has been replaced in this process." })
      Math.abs = abs
      expect(count()).toBe(2)
      Object.defineProperty(String.prototype, "startsWith", { ...startsWith, value: () => false })
      expect(count()).toBe(0)
      const onlyOnce = Object.assign(() => true, { calls: 0 })
      Object.defineProperty(String.prototype, "startsWith", {
        ...startsWith,
        value: () => {
          if (onlyOnce.calls++ > 0) throw new Error("again")
          return true
        },
      })
      const failures: string[] = []
      const selected = predicate.select(batchOf(TRIP, TRIPS), TRIP_PARAMS, new Int32Array(4), (row, error) =>
        failures.push(`${row}: ${String(error)}`),
      )
      expect([selected, failures]).toEqual([1, ["3: TidemarkError: the lambda threw Error: again"]])
    } finally {
      Math.abs = abs
      Object.defineProperty(String.prototype, "startsWith", startsWith)
    }
    expect(count()).toBe(2)
  })

  it("JK1 see a replaced function also where its call was folded away", () => {
    const lambda = lambdaOf("(r) => r.fare > Math.max(3, 12)")
    const { max } = Math
    for (const only of ["JavaScript", "WebAssembly"] as const) {
      const batch = batchOf(TRIP, TRIPS)
      const predicate = compilePredicate({
        lambda,
        schema: TRIP,
        params: PARAMS,
        options: { ...TRUSTING, only },
        arena,
      })
      const count = (): number => predicate.select(batch, TRIP_PARAMS, new Int32Array(4), () => expect.unreachable())
      expect(count()).toBe(2)
      try {
        Math.max = () => 500
        expect(count()).toBe(1)
      } finally {
        Math.max = max
      }
    }
  })

  it("JK1 run the closure where a parameter is not of its type", () => {
    const lambda: TripLambda = (row, params) => row.id + params.least > 0n
    const good = select(lambda, TRUSTING)
    expect(good).toMatchObject({ form: { kind: "compiled" }, rows: [0, 2, 3], failures: [] })
    const bad = select(lambda, TRUSTING, batchOf(TRIP, TRIPS), { ...TRIP_PARAMS, least: 2 })
    expect(bad.failures).toHaveLength(4)
    expect(bad.failures[0]).toBe(
      "0: TidemarkError: the lambda threw TypeError: Cannot mix BigInt and other types, use explicit conversions",
    )
  })

  it("JK2 run the closure where a text becomes too large for the engine", () => {
    // Each statement doubles the text, to 2^30 characters for the one row whose text is not empty.
    const doublings = Array.from({ length: 29 }, (_, index) => `const x${index + 1} = x${index} + x${index}`).join("; ")
    const lambda = lambdaOf(`(r) => { const x0 = r.zone + r.zone; ${doublings}; return x29.length > 0 }`)
    const rows = TRIPS.map((row, index) => ({ ...row, zone: index === 2 ? "z" : "" }))
    const [compiled, closure] = [TRUSTING, CLOSURES].map((options) => select(lambda, options, batchOf(TRIP, rows)))
    expect(compiled!.form.kind).toBe("compiled")
    expect(compiled!.failures).toEqual(["2: TidemarkError: the lambda threw RangeError: Invalid string length"])
    expect({ ...compiled, form: null }).toEqual({ ...closure, form: null })
  })

  it("JL2 are not led astray by names of columns and by literals", () => {
    const evil = [
      '"]; throw 1; //',
      "'); throw 1 //",
      "\u2028throw 1",
      "`${(() => { throw 1 })()}`",
      "__proto",
      "constructor",
    ]
    const rows = schema(Object.fromEntries(evil.map((name) => [name, t.float64])))
    const batch = batchOf(rows, [Object.fromEntries(evil.map((name, index) => [name, index]))])
    for (const [index, name] of evil.entries()) {
      const key = JSON.stringify(name)
      const lambda = lambdaOf(
        `(r) => r[${key}] === ${index} && ${key} + "" === ${key} && \`\${r[${key}]}\` + ${key} !== ""`,
      )
      const request = { lambda: lambda as RowFunction, schema: rows, params: new Schema([]) }
      for (const options of [TRUSTING, CLOSURES]) {
        const predicate = compilePredicate({ ...request, options })
        expect(predicate.form.kind).toBe(options === TRUSTING ? "compiled" : "closure")
        expect(predicate.select(batch, {}, new Int32Array(1), () => expect.unreachable())).toBe(1)
      }
    }
  })

  it("GJ1 generate the same code for the same lambda, without names of the user's", () => {
    const code = (): string => {
      const { form } = select((row, params) => row["odd name"] < params.maxFare, TRUSTING)
      return form.kind === "compiled" ? form.code : ""
    }
    expect(code()).toBe(code())
    expect(code()).not.toContain("odd")
    expect(code()).toContain("columns[14].values")
  })

  it("compare texts by their codes, in every dictionary", () => {
    const request = {
      lambda: lambdaOf('(r) => r.zone === "JFK" || r.zone === "\\ud800"'),
      schema: TRIP,
      params: PARAMS,
    }
    const predicate = compilePredicate({ ...request, options: TRUSTING })
    expect(predicate.form).toMatchObject({ code: expect.stringContaining(".find(") as unknown })
    const zones = [["JFK", "LGA"], ["LGA", "JFK", "\ufffd"], ["LGA"], [""]]
    const counts = zones.map((texts) => {
      const batch = batchOf(
        TRIP,
        texts.map((zone) => ({ ...TRIPS[0]!, zone })),
      )
      return predicate.select(batch, TRIP_PARAMS, new Int32Array(3), () => expect.unreachable())
    })
    expect(counts).toEqual([1, 1, 0, 0])
  })
})
