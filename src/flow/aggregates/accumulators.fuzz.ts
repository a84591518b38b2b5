/**
 * Each accumulator against its slow twin in `accumulators.reference.ts`, on 10,000 random streams and more: records added one
 * by one and merged from stretches in random trees, with partial results written and read in between.
 */
import { isDeepStrictEqual } from "node:util"
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import type { ColumnType } from "../../batch/type.ts"
import { t } from "../../batch/types.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import {
  accumulate,
  bytesOf,
  isSameValue,
  problemOfFrequent,
  referenceCounts,
  type FrequentValue,
  randomValue,
  referenceDistinct,
  referenceQuantile,
  referenceRanking,
  referenceVariance,
  restored,
  type Timed,
} from "./accumulators.reference.ts"
import { approxCountDistinct } from "./approx-count-distinct.ts"
import { collect } from "./collect.ts"
import { countDistinct } from "./count-distinct.ts"
import { custom } from "./custom.ts"
import { countersFor, frequent } from "./frequent.ts"
import { bucketBits, quantiles } from "./quantiles.ts"
import { extremeBy, ranking } from "./ranked.ts"
import { spread } from "./variance.ts"

const STREAMS = 10_000 * Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const POINT = t.object({ x: t.float64.nullable(), name: t.string, more: t.object({ at: t.timestamp() }).nullable() })
const NUMBERS: readonly ColumnType[] = [t.int32, t.int53, t.int64, t.float64]
/** Types whose values stand as text in their columns. */
const PACKED = [t.list(POINT.nullable()), t.json, t.binary]
const ANY: readonly ColumnType[] = [...NUMBERS, t.bool, t.string, t.timestamp(), t.enum("a", "b"), POINT, ...PACKED]

/** What is wrong with a result, if anything. */
type Judge = (result: unknown, records: readonly Timed[], type: ColumnType) => string | undefined

interface Subject {
  readonly definition: AccumulatorDefinition
  readonly inputs: readonly ColumnType[]
  readonly judge: Judge
  /** Whether a partial result depends on the records alone: not on how they were merged. */
  readonly isExact: boolean
}

function drawStream(type: ColumnType, prng: Prng): Timed[] {
  const hasExtremes = prng.chance(0.3)
  const times = prng.pick([1, 3, 100])
  return Array.from({ length: prng.below(prng.pick([4, 12, 40])) }, () => {
    return { time: prng.below(times), value: randomValue(type, hasExtremes, prng) }
  })
}

function runStreams({ definition, inputs, judge, isExact }: Subject): void {
  const seen = { records: 0, results: 0 }
  for (let seed = 0; seed < STREAMS; seed++) {
    const prng = new Prng(seed)
    const type = inputs[seed % inputs.length]!
    const accumulator = definition.accumulator(type)
    const records = drawStream(type, prng)
    const { partial, check } = accumulate(accumulator, records, prng)
    check()
    const where = `seed ${seed}, ${type.label}, ${records.map(({ value }) => String(value)).join(" ")}`
    const result = accumulator.result(partial)
    const problem = judge(result, records, type)
    if (problem !== undefined) expect.fail(`${where}: ${problem}`)
    seen.records += records.length
    if (result !== null) seen.results++
    if (isExact) {
      const { partial: again } = accumulate(accumulator, records, prng)
      expectSame(accumulator.result(again), result, where)
    }
    if (accumulator.remove !== undefined) checkRemoval(accumulator, records, prng, where)
  }
  expect(seen.records).toBeGreaterThan(5 * STREAMS)
  expect(seen.results).toBeGreaterThan(0.7 * STREAMS)
}

/** What was merged and is taken away again leaves the bits that were there. */
function checkRemoval(accumulator: Accumulator, records: readonly Timed[], prng: Prng, where: string): void {
  const cut = prng.below(records.length + 1)
  const part = accumulate(accumulator, records.slice(0, cut), prng).partial
  const rest = accumulate(accumulator, records.slice(cut), prng).partial
  const expected = restored(accumulator, rest)
  const bytes = String(bytesOf(accumulator, part))
  const whole = accumulator.merge(restored(accumulator, part), rest)
  const left = accumulator.remove!(whole, part)
  expectSame(accumulator.result(left), accumulator.result(expected), where)
  expectSame(String(bytesOf(accumulator, part)), bytes, `AC3 ${where}`)
}

/** As `toEqual`, which takes several times as long as what it compares. */
function expectSame(one: unknown, other: unknown, where: string): void {
  if (!isDeepStrictEqual(one, other)) expect(one, where).toEqual(other)
}

function unlessSame(result: unknown, expected: unknown): string | undefined {
  return Object.is(result, expected) ? undefined : `${String(result)} instead of ${String(expected)}`
}

const SPREADS = [
  ["variance", { of: "sample", isRoot: false }],
  ["stddev", { of: "sample", isRoot: true }],
  ["populationVariance", { of: "population", isRoot: false }],
  ["populationStddev", { of: "population", isRoot: true }],
] as const

/** The greatest share of its tolerance that a result was off. */
let worstSpread = 0

