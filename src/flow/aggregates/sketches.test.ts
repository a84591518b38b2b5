/**
 * Sketches on adversarial input: sorted, reversed, all equal, heavy duplicates, subnormal numbers and huge ranges, negative
 * ones, alternations, and orders made to fool them. Each prints the worst error that it saw beside the documented one.
 */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { problemOfFrequent, referenceQuantile, type FrequentValue } from "./accumulators.reference.ts"
import { approxCountDistinct, precisionOf, REGISTERS_PER_HASH } from "./approx-count-distinct.ts"
import { countersFor, frequent } from "./frequent.ts"
import { bucketBits, quantiles } from "./quantiles.ts"

const COUNT = 20_000

/** Numbers, by what is bad about them. */
const HARD: Readonly<Record<string, (prng: Prng) => number[]>> = {
  ascending: () => listOf((at) => at),
  descending: () => listOf((at) => COUNT - at),
  "all equal": () => listOf(() => 0.1),
  "heavy duplicates": (prng) => listOf(() => (prng.chance(0.9) ? 7 : prng.below(100))),
  "subnormal numbers": (prng) => listOf(() => prng.below(1000) * Number.MIN_VALUE),
  "the range of doubles": (prng) => listOf(() => 2 ** (prng.float() * 2098 - 1074)),
  "negative and positive ones of all sizes": (prng) =>
    listOf(() => (prng.chance(0.5) ? -1 : 1) * 10 ** (prng.below(600) - 300)),
  alternations: () => listOf((at) => (at % 2 === 0 ? 1e300 : -1e-300)),
  "from both ends to the middle": () => listOf((at) => (at % 2 === 0 ? at : COUNT - at)),
  "the ends of buckets": () => listOf((at) => 2 ** (at % 50) * (1 + (at % 256) / 256) * (1 - (at % 3) * 2 ** -53)),
  "infinities and NaN": (prng) => listOf(() => prng.pick([NaN, Infinity, -Infinity, 1, -1])),
  "whole numbers to 2⁵³": (prng) => listOf(() => prng.below(2 ** 53)),
  "a heavy tail": (prng) => listOf(() => 1 / (1 - prng.float())),
}

function listOf<T>(make: (at: number) => T): T[] {
  return Array.from({ length: COUNT }, (_, at) => make(at))
}

/** Adds in 16 parts, and merges them by halves. */
function inParts<P>(accumulator: Accumulator<P>, values: readonly unknown[]): P {
  if (values.length > COUNT / 16) {
    const middle = values.length >> 1
    return accumulator.merge(inParts(accumulator, values.slice(0, middle)), inParts(accumulator, values.slice(middle)))
  }
  return values.reduce<P>((partial, value) => accumulator.add(partial, value, 0), accumulator.init())
}

test.each([0.05, 0.01, 0.001])("W55 quantiles keep the relative error %d on hard input", (error) => {
  const asked = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]
  const fields = asked.map((quantile) => ({ name: String(quantile), quantile }))
  const accumulator = quantiles({ quantiles: fields, error }).accumulator(t.float64)
  const documented = 1 / (2 ** bucketBits(error) + 1)
  let [worst, where] = [0, ""]
  for (const [name, make] of Object.entries(HARD)) {
    const values = make(new Prng(1))
    const result = accumulator.result(inParts(accumulator, values)) as Record<string, number>
    for (const quantile of asked) {
      const exact = referenceQuantile(values, quantile)
      const given = result[String(quantile)]!
      if (!Number.isFinite(exact) || exact === 0) {
        expect(given === exact || Object.is(given, exact), `${name} at ${quantile}`).toBe(true)
        continue
      }
      const off = Math.abs(1 - given / exact)
      if (off > worst) [worst, where] = [off, `${name} at ${quantile}`]
      expect(off, `${name} at ${quantile}: ${given} for ${exact}`).toBeLessThanOrEqual(documented)
    }
  }
  process.stdout.write(`quantiles of error ${error}: at worst ${worst} of ${documented}, ${where}\n`)
  expect(worst).toBeGreaterThan(documented / 4)
})

test("quantiles give numbers with few bits as they are", () => {
  const accumulator = quantiles({ quantiles: 0.5, error: 0.01 }).accumulator(t.float64)
  const few = [1, 2, 3, 128, 255, 256, 1000, 0.5, 12.5, -7, 5e-324, 2.5e-323, 1.5e300 - (1.5e300 % 2 ** 990)]
  for (const value of few) expect(accumulator.result(accumulator.add(accumulator.init(), value, 0))).toBe(value)
})

/** Values that differ, by what is bad about them for a hash. */
const DISTINCT: Readonly<Record<string, (at: number) => unknown>> = {
  "whole numbers from 0 on": (at) => at,
  "multiples of 2³²": (at) => at * 2 ** 32,
  fractions: (at) => at / 1000,
  "powers of two and a little": (at) => 2 ** (at % 1000) * (1 + Math.floor(at / 1000) / 2 ** 20),
  "neighbouring doubles": (at) => 1 + at * Number.EPSILON,
  "negative ones": (at) => -at - 0.5,
  "texts with a common head": (at) => `https://example.com/a/page/of/some/site?id=${at}`,
  "texts with a common tail": (at) => `${at}:the-same-tail-for-all-of-them`,
  "texts of one letter, longer and longer": (at) => "a".repeat(at % 500) + String.fromCharCode(at),
  bigints: (at) => BigInt(at) << 20n,
  times: (at) => 1_700_000_000_000_000 + at * 1_000_000,
}

function typeOf(value: unknown) {
  if (typeof value === "bigint") return t.int64
  return typeof value === "string" ? t.string : t.float64
}

