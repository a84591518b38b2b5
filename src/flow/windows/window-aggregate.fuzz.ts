/** Windows over streams that come in order, which take the fast way, against their slow twin; and over long streams. */
import { describe, expect, it } from "vitest"
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

describe("streams in order of time", () => {
  const BIG = Number.MAX_SAFE_INTEGER
  const COLUMNS = {
    at: t.timestamp(),
    key: t.string.nullable(),
    keep: t.bool,
    n: t.int53.nullable(),
    big: t.int64,
    x: t.float64,
    text: t.string.nullable(),
  }
  const WINDOWS: readonly WindowSpec[] = [
    tumbling(10),
    tumbling(7, -3),
    hopping(20, 10),
    hopping(50, 10, 7),
    hopping(60, 1),
    hopping(25, 10),
    hopping(7, 5, 2),
    hopping(10, 25),
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
            if (row["key"] === "bad") throw new Error("bad")
            return row["n"]
          },
        },
      ],
      n: ["sum", "n"],
    },
    { first: ["first", "text"], last: ["last", "n"], min: ["min", "x"], mean: ["mean", "x"] },
  ]

  /** Filters in front of the window leave selections, and nothing of some batches; its results are windowed again. */
  function planOf(prng: Prng): Plan {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS), prng.pick([0, 0, 4]))
    const kept = prng.chance(0.5) ? fixture.filter(timed, (row: Row) => row["keep"]) : timed
    const input = prng.chance(0.3) ? fixture.notNull(kept, "text") : kept
    const keys = prng.pick([["key"], ["key"], ["keep", "key"], []])
    const first = fixture.window(input, prng.pick(WINDOWS), keys, prng.pick(AGGREGATES))
    fixture.output("results", first)
    fixture.output("late", [first, "late"])
    const again = prng.pick([tumbling(30), hopping(40, 10), hopping(15, 10)])
    const second = fixture.window(
      first,
      again,
      keys,
      { windows: ["count"], start: ["max", "windowStart"] },
      "windowEnd",
    )
    fixture.output("again", second)
    return fixture.plan
  }

  function eventsOf(prng: Prng): JobEvent[] {
    const partitions = prng.pick([1, 1, 1, 2])
    const events: JobEvent[] = Array.from({ length: partitions }, (_, each) => partitionEvent("open", each))
    const keys = prng.pick([["a"], ["a", "b", null, ""], ["a", "bad", "c"]])
    const hasExtremes = prng.chance(0.3)
    const start = prng.pick([0, -100, -1_000_000_007, 1_700_000_000_000_000])
    const times = Array.from({ length: partitions }, () => start)
    // Mostly in order, with stretches that are not: what one way began, the other goes on with.
    let isOrdered = true
    for (let each = prng.pick([3, 6]); each > 0; each--) {
      const partition = prng.below(partitions)
      const step = prng.pick([1, 2, 5, 30])
      isOrdered = isOrdered ? prng.chance(0.8) : prng.chance(0.5)
      const records = Array.from({ length: 1 + prng.below(16) }, (): Row => {
        const gap = prng.chance(0.03) ? prng.pick([200, 5000]) : 0
        times[partition]! += prng.below(step) + gap
        return {
          at: isOrdered || prng.chance(0.6) ? times[partition] : times[partition]! - prng.below(25),
          key: prng.pick(keys),
          keep: prng.chance(0.7),
          n: prng.chance(0.2)
            ? null
            : hasExtremes && prng.chance(0.5)
              ? prng.pick([BIG, -BIG, 1, -1])
              : prng.below(9) - 4,
          big: hasExtremes && prng.chance(0.5) ? prng.pick([2n ** 63n - 1n, -(2n ** 63n), 1n]) : BigInt(prng.below(9)),
          x: prng.chance(0.1) ? prng.pick([NaN, Infinity, -Infinity, -0, 1e300]) : prng.float() - 0.5,
          text: prng.pick(["", "x", "y", null]),
        }
      })
      events.push(rows(partition, ...records))
    }
    return [...events, { kind: "drain" }]
  }

  it("F1 F3 W4 W8 W13 W16 records are added alike, however fast: batches of any size, restored in between", () => {
    const arena = new Arena({ maxBytes: 8 << 20 })
    const seen = { results: 0, late: 0, refused: 0, failed: 0 }
    for (let seed = 0; seed < 1200 * SCALE; seed++) {
      const job = { plan: planOf(new Prng(Math.floor(seed / 6))), events: eventsOf(new Prng(seed)) }
      const slow = runSlowly(job)
      const prng = new Prng(seed + 2 ** 32)
      const batchRows = prng.pick([1, 2, 1000, 1000])
      const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2]), compile: "off", batchRows }).run()
      const difference = differenceOf(slow, fast)
      if (difference !== undefined) {
        expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
        expect.fail(`seed ${seed}: ${difference} differ in bits`)
      }
      seen.results += slow.outputs.get("again")!.length
      seen.late += slow.outputs.get("late")!.length
      seen.refused += slow.failures.size
      seen.failed += slow.failedResults.size
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20)
    expect(arena.usedBytes).toBe(0)
  }, 600_000)
})
