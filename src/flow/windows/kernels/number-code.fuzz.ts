/** The numbers of slices, against whole numbers of any size. */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { LinearArray } from "../../../batch/linear-array.ts"
import { Prng } from "../../../base/prng.ts"
import { DISORDER, DISORDER_BYTES } from "./disorder-control.ts"
import { numberSlices, reachOf } from "./number-code.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const BIAS = 2n ** 30n

it("NC1 numbers are those of whole divisions, next to the edges of slices and as far away as numbers reach", () => {
  const arena = new Arena({ maxBytes: 1 << 16 })
  const number = numberSlices(arena.memory)
  const control = new LinearArray(arena, 4, DISORDER_BYTES / 4)
  const times = new LinearArray(arena, 8, 64)
  const rows = new LinearArray(arena, 4, 64)
  const numbers = new LinearArray(arena, 4, 64)
  for (let seed = 0; seed < 20_000 * SCALE; seed++) {
    const prng = new Prng(seed)
    const power = prng.below(50)
    const slide = prng.pick([1, 2, 3, 10, 1_000_003, 3_600_000_000, 2 ** power, 2 ** power + 1, 3 ** (power % 32)])
    const endEdge = prng.pick([0, 0, 1, slide - 1, Math.floor(slide / 3)]) % slide
    const origin = prng.pick([0, -1_000_007, 1_700_000_000_000_000, -(2 ** 52)])
    const reach = reachOf(slide)
    const i64 = (offset: number, value: bigint) => (control.i64[offset >> 3] = value)
    const f64 = (offset: number, value: number) => (control.f64[offset >> 3] = value)
    i64(DISORDER.doubleOrigin, 2n * BigInt(origin) - 1n)
    f64(DISORDER.scale, 0.5 / slide)
    f64(DISORDER.doubleSlide, 2 * slide)
    f64(DISORDER.doubleEdge, 2 * endEdge)
    control.i32[DISORDER.hasTwoEdges >> 2] = endEdge > 0 ? 1 : 0
    const count = 1 + prng.below(9)
    const most = Math.floor(reach / slide)
    for (let at = 0; at < count; at++) {
      const slides = prng.pick([prng.below(10), prng.below(2 ** 30) % (most + 1), most]) * prng.pick([1, -1])
      const near = slides * slide + prng.pick([0, endEdge, prng.below(2 ** 30) % slide]) + prng.pick([-1, 0, 1])
      const time = Math.max(-reach, Math.min(reach, near))
      rows.i32[at] = 31 - at
      times.i64[31 - at] = BigInt(origin) + BigInt(time)
    }
    number(control.address, times.address, rows.address, count, numbers.address)
    for (let at = 0; at < count; at++) {
      const distance = times.i64[rows.i32[at]!]! - BigInt(origin)
      const length = BigInt(slide)
      const slides = (distance - (((distance % length) + length) % length)) / length
      const isBehind = distance - slides * length >= BigInt(endEdge) ? 1n : 0n
      const expected = (endEdge === 0 ? slides : 2n * slides + isBehind) + BIAS
      const given = numbers.i32[at]!
      if (BigInt(given) !== expected || given <= 0) {
        expect.fail(`seed ${seed}: ${distance} by ${slide} and ${endEdge} is ${given - Number(BIAS)}`)
      }
    }
  }
  for (const array of [control, times, rows, numbers]) array.release()
  expect(arena.usedBytes).toBe(0)
}, 600_000)
