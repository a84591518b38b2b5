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
interface Verdict {
  readonly name: string
  readonly grows: boolean
}
const { slopesOf } = (await import(join(import.meta.dirname, "..", "scripts", "soak-series.mjs"))) as {
  slopesOf(samples: readonly Record<string, number>[], seconds: number): readonly Verdict[] | undefined
}

const MEBIBYTE = 2 ** 20
const SECONDS = 600
/** As much as the control `--leak 20000`. */
const LEAK_BYTES_PER_SECOND = 20_000

/** Samples of a run whose named parts of memory grow; all else stays, with noise of some MiB. */
function samplesOf(prng: Prng, growing: readonly string[]) {
  return Array.from({ length: 2 * SECONDS }, (_, index) => {
    const at = index / 2
    const part = (name: string, mebibytes: number) =>
      (mebibytes + prng.below(4000) / 1000) * MEBIBYTE + (growing.includes(name) ? LEAK_BYTES_PER_SECOND * at : 0)
    const heapUsed = part("heapUsed", 40)
    const v8Pages = part("v8Pages", 60) + heapUsed
    const native = part("native", 70)
    const others = { external: part("external", 20), arrayBuffers: part("arrayBuffers", 17), arena: MEBIBYTE }
    return { at, rss: native + v8Pages, v8Pages, native, heapUsed, ...others, stateBytes: MEBIBYTE, files: 17 }
  })
}

function grownIn(growing: readonly string[]) {
  return slopesOf(samplesOf(new Prng(7), growing), SECONDS)!
    .filter(({ grows }) => grows)
    .map(({ name }) => name)
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

describe("what a soak judges", () => {
  it.each([
    ["nothing that grows", [], []],
    ["objects on V8's heap", ["heapUsed"], ["heapUsed"]],
    ["memory that only the resident set shows", ["native"], ["native"]],
    ["array buffers", ["native", "external", "arrayBuffers"], ["native", "external", "arrayBuffers"]],
    ["room in V8's pages, which is told alone", ["v8Pages"], []],
  ])("sees %s", (_, growing, seen) => {
    expect(grownIn(growing)).toEqual(seen)
  })

  it("says nothing of too few samples", () => {
    expect(slopesOf(samplesOf(new Prng(8), []).slice(0, 7), 1)).toBeUndefined()
  })
})
