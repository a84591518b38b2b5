/** What `npm run soak` concludes from: slopes and their intervals, held against lines and noise whose slope is known. */
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Prng } from "../src/base/prng.ts"

interface Point {
  readonly at: number
  readonly value: number
}
const { blocksOf, slopeOf } = (await import(join(import.meta.dirname, "..", "scripts", "soak-slope.mjs"))) as {
  blocksOf(samples: readonly Point[], count: number): Point[]
  slopeOf(points: readonly Point[]): { readonly slope: number; readonly low: number; readonly high: number }
}

/** A line with noise, of which one sample in twenty is far off. */
function noisy(prng: Prng, slope: number): Point[] {
  return Array.from({ length: 24 }, (_, at) => {
    const noise = prng.below(1000) / 1000 + (prng.chance(0.05) ? 50 : 0)
    return { at, value: slope * at + noise }
  })
}

describe("slopes of a soak", () => {
  it("are those of a line, and of nothing", () => {
    const line = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => ({ at, value: 3 * at + 1 }))
    expect(slopeOf(line)).toEqual({ slope: 3, low: 3, high: 3 })
    expect(slopeOf(line.map(({ at }) => ({ at, value: 5 })))).toEqual({ slope: 0, low: 0, high: 0 })
  })

  it("hold the true slope in at least 98 of 100 intervals, whatever single samples say", () => {
    const prng = new Prng(5)
    for (const slope of [0, 0.5, -2]) {
      let held = 0
      for (let draw = 0; draw < 1000; draw++) {
        const { low, high } = slopeOf(noisy(prng, slope))
        if (low <= slope && slope <= high) held++
      }
      expect(held, `a slope of ${slope}`).toBeGreaterThan(980)
    }
  })

  it("tell a small slope from zero", () => {
    const prng = new Prng(6)
    const lows = Array.from({ length: 200 }, () => slopeOf(noisy(prng, 0.1)).low)
    expect(lows.filter((low) => low > 0).length).toBeGreaterThan(190)
  })

  it("are of blocks, whose medians no single sample moves", () => {
    const samples = Array.from({ length: 30 }, (_, at) => ({ at, value: at === 4 ? 1e9 : Math.floor(at / 10) }))
    expect(blocksOf(samples, 3)).toEqual([
      { at: 4.5, value: 0 },
      { at: 14.5, value: 1 },
      { at: 24.5, value: 2 },
    ])
  })
})
