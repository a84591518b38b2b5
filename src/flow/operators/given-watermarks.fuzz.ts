/** Watermarks that a function gives, against the slow twin, in random jobs: see `random-job.reference.ts`. */
import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { differenceOf, JobRun, randomJob, runSlowly, UNITS, type RandomWindows } from "../random-job.reference.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

const STRATEGIES: RandomWindows = {
  units: UNITS,
  draw: (prng, unit) => {
    const sizeMicros = (1 + prng.below(8)) * unit
    if (prng.chance(0.3)) return { kind: "session", gapMicros: sizeMicros }
    if (prng.chance(0.5))
      return { kind: "hopping", sizeMicros, slideMicros: (1 + prng.below(4)) * unit, offsetMicros: 0 }
    return { kind: "tumbling", sizeMicros, offsetMicros: 0 }
  },
  drawFiring: (prng) => (prng.chance(0.2) ? { early: [], latenessMicros: 5, isPurging: true } : undefined),
  // Some rows say nothing, some how far it is, some that it is further, and some fail.
  watermark: (prng, unit) => {
    const delay = (prng.below(6) - 1) * unit
    return (row: Row) => {
      if (row["k0"] === "b") throw new Error("b is refused")
      if (row["k0"] === "é") return "no time"
      return row["keep"] === true ? null : (row["at"] as number) - delay
    }
  },
}

it("T2 T3 T12 F1 F3 3,000 random jobs give, bit for bit, what their slow twins give", () => {
  let late = 0
  for (let seed = SEED; seed < SEED + 3_000 * SCALE; seed++) {
    const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33), STRATEGIES)
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const restoreChance = prng.pick([0, 0.1, 0.25])
    const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off" }).run()
    late += slow.outputs.get("late")!.length
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
    expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
  }
  expect(late).toBeGreaterThan(1_000 * SCALE)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
