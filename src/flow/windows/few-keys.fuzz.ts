/** Windows over streams with few keys, which kernels add and fire by other ways than many, against their slow twin. */
import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { Plan, WindowSpec } from "../plan.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  tumbling,
  type FixtureAggregates,
} from "../plan-fixture.reference.ts"
import { differenceOf, JobRun, runSlowly, type JobEvent } from "../random-job.reference.ts"
import type { Row } from "./window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const COLUMNS = {
  at: t.timestamp(),
  key: t.int32,
  text: t.string,
  other: t.int32,
  keep: t.bool,
  n: t.int53,
  x: t.float64,
  y: t.float64,
}
const KEYS = [["key"], ["key"], ["text"], ["key", "other"]]
const WINDOWS: readonly WindowSpec[] = [
  hopping(60, 1),
  hopping(50, 10, 7),
  hopping(20, 10),
  hopping(25, 10),
  hopping(10, 25),
  tumbling(7, -3),
]
/** The last two are added row by row, and fired as few. */
const AGGREGATES: readonly FixtureAggregates[] = [
  { sum: ["sum", "x"] },
  { mean: ["mean", "x"] },
  { count: ["count"] },
  { count: ["count"], sum: ["sum", "x"], mean: ["mean", "y"] },
  { sum: ["sum", "x"], n: ["sum", "n"], max: ["max", "y"] },
  { first: ["first", "text"], count: ["count"], mean: ["mean", "n"] },
]
const SPECIALS = [NaN, Infinity, -Infinity, -0, 0, 1e300, -1e300, 5e-324]
/** Above four, keys are not few; what is known before grows from part to part. */
const KEY_LISTS = [
  [0, 1, 2, 3],
  [7, 3, 1_000_000, 12],
  [5, -1, 2 ** 31 - 1, -(2 ** 31)],
  [-2, -1, -3],
  [7, 3, 12, -1],
  [4, 3, 2, 1, 0, 9],
]

function planOf(prng: Prng): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), prng.pick([0, 0, 4, 40]))
  const input = prng.chance(0.4) ? fixture.filter(timed, (row: Row) => row["keep"]) : timed
  const results = fixture.window(input, prng.pick(WINDOWS), prng.pick(KEYS), prng.pick(AGGREGATES))
  fixture.output("results", results)
  fixture.output("late", [results, "late"])
  return fixture.plan
}

function eventsOf(prng: Prng): JobEvent[] {
  const list = prng.pick(KEY_LISTS)
  let keyCount = 1 + prng.below(3)
  let time = prng.pick([0, -100, 1_700_000_000_000_000])
  const parts = Array.from({ length: 2 + prng.below(4) }, () => {
    const [step, stay] = [prng.pick([1, 2, 5, 30]), prng.pick([0.2, 0.9])]
    const disorder = prng.chance(0.35) ? 20 : 0
    let key = prng.below(keyCount)
    const records = Array.from({ length: 1 + prng.below(60) }, (): Row => {
      time += prng.below(step) + (prng.chance(0.02) ? prng.pick([200, 5000]) : 0)
      if (!prng.chance(stay)) key = prng.below(keyCount)
      if (prng.chance(0.03)) keyCount = Math.min(list.length, keyCount + 1)
      return {
        at: time - prng.below(disorder + 1),
        key: list[key]!,
        text: `key ${key}`,
        other: key % 2,
        keep: prng.chance(0.7),
        n: prng.below(9) - 4,
        x: prng.chance(0.1) ? prng.pick(SPECIALS) : prng.float() - 0.5,
        y: prng.chance(0.3) ? prng.pick(SPECIALS) : prng.float() - 0.5,
      }
    })
    return rows(0, ...records)
  })
  return [partitionEvent("open", 0), ...parts, { kind: "drain" }]
}

it("F1 F3 W4 W13 IL1 FF1 few keys have the results that many have: batches of any size, restored in between", () => {
  const arena = new Arena({ maxBytes: 1 << 24 })
  const seen = { results: 0, late: 0, zeros: 0 }
  for (let seed = 0; seed < 500 * SCALE; seed++) {
    const job = { plan: planOf(new Prng(Math.floor(seed / 4))), events: eventsOf(new Prng(seed)) }
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const batchRows = prng.pick([1, 7, 1000, 1000])
    const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2]), compile: "off", batchRows }).run()
    const difference = differenceOf(slow, fast)
    if (difference !== undefined) {
      expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
      expect.fail(`seed ${seed}: ${difference} differ in bits`)
    }
    seen.results += slow.outputs.get("results")!.length
    seen.late += slow.outputs.get("late")!.length
    seen.zeros += slow.outputs.get("results")!.filter((row) => Object.is(row["sum"], -0)).length
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
