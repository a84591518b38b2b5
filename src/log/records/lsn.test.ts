import { expect, test } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import { formatLsn, GENERATION_BYTES_MAX, GENERATIONS_MAX, isBefore, lsnAt, lsnOf, parseLsn, placeOf } from "./lsn.ts"

test("LS2 numbers are those of their places, and in their order", () => {
  forEachSeed(300, (prng) => {
    const draw = () => ({
      generation: prng.pick([0, 1, 2 ** 22, GENERATIONS_MAX, prng.below(GENERATIONS_MAX)]),
      offset: prng.pick([0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, GENERATION_BYTES_MAX - 1, prng.below(2 ** 32) * 255]),
    })
    const [one, other] = [draw(), draw()]
    expect(lsnOf(one)).toBe(BigInt(one.generation) * 2n ** 40n + BigInt(one.offset))
    expect(lsnAt(one.generation, one.offset)).toBe(lsnOf(one))
    expect(placeOf(lsnOf(one))).toEqual(one)
    expect(parseLsn(formatLsn(lsnOf(one)))).toBe(lsnOf(one))
    expect(lsnOf(one) < lsnOf(other)).toBe(isBefore(one, other))
  })
})
