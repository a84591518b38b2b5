import { describe, expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { t } from "../batch/types.ts"
import { hopping, MINUTE, PlanFixture, tumbling, type FixtureAggregates } from "./plan-fixture.reference.ts"
import type { Plan, WindowAggregateNode, WindowSpec } from "./plan.ts"
import { windowGroups } from "./shared-windows.ts"
import { signatureDifference } from "./signature-difference.ts"
import { stateSignature } from "./state-signature.ts"

const COLUMNS = { at: t.timestamp(), other: t.timestamp(), key: t.string, area: t.string, x: t.float64 }
const COUNT: FixtureAggregates = { count: ["count"] }

/** The ids that share with each other, by group. */
function sharing(plan: Plan): string[][] {
  return windowGroups(plan).map(({ members }) => members.map(({ id }) => id))
}

function withTime(): { fixture: PlanFixture; timed: number } {
  const fixture = new PlanFixture()
  return { fixture, timed: fixture.eventTime(fixture.source(COLUMNS)) }
}

/** Windows over one stream, named window2, window3, …. */
function planOf(...windows: readonly WindowSpec[]): Plan {
  const { fixture, timed } = withTime()
  for (const window of windows) fixture.window(timed, window, ["key"], COUNT)
  return fixture.plan
}

describe("W20 windows share slices", () => {
  it("where rows, keys and event time are the same, whatever their lengths and aggregates", () => {
    const { fixture, timed } = withTime()
    fixture.window(timed, tumbling(MINUTE), ["key"], COUNT)
    fixture.window(timed, hopping(10 * MINUTE, MINUTE), ["key"], { x: ["sum", "x"], count: ["count"] })
    fixture.window(timed, hopping(5 * MINUTE, 2 * MINUTE, MINUTE), ["key"], { most: ["max", "x"] })
    expect(sharing(fixture.plan)).toEqual([["window2", "window3", "window4"]])
    const [{ grid, aggregates }] = windowGroups(fixture.plan) as [ReturnType<typeof windowGroups>[number]]
    expect(grid).toEqual(hopping(10 * MINUTE, MINUTE, 0))
    expect(aggregates.map(({ kind }) => kind)).toEqual(["count", "sum", "max"])
  })

  it("not with a window that is alone, nor one over other rows or by other keys", () => {
    expect(sharing(planOf(tumbling(MINUTE)))).toEqual([])
    const { fixture, timed } = withTime()
    const filtered = fixture.filter(timed, () => true)
    const first = fixture.window(timed, tumbling(MINUTE), ["key"], COUNT)
    fixture.window(filtered, tumbling(MINUTE), ["key"], COUNT)
    fixture.window([first, "late"], tumbling(MINUTE), ["key"], COUNT)
    fixture.window(first, tumbling(MINUTE), ["key"], COUNT, "windowEnd")
    fixture.window(timed, tumbling(MINUTE), ["area"], COUNT)
    fixture.window(timed, tumbling(MINUTE), ["area", "key"], COUNT)
    fixture.window(timed, tumbling(MINUTE), ["key", "area"], COUNT)
    fixture.window(timed, tumbling(MINUTE), [], COUNT)
    expect(sharing(fixture.plan)).toEqual([])
  })

  it("behind one filter, of late rows, of results, and without keys", () => {
    const { fixture, timed } = withTime()
    const filtered = fixture.filter(timed, () => true)
    const first = fixture.window(timed, tumbling(MINUTE), ["key"], COUNT)
    const sources = [
      [filtered, "at", ["key"]],
      [[first, "late"], "at", ["key"]],
      [first, "windowEnd", ["key"]],
      [timed, "at", []],
    ] as const
    for (const [from, timeColumn, keys] of sources) {
      fixture.window(from, tumbling(MINUTE), keys, COUNT, timeColumn)
      fixture.window(from, tumbling(2 * MINUTE), keys, COUNT, timeColumn)
    }
    expect(sharing(fixture.plan)).toEqual([
      ["window10", "window11"],
      ["window4", "window5"],
      ["window6", "window7"],
      ["window8", "window9"],
    ])
  })

  it("not with a window that leaves gaps", () => {
    expect(sharing(planOf(tumbling(MINUTE), hopping(MINUTE, 2 * MINUTE), hopping(2 * MINUTE, MINUTE)))).toEqual([
      ["window2", "window4"],
    ])
  })

  it("only where the same lambdas are read: a record fails for all or for none", () => {
    const lambda = (row: { x: number }) => row.x
    const same = { lambda, type: t.float64 }
    const copy = { lambda: (row: { x: number }) => row.x, type: t.float64 }
    const { fixture, timed } = withTime()
    fixture.window(timed, tumbling(MINUTE), ["key"], { x: ["sum", same] })
    fixture.window(timed, tumbling(2 * MINUTE), ["key"], { most: ["max", same], y: ["sum", same], count: ["count"] })
    fixture.window(timed, tumbling(MINUTE), ["key"], { x: ["sum", copy] })
    fixture.window(timed, tumbling(MINUTE), ["key"], COUNT)
    fixture.window(timed, tumbling(2 * MINUTE), ["key"], COUNT)
    expect(sharing(fixture.plan)).toEqual([
      ["window2", "window3"],
      ["window5", "window6"],
    ])
    expect(windowGroups(fixture.plan)[0]!.aggregates).toHaveLength(3)
  })

  it("only where their edges lie on a grid that is not too fine for them, taken together", () => {
    expect(sharing(planOf(tumbling(MINUTE), tumbling(MINUTE, 1)))).toEqual([])
    expect(sharing(planOf(tumbling(MINUTE), tumbling(61_000_000)))).toEqual([])
    // What two do not share others may, and many share what a few of them would not.
    const apart = planOf(tumbling(MINUTE), tumbling(MINUTE, 1), tumbling(2 * MINUTE), tumbling(2 * MINUTE, 1))
    expect(sharing(apart).flat().sort()).toEqual(["window2", "window3", "window4", "window5"])
    expect(sharing(apart)).toHaveLength(2)
    const queries = Array.from({ length: 100 }, (_, query) => hopping((100 + query) * 1e6, 100e6))
    expect(sharing(planOf(...queries)).map(({ length }) => length)).toEqual([100])
    expect(sharing(planOf(...queries.slice(0, 2)))).toEqual([])
  })

  it("SW1 SW2 in whatever order the nodes of the plan stand", () => {
    const prng = new Prng(1)
    for (let each = 0; each < 200; each++) {
      const windows = Array.from({ length: 2 + prng.below(8) }, () => {
        const slide = prng.pick([1, 2, 7, 60, 3600]) * prng.pick([1, 1000])
        return hopping(slide * (1 + prng.below(4)), slide, prng.below(3))
      })
      const { nodes, outputs } = planOf(...windows)
      const groupsOf = (order: readonly number[]) => {
        const shuffled = [...nodes.slice(0, 2), ...order.map((index) => nodes[index + 2]!)]
        return sharing({ jobName: "job", nodes: shuffled, outputs })
      }
      const order = windows.map((_, index) => index)
      const groups = groupsOf(order)
      expect(groupsOf(prng.shuffle([...order])).toSorted()).toEqual(groups.toSorted())
      expect(new Set(groups.flat()).size).toBe(groups.flat().length)
      expect(groups.every(({ length }) => length > 1)).toBe(true)
    }
  })
})

describe("the signature of windows that share slices", () => {
  function signatures(...windows: readonly WindowSpec[]): string[] {
    const plan = planOf(...windows)
    return plan.nodes.slice(2).map((node) => stateSignature(plan, node as WindowAggregateNode))
  }

  it("names all for the one that has their state, and that one for the others", () => {
    expect(signatures(tumbling(MINUTE), tumbling(2 * MINUTE))).toEqual([
      'windowAggregate/2 tumbling 1m by ("key": string) of ("count": count()), in slices of ' +
        '("window2": tumbling 1m of (count #0), "window3": tumbling 2m of (count #0))',
      'windowAggregate/2 tumbling 2m by ("key": string) of ("count": count()), in slices of "window2"',
    ])
  })

  it("differs in words", () => {
    const [alone] = signatures(tumbling(MINUTE))
    const [owner] = signatures(tumbling(MINUTE), tumbling(2 * MINUTE))
    const shared = '("window2": tumbling 1m of (count #0), "window3": tumbling 2m of (count #0))'
    expect(signatureDifference(alone!, owner!)).toEqual([`its slices were its own and are now those of ${shared}`])
    expect(signatureDifference(owner!, alone!)).toEqual([`its slices were those of ${shared} and are now its own`])
  })
})
