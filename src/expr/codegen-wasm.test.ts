import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { schema, type ColumnTypes, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { UTC_PARTS } from "../time/utc-part.ts"
import { wasmPredicate } from "./codegen-wasm.ts"
import type { BackEnd } from "./compile.ts"
import { batchOf, CLOSURES, lambdaOf, PARAMS, project, select, TRIP, TRIPS, TRUSTING, WASM } from "./lambda.fixture.ts"
import { lowerLambda } from "./lower-lambda.ts"

/** What a predicate runs as, and with which operations it says what it says. */
const PREDICATES: readonly (readonly [text: string, backEnd: BackEnd])[] = [
  ["(r, p) => r.fare > 0 && r.fare < p.maxFare", "WebAssembly SIMD"],
  ["(r) => r.riders === 3 || r.riders * 2 > 7", "WebAssembly SIMD"],
  ["(r) => r.zone === 'JFK' || r.kind !== 'van'", "WebAssembly SIMD"],
  ["(r, p) => r.note === p.zone", "WebAssembly SIMD"],
  ["(r) => !r.zone && r.note", "WebAssembly SIMD"],
  ["(r) => r.tip ?? r.isShared", "WebAssembly SIMD"],
  ["(r) => r.car?.doors === 4", "WebAssembly SIMD"],
  ["(r) => r.driver.home !== null && r.driver.home.city === 'Rome'", "WebAssembly SIMD"],
  ["(r) => r.at > 1_700_000_000_000_000 && r.meters !== 0", "WebAssembly SIMD"],
  ["(r) => r.id > 2n && r.id + 1n < 9n", "WebAssembly SIMD"],
  ["(r) => r.id === r.parent && r.id <= r.meters", "WebAssembly SIMD"],
  ["(r) => r.id * 3n > 9n || r.id / 2n === 1n || r.id % 3n === 0n", "WebAssembly"],
  ["(r) => (r.riders & 3) === 1 && (r.meters >> 2) > 0 && r.fare >>> 0 > 5", "WebAssembly SIMD"],
  ["(r) => r.riders % 3 === 1 || r.meters % 7 === 2", "WebAssembly SIMD"],
  ["(r) => Math.max(r.fare, r.riders, 3) > Math.abs(r.fare) && Math.round(r.fare) > 1", "WebAssembly SIMD"],
  ["(r) => Number.isInteger(r.fare) || Number.isNaN(r.tip)", "WebAssembly SIMD"],
  ["(r) => r.zone.startsWith('J')", "WebAssembly SIMD"],
  ["(r) => r.fare > 1 && r.zone.slice(0, 2) + r.zone.length === 'JF3'", "WebAssembly SIMD"],
  ["(r) => r.zone < 'K' && typeof r.note === 'string'", "WebAssembly SIMD"],
  ["(r) => r.zone.length * r.fare > 12", "WebAssembly SIMD"],
  ["(r) => r.note.length > 1", "WebAssembly SIMD"],
  ["(r) => new Date(r.at / 1000).getUTCHours() > 21", "WebAssembly SIMD"],
  ["(r) => r.zone === r.note", "JavaScript"],
  ["(r) => r.zone + r.kind === 'JFKtaxi'", "JavaScript"],
  ["(r) => r.fare % 1 === 0", "JavaScript"],
  ["(r) => r.fare ** 2 > 4", "JavaScript"],
  ["(r) => Math.sin(r.fare) > 0", "JavaScript"],
  ["(r) => 1 << r.riders > 2", "JavaScript"],
  ["(r) => typeof r.tip === 'number'", "JavaScript"],
  ["(r) => `${r.fare}` === '12.5'", "JavaScript"],
  ["(r) => r.id > r.fare", "JavaScript"],
  ["(r) => r.id == 3", "JavaScript"],
]

const COLUMNS = schema({ a: t.float64.nullable(), b: t.int32, c: t.string })
const PROJECTIONS: readonly (readonly [text: string, targets: Schema, backEnds: readonly BackEnd[]])[] = [
  ["(r) => ({ x: r.fare - (r.tip ?? 0) })", schema({ x: t.float64 }), ["WebAssembly SIMD"]],
  [
    "(r) => ({ x: r.tip, y: r.isShared })",
    schema({ x: t.float64.nullable(), y: t.bool.nullable() }),
    ["WebAssembly SIMD"],
  ],
  ["(r) => ({ x: r.at - 1, y: r.id + 1n })", schema({ x: t.timestamp(), y: t.int64 }), ["WebAssembly SIMD"]],
  ["(r) => ({ x: r.id * 3n })", schema({ x: t.int64 }), ["WebAssembly"]],
  ["(r) => ({ x: r.zone.slice(0, 2), y: r.zone.length })", schema({ x: t.string, y: t.int32 }), ["WebAssembly SIMD"]],
  ["(r) => ({ x: r.fare > 10 ? 'taxi' : r.kind })", schema({ x: t.enum("taxi", "van") }), ["WebAssembly SIMD"]],
  ["(r) => ({ a: r.tip, b: r.riders, c: `${r.fare}` })", COLUMNS, ["WebAssembly SIMD", "JavaScript"]],
  ["(r) => ({ x: r.fare > 1 ? r.fare : r.zone.length > 2 })", schema({ x: t.float64 }), ["JavaScript"]],
  ["(r) => ({ x: r.zone + r.kind })", schema({ x: t.string }), ["JavaScript"]],
]

/** Rows of every kind, more of them than are done at a time, so that there is a rest. */
const ROWS = Array.from({ length: 29 }, (_, index) => ({
  ...TRIPS[index % 4]!,
  riders: index - 9,
  fare: index * 3.25 - 20,
}))

describe("the choice of a back end", () => {
  it.each(PREDICATES)("PR1 %s: %s", (text, backEnd) => {
    const closure = select(lambdaOf(text), CLOSURES, batchOf(TRIP, ROWS))
    for (const options of [TRUSTING, WASM]) {
      const outcome = select(lambdaOf(text), options, batchOf(TRIP, ROWS))
      expect(outcome.form).toMatchObject({ kind: "compiled", backEnds: [backEnd] })
      expect({ ...outcome, form: null }).toEqual({ ...closure, form: null })
    }
  })

  it.each(PROJECTIONS)("PJ1 %s into %s", (text, targets, backEnds) => {
    const closure = project(lambdaOf(text), targets, CLOSURES, batchOf(TRIP, ROWS))
    for (const options of [TRUSTING, WASM]) {
      const outcome = project(lambdaOf(text), targets, options, batchOf(TRIP, ROWS))
      expect(outcome.form).toMatchObject({ kind: "compiled", backEnds })
      expect({ ...outcome, form: null }).toEqual({ ...closure, form: null })
    }
  })

  it("is JavaScript where that is asked for", () => {
    const options = { ...TRUSTING, only: "JavaScript" } as const
    expect(select((row) => row.fare > 0, options).form).toMatchObject({ backEnds: ["JavaScript"] })
    expect(project(lambdaOf("(row) => ({ x: row.fare })"), schema({ x: t.float64 }), options).form).toMatchObject({
      backEnds: ["JavaScript"],
    })
  })
})

it("GW1 the same lambda gives the same module", () => {
  const bytes = (): Uint8Array => {
    const lambda = lambdaOf("(r, p) => (r.tip ?? 0) > p.maxFare && r.zone.startsWith('J') && r.kind === 'taxi'")
    return wasmPredicate(lowerLambda({ lambda, schema: TRIP, params: PARAMS, options: TRUSTING })).module.encode()
  }
  expect(bytes()).toEqual(bytes())
})

describe("numbers at the edges", () => {
  const EDGES = schema({
    f: t.float64,
    g: t.float64.nullable(),
    i: t.int32,
    j: t.int53,
    b: t.int64,
  } satisfies ColumnTypes)
  const doubles = [
    0,
    -0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 32 + 3,
    2 ** 53,
    1e300,
  ]
  const ints = [0, 1, -1, 7, -7, 2 ** 31 - 1, -(2 ** 31)]
  const safes = [0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, -(2 ** 32) - 5, 1_700_000_000_000_000]
  const longs = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 3_000_000_000n]
  const rows = Array.from({ length: 15 * 7 }, (_, index) => ({
    ...{ f: doubles[index % 15], g: index % 4 === 0 ? null : doubles[(index + 3) % 15] },
    ...{ i: ints[index % 7], j: safes[(index >> 1) % 7], b: longs[(index >> 2) % 7] },
  }))

  it.each([
    ...["f | 0", "f >>> 0", "f & 0xff", "f << 3", "f >> 1", "~r.f", "j | 0", "j >>> 3", "i ^ -1"].map((each) =>
      `r.${each}`.replace("r.~", "~"),
    ),
    ...["i % 3", "i % -3", "j % 7", "j % 4294967296", "-r.i % 2", "(r.i + r.j * 0) % r.i"].map((each) =>
      each.replace(/^([ij])/, "r.$1"),
    ),
    ...["abs", "ceil", "floor", "trunc", "sqrt", "sign", "round"].map((name) => `Math.${name}(r.f)`),
    ...[
      "Math.max(r.f, r.g)",
      "Math.min(r.f, r.g, -0)",
      "Math.max()",
      "Math.min()",
      "Math.imul(r.f, r.j)",
      "Math.abs()",
    ],
    ...["i / 10", "i / 2147483648", "i / 1", "(r.i | 0) / 7", "i / -7", "i / 0", "i / 2.5", "j / 3"].map(
      (each) => `Math.floor(${each.replace(/^([ij])/, "r.$1")})`,
    ),
    ...["Number(r.b)", "Number(r.f > 0)", "Number()", "-r.j", "+r.g", "r.g + r.f", "r.g * r.j", "1 / r.f", "r.i / r.j"],
    ...["(r.f > 0) + (r.i === 7)", "r.g ?? -0", "r.g || r.f", "r.g && r.j", "r.f > 0 ? r.g : r.j"],
  ])("WL1 %s is what JavaScript says", (text) => {
    const lambda = lambdaOf(`(r) => ({ x: ${text} })`)
    const targets = schema({ x: t.float64.nullable() })
    const outcome = project(lambda, targets, WASM, batchOf(EDGES, rows))
    expect(outcome.form).toMatchObject({ backEnds: ["WebAssembly SIMD"] })
    expect(outcome.rows).toEqual(project(lambda, targets, CLOSURES, batchOf(EDGES, rows)).rows)
  })

  it.each([
    ...["r.i < r.j", "r.i >= r.f", "r.j === r.i", "r.g <= 0", "0 < r.g", "r.g == r.g", "r.f !== r.f", "r.g === null"],
    ...["r.b > 9007199254740992n", "r.b === 9007199254740993n", "r.j < r.b", "r.b >= r.i", "r.b < 5", "-r.b > 0n"],
    ...["r.b + 1n > r.b", "r.b - 2n < 0n", "~r.b === 0n", "(r.b & 3n) === 1n", "(r.b | 1n) > (r.b ^ 1n)", "r.b"],
    ...["Number.isFinite(r.f)", "Number.isSafeInteger(r.f)", "isNaN(r.g)", "isFinite(r.g)", "Number.isInteger(r.j)"],
    ...["(r.f > 1) === (r.i > 1)", "(r.f > 1) !== !r.i", "r.g == undefined", "undefined === r.g", "r.f ? r.i : r.g"],
  ])("WL1 the truth of %s is what JavaScript says", (text) => {
    const targets = schema({ x: t.bool })
    const lambda = lambdaOf(`(r) => ({ x: Boolean(${text}) })`)
    const outcome = project(lambda, targets, WASM, batchOf(EDGES, rows))
    expect(outcome.form).toMatchObject({ backEnds: ["WebAssembly SIMD"] })
    expect(outcome.rows).toEqual(project(lambda, targets, CLOSURES, batchOf(EDGES, rows)).rows)
  })

  it.each([
    ["r.f", t.int32],
    ["r.j + r.i", t.int32],
    ["r.f", t.int53],
    ["r.j * 2", t.int53.nullable()],
    ["r.g", t.timestamp()],
    ["r.b + 1n", t.int64],
    ["r.b * r.b", t.int64],
    ["-r.b", t.int64],
    ["r.g", t.float64],
  ])("PJ1 JS2 %s fails for the same rows", (text, type) => {
    const targets = schema({ x: type })
    const lambda = lambdaOf(`(r) => ({ x: ${text} })`)
    const outcome = project(lambda, targets, WASM, batchOf(EDGES, rows))
    expect(outcome.form).toMatchObject({ backEnds: [expect.stringMatching(/^WebAssembly/)] })
    const closure = project(lambda, targets, CLOSURES, batchOf(EDGES, rows))
    expect(closure.failures.length).toBeGreaterThan(0)
    expect({ ...outcome, form: null }).toEqual({ ...closure, form: null })
  })
})

