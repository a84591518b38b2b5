import { afterEach, describe, expect, it, vi } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import { hopping, PlanFixture } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import { WindowBench, type BenchRecord } from "./window-bench.fixture.ts"
import { CONTROL } from "./kernels/window-control.ts"
import { PieceIndex } from "./kernels/piece-index.ts"
import { WindowMemory } from "./window-memory.ts"

const WINDOW = hopping(40, 10)

afterEach(() => {
  vi.restoreAllMocks()
})

/** A record of key `id` in the slice that starts at 10 · `slice`. */
function at(slice: number, id = 0): BenchRecord {
  return { time: slice * 10, id, value: 1 }
}

/** Adds records of one slice the slow way, by which JavaScript learns where its keys are. */
function addSlowly(bench: WindowBench, slice: number, ...ids: readonly number[]): void {
  const bounds = bench.slices.of(slice * 10)
  const records = ids.map((id) => at(slice, id))
  bench.add(bounds, bounds.firstWindowEnd, records)
}

/** Where pieces are in their list, from the first that is left to the end. */
function places(bench: WindowBench): { head: number; tail: number } {
  return { head: bench.memory.get(CONTROL.head), tail: bench.memory.get(CONTROL.tail) }
}

describe("the list of pieces", () => {
  it("WP2 shifts down when half of it has left, and pieces behind that are not taken for those that stood there", () => {
    const bench = new WindowBench(WINDOW, 0)
    const { capacity } = bench.memory.pieces
    for (let slice = 0; slice < capacity; slice++) addSlowly(bench, slice, 1, 2)
    expect(places(bench)).toEqual({ head: 0, tail: capacity })
    const left = Math.ceil(capacity / 2)
    while (bench.memory.get(CONTROL.head) < left) bench.fire()
    expect(places(bench)).toEqual({ head: left, tail: capacity })
    // One by one, so that kernels open each in the place of one that has left or moved.
    for (let slice = capacity; slice < capacity + left; slice++) {
      bench.ingest([at(slice - 1, 2), at(slice, 2)])
      addSlowly(bench, slice, 1, 2, 3)
      addSlowly(bench, slice - 1, 4)
      bench.check()
    }
    expect(bench.memory.pieces.capacity).toBe(capacity)
    expect(places(bench)).toEqual({ head: 0, tail: capacity })
    bench.ingest([at(capacity + left, 1)])
    expect(bench.memory.pieces.capacity).toBeGreaterThan(capacity)
    while (bench.pieces.nextEnd(bench.floorEnd) < Infinity) bench.fire()
    bench.release()
  })

  it("WP2 takes slices in no order by the hundred, each to its place", () => {
    const bench = new WindowBench(WINDOW, 0)
    for (let each = 0; each < 500; each++) {
      const slice = (each * 273) % 500
      addSlowly(bench, slice, each % 7, each % 3)
    }
    expect(places(bench)).toEqual({ head: 0, tail: 500 })
    bench.check()
    while (bench.pieces.nextEnd(bench.floorEnd) < Infinity) bench.fire()
    bench.release()
  })
})

