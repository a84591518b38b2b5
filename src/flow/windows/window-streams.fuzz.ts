/** Windows over long streams: nothing drifts, nothing depends on batches or restarts, and everything grows. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { referenceResult } from "../aggregates/aggregate.reference.ts"
import type { Plan, WindowSpec } from "../plan.ts"
import { hopping, PlanFixture, tumbling, type FixtureAggregates } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import { Slices } from "./kernels/slices.ts"
import type { Row } from "./window-aggregate.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const COLUMNS = { at: t.timestamp(), key: t.int32, x: t.float64, n: t.int64 }
const ALL: FixtureAggregates = {
  count: ["count"],
  sum: ["sum", "x"],
  mean: ["mean", "x"],
  min: ["min", "x"],
  max: ["max", "x"],
  n: ["sum", "n"],
}

type Record = Row & { readonly at: number; readonly key: number; readonly x: number }

function planOf(window: WindowSpec, outOfOrderMicros = 0, aggregates = ALL, keys = ["key"]): Plan {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), outOfOrderMicros)
  fixture.output("results", fixture.window(timed, window, keys, aggregates))
  return fixture.plan
}

/** All results of a plan for records that come in batches of so many rows, restored now and then. */
function resultsOf(
  plan: Plan,
  records: readonly Row[],
  batchRows = 65_536,
  restarts: Prng | undefined = undefined,
): Row[] {
  const arena = new Arena({ maxBytes: 1 << 26 })
  const run = new PlanRun(plan, arena).open()
  const stretch = restarts === undefined ? records.length : Math.ceil(records.length / 12)
  for (let from = 0; from < records.length; from += stretch) {
    run.push(records.slice(from, from + stretch), { batchRows })
    if (restarts !== undefined) run.restart(restarts.pick(["epochs", "snapshot"]))
  }
  run.drain()
  run.release()
  expect(arena.usedBytes).toBe(0)
  return run.take()
}

/** The first place where two lists of rows differ in a bit; `undefined` where there is none. */
function differenceOf(one: readonly Row[], other: readonly Row[]): unknown {
  const isSame = (left: Row, right: Row | undefined) =>
    right !== undefined && Object.keys(left).every((name) => Object.is(left[name], right[name]))
  const at = one.findIndex((row, index) => !isSame(row, other[index]))
  if (at !== -1) return { at, one: one[at], other: other[at] }
  return one.length === other.length ? undefined : { lengths: [one.length, other.length] }
}

function groupedBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

