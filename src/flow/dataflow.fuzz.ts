import { expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { Prng } from "../base/prng.ts"
import { differenceOf, JobRun, randomJob, runSlowly } from "./random-job.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with: to generate and compile a plan's code takes longer than to run a small job. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

it("F1 F2 F3 DF3 4,000 random jobs give, bit for bit, what their slow twins give", () => {
  for (let seed = SEED; seed < SEED + 4000 * SCALE; seed++) {
    const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33))
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const fast = new JobRun(job, {
      prng,
      arena,
      restoreChance: prng.pick([0, 0.1, 0.25]),
      compile: prng.pick(["off", "auto"]),
    }).run()
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
    expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
  }
  expect(arena.usedBytes).toBe(0)
}, 600_000)
