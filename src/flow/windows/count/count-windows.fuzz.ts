/** Windows of so many records against their slow twin, in random jobs: see `random-job.reference.ts` for what is random. */
import { expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { differenceOf, JobRun, randomJob, runSlowly, UNITS, type RandomWindows } from "../../random-job.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

const COUNTS: RandomWindows = {
  units: UNITS,
  draw: (prng, unit) => {
    const sizeMicros = (1 + prng.below(12)) * unit
    // Windows over results are now and then such that time cuts.
    if (prng.chance(0.2)) return { kind: "tumbling", sizeMicros, offsetMicros: 0 }
    if (prng.chance(0.1)) return { kind: "session", gapMicros: sizeMicros }
    const count = 1 + prng.below(7)
    return { kind: "count", count, every: prng.chance(0.3) ? count : 1 + prng.below(7) }
  },
}

it("F1 F2 F3 W64 W65 W66 W67 4,000 random jobs give, bit for bit, what their slow twins give", () => {
  let results = 0
  for (let seed = SEED; seed < SEED + 4000 * SCALE; seed++) {
    const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33), COUNTS)
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
  expect(results).toBeGreaterThan(4000 * SCALE)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