describe("long streams", () => {
  const OVERLAPPING = hopping(1000, 10)
  /** In this stretch of time numbers come that spoil sums for as long as they are in a window. */
  const SPOILED = { from: 1500, until: 2000 }
  const SPECIALS = [NaN, Infinity, -Infinity, -0, 1e300, -1e300, 5e-324]

  /** Keys become many and few again; times go back by less than `disorder`. */
  function draw(prng: Prng, disorder: number): Record[] {
    let time = -700
    return Array.from({ length: 5000 }, () => {
      time += prng.below(3)
      const at = time - prng.below(disorder + 1)
      const keys = 1 + Math.floor(30 * (1 + Math.sin(time / 400)))
      const isSpoiled = at >= SPOILED.from && at < SPOILED.until && prng.chance(0.3)
      const x = isSpoiled ? prng.pick(SPECIALS) : (prng.float() - 0.5) * 10 ** prng.below(9)
      return { at, key: prng.below(keys), x, n: BigInt(prng.below(1000) - 500) }
    })
  }

  it.each([
    [0, ["key"], 10_000],
    [40, ["key"], 10_000],
    [0, [], 500],
    [40, [], 500],
  ])(
    "F1 F3 W13 results have the same bits, whatever batches and restarts there are; disorder %i, keys %o",
    (disorder, keys, resultsMin) => {
      const records = draw(new Prng(disorder), disorder)
      const plan = planOf(OVERLAPPING, disorder, ALL, keys)
      const whole = resultsOf(plan, records)
      expect(whole.length).toBeGreaterThan(resultsMin)
      for (const batchRows of [1, 3, 64, 8192]) {
        expect(differenceOf(whole, resultsOf(plan, records, batchRows)), `batches of ${batchRows}`).toBeUndefined()
      }
      for (const batchRows of [7, 65_536]) {
        const restarted = resultsOf(plan, records, batchRows, new Prng(batchRows))
        expect(differenceOf(whole, restarted), `restarts and batches of ${batchRows}`).toBeUndefined()
      }
    },
  )

  it.each([
    [OVERLAPPING, ["key"]],
    [hopping(995, 10, 3), ["key"]],
    [OVERLAPPING, []],
  ])(
    "W13 what has left a window leaves no trace: results are those of its records alone (%o by %o)",
    (window, keys) => {
      const records = draw(new Prng(3), 40)
      const plan = planOf(window, 40, ALL, keys)
      const results = resultsOf(plan, records)
      const byEnd = groupedBy(results, ({ windowEnd }) => windowEnd as number)
      const ends = [...byEnd.keys()]
      expect(results.some(({ sum }) => Number.isNaN(sum))).toBe(true)
      const prng = new Prng(4)
      const chosen = [...Array.from({ length: 15 }, () => prng.pick(ends)), ...ends.filter((end) => end % 400 === 0)]
      for (const end of chosen) {
        const start = end - window.sizeMicros
        const inside = records.filter(({ at }) => at >= start && at < end)
        const alone = resultsOf(plan, inside).filter(({ windowEnd }) => windowEnd === end)
        expect(differenceOf(byEnd.get(end)!, alone), `the window that ends at ${end}`).toBeUndefined()
      }
    },
  )

  it("W13 after NaN, infinities and huge numbers have left, sums are as if they had never been", () => {
    const records = draw(new Prng(5), 0)
    const plan = planOf(OVERLAPPING)
    const isBehind = ({ windowStart }: Row) => Number(windowStart) >= SPOILED.until
    const spoiled = resultsOf(plan, records)
    const clean = resultsOf(
      plan,
      records.filter(({ at }) => at < SPOILED.from || at >= SPOILED.until),
    )
    expect(spoiled.filter((row) => !Number.isFinite(row["sum"])).length).toBeGreaterThan(500)
    expect(spoiled.filter(isBehind).length).toBeGreaterThan(1000)
    expect(spoiled.filter(isBehind).every((row) => Number.isFinite(row["sum"]))).toBe(true)
    expect(differenceOf(spoiled.filter(isBehind), clean.filter(isBehind))).toBeUndefined()
  })

  it("W13 the last of many windows have the sums of their records, after a hundred thousand of them and more", () => {
    const updates = Math.max(1, Math.floor(100_000 * SCALE))
    const window = hopping(6000, 100)
    const prng = new Prng(7)
    const run = new PlanRun(planOf(window, 0, { sum: ["sum", "x"], n: ["sum", "n"] }), new Arena({ maxBytes: 1 << 24 }))
    run.open()
    let time = 0
    /** Those that may be in one of the last windows. */
    const recent: Record[] = []
    for (let left = updates; left > 0;) {
      const batch = Array.from({ length: Math.min(left, 5000) }, (): Record => {
        time += prng.below(3)
        return {
          at: time,
          key: prng.below(20),
          x: (prng.float() - 0.5) * 10 ** prng.below(16),
          n: BigInt(prng.uint32()),
        }
      })
      left -= batch.length
      if (left < 20_000) {
        recent.push(...batch)
        run.take()
      }
      run.push(batch)
      if (prng.chance(0.05)) run.restart("snapshot")
      if (left >= 20_000) run.take()
    }
    run.drain()
    const results = run.take().filter(({ windowStart }) => Number(windowStart) > Number(recent[0]!.at))
    expect(results.length).toBeGreaterThan(1000)
    const slices = new Slices(window)
    const byKey = groupedBy(recent, ({ key }) => key)
    const wrong = results.filter(({ key, windowStart, windowEnd, sum, n }) => {
      const inside = byKey.get(key as number)!.filter(({ at }) => at >= Number(windowStart) && at < Number(windowEnd))
      const bySlice = [...groupedBy(inside, ({ at }) => slices.of(at).start)]
      const block = Math.ceil(Number(windowStart) / slices.blockLength) * slices.blockLength
      const of = (isOlder: boolean) =>
        bySlice
          .filter(([start]) => start < block === isOlder)
          .map(([, records]) => records.map(({ at, x }) => ({ time: at, value: x })))
      const whole = inside.reduce((total, record) => total + (record["n"] as bigint), 0n)
      return !Object.is(referenceResult("sum", t.float64, [of(true), of(false)]), sum) || whole !== n
    })
    expect(wrong).toEqual([])
    run.release()
  }, 600_000)
})