describe("the entries of pieces", () => {
  it("WP1 a piece that grows again and again moves behind the others, and the holes that it leaves are closed", () => {
    const bench = new WindowBench(WINDOW, 0)
    for (let slice = 0; slice < 10; slice++) addSlowly(bench, slice, ...Array.from({ length: 20 }, (_, id) => id))
    const moves = vi.spyOn(WindowMemory.prototype, "moveEntries")
    for (let id = 20; id < 620; id++) {
      // Two in the middle grow by turns.
      addSlowly(bench, id % 2 === 0 ? 4 : 7, id)
      bench.ingest([at(9, id), at(9, id + 1)])
      if (id % 8 === 0) bench.check()
    }
    const [up, down] = [true, false].map((isUp) => moves.mock.calls.filter(([from, to]) => from < to === isUp).length)
    expect(up).toBeGreaterThan(10)
    expect(down).toBeGreaterThan(0)
    bench.release()
  })

  it("WP1 a piece that no other is behind grows where it is", () => {
    const bench = new WindowBench(WINDOW, 0)
    for (let slice = 0; slice < 10; slice++) addSlowly(bench, slice, 0, 1, 2)
    addSlowly(bench, 9, ...Array.from({ length: 100 }, (_, id) => id))
    const moves = vi.spyOn(WindowMemory.prototype, "moveEntries")
    for (let id = 100; id < 3000; id++) {
      addSlowly(bench, 9, id)
      if (id % 100 === 0) bench.check()
    }
    expect(moves.mock.calls.filter(([from, to]) => from < to)).toEqual([])
    bench.release()
  })

  it("WP1 PI1 where tables are lost as one piece grows, all pieces find the keys that they have", () => {
    const bench = new WindowBench(WINDOW, 0)
    const ids = Array.from({ length: 20 }, (_, id) => id)
    for (let slice = 0; slice < 10; slice++) addSlowly(bench, slice, ...ids)
    const losses = vi.spyOn(PieceIndex.prototype, "reserve")
    for (let id = 20; id < 20_000; id++) {
      addSlowly(bench, 9, id)
      if (losses.mock.results.at(-1)?.value !== true) continue
      for (let slice = 0; slice < 9; slice++) addSlowly(bench, slice, ...ids)
      bench.check()
    }
    expect(losses.mock.results.filter(({ value }) => value === true).length).toBeGreaterThan(2)
    bench.release()
  })

  it("WP1 pieces that wait for their first window keep their entries while others move, and join in their place", () => {
    const bench = new WindowBench(hopping(200, 10), 0)
    const bounds = bench.slices.of(0)
    for (let slice = 0; slice < 5; slice++) addSlowly(bench, slice, 1, 2, 3)
    // Late for the first window, for the first two, …: one piece each.
    for (let late = 1; late < 15; late++) {
      bench.add(bounds, bounds.firstWindowEnd + late * 10, [at(0, late), at(0, 1), at(0, 100 + late)])
      addSlowly(bench, 3, ...Array.from({ length: 60 }, (_, id) => late * 60 + id))
      bench.check()
    }
    for (let window = 0; window < 30; window++) {
      bench.fire()
      bench.check()
    }
    bench.release()
  })

  it.each([
    ["older", [15, 17], 2],
    ["older", [15, 17], 99],
    ["older", [17, 15], 99],
    ["newer", [22, 21], 99],
    ["newer", [21, 22], 3],
    ["older and newer", [16, 21], 1],
    ["older, the last of them", [19], 1],
    ["newer, the first of them", [20], 1],
  ] as const)("W13 WC3 WC4 pieces join late among those of a window: %s slices, %o, key %i", (_, late, id) => {
    const bench = new WindowBench(hopping(200, 10), 0)
    const many = [20, 21, 22, 23, 24, 25, 26, 27]
    for (let slice = 0; slice < 30; slice++) {
      addSlowly(bench, slice, ...[1, 2, 3].slice(slice % 3), 4 + (slice % 7), ...many)
    }
    // From here on windows have slices of two blocks, which meet at 200.
    while (bench.floorEnd < 260) bench.fire()
    for (let round = 0; round < 3; round++) {
      for (const slice of late) {
        const records = [id, 1, ...many].map((each) => at(slice, each))
        bench.add(bench.slices.of(slice * 10), bench.floorEnd, records)
      }
      bench.fire()
      bench.check()
    }
    while (bench.pieces.nextEnd(bench.floorEnd) < Infinity) {
      bench.fire()
      bench.check()
    }
    bench.release()
  })

  it("WC5 the last piece is known by key, whoever has added to it", () => {
    const bench = new WindowBench(WINDOW, 0)
    bench.ingest([at(0, 1), at(0, 2)])
    addSlowly(bench, 0, 3, 2)
    bench.ingest([at(0, 3), at(0, 4), at(1, 1), at(1, 5)])
    addSlowly(bench, 0, 5, 6)
    addSlowly(bench, 1, 6)
    bench.ingest([at(1, 6), at(1, 2)])
    bench.check()
    // A slice in front of the last does not change which is the last.
    addSlowly(bench, 3, 1)
    addSlowly(bench, 2, 1, 7)
    bench.ingest([at(3, 7), at(3, 1)])
    bench.check()
    bench.release()
  })
})

it("what is known of pieces is forgotten with them, also where the list shifts while others join", () => {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp(), key: t.int32 }))
  fixture.output("results", fixture.window(timed, hopping(40, 10), ["key"], { count: ["count"] }))
  const arena = new Arena({ maxBytes: 1 << 20 })
  const run = new PlanRun(fixture.plan, arena).open()
  /** Each slice gets records out of order, and some that are late for one of its windows. */
  const recordsOf = (slice: number) => {
    const late = slice % 3 === 0 ? [] : [-12, -11]
    return [5, 2, 7, ...late, 9].map((time) => ({ at: slice * 10 + time, key: 1 }))
  }
  let slice = 1
  const pushUntil = (end: number) => {
    for (; slice < end; slice += 20) {
      run.push(Array.from({ length: 20 }, (_, each) => recordsOf(slice + each)).flat())
      run.take()
    }
  }
  // Until the room for entries is as large as it becomes.
  pushUntil(6000)
  const used = arena.usedBytes
  pushUntil(9000)
  expect(arena.usedBytes).toBe(used)
  run.release()
  expect(arena.usedBytes).toBe(0)
})
