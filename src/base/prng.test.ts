import { describe, expect, it } from "vitest"
import { Prng } from "./prng.ts"

/** sfc32 as published, in bigints modulo 2³². */
function* sfc32(seed: bigint): Generator<number> {
  const word = (value: bigint) => BigInt.asUintN(32, value)
  let [a, b, c, counter] = [word(seed), word(seed >> 32n), 0x9e3779b9n, 1n]
  for (let round = 0; ; round++) {
    const sum = word(a + b + counter)
    counter = word(counter + 1n)
    a = b ^ (b >> 9n)
    b = word(c + (c << 3n))
    c = word(word((c << 21n) | (c >> 11n)) + sum)
    if (round >= 12) yield Number(sum)
  }
}

describe("Prng", () => {
  it.each([0, 1, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 53 - 1])("P1 draws the numbers of sfc32 for the seed %d", (seed) => {
    const prng = new Prng(seed)
    const reference = sfc32(BigInt(seed))
    for (let draw = 0; draw < 1000; draw++) expect(prng.uint32()).toBe(reference.next().value)
  })

  it("P1 never changes: a seed that found a bug finds it again", () => {
    const prng = new Prng(42)
    expect([prng.uint32(), prng.below(1000), prng.pick(["a", "b", "c"]), prng.fork().uint32()]).toEqual([
      1849552023,
      983,
      "c",
      3081659975,
    ])
  })

  it("draws evenly within the bound, and shuffles without loss", () => {
    const prng = new Prng(7)
    const counts = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 20_000; draw++) counts[prng.below(10)]!++
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250)
    const items = Array.from({ length: 50 }, (_, index) => index)
    const shuffled = prng.shuffle(items)
    expect(shuffled).not.toEqual(items)
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items)
  })

  it("makes forks that do not disturb the generator that they come from", () => {
    const [one, other] = [new Prng(9), new Prng(9)]
    const fork = one.fork()
    other.fork()
    for (let draw = 0; draw < 100; draw++) fork.uint32()
    expect(one.uint32()).toBe(other.uint32())
  })

  it("holds chance to its probability", () => {
    const prng = new Prng(3)
    let hits = 0
    for (let draw = 0; draw < 20_000; draw++) if (prng.chance(0.25)) hits++
    expect(Math.abs(hits - 5000)).toBeLessThan(300)
  })
})

it("starts anew from three words, whatever it has drawn before", () => {
  const prng = new Prng(1)
  const draws = [1, 2, 3].map(() => {
    prng.reset(7, 8, 9)
    return [prng.uint32(), prng.float()]
  })
  expect(draws[1]).toEqual(draws[0])
  prng.reset(7, 8, 10)
  expect([prng.uint32(), prng.float()]).not.toEqual(draws[0])
  const seed = 5 * 2 ** 32 + 6
  prng.reset(6, 5, 0x9e3779b9)
  expect(prng.uint32()).toBe(new Prng(seed).uint32())
})