describe("growth", () => {
  const COUNT_AND_SUM: FixtureAggregates = { count: ["count"], sum: ["sum", "x"], max: ["max", "x"] }

  it.each([1, 2, 63, 64, 65, 128, 1023, 1024, 1025, 8192, 8193, 100_000])(
    "a window has %i keys, each of which keeps its results while arrays grow",
    (keys) => {
      const arena = new Arena({ maxBytes: 1 << 27 })
      for (const window of [tumbling(20), hopping(20, 10)]) {
        const run = new PlanRun(planOf(window, 0, COUNT_AND_SUM), arena).open()
        const prng = new Prng(keys)
        const order = prng.shuffle(Array.from({ length: keys }, (_, key) => key))
        const record = (key: number, at: number) => ({ at, key, x: key / 7, n: 0n })
        // All keys once; half of them again, in another order, in a second slice.
        run.push(
          order.map((key) => record(key, 0)),
          { batchRows: 4096 },
        )
        if (keys < 10_000) run.restart("epochs")
        const again = prng.shuffle(order.filter((key) => key % 2 === 0))
        run.push(
          again.map((key) => record(key, 10)),
          { batchRows: 4096 },
        )
        run.drain()
        const inWindow = run.take().filter(({ windowEnd }) => windowEnd === 20)
        // [0, 20) is a block by itself: keys go by their first appearance.
        const expected = order.map((key) => {
          const count = key % 2 === 0 ? 2 : 1
          return {
            key,
            windowStart: 0,
            windowEnd: 20,
            count,
            sum: count === 2 ? key / 7 + key / 7 : key / 7,
            max: key / 7,
          }
        })
        expect(differenceOf(expected, inWindow)).toBeUndefined()
        run.release()
      }
      expect(arena.usedBytes).toBe(0)
    },
  )

  it.each(["in order", "in no order"])("5,000 slices are open at once; records come %s", (how) => {
    const slices = 5000
    const window = hopping(slices * 10, 10)
    const prng = new Prng(1)
    const times = Array.from({ length: slices }, (_, slice) => slice * 10 + prng.below(10))
    const records = (how === "in order" ? times : prng.shuffle(times)).map((at) => ({ at, key: at % 2, x: at, n: 0n }))
    const arena = new Arena({ maxBytes: 1 << 24 })
    const run = new PlanRun(planOf(window, how === "in order" ? 0 : slices * 10, COUNT_AND_SUM), arena).open()
    run.push(records.slice(0, 3000), { batchRows: 500 })
    run.restart("epochs")
    run.push(records.slice(3000), { batchRows: 500 })
    if (how !== "in order") expect(run.window.countOpenWindows()).toBe(2 * slices - 1)
    run.drain()
    const results = run.take()
    const sums = [0, 1].map((key) => {
      let sum = 0
      return [0, ...times.map((at) => (sum += at % 2 === key ? at : 0))]
    })
    const wrong = results.filter(({ key, windowEnd, sum }) => {
      const behind = Math.min(slices, Number(windowEnd) / 10)
      const before = Math.max(0, Number(windowEnd) / 10 - slices)
      return sum !== sums[key as number]![behind]! - sums[key as number]![before]!
    })
    expect(wrong).toEqual([])
    expect(new Set(results.map(({ windowEnd }) => windowEnd)).size).toBe(2 * slices - 1)
    run.release()
    expect(arena.usedBytes).toBe(0)
  })

  it("many windows with more rows than a batch has fire at once, and after a drain it goes on", () => {
    const keys = 20_000
    const arena = new Arena({ maxBytes: 1 << 26 })
    const fixture = new PlanFixture()
    const timed = fixture.eventTime(fixture.source(COLUMNS))
    const windowed = fixture.window(timed, hopping(40, 10), ["key"], COUNT_AND_SUM)
    fixture.output("results", windowed)
    fixture.output("late", [windowed, "late"])
    const run = new PlanRun(fixture.plan, arena).open()
    const all = (at: number) => Array.from({ length: keys }, (_, key) => ({ at, key, x: 1, n: 0n }))
    run.push([...all(0), ...all(15)])
    // Four windows at once, of which three have both.
    run.push([{ at: 500, key: 0, x: 0, n: 0n }])
    const results = run.take()
    const shape = [...groupedBy(results, ({ windowEnd }) => windowEnd as number)].map(([end, rows]) => {
      return [
        end,
        rows.length,
        rows.every((row, key) => row["key"] === key && row["sum"] === row["count"]),
        rows[7]!["count"],
      ]
    })
    expect(shape).toEqual([
      [10, keys, true, 1],
      [20, keys, true, 2],
      [30, keys, true, 2],
      [40, keys, true, 2],
      [50, keys, true, 1],
    ])
    run.drain()
    expect(run.take().map(({ windowEnd, count }) => [windowEnd, count])).toEqual(
      [510, 520, 530, 540].map((end) => [end, 1]),
    )
    // What is due has fired: the watermark is 539.
    run.push([{ at: 499, key: 1, x: 1, n: 0n }, { at: 530, key: 2, x: 1, n: 0n }, ...all(555)])
    run.drain()
    expect(run.take("late").map(({ at }) => at)).toEqual([499])
    const later = run.take()
    expect([...groupedBy(later, ({ windowEnd }) => windowEnd)].map(([end, rows]) => [end, rows.length])).toEqual([
      [550, 1],
      [560, keys],
      [570, keys],
      [580, keys],
      [590, keys],
    ])
    expect(
      later.filter(({ key, windowEnd }) => key === 2 && Number(windowEnd) <= 570).map(({ count }) => count),
    ).toEqual([1, 2, 2])
    run.release()
    expect(arena.usedBytes).toBe(0)
  })
})