test.each(SPREADS)("AC1 AC2 AC3 VA1 VA2 W51 %s is within its error of the exact one", (_name, options) => {
  worstSpread = 0
  const judge: Judge = (result, records) => {
    const values = records.map(({ value }) => value as number | bigint)
    const less = options.of === "sample" ? 1 : 0
    if (values.length <= less) return unlessSame(result, null)
    if (values.some((value) => typeof value === "number" && !Number.isFinite(value))) return unlessSame(result, NaN)
    const { variance, tolerance } = referenceVariance(values, less)!
    const expected = options.isRoot ? Math.sqrt(variance) : variance
    // Intermediate squares may exceed the doubles where the variance nearly does.
    if (variance > 1e306) return result === Infinity || (result as number) > 1e150 ? undefined : String(result)
    const isWhole = records.every(({ value }) => typeof value === "bigint")
    const allowed = (isWhole ? 2 ** -51 * variance : tolerance) + 1e-300
    const off = Math.abs((result as number) - expected) * (options.isRoot ? 2 * expected : 1)
    worstSpread = Math.max(worstSpread, off / allowed)
    return off <= allowed ? undefined : `${String(result)} is not within ${allowed} of ${expected}`
  }
  runStreams({ definition: spread(options), inputs: NUMBERS, judge, isExact: false })
  process.stdout.write(`${_name}: at worst ${worstSpread.toFixed(3)} of the documented error\n`)
})

test.each(["min", "max"] as const)("AC1 AC2 AC3 RK1 W52 %sBy gives what goes with the extreme", (which) => {
  const inputs = [t.int32.nullable(), t.int64, t.float64, t.float64.nullable(), t.timestamp()].flatMap((by) => [
    t.object({ by, of: POINT, also: t.string.nullable() }),
    t.object({ by, of: t.string.nullable(), also: t.float64 }),
  ])
  const judge: Judge = (result, records) => {
    const [best] = referenceRanking(which, records)
    const value = best?.value as Record<string, unknown> | undefined
    return isSameValue(result, value === undefined ? null : value["of"]) ? undefined : "another row was picked"
  }
  runStreams({ definition: extremeBy({ which, by: "by", of: "of" }), inputs, judge, isExact: true })
  const several: Judge = (result, records) => {
    const value = referenceRanking(which, records)[0]?.value as Record<string, unknown> | undefined
    const expected = value === undefined ? null : { also: value["also"], by: value["by"] }
    return isDeepStrictEqual(result && { ...result }, expected) ? undefined : "another row was picked"
  }
  runStreams({ definition: extremeBy({ which, by: "by", of: ["also", "by"] }), inputs, judge: several, isExact: true })
})

test.each([1, 3, 1000])("AC1 AC2 AC3 RK1 W91 topK gives what goes with the %d greatest, in order", (limit) => {
  const inputs = [t.int32.nullable(), t.int64, t.float64, t.timestamp()].flatMap((by) => [
    t.object({ by, of: POINT, also: t.string.nullable() }),
    t.object({ by, of: t.string.nullable(), also: t.float64 }),
  ])
  const rankedBy =
    (of: (row: Record<string, unknown>) => unknown): Judge =>
    (result, records) => {
      const expected = referenceRanking("max", records)
        .slice(0, limit)
        .map(({ value }) => of(value as Record<string, unknown>))
      return isSameValue(result, expected) ? undefined : "other rows were picked"
    }
  const which = "max" as const
  const one = rankedBy((row) => row["of"])
  runStreams({ definition: ranking({ which, by: "by", of: "of" }, limit), inputs, judge: one, isExact: true })
  const several = rankedBy(({ also, by }) => ({ also, by }))
  runStreams({
    definition: ranking({ which, by: "by", of: ["also", "by"] }, limit),
    inputs,
    judge: several,
    isExact: true,
  })
})

test.each([undefined, 1, 5])("AC1 AC2 AC3 CO1 W90 collect gives the values in order of time, limit %s", (limit) => {
  const judge: Judge = (result, records) => {
    const expected = [...records].sort((one, other) => one.time - other.time).slice(0, limit)
    return isSameValue(
      result,
      expected.map(({ value }) => value),
    )
      ? undefined
      : "other values were kept"
  }
  runStreams({ definition: collect(limit === undefined ? {} : { limit }), inputs: ANY, judge, isExact: true })
})

test.each([0.5, 0.3, 0.1, 0.01])(
  "AC1 AC2 AC3 FQ1 FQ2 W92 frequent keeps its error of %d, and is exact for few values",
  (error) => {
    const room = countersFor(error)
    const judge: Judge = (result, records) => {
      const exact = referenceCounts(records.map(({ value }) => value))
      return problemOfFrequent(result as readonly FrequentValue[], exact, records.length, error, room)
    }
    const isExact = error === 0.01
    runStreams({ definition: frequent({ limit: 1000, error }), inputs: ANY, judge, isExact })
  },
)

test("AC1 AC2 AC3 VK1 W53 countDistinct counts values that differ", () => {
  const judge: Judge = (result, records) => {
    return unlessSame(result, referenceDistinct(records.map(({ value }) => value)).length)
  }
  runStreams({ definition: countDistinct, inputs: ANY, judge, isExact: true })
})

