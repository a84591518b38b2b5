/** Filters of aggregates right behind their windows, which choose rows before keys are stored, against the slow twin. */
import { expect, it, vi } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { Filter } from "../operators/filter.ts"
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
const BIG = Number.MAX_SAFE_INTEGER

const COLUMNS = {
  at: t.timestamp(),
  a: t.int32,
  b: t.int32,
  c: t.int32,
  d: t.int32,
  text: t.string.nullable(),
  flag: t.bool,
  wide: t.int53,
  n: t.int53.nullable(),
  x: t.float64,
  point: t.object({ x: t.float64.nullable(), name: t.string }).nullable(),
}
/** Keys of one to five words, whose parts are stored in all ways there are. */
const KEYS = [
  ["a"],
  ["a", "b"],
  ["a", "b", "c"],
  ["d", "a", "b", "c"],
  ["wide"],
  ["text", "a"],
  ["flag", "a"],
  ["a", "text", "b"],
  ["a", "b", "c", "d", "wide"],
] as const
const WINDOWS: readonly WindowSpec[] = [tumbling(10), hopping(20, 10), hopping(60, 5), hopping(25, 10), hopping(9, 3)]
/** Aggregates, and predicates of them; `sum` of `n` is out of range now and then. */
const AGGREGATES: readonly (readonly [FixtureAggregates, ((row: Row) => unknown)[]])[] = [
  [{ mean: ["mean", "x"] }, [(row) => (row["mean"] as number) > 0.1]],
  [{ count: ["count"], least: ["min", "n"], lastX: ["last", "x"] }, [(row) => (row["count"] as number) > 1]],
  [
    { total: ["sum", "n"], corner: ["first", "point"], isLast: ["last", "flag"] },
    [(row) => row["total"] !== null, (row) => row["total"] === null, (row) => row["isLast"]],
  ],
  [{ low: ["min", "n"], word: ["last", "text"] }, [(row) => row["word"] === "x", (row) => row["low"] !== 3]],
]

function planOf(prng: Prng): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), prng.pick([0, 0, 4]))
  const [aggregates, predicates] = prng.pick(AGGREGATES)
  const window = fixture.window(timed, prng.pick(WINDOWS), prng.pick(KEYS), aggregates)
  fixture.output("kept", fixture.filter(window, prng.pick(predicates)))
  return fixture.plan
}

function eventsOf(prng: Prng): JobEvent[] {
  const keys = prng.pick([1, 3, 12])
  const hasExtremes = prng.chance(0.2)
  let time = 1_700_000_000_000_000
  const batches = Array.from({ length: 4 }, () => {
    const records = Array.from({ length: 1 + prng.below(60) }, (): Row => {
      time += prng.below(3)
      return {
        at: time,
        a: prng.below(keys) - 1,
        b: prng.below(2),
        c: prng.pick([0, -70_000]),
        d: prng.below(2),
        text: prng.pick(["", "x", "y", null]),
        flag: prng.chance(0.5),
        wide: prng.pick([1, -1, BIG]),
        n: prng.chance(0.3) ? null : hasExtremes ? prng.pick([BIG, -BIG, 1]) : prng.below(9) - 4,
        x: prng.chance(0.1) ? prng.pick([NaN, -0, Infinity]) : prng.float() - 0.5,
        point: prng.chance(0.3) ? null : { x: prng.chance(0.3) ? null : prng.float(), name: prng.pick(["p", "q"]) },
      }
    })
    return rows(0, ...records)
  })
  return [partitionEvent("open", 0), ...batches, { kind: "drain" }]
}

it("F1 F3 W4 rows that a filter keeps have the keys and windows that they had: batches of any size, restored in between", () => {
  const arena = new Arena({ maxBytes: 8 << 20 })
  const onBatch = vi.spyOn(Filter.prototype, "onBatch")
  const seen = { deferred: 0, results: 0, failed: 0 }
  for (let seed = 0; seed < 600 * SCALE; seed++) {
    const job = { plan: planOf(new Prng(Math.floor(seed / 4))), events: eventsOf(new Prng(seed)) }
    const slow = runSlowly(job)
    const prng = new Prng(seed + 2 ** 32)
    const batchRows = prng.pick([2, 1000])
    onBatch.mockClear()
    const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.1]), compile: "auto", batchRows }).run()
    const difference = differenceOf(slow, fast)
    if (difference !== undefined) {
      expect(fast, `seed ${seed}: ${difference}`).toEqual(slow)
      expect.fail(`seed ${seed}: ${difference} differ in bits`)
    }
    seen.deferred += onBatch.mock.calls.filter(([batch]) => batch.deferred !== null).length
    seen.results += slow.outputs.get("kept")!.length
    seen.failed += slow.failedResults.size
  }
  onBatch.mockRestore()
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20)
  expect(arena.usedBytes).toBe(0)
}, 600_000)