it.each(Object.keys(UTC_PARTS))("WU1 %s of a Date is what JavaScript says", (name) => {
  const Times = schema({ ms: t.float64 })
  const prng = new Prng(7)
  const edges = [0, -0, -1, 1, NaN, Infinity, 8.64e15, -8.64e15, 8.64e15 + 1, -62_167_219_200_000, 0.9, -0.9]
  const days = [0, -1, 1, 59, 60, 365, 11_016, 11_017, -719_468, -719_469, 2_932_896, 100_000_000, -100_000_000]
  const rows = [
    ...edges,
    ...days.flatMap((day) => [day * 86_400_000, day * 86_400_000 - 1, day * 86_400_000 + 43_200_500.5]),
    ...Array.from({ length: 3000 }, () => (prng.float() - 0.5) * 10 ** prng.below(17)),
    ...Array.from({ length: 3000 }, () => Math.floor((prng.float() - 0.5) * 200_000_000) * 86_400_000 - prng.below(2)),
  ].map((ms) => ({ ms }))
  const lambda = lambdaOf(`(r) => ({ x: new Date(r.ms).${name}() })`)
  const outcome = project(lambda, schema({ x: t.float64 }), WASM, batchOf(Times, rows))
  expect(outcome.form).toMatchObject({ backEnds: ["WebAssembly SIMD"] })
  expect(outcome.rows).toEqual(project(lambda, schema({ x: t.float64 }), CLOSURES, batchOf(Times, rows)).rows)
})