/** Errors of estimates of up to 30,000 values, in standard errors; each set is counted in several parts of it. */
function errorsOf(definition: AccumulatorDefinition, error: number): { off: number; where: string }[] {
  const registers = 2 ** precisionOf(error)
  const standard = 1.04 / Math.sqrt(registers)
  return Object.entries(DISTINCT).flatMap(([name, make]) => {
    const accumulator = definition.accumulator(typeOf(make(0)))
    return [1, 2, 3].flatMap((part) => {
      let sketch = accumulator.init()
      const errors: { off: number; where: string }[] = []
      for (let at = 0; at < 30_000; at++) {
        sketch = accumulator.add(sketch, make(at + part * 30_000), 0)
        const count = at + 1
        if (![10, 100, 600, 1000, 3000, 6000, 10_000, 30_000].includes(count)) continue
        const off = ((accumulator.result(sketch) as number) / count - 1) / standard
        if (count * REGISTERS_PER_HASH <= registers) expect(off, `${count} of ${name}`).toBe(0)
        else errors.push({ off, where: `${count} of ${name}` })
      }
      return errors
    })
  })
}

test.each([0.1, 0.05, 0.02, 0.008])("W54 approxCountDistinct keeps the standard error %d on hard input", (error) => {
  const errors = errorsOf(approxCountDistinct(error), error)
  const worst = errors.reduce((most, each) => (Math.abs(each.off) > Math.abs(most.off) ? each : most))
  const mean = errors.reduce((sum, { off }) => sum + off, 0) / errors.length
  const spread = Math.sqrt(errors.reduce((sum, { off }) => sum + off * off, 0) / errors.length)
  const figures = `root mean square ${spread.toFixed(2)}, mean ${mean.toFixed(2)}, at worst ${worst.off.toFixed(2)} (${worst.where})`
  process.stdout.write(`approxCountDistinct of error ${error}, in standard errors: ${figures}\n`)
  expect(Math.abs(worst.off)).toBeLessThan(5)
  expect(spread).toBeLessThan(1.15)
  expect(Math.abs(mean)).toBeLessThan(0.3)
})

test("approxCountDistinct gives the same for any order, with duplicates and in parts", () => {
  const accumulator = approxCountDistinct(0.02).accumulator(t.float64)
  const values = listOf((at) => at % 5000)
  const results = [values, [...values].reverse(), new Prng(1).shuffle(values), values.slice(0, 5000)].map((some) => {
    const one = some.reduce((sketch, value) => accumulator.add(sketch, value, 0), accumulator.init())
    return [accumulator.result(one), accumulator.result(inParts(accumulator, some))]
  })
  expect(new Set(results.flat()).size).toBe(1)
})

/** Streams that are made to fool counters of which there are m. */
const OFTEN: Readonly<Record<string, (m: number, prng: Prng) => number[]>> = {
  "all different": () => listOf((at) => at),
  "all equal": () => listOf(() => 7),
  "m + 1 values in turn": (m) => listOf((at) => at % (m + 1)),
  "m + 1 values, one behind the other": (m) => listOf((at) => Math.floor((at * (m + 1)) / COUNT)),
  "the frequent one first, then what lowers it": (m) => listOf((at) => (at < (COUNT * 2) / (m + 1) ? -1 : at)),
  "the frequent one last": (m) => listOf((at) => (at >= COUNT - (COUNT * 2) / (m + 1) ? -1 : at)),
  "the frequent one between all others": (m) => listOf((at) => (at % (m + 1) === m ? -1 : at)),
  "groups of m + 1, each once lowered": (m) => listOf((at) => (at % (m + 1)) + Math.floor(at / (2 * (m + 1))) * 1e6),
  "counts of powers of two": () => listOf((at) => 31 - Math.clz32(at)),
  "a heavy tail": (_, prng) => listOf(() => Math.floor(1 / (1 - prng.float()))),
  "two halves that have nothing in common": (m) => listOf((at) => (at < COUNT / 2 ? at % m : -1 - (at % m))),
}

test.each([0.5, 0.1, 0.01, 0.001])("FQ1 FQ2 W92 frequent keeps the error %d on hard input", (error) => {
  const room = countersFor(error)
  const accumulator = frequent({ limit: Infinity, error }).accumulator(t.float64)
  let [worst, where] = [0, ""]
  for (const [name, make] of Object.entries(OFTEN)) {
    const values = make(room, new Prng(1))
    const counts = new Map<number, number>()
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    // Values that are told apart by `===` alone, so that what is looked up is found at once.
    const exact = [...counts].map(([value, count]) => ({ value, count }))
    const atOnce = values.reduce((partial, value) => accumulator.add(partial, value, 0), accumulator.init())
    for (const partial of [atOnce, inParts(accumulator, values)]) {
      const result = accumulator.result(partial) as readonly FrequentValue[]
      const shown = new Set(result.map(({ value }) => value))
      const some = exact.filter(({ value, count }) => shown.has(value) || count > error * COUNT)
      const problem = problemOfFrequent(result, some, COUNT, error, exact.length <= room ? Infinity : 0)
      expect(problem, name).toBe(undefined)
      expect(result.length).toBeLessThanOrEqual(room)
      for (const { value, countMost } of result) {
        const short = (countMost - counts.get(value as number)!) / (error * COUNT)
        if (short > worst) [worst, where] = [short, name]
      }
      for (const { value, count } of result) {
        const short = (counts.get(value as number)! - count) / (error * COUNT)
        if (short > worst) [worst, where] = [short, name]
      }
    }
  }
  process.stdout.write(`frequent of error ${error}: at worst ${worst.toFixed(3)} of it, ${where}\n`)
  expect(worst).toBeGreaterThan(0.4)
})
