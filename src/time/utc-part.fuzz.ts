/** Parts of points in time, against those that `Date` gives. */
import { expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { UTC_PARTS } from "./utc-part.ts"

const SCALE = Number(process.env.TIDEMARK_FUZZ_SCALE ?? 1)
const SEED = Number(process.env.TIDEMARK_FUZZ_SEED ?? 20_250_115)
const CASES = Math.ceil(50_000 * SCALE)

const DAY = 86_400_000
const EDGES = [
  ...[0, -0, -0.5, 0.5, -1, 999.999, NaN, Infinity, -Infinity, 8.64e15, -8.64e15, 8.64e15 + 1, -8.64e15 - 1, 1e300],
  ...[DAY, DAY - 1, -DAY, -DAY - 1, -62_167_219_200_000, -62_167_219_200_001, -62_135_596_800_000, 951_782_400_000],
]

function parts(millis: number): unknown[] {
  return Object.values(UTC_PARTS).map((part) => part(millis))
}

function twin(millis: number): unknown[] {
  const date = new Date(millis)
  return Object.keys(UTC_PARTS).map((name) => date[name as keyof typeof UTC_PARTS]())
}

it("UP1 parts of a time are those of its Date", () => {
  const prng = new Prng(SEED)
  for (const millis of EDGES) expect(parts(millis), String(millis)).toEqual(twin(millis))
  for (let count = 0; count < CASES; count++) {
    const range = prng.pick([8.7e15, 4e12, 1e11, 2000])
    const millis = (prng.float() - 0.5) * 2 * range
    const near = Math.round(millis / DAY) * DAY + prng.pick([-1, 0, 0, 1, 0.5])
    for (const each of [millis, near]) {
      expect(parts(each), `seed ${SEED}: ${each}`).toEqual(twin(each))
    }
  }
})
