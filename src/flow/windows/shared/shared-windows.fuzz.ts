/** Windows that share slices against their slow twins, each of which is one window; and against the windows alone. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../../batch/arena.ts"
import { Prng } from "../../../base/prng.ts"
import { t } from "../../../batch/types.ts"
import {
  hopping,
  partitionEvent,
  PlanFixture,
  rows,
  tumbling,
  type FixtureAggregates,
} from "../../plan-fixture.reference.ts"
import type { Plan, WindowSpec } from "../../plan.ts"
import { differenceOf, JobRun, runSlowly, type JobEvent } from "../../random-job.reference.ts"
import { windowGroups } from "../../shared-windows.ts"
import type { Row } from "../window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
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

const failing = {
  type: COLUMNS.n,
  lambda: (row: Row) => {
    if (row["key"] === "bad") throw new Error("bad")
    return row["n"]
  },
}

const SPECS: readonly [string, FixtureAggregates[string]][] = [
  ["count", ["count"]],
  ["x", ["sum", "x"]],
  ["mean", ["mean", "x"]],
  ["n", ["sum", "n"]],
  ["big", ["sum", "big"]],
  ["bigMean", ["mean", "big"]],
  ["min", ["min", "x"]],
  ["max", ["max", "n"]],
  ["first", ["first", "text"]],
  ["last", ["last", "n"]],
]

function randomWindow(prng: Prng, unit: number): WindowSpec {
  const offset = prng.pick([0, 0, 0, 1, -3, 7]) * unit
  const size = prng.pick([1, 2, 3, 5, 10, 16, 17, 40, 64, 70]) * unit
  if (prng.chance(0.3)) return tumbling(size, offset)
  const slide = prng.pick([1, 2, 3, 4, 5, 10]) * unit
  return hopping(Math.max(size, slide), slide, offset)
}

function randomAggregates(prng: Prng): FixtureAggregates {
  const count = 1 + prng.below(4)
  return Object.fromEntries(prng.shuffle([...SPECS]).slice(0, count))
}

/** A plan, and each of its windows in a plan of its own. */
function togetherAndAlone(prng: Prng): { together: Plan; alone: Plan[] } {
  const outOfOrder = prng.pick([0, 4, 30])
  // Sums of small integers among them: what is exact is the same in any order.
  const names = new Set(["count", "n", "bigMean", "min", "max", "last"])
  const specs = SPECS.filter(([name]) => names.has(name))
  const windows = Array.from({ length: 2 + prng.below(6) }, () => {
    return [randomWindow(prng, 1), Object.fromEntries(prng.shuffle([...specs]).slice(0, 1 + prng.below(3)))] as const
  })
  const planWith = (chosen: typeof windows) => {
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrder)
    for (const each of chosen) {
      const windowed = fixture.window(timed, each[0], ["key"], each[1])
      fixture.output(`results${windows.indexOf(each)}`, windowed)
      fixture.output(`late${windows.indexOf(each)}`, [windowed, "late"])
    }
    return fixture.plan
  }
  return { together: planWith(windows), alone: windows.map((each) => planWith([each])) }
}

/** Two to twelve windows by the same keys, some perhaps behind a filter, with a lambda or by other keys. */
function planOf(prng: Prng): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), prng.pick([0, 0, 4, 30]))
  const filtered = fixture.filter(timed, (row: Row) => row["keep"])
  const unit = prng.pick([1, 1, 1, 5])
  const keys = prng.pick([["key"], ["key"], ["keep", "key"], []])
  const withLambda = prng.chance(0.2)
  const count = 2 + prng.below(11)
  for (let each = 0; each < count; each++) {
    const input = prng.chance(0.05) ? filtered : timed
    const lambda: FixtureAggregates = withLambda && prng.chance(0.9) ? { lambda: ["sum", failing] } : {}
    const windowed = fixture.window(input, randomWindow(prng, unit), prng.chance(0.05) ? ["keep"] : keys, {
      ...randomAggregates(prng),
      ...lambda,
    })
    fixture.output(`results${each}`, windowed)
    fixture.output(`late${each}`, [windowed, "late"])
    if (prng.chance(0.05)) {
      const again = { windows: ["count"], start: ["max", "windowStart"] } as const
      fixture.output(`again${each}`, fixture.window(windowed, tumbling(20 * unit), [], again, "windowEnd"))
      fixture.output(`others${each}`, fixture.window(windowed, hopping(30 * unit, 10 * unit), [], again, "windowEnd"))
    }
  }
  return fixture.plan
}

