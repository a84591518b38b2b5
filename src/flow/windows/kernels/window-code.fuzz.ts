/**
 * The pieces of a window operator and the kernels that work on them, against a model: records are added in order and out
 * of order, to slices by the hundred; windows fire; memory moves and grows. After each step the invariants are looked at
 * in memory.
 */
import { expect, it } from "vitest"
import { Prng } from "../../../base/prng.ts"
import { hopping } from "../../plan-fixture.reference.ts"
import { WindowBench, type BenchRecord } from "../window-bench.fixture.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
/** Records of a slice, or from a time on in order. */
function drawRecords(prng: Prng, keys: number, count: number, time: () => number): BenchRecord[] {
  return Array.from({ length: count }, () => {
    return { time: time(), id: prng.below(keys), value: prng.pick([0.1, 0.7, -0, 1e16, -1e16, prng.float()]) }
  })
}

const WINDOWS = [hopping(20, 10), hopping(50, 10, 3), hopping(25, 10), hopping(300, 5), hopping(7, 5, -1)]

it("WC3 WC4 WC5 WP1 WP2 pieces and kernels hold what a model holds, step by step", () => {
  for (let seed = 0; seed < 30 * SCALE; seed++) {
    const prng = new Prng(seed)
    const window = WINDOWS[seed % WINDOWS.length]!
    const start = prng.pick([0, -1000, 1_700_000_000_000_000])
    const bench = new WindowBench(window, start)
    const { slices } = bench
    let keys = prng.pick([1, 5, 60, 200])
    let now = start
    for (let step = 0; step < 40; step++) {
      const sealed = bench.sealed()
      const what = prng.below(10)
      if (what < 3) {
        let time = Math.max(now, bench.lastStart, bench.floorEnd - slices.slide)
        const gap = prng.pick([0, 1, 3, slices.slide * 40])
        bench.ingest(drawRecords(prng, keys, 1 + prng.below(80), () => (time += prng.below(1 + gap))))
        now = time
      } else if (what < 6) {
        // Somewhere between the first slice whose windows are all to come and far ahead.
        const bounds = slices.of(bench.floorEnd + prng.below(prng.pick([20, 3000])))
        if (bounds.firstWindowEnd < bench.floorEnd) continue
        bench.add(
          bounds,
          bounds.firstWindowEnd,
          drawRecords(prng, keys, 1 + prng.below(30), () => bounds.start),
        )
      } else if (what < 7) {
        // Late for some windows, that have fired here or only where its partition is.
        const bounds = slices.of(bench.floorEnd - slices.slide + prng.below(3 * slices.size) - slices.size)
        const windows = (bounds.lastWindowEnd - bounds.firstWindowEnd) / slices.slide
        const countsFrom = bounds.firstWindowEnd + slices.slide * (1 + prng.below(windows))
        if (countsFrom < bench.floorEnd || countsFrom > bounds.lastWindowEnd) continue
        bench.add(
          bounds,
          countsFrom,
          drawRecords(prng, keys, 1 + prng.below(10), () => bounds.start),
        )
      } else if (what < 9) {
        for (
          let times = prng.pick([1, 1, 5, 30]);
          times > 0 && bench.pieces.nextEnd(bench.floorEnd) < Infinity;
          times--
        ) {
          bench.fire()
        }
      } else {
        if (prng.chance(0.5)) bench.forgetKeys()
        keys = Math.min(1000, Math.ceil(keys * prng.pick([1, 1.5, 4])))
      }
      bench.check()
      if (what < 7) expect(bench.sealed()).toEqual(sealed)
    }
    while (bench.pieces.nextEnd(bench.floorEnd) < Infinity) bench.fire()
    expect(bench.pieces.countWindows(bench.floorEnd)).toBe(0)
    bench.release()
  }
}, 600_000)
