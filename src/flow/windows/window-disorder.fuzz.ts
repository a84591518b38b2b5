/** Windows over streams in no order of time, against their slow twin: how far out of order, what is late, how many pieces. */
import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import type { Plan, SlicedWindowSpec } from "../plan.ts"
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
const BIG = Number.MAX_SAFE_INTEGER
const COLUMNS = {
  at: t.timestamp(),
  key: t.int32,
  text: t.string.nullable(),
  keep: t.bool,
  n: t.int53.nullable(),
  big: t.int64,
  x: t.float64,
}

const WINDOWS: readonly SlicedWindowSpec[] = [
  tumbling(10),
  tumbling(7, -3),
  hopping(20, 10),
  hopping(50, 10, 7),
  hopping(60, 1),
  hopping(25, 10),
  hopping(7, 5, 2),
  hopping(45, 10, -4),
  hopping(10, 25),
  hopping(3, 7, 1),
  hopping(3_600_000_000, 60_000_000),
  hopping(90_000_001, 60_000_000, 5),
]

const AGGREGATES: readonly FixtureAggregates[] = [
  { count: ["count"], sum: ["sum", "x"] },
  { n: ["sum", "n"], big: ["mean", "big"], count: ["count"] },
  {
    y: [
      "max",
      {
        type: COLUMNS.n,
        lambda: (row: Row) => {
          if (row["text"] === "bad") throw new Error("bad")
          return row["n"]
        },
      },
    ],
    n: ["sum", "n"],
  },
  { first: ["first", "text"], last: ["last", "n"], min: ["min", "x"], mean: ["mean", "x"] },
]

function slideOf(window: SlicedWindowSpec): number {
  return window.kind === "tumbling" ? window.sizeMicros : window.slideMicros
}

/** Filters in front of the window leave selections; late rows are windowed again. */
function planOf(prng: Prng, window: SlicedWindowSpec): { plan: Plan; bound: number } {
  const fixture = new PlanFixture()
  const { sizeMicros: size } = window
  const slide = slideOf(window)
  const bound = prng.pick([0, 0, 1, Math.floor(slide / 2), slide - 1, slide, size, 3 * size])
  const source = fixture.source(COLUMNS)
  const timed = fixture.eventTime(prng.chance(0.2) ? fixture.filter(source, (row: Row) => row["keep"]) : source, bound)
  const kept = prng.chance(0.3) ? fixture.filter(timed, (row: Row) => row["keep"]) : timed
  const input = prng.chance(0.2) ? fixture.notNull(kept, "text") : kept
  const keys = prng.pick([["key"], ["key"], ["text"], ["key", "text"], []])
  const first = fixture.window(input, window, keys, prng.pick(AGGREGATES))
  fixture.output("results", first)
  fixture.output("late", [first, "late"])
  if (prng.chance(0.3)) {
    fixture.output("ofLate", fixture.window([first, "late"], hopping(size * 4, slide), keys, { count: ["count"] }))
  }
  return { plan: fixture.plan, bound }
}

function eventsOf(prng: Prng, window: SlicedWindowSpec, bound: number): JobEvent[] {
  const partitions = prng.pick([1, 1, 1, 2])
  const events: JobEvent[] = Array.from({ length: partitions }, (_, each) => partitionEvent("open", each))
  const { sizeMicros: size } = window
  const slide = slideOf(window)
  const end = BIG - size - 2 * slide
  const start = prng.pick([0, 0, -7 * size, -1_000_000_007, 1_700_000_000_000_000, end - 3 * size, -BIG + 5])
  const times = Array.from({ length: partitions }, () => start)
  const hasExtremes = prng.chance(0.3)
  /** How far records reach back: within the bound, and a little or far beyond it. */
  const reach = Math.ceil((bound + 1) * prng.pick([0.5, 1, 1, 1.3, 2])) + prng.pick([0, 0, slide, size])
  const [backChance, step] = [prng.pick([0.1, 0.5, 1]), Math.ceil(slide * prng.pick([0.02, 0.2, 1.5]))]
  let keys = prng.pick([1, 3, 40])
  let left = 40 + prng.below(160)
  while (left > 0) {
    const partition = prng.below(partitions)
    const length = Math.min(left, 1 + prng.below(prng.pick([4, 120])))
    left -= length
    const records = Array.from({ length }, (): Row => {
      const gap = prng.chance(0.01) ? prng.pick([size * 3, slide * 300]) : 0
      times[partition]! += prng.below(step + 1) + gap
      const back = prng.chance(backChance) ? prng.below(reach) : 0
      return {
        at: Math.max(-BIG, Math.min(BIG, times[partition]! - back)),
        key: prng.below(keys) * prng.pick([1, 1, 4096]),
        text: prng.pick(["", "x", "bad", null]),
        keep: prng.chance(0.7),
        n: prng.chance(0.2)
          ? null
          : hasExtremes && prng.chance(0.5)
            ? prng.pick([BIG, -BIG, 1, -1])
            : prng.below(9) - 4,
        big: hasExtremes && prng.chance(0.5) ? prng.pick([2n ** 63n - 1n, -(2n ** 63n), 1n]) : BigInt(prng.below(9)),
        x: prng.chance(0.1) ? prng.pick([NaN, Infinity, -Infinity, -0, 1e300]) : prng.float() - 0.5,
      }
    })
    events.push(rows(partition, ...records))
    keys = Math.max(1, Math.min(200, Math.ceil(keys * prng.pick([0.3, 1, 1, 2.5]))))
  }
  return [...events, { kind: "drain" }]
}

it("F1 F3 W4 W5 W6 W7 W8 W13 W16 W18 records in no order count as they do one by one: any bound, batches, restarts", () => {
  const arena = new Arena({ maxBytes: 16 << 20 })
  const seen = { results: 0, late: 0, failed: 0, refused: 0, ofLate: 0 }
  for (let seed = 0; seed < 1500 * SCALE; seed++) {
    const ofPlan = new Prng(Math.floor(seed / 5))
    const window = ofPlan.pick(WINDOWS)
    const { plan, bound } = planOf(ofPlan, window)
    const job = { plan, events: eventsOf(new Prng(seed + 2 ** 31), window, bound) }
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const batchRows = prng.pick([1, 2, 7, 64, 1000, 1000])
    const restoreChance = prng.pick([0, 0.1, 0.3])
    const fast = new JobRun(job, { prng, arena, restoreChance, compile: "off", batchRows }).run()
    const difference = differenceOf(slow, fast)
    if (difference !== undefined) {
      expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
      expect.fail(`seed ${seed}: ${difference} differ in bits`)
    }
    seen.results += slow.outputs.get("results")!.length
    seen.late += slow.outputs.get("late")!.length
    seen.ofLate += slow.outputs.get("ofLate")?.length ?? 0
    seen.failed += slow.failedResults.size
    seen.refused += slow.failures.size
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
