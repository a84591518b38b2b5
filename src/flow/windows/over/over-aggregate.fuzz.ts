/** Aggregates over a range against their slow twin, in random jobs: see `random-job.reference.ts` for what is random. */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { differenceOf, JobRun, randomJob, runSlowly, UNITS, type RandomWindows } from "../../random-job.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

const RANGES: RandomWindows = {
  units: UNITS,
  draw: (prng, unit) => {
    const sizeMicros = (1 + prng.below(12)) * unit
    return prng.chance(0.3)
      ? { kind: "session", gapMicros: sizeMicros }
      : { kind: "tumbling", sizeMicros, offsetMicros: 0 }
  },
  drawRange: (prng, unit) => (prng.chance(0.8) ? prng.below(20) * prng.pick([0, 1, 1, 1]) * unit : undefined),
}

it("F1 F2 F3 W80 W81 W82 W83 4,000 random jobs give, bit for bit, what their slow twins give", () => {
  let results = 0
  for (let seed = SEED; seed < SEED + 4000 * SCALE; seed++) {
    const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33), RANGES)
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const restoreChance = prng.pick([0, 0.1, 0.25])
    const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off" }).run()
    for (const rows of slow.outputs.values()) results += rows.length
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
    expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
  }
  expect(results).toBeGreaterThan(40_000 * SCALE)
  expect(arena.usedBytes).toBe(0)
}, 900_000)
