import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { batchOf, CLOSURES, lambdaOf, project, WASM } from "./lambda.fixture.ts"

const INPUT = schema({ i: t.int32 })
const RESULT = schema({ x: t.int32 })
const INT32_MAX = 2 ** 31 - 1

/** Numbers at and beside multiples of a divisor, at both ends of int32 and around 0, and others at random. */
function dividends(divisor: number): number[] {
  const prng = new Prng(divisor)
  const multiples = [-(2 ** 31), -1e9, -1, 0, 1, 1e9, INT32_MAX].map((near) => Math.trunc(near / divisor) * divisor)
  const beside = multiples.flatMap((each) => [-divisor, -1, 0, 1, divisor].map((by) => each + by))
  const others = Array.from({ length: 2000 }, () => prng.below(2 ** 32) - 2 ** 31)
  return [...beside, -(2 ** 31), INT32_MAX, ...others].filter((each) => (each | 0) === each)
}

describe("whole quotients", () => {
  it.each([1, 2, 3, 7, 10, 1000, 5280, 65_537, 1e9 + 7, INT32_MAX - 1, INT32_MAX, 2 ** 31])(
    "WI1 int32s by %i, rounded down, are what JavaScript says, and fail for no row",
    (divisor) => {
      const rows = dividends(divisor).map((i) => ({ i }))
      const lambda = lambdaOf(`(r) => ({ x: Math.floor(r.i / ${divisor}) })`)
      const outcome = project(lambda, RESULT, WASM, batchOf(INPUT, rows))
      expect(outcome.form).toMatchObject({ backEnds: ["WebAssembly SIMD"] })
      expect(outcome.rows).toEqual(project(lambda, RESULT, CLOSURES, batchOf(INPUT, rows)).rows)
      expect(outcome.failures).toEqual([])
    },
  )
})