test("AC1 AC2 AC3 VK2 W54 approxCountDistinct is exact for few values, and a function of the values for many", () => {
  const judge: Judge = (result, records) => {
    const expected = referenceDistinct(records.map(({ value }) => value)).length
    // Beyond 16 values for 128 registers they are an estimate: its error is for `sketches.test.ts` to judge.
    return expected <= 16 ? unlessSame(result, expected) : undefined
  }
  runStreams({ definition: approxCountDistinct(0.1), inputs: ANY, judge, isExact: true })
  const few: Judge = (result, records) => {
    return unlessSame(result, referenceDistinct(records.map(({ value }) => value)).length)
  }
  runStreams({ definition: approxCountDistinct(0.02), inputs: ANY, judge: few, isExact: true })
})

test.each([0.5, 0.01, 1e-6])("AC1 AC2 AC3 W55 quantiles are within the relative error %d", (error) => {
  const fields = [0, 0.25, 0.5, 0.75, 1].map((each) => ({ name: `p${each * 100}`, quantile: each }))
  const isWithin = (result: unknown, exact: number) => {
    const r = result as number
    if (!Number.isFinite(exact) || exact === 0) return r === exact || (Number.isNaN(r) && Number.isNaN(exact))
    // Compared as quotients: a tenth of the least number is 0.
    return Math.sign(r) === Math.sign(exact) && 1 - r / exact >= 0 && 1 - r / exact <= 1 / (2 ** bucketBits(error) + 1)
  }
  const judge: Judge = (result, records) => {
    const values = records.map(({ value }) => value as number | bigint)
    if (values.length === 0) return unlessSame(result, null)
    const given = result as Record<string, number>
    const wrong = fields.find(({ name, quantile }) => !isWithin(given[name], referenceQuantile(values, quantile)))
    return wrong === undefined ? undefined : `${wrong.name} is ${given[wrong.name]}`
  }
  runStreams({ definition: quantiles({ quantiles: fields, error }), inputs: NUMBERS, judge, isExact: true })
})

interface Tally {
  readonly n: number
  readonly texts: string
  readonly last: number | null
  readonly more: { readonly big: bigint }
}

test("AC1 AC2 AC3 AC4 W56 aggregates of a program's own give what a fold of its functions gives", () => {
  const state = t.object({ n: t.int53, texts: t.string, last: t.float64.nullable(), more: t.object({ big: t.int64 }) })
  interface Read {
    readonly x: number | null
    readonly name: string
  }
  const init = (): Tally => ({ n: 0, texts: "", last: null, more: { big: 0n } })
  const add = (tally: Tally, { x, name }: Read, { unit }: { unit: number }): Tally => ({
    n: tally.n + unit,
    texts: tally.texts + name,
    last: x ?? tally.last,
    more: { big: tally.more.big + 1n },
  })
  const merge = (earlier: Tally, later: Tally): Tally => ({
    n: earlier.n + later.n,
    texts: earlier.texts + later.texts,
    last: later.last ?? earlier.last,
    more: { big: earlier.more.big + later.more.big },
  })
  const result = (tally: Tally) => `${tally.n} ${tally.texts} ${tally.last} ${tally.more.big}`
  const functions = { state, type: t.string, init, add, merge, result }
  const judge: Judge = (given, records) => {
    const fold = records.reduce((tally, { value }) => add(tally, value as Read, { unit: 2 }), init())
    return unlessSame(given, result(fold))
  }
  runStreams({ definition: custom(functions, { unit: 2 }), inputs: [POINT], judge, isExact: true })
})

test("AC1 AC2 AC3 AC4 W57 a reduction begins with the first record", () => {
  const row = t.object({ x: t.float64.nullable(), name: t.string, more: POINT.nullable() })
  interface Read {
    readonly x: number | null
    readonly name: string
  }
  const combine = (one: Read, other: Read): Read => ({ ...one, x: other.x, name: one.name + other.name })
  const judge: Judge = (given, records) => {
    if (records.length === 0) return unlessSame(given, null)
    const expected = records.map(({ value }) => value as Read).reduce(combine)
    const { x, name } = given as Read
    return unlessSame(x, expected.x) ?? unlessSame(name, expected.name)
  }
  const functions = { state: row, type: row, add: combine, merge: combine }
  runStreams({ definition: custom(functions, {}), inputs: [row], judge, isExact: true })
})

test("AC1 AC2 AC3 what an aggregate of a program's own can undo, it undoes", () => {
  const functions = {
    state: t.int64,
    type: t.int64,
    init: () => 0n,
    add: (sum: bigint, row: { x: number }) => sum + BigInt(row.x),
    merge: (one: bigint, other: bigint) => one + other,
    inverse: (whole: bigint, part: bigint) => whole - part,
  }
  const judge: Judge = (given, records) => {
    const xs = records.map(({ value }) => BigInt((value as { x: number }).x))
    return unlessSame(
      given,
      xs.reduce((sum, x) => sum + x, 0n),
    )
  }
  runStreams({ definition: custom(functions, {}), inputs: [t.object({ x: t.int32 })], judge, isExact: true })
})