function eventsOf(prng: Prng, hasExtremes = prng.chance(0.3), mayDrain = true): JobEvent[] {
  const partitions = prng.pick([1, 1, 2, 3])
  const events: JobEvent[] = Array.from({ length: partitions }, (_, each) => partitionEvent("open", each))
  const start = prng.pick([0, -100, -1_000_000_007, 1_700_000_000_000_000])
  const times = Array.from({ length: partitions }, () => start)
  let isOrdered = true
  for (let each = prng.pick([3, 6, 12]); each > 0; each--) {
    const partition = prng.below(partitions)
    const step = prng.pick([1, 2, 5, 30])
    // Keys become many and few again.
    const keys = prng.pick([
      ["a"],
      ["a", "b", null, ""],
      ["a", "bad", "c"],
      Array.from({ length: 30 }, (_, key) => `k${key}`),
    ])
    isOrdered = isOrdered ? prng.chance(0.8) : prng.chance(0.5)
    const records = Array.from({ length: 1 + prng.below(24) }, (): Row => {
      times[partition]! += prng.below(step) + (prng.chance(0.02) ? prng.pick([200, 5000]) : 0)
      const back = isOrdered || prng.chance(0.6) ? 0 : prng.below(prng.pick([5, 25, 90]))
      return {
        at: times[partition]! - back,
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
    if (mayDrain && prng.chance(0.03)) events.push({ kind: "drain" })
  }
  return [...events, { kind: "drain" }]
}

describe("windows that share slices", () => {
  it("F1 F3 W4 W6 W9 W20 W21 W24 each gives, bit for bit, what its twin gives: batches of any size, restored in between", () => {
    const arena = new Arena({ maxBytes: 32 << 20 })
    const seen = { grouped: 0, results: 0, late: 0, failed: 0, failedResults: 0 }
    for (let seed = 0; seed < 400 * SCALE; seed++) {
      const job = { plan: planOf(new Prng(Math.floor(seed / 8))), events: eventsOf(new Prng(seed + 2 ** 33)) }
      const slow = runSlowly(job)
      const prng = new Prng(seed + 2 ** 32)
      const batchRows = prng.pick([1, 2, 7, 1000, 1000])
      const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2]), compile: "off", batchRows }).run()
      const difference = differenceOf(slow, fast)
      if (difference !== undefined) {
        expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
        expect.fail(`seed ${seed}: ${difference} differ in bits`)
      }
      seen.grouped += windowGroups(job.plan).reduce((all, { members }) => all + members.length, 0)
      for (const [name, { length }] of slow.outputs) seen[name.startsWith("late") ? "late" : "results"] += length
      seen.failed += slow.failures.size
      seen.failedResults += slow.failedResults.size
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20)
    expect(arena.usedBytes).toBe(0)
  }, 900_000)

  it("W21 each gives what it gives alone", () => {
    const arena = new Arena({ maxBytes: 32 << 20 })
    let compared = 0
    const inOrder = (given: readonly Row[]) => {
      return given
        .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)))
        .sort()
    }
    for (let seed = 0; seed < 200 * SCALE; seed++) {
      const { together, alone } = togetherAndAlone(new Prng(Math.floor(seed / 4)))
      // A drain takes the watermark to the end of the last window, which is another one where there are others.
      const events = eventsOf(new Prng(seed + 2 ** 33), false, false)
      const run = (plan: Plan) => {
        const options = { prng: new Prng(seed), arena, restoreChance: 0.1, compile: "off" } as const
        return new JobRun({ plan, events }, options).run()
      }
      const { outputs } = run(together)
      for (const plan of alone) {
        for (const [name, expected] of run(plan).outputs) {
          expect(inOrder(outputs.get(name)!), `seed ${seed}, ${name}`).toEqual(inOrder(expected))
          compared += expected.length
        }
      }
    }
    expect(compared).toBeGreaterThan(1000)
    expect(arena.usedBytes).toBe(0)
  }, 300_000)
})
