/** Ids of keys that kernels look up on the way: where tables end, where nothing is known, where rows are refused. */
import { beforeEach, describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { t } from "../../batch/types.ts"
import type { ColumnType } from "../../batch/type.ts"
import { PlanFixture, tumbling } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import type { Row } from "./window-aggregate.reference.ts"

const EDGES = [0, 1, 63, 64, 511, 512, 513, 8191, 8192, 65_535, 65_536, 65_537, 2 ** 31 - 1, -1, -64, -(2 ** 31)]

function runOf(key: ColumnType, sum: ColumnType, arena: Arena): PlanRun {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key, x: sum }), 0)
  fixture.output("results", fixture.window(timed, tumbling(1000), ["key"], { count: ["count"], sum: ["sum", "x"] }))
  return new PlanRun(fixture.plan, arena).open()
}

function runOfPairs(arena: Arena): PlanRun {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), a: t.int32, b: t.int32, x: t.float64 }), 0)
  const aggregates = { count: ["count"], sum: ["sum", "x"] } as const
  fixture.output("results", fixture.window(timed, tumbling(1000), ["a", "b"], aggregates))
  return new PlanRun(fixture.plan, arena).open()
}

/** The counts and sums of one window, by key, in order of appearance. */
function expectedOf(records: readonly Row[]): unknown[] {
  const groups = new Map<unknown, { count: number; sum: number }>()
  for (const { key, x } of records) {
    const group = groups.get(key) ?? { count: 0, sum: 0 }
    groups.set(key, { count: group.count + 1, sum: group.sum + Number(x) })
  }
  return [...groups].map(([key, { count, sum }]) => [key, count, sum])
}

function taken(run: PlanRun): unknown[] {
  return run.take().map(({ key, count, sum }) => [key, count, Number(sum)])
}

describe("ids found on the way", () => {
  let arena: Arena
  beforeEach(() => {
    arena = new Arena({ maxBytes: 1 << 26 })
  })

  /** Pushes all rows, then every second one, so that both kinds of kernels see them. */
  function pushTwice(run: PlanRun, rows: readonly Row[]): Row[] {
    const origin = { partition: 0, offsets: null, ordinals: null }
    const { batch, release } = batchOfRows(arena, run.inputSchema, rows, origin)
    const even = rows.filter((_, row) => row % 2 === 0)
    const selection = Int32Array.from(even, (_, index) => index * 2)
    run.pushBatch(batch)
    run.pushBatch(batch.with({ selection, count: even.length }))
    release()
    return [...rows, ...even]
  }

  it.each([
    ["whole numbers", t.int32, (value: number) => value],
    ["texts", t.string, (value: number) => `key ${value}`],
  ] as const)("are those of their keys at the edges of tables, known and new: %s", (_, type, keyOf) => {
    for (const edge of EDGES) {
      const prng = new Prng(edge)
      const run = runOf(type, t.float64, arena)
      const row = (value: number): Row => ({ at: 1, key: keyOf(value), x: prng.below(100) })
      const known = () => Array.from({ length: 64 }, () => row(prng.below(4)))
      const records = [
        ...pushTwice(run, [row(0), ...known()]),
        // What the table does not know comes behind much that it knows, and is there once more.
        ...pushTwice(run, [...known(), row(edge), ...known(), row(edge)]),
        ...pushTwice(run, [row(edge), ...known()]),
      ]
      run.drain()
      expect(taken(run)).toEqual(expectedOf(records))
      run.release()
    }
    expect(arena.usedBytes).toBe(0)
  })

  it("are those of keys of several whole numbers, as they get more bits, and where they have too many", () => {
    const prng = new Prng(7)
    for (const edge of EDGES) {
      const run = runOfPairs(arena)
      const row = (a: number, b: number): Row => ({ at: 1, a, b, x: prng.below(100) })
      const known = () => Array.from({ length: 64 }, () => row(prng.below(4), prng.below(3)))
      const records = [
        ...pushTwice(run, [row(0, 0), ...known()]),
        ...pushTwice(run, [...known(), row(edge, 1), row(1, edge), row(edge, edge), ...known(), row(1, edge)]),
        ...pushTwice(run, [row(edge, 1), ...known(), row(3, 127), ...known(), row(edge, edge)]),
        ...pushTwice(run, [row(3, 127), ...known(), row(0, 128)]),
      ]
      run.drain()
      const expected = expectedOf(records.map(({ at, a, b, x }) => ({ at, key: JSON.stringify([a, b]), x })))
      const given = run.take().map(({ a, b, count, sum }) => [JSON.stringify([a, b]), count, Number(sum)])
      expect(given).toEqual(expected)
      run.release()
    }
    expect(arena.usedBytes).toBe(0)
  })

  it("leave out a row that would take a sum out of its range, and no other", () => {
    const run = runOf(t.int32, t.int53, arena)
    const row = (key: number, x: number): Row => ({ at: 1, key, x })
    const first = [row(1, 1), row(3, -30), row(2, 2)]
    run.push(first, { batchRows: 10 })
    const most = row(2, Number.MAX_SAFE_INTEGER)
    run.push([row(1, 4), most, row(3, 5), most, row(2, 6)], { batchRows: 10 })
    run.drain()
    expect(taken(run)).toEqual(expectedOf([...first, row(1, 4), row(3, 5), row(2, 6)]))
    run.release()
  })

  it.each([
    ["a new key", { key: 9, x: 1 }],
    ["a row that is refused", { key: 2, x: Number.MAX_SAFE_INTEGER }],
  ])("come to %s at each place of runs of each length", (what, special) => {
    for (let length = 1; length < 11; length++) {
      for (let place = 0; place < length; place++) {
        const run = runOf(t.int32, t.int53, arena)
        const known = Array.from({ length: 3 }, (_, key) => ({ at: 1, key, x: key + 1 }))
        const rows = Array.from({ length }, (_, row) => ({ at: 1, key: row % 3, x: 10 ** (row % 5) }))
        const row = { at: 1, ...special }
        const taking = rows.with(place, row)
        // Known keys first, so that the others are looked up on the way; and once more, so that new ones are known then.
        for (const each of [known, taking, taking]) run.push(each, { batchRows: 100 })
        run.drain()
        const counted = taking.filter((each) => what === "a new key" || each !== row)
        expect(taken(run), `${place} of ${length}`).toEqual(expectedOf([...known, ...counted, ...counted]))
        run.release()
      }
    }
  })
})
