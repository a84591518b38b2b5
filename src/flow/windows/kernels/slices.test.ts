import { describe, expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import type { SlicedWindowSpec } from "../../plan.ts"
import { Slices } from "./slices.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

/** The ends of all windows that hold a moment, by the definition and one after the other. */
function windowEndsOf(spec: SlicedWindowSpec, time: number): number[] {
  const slide = spec.kind === "tumbling" ? spec.sizeMicros : spec.slideMicros
  const ends: number[] = []
  const first = Math.floor((time - spec.sizeMicros - spec.offsetMicros) / slide) - 2
  for (let k = first; spec.offsetMicros + k * slide <= time; k++) {
    const start = spec.offsetMicros + k * slide
    if (start <= time && time < start + spec.sizeMicros) ends.push(start + spec.sizeMicros)
  }
  return ends
}

function endsOfSlice(spec: SlicedWindowSpec, time: number): number[] {
  const slices = new Slices(spec)
  const { firstWindowEnd, lastWindowEnd } = slices.of(time)
  const ends: number[] = []
  for (let end = firstWindowEnd; end <= lastWindowEnd; end += slices.slide) ends.push(end)
  return ends
}

function randomSpec(prng: Prng): SlicedWindowSpec {
  const unit = prng.pick([1, 7, 1_000_000])
  const sizeMicros = (1 + prng.below(40)) * unit
  const offsetMicros = (prng.below(200) - 100) * prng.pick([1, unit])
  if (prng.chance(0.3)) return { kind: "tumbling", sizeMicros, offsetMicros }
  return { kind: "hopping", sizeMicros, slideMicros: (1 + prng.below(40)) * unit, offsetMicros }
}

describe("slices", () => {
  it("W1 a moment at a window's start belongs to it, one at its end to the next", () => {
    const spec: SlicedWindowSpec = { kind: "tumbling", sizeMicros: 60, offsetMicros: 0 }
    expect(endsOfSlice(spec, 0)).toEqual([60])
    expect(endsOfSlice(spec, 59)).toEqual([60])
    expect(endsOfSlice(spec, 60)).toEqual([120])
  })

  it("W2 windows before 1970 start at multiples of the slide too", () => {
    const spec: SlicedWindowSpec = { kind: "tumbling", sizeMicros: 60, offsetMicros: 0 }
    expect(new Slices(spec).of(-1)).toEqual({ start: -60, end: 0, firstWindowEnd: 0, lastWindowEnd: 0 })
    expect(new Slices(spec).of(-60)).toEqual({ start: -60, end: 0, firstWindowEnd: 0, lastWindowEnd: 0 })
    expect(new Slices(spec).of(-61).start).toBe(-120)
  })

  it("W2 an offset shifts every window, also one that is negative or longer than the slide", () => {
    const at = (offsetMicros: number) => new Slices({ kind: "tumbling", sizeMicros: 60, offsetMicros }).of(0).start
    expect([at(0), at(15), at(-45), at(75), at(60)]).toEqual([0, -45, -45, -45, 0])
  })

  it("a slide that does not divide the size cuts each slide in two slices", () => {
    const slices = new Slices({ kind: "hopping", sizeMicros: 25, slideMicros: 10, offsetMicros: 0 })
    expect(slices.of(4)).toEqual({ start: 0, end: 5, firstWindowEnd: 5, lastWindowEnd: 25 })
    expect(slices.of(5)).toEqual({ start: 5, end: 10, firstWindowEnd: 15, lastWindowEnd: 25 })
  })

  it("a slide longer than the size leaves slices that no window holds", () => {
    const slices = new Slices({ kind: "hopping", sizeMicros: 10, slideMicros: 25, offsetMicros: 0 })
    expect(slices.of(9)).toEqual({ start: 0, end: 10, firstWindowEnd: 10, lastWindowEnd: 10 })
    const { firstWindowEnd, lastWindowEnd } = slices.of(10)
    expect(firstWindowEnd).toBeGreaterThan(lastWindowEnd)
  })

  it("SL1 SL2 slices hold the same windows as the definition and cover time without overlap", () => {
    const prng = new Prng(11)
    for (let round = 0; round < 4_000 * SCALE; round++) {
      const spec = randomSpec(prng)
      const time = prng.below(3_000) * prng.pick([1, 1_000_000]) - prng.below(1_500) * prng.pick([1, 1_000_000])
      const slices = new Slices(spec)
      const slice = slices.of(time)
      expect(slice.start <= time && time < slice.end).toBe(true)
      expect(endsOfSlice(spec, time)).toEqual(windowEndsOf(spec, time))
      expect(slices.of(slice.start)).toEqual(slice)
      expect(slices.of(slice.end - 1)).toEqual(slice)
      expect(slices.of(slice.end).start).toBe(slice.end)
      const behind = slices.firstWindowEndBehind(time)
      expect(behind > time && behind - slices.slide <= time).toBe(true)
      expect(endsOfSlice(spec, behind - spec.sizeMicros)).toContain(behind)
    }
  })

  it("times up to the ends of the years 1684 and 2255 are cut exactly", () => {
    const slices = new Slices({ kind: "hopping", sizeMicros: 1_000_003, slideMicros: 7, offsetMicros: 3 })
    for (const time of [slices.maxTime, -slices.maxTime]) {
      const { start, end } = slices.of(time)
      const cut = (edge: number) => Number((((BigInt(edge) - 3n) % 7n) + 7n) % 7n)
      // 1,000,003 mod 7 is 4: edges lie at 0 and 4 of each seven.
      expect(start <= time && time < end).toBe(true)
      expect([0, 4]).toContain(cut(start))
      expect([0, 4]).toContain(cut(end))
    }
  })
})
