/** F4: windows that go on from slices, and the epochs since they were begun, give what those give that never stopped. */
import { expect, it } from "vitest"
import { Prng } from "../../base/prng.ts"
import { Arena } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import type { Plan } from "../plan.ts"
import { hopping, PlanFixture, type FixtureAggregates } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import { windowGroups } from "../shared-windows.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const OUT_OF_ORDER = 20

const AGGREGATE_SETS: readonly FixtureAggregates[] = [
  { count: ["count"] },
  { sum: ["sum", "x"], greatest: ["max", "x"], n: ["sum", "n"] },
  { count: ["count"], first: ["first", "text"] },
]

function randomPlan(prng: Prng): Plan {
  const fixture = new PlanFixture()
  const columns = { at: t.timestamp(), key: t.int32, text: t.string, x: t.float64, n: t.int53 }
  const timed = fixture.eventTime(fixture.source(columns), OUT_OF_ORDER)
  const keys = prng.pick([["key"], ["text"], []])
  const windows = prng.pick([1, 1, 2, 3])
  const [unit, factors] = windows === 1 ? [1, 40] : [1 + prng.below(20), 3]
  // Several share their slices.
  for (let index = 0; index < windows; index++) {
    const slide = unit * (1 + prng.below(factors))
    const window = hopping(slide * (1 + prng.below(6)), slide)
    fixture.output(`results${index}`, fixture.window(timed, window, keys, prng.pick(AGGREGATE_SETS)))
  }
  return fixture.plan
}

/** Rows in little order: some are late for some of their windows, and make pieces that wait. */
function randomRows(prng: Prng, from: number, keys: number) {
  const span = prng.pick([1, 5, 50])
  return Array.from({ length: 1 + prng.below(prng.pick([2, 30])) }, () => ({
    at: from + prng.below(span) - prng.below(prng.pick([1, OUT_OF_ORDER, 100])),
    key: prng.below(keys),
    text: `text ${prng.below(keys)}`,
    x: prng.below(1000) / 8,
    n: prng.below(100),
  }))
}

it("E23 F4 WL1 WL2 windows go on from slices that were written while they went on, and from the epochs since", () => {
  let [snapshots, restarts, shared] = [0, 0, 0]
  for (let seed = 0; seed < 300 * SCALE; seed++) {
    const prng = new Prng(seed)
    const arena = new Arena({ maxBytes: 1 << 22 })
    const plan = randomPlan(prng)
    shared += windowGroups(plan).length
    const [one, other] = [new PlanRun(plan, arena).open(), new PlanRun(plan, arena).open()]
    const keys = prng.pick([1, 20, 500])
    const sliceBytes = prng.pick([1, 60, 1000])
    let isBegun = false
    for (let step = 0, time = 0; step < 60; step++, time += prng.below(30)) {
      const rows = randomRows(prng, time, keys)
      one.push(rows)
      other.push(rows)
      for (let left = prng.below(4); isBegun && left > 0; left--) one.writeSlice(sliceBytes)
      if (prng.chance(0.4)) continue
      const before = one.snapshots
      one.writeEpoch()
      if (one.snapshots > before) isBegun = false
      if (!isBegun && prng.chance(0.7)) {
        one.beginSlices()
        isBegun = true
      }
      if (!prng.chance(0.15)) continue
      one.restart("epochs")
      isBegun = false
      restarts++
    }
    one.drain()
    other.drain()
    for (const { name } of plan.outputs) expect(one.take(name), `seed ${seed}`).toEqual(other.take(name))
    snapshots += one.snapshots
    for (const run of [one, other]) run.release()
    expect(arena.usedBytes, `seed ${seed}`).toBe(0)
  }
  expect(shared).toBeGreaterThan(100 * SCALE)
  expect(snapshots).toBeGreaterThan(300 * SCALE)
  expect(restarts).toBeGreaterThan(300 * SCALE)
})
