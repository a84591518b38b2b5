import { expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import { NUMBER_BYTES_MAX } from "../type.ts"
import { shortestToBytes } from "./shortest-digits.ts"

const doubles = new Float64Array(2)
const out = new Uint8Array(NUMBER_BYTES_MAX + 4)

function written(value: number): string | undefined {
  doubles[1] = value
  out.fill(0xaa)
  const end = shortestToBytes(doubles, 1, out, 2)
  expect([...out.subarray(NUMBER_BYTES_MAX + 2)], String(value)).toEqual([0xaa, 0xaa])
  return end < 0 ? undefined : String.fromCharCode(...out.subarray(2, end))
}

/** What sums, means and measurements come to, and the neighbours of numbers with few digits, where the choice is close. */
function randomDouble(prng: Prng): number {
  const neighbour = 1 + (prng.below(7) - 3) * 2 ** -52
  const magnitude = prng.pick([
    () => prng.float() * 10 ** (prng.below(25) - 7),
    () => prng.below(1e9) / 1000 + prng.below(1e9) / 1000,
    () => prng.below(1e9) / (1 + prng.below(1000)),
    () => prng.below(1e15) / 10 ** prng.below(20),
    () => (prng.below(1e9) / 10 ** prng.below(12)) * neighbour,
    () => 10 ** (prng.below(25) - 7) * neighbour,
    () => 2 ** (prng.below(80) - 20) * neighbour,
  ])()
  return prng.chance(0.3) ? -magnitude : magnitude
}

it("SD1 writes doubles as String does, or not at all, and knows most", () => {
  let known = 0
  forEachSeed(50, (prng) => {
    for (let index = 0; index < 1000; index++) {
      const value = randomDouble(prng)
      const text = written(value)
      if (text === undefined) continue
      if (text !== String(value)) expect.fail(`${value} is written as ${text}`)
      known++
    }
  })
  expect(known).toBeGreaterThan(40_000)
})

it("SD1 leaves hardly any of the sums and means of measurements", () => {
  let left = 0
  forEachSeed(1000, (prng) => {
    if (written((prng.below(1e9) / 1000 + 0.1) / (3 + 2 * prng.below(100))) === undefined) left++
  })
  expect(left).toBe(0)
})

it.each([
  [0.1 + 0.2, "0.30000000000000004"],
  [-1 / 3, "-0.3333333333333333"],
  [5e-6 / 3, "0.0000016666666666666669"],
  [123456789012345.67, "123456789012345.67"],
  [12345678901234567, "12345678901234568"],
  [99999999999999980, "99999999999999980"],
  [1 - 2 ** -53, "0.9999999999999999"],
])("SD1 writes %d as %s", (value, text) => {
  expect(String(value)).toBe(text)
  expect(written(value)).toBe(text)
})

it.each([0, -0, NaN, Infinity, -Infinity, 1e17, 1e21, 1e300, 1e-6, 9e-7, 5e-324])("SD1 leaves %d", (value) => {
  expect(written(value)).toBeUndefined()
})
