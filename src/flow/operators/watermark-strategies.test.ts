/** The rules of watermarks that a function gives, and of those by the clock, one by one. */
import { afterEach, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import type { RowFunction } from "../../expr/lambda.ts"
import { PlanFixture, tumbling } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), isMarker: t.bool }

const arena = new Arena({ maxBytes: 1 << 20 })
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

function markedRun(watermark: RowFunction): PlanRun {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS), 0, "at", watermark)
  const node = fixture.window(timed, tumbling(10), [], { n: ["count"] })
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  return (open = new PlanRun(fixture.plan, arena)).open()
}

const atMarkers = ((row: { readonly at: number; readonly isMarker: boolean }) =>
  row.isMarker ? row.at : null) as RowFunction
const record = (at: number, isMarker = false): Row => ({ at, isMarker })
const ends = (rows: readonly Row[]) => rows.map(({ windowEnd, n }) => `${String(windowEnd)}: ${String(n)}`)

it("T12 the watermark is what records have said, and those that say nothing do not move it", () => {
  const run = markedRun(atMarkers)
  run.push([record(1), record(50), record(3)])
  expect(ends(run.take())).toEqual([])
  run.push([record(9, true)])
  expect(ends(run.take())).toEqual(["10: 3"])
})

it("T2 T12 a record is not late because of itself, and is because of one before it", () => {
  const run = markedRun(atMarkers)
  run.push([record(5), record(9, true), record(9), record(30, true), record(29), record(31)])
  run.drain()
  expect(run.take("late")).toEqual([record(9), record(29)])
  expect(ends(run.take())).toEqual(["10: 2", "40: 2"])
})

it("T3 T12 a watermark that is said to be earlier does not take it back, and it goes on after a restart", () => {
  const run = markedRun(atMarkers)
  run.push([record(19, true), record(5, true)])
  run.restart("epochs")
  run.push([record(12)])
  expect(run.take("late")).toEqual([record(5, true), record(12)])
})

it("T12 a record whose function fails is a failed row, and says nothing", () => {
  const run = markedRun(((row: { readonly at: number }) => {
    if (row.at === 13) throw new Error("13")
    return row.at === 14 ? "soon" : row.at
  }) as RowFunction)
  run.push([record(1), record(13), record(14), record(2)])
  expect(run.failed).toBe(2)
  run.drain()
  expect(ends(run.take())).toEqual(["10: 2"])
})

it("T11 rows are given the time that the clock says, which does not go back, nor behind what a drain has fired", () => {
  const fixture = new PlanFixture()
  const timed = fixture.processingTime(fixture.source(COLUMNS), "seen")
  const node = fixture.window(timed, tumbling(10), [], { n: ["count"] }, "seen")
  fixture.output("results", node)
  fixture.output("rows", timed)
  fixture.output("late", [node, "late"])
  const run = (open = new PlanRun(fixture.plan, arena)).open()
  const { dataflow } = run
  expect(dataflow.usesProcessingTime).toBe(true)
  dataflow.onProcessingTime(103)
  run.push([record(1), record(500)])
  dataflow.onProcessingTime(99)
  run.push([record(2)])
  expect(run.take("rows").map(({ seen }) => seen)).toEqual([103, 103, 103])
  expect(dataflow.nextProcessingTime).toBe(110)
  dataflow.onProcessingTime(110)
  dataflow.advance()
  expect(ends(run.take())).toEqual(["110: 3"])
  run.push([record(3)])
  run.drain()
  expect(ends(run.take())).toEqual(["120: 1"])
  run.restart("snapshot")
  run.dataflow.onProcessingTime(112)
  run.push([record(4)])
  expect(run.take("rows").map(({ seen }) => seen)).toEqual([110, 120])
  expect(run.take("late")).toEqual([])
})

it("WS1 bytes that are no time are refused", () => {
  const fixture = new PlanFixture()
  const timed = fixture.processingTime(fixture.source(COLUMNS), "seen")
  fixture.output("rows", timed)
  const run = (open = new PlanRun(fixture.plan, arena))
  const { id } = run.dataflow.states[0]!
  for (const bytes of [new Uint8Array(3), new Uint8Array(9), new Uint8Array(8).fill(255)]) {
    expect(() => run.restartFrom(id, bytes)).toThrow(/The state of the operator .* cannot be read/)
  }
  run.restartFrom(id, new Uint8Array(0))
})
