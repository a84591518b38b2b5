/** Windows that fire more than once against their slow twin, in random jobs: see `random-job.reference.ts`. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import type { FiringSpec, TriggerSpec } from "../../plan.ts"
import { differenceOf, JobRun, randomJob, runSlowly, UNITS, type RandomWindows } from "../../random-job.reference.ts"
import type { Row } from "../window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

/** True for some rows, false for others, and now and then nothing that is either. */
function punctuation(row: Row): unknown {
  return row["k0"] === "c" ? null : row["keep"] === false
}

function firing(prng: Prng, unit: number): FiringSpec {
  const all: TriggerSpec[] = [
    { kind: "count", count: 1 + prng.below(4) },
    { kind: "eventTime", everyMicros: (1 + prng.below(6)) * unit },
    { kind: "clock", everyMicros: (1 + prng.below(6)) * unit },
    { kind: "punctuation", lambda: punctuation },
  ]
  const early = prng.shuffle(all).slice(0, prng.below(4))
  return { early, latenessMicros: prng.chance(0.5) ? 0 : prng.below(20) * unit, isPurging: prng.chance(0.4) }
}

const HOUR = 3_600_000_000
const plain: RandomWindows["draw"] = (prng, unit) => {
  const sizeMicros = (1 + prng.below(12)) * unit
  const offsetMicros = prng.pick([0, unit, -3])
  if (prng.chance(0.4)) return { kind: "tumbling", sizeMicros, offsetMicros }
  return { kind: "hopping", sizeMicros, slideMicros: (1 + prng.below(8)) * unit, offsetMicros }
}

const KINDS: Readonly<Record<string, RandomWindows>> = {
  "tumbling and hopping windows": { units: UNITS, draw: plain, drawFiring: firing },
  sessions: {
    units: UNITS,
    draw: (prng, unit) => ({ kind: "session", gapMicros: (1 + prng.below(6)) * unit }),
    drawFiring: firing,
  },
  "windows without an end": {
    units: UNITS,
    draw: (prng, unit) => (prng.chance(0.8) ? { kind: "global" } : plain(prng, unit)),
    drawFiring: firing,
  },
  "windows among others": {
    units: [HOUR, 5 * HOUR],
    draw: (prng, unit) =>
      prng.chance(0.3)
        ? { kind: "calendar", unit: "day", count: 1, zone: "Europe/Berlin", offsetMicros: 0 }
        : plain(prng, unit),
    drawFiring: (prng, unit) => (prng.chance(0.5) ? firing(prng, unit) : undefined),
  },
}

describe.each(Object.entries(KINDS))("%s", (_name, windows) => {
  it("F1 F2 F3 W70 W71 W72 W73 2,500 random jobs of each kind give, bit for bit, what their slow twins give", () => {
    const seen = { results: 0, deletes: 0, late: 0 }
    for (let seed = SEED; seed < SEED + 2_500 * SCALE; seed++) {
      const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33), windows)
      const slow = runSlowly(job)
      const prng = new Prng(seed + 2 ** 32)
      const restoreChance = prng.pick([0, 0.1, 0.25])
      const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off" }).run()
      seen.results += slow.outputs.get("first")!.length
      seen.late += slow.outputs.get("late")!.length
      seen.deletes += slow.outputs.get("first")!.filter(({ op }) => op === "delete").length
      const difference = differenceOf(slow, fast)
      if (difference === undefined) continue
      expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
      expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
    }
    expect(seen.results).toBeGreaterThan(7_500 * SCALE)
    if (_name === "sessions") expect(seen.deletes).toBeGreaterThan(250 * SCALE)
    expect(arena.usedBytes).toBe(0)
  }, 900_000)
})
