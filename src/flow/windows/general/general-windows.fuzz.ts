/** Windows of plain values against their slow twin, in random jobs: see `random-job.reference.ts` for what is random. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { fromIso } from "../../../time/iso.ts"
import { differenceOf, JobRun, randomJob, runSlowly, UNITS, type RandomWindows } from "../../random-job.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

/** How many inputs each plan is tried with. */
const INPUTS = 8

const arena = new Arena({ maxBytes: 16 << 20 })

function offset(prng: Prng, unit: number): number {
  return prng.chance(0.5) ? 0 : (prng.below(41) - 20) * prng.pick([1, unit])
}

function length(prng: Prng, unit: number, most: number): number {
  return (1 + prng.below(most)) * unit + (prng.chance(0.2) ? prng.below(3) : 0)
}

const HOUR = 3_600_000_000

/** Where days differ in length: two hours' and half an hour's changes, midnights that are skipped, a day that is missing. */
const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Sao_Paulo",
  "Pacific/Apia",
  "+05:30",
]
const CHANGES = ["2024-03-30", "2024-10-26", "2023-03-11", "2023-04-01", "2018-11-03", "2011-12-28", "1969-12-20"]

const KINDS: Readonly<Record<string, RandomWindows>> = {
  "sessions W31 W32": {
    units: UNITS,
    draw: (prng, unit) => ({ kind: "session", gapMicros: length(prng, unit, 6) }),
  },
  "windows with steps W30": {
    units: UNITS,
    draw: (prng, unit) => {
      const stepMicros = length(prng, unit, 4)
      const sizeMicros = Math.max(stepMicros, length(prng, unit, 12))
      return { kind: "cumulate", sizeMicros, stepMicros, offsetMicros: offset(prng, unit) }
    },
  },
  "windows by the calendar W40": {
    units: [HOUR, 5 * HOUR, 30 * HOUR],
    starts: CHANGES.map((day) => fromIso(`${day}T00:00:00Z`)),
    draw: (prng) => {
      const unit = prng.pick(["day", "day", "week", "month", "quarter", "year"] as const)
      const count = prng.pick([1, 1, 1, 2, 3])
      return { kind: "calendar", unit, count, zone: prng.pick(ZONES), offsetMicros: prng.pick([0, 0, 6 * HOUR]) }
    },
  },
}

describe.each(Object.entries(KINDS))("%s", (_name, windows) => {
  it("F1 F2 F3 W25 2,000 random jobs give, bit for bit, what their slow twins give", () => {
    for (let seed = SEED; seed < SEED + 2000 * SCALE; seed++) {
      const job = randomJob(new Prng(Math.floor(seed / INPUTS)), new Prng(seed + 2 ** 33), windows)
      const slow = runSlowly(job)
      const prng = new Prng(seed + 2 ** 32)
      const restoreChance = prng.pick([0, 0.1, 0.25])
      const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off" }).run()
      const difference = differenceOf(slow, fast)
      if (difference === undefined) continue
      expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
      expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
    }
    expect(arena.usedBytes).toBe(0)
  }, 600_000)
})
