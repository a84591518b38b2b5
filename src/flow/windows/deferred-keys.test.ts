/** Which filters choose rows before keys are stored. What they choose is tested in `deferred-keys.fuzz.ts`. */
import { afterEach, expect, it, vi } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { t } from "../../batch/types.ts"
import { Filter } from "../operators/filter.ts"
import { partitionEvent, PlanFixture, rows, tumbling } from "../plan-fixture.reference.ts"
import { JobRun } from "../random-job.reference.ts"
import type { Row } from "./window-aggregate.reference.ts"

const COLUMNS = { at: t.timestamp(), key: t.int32, n: t.int53 }
const EVENTS = [
  partitionEvent("open", 0),
  rows(0, { at: 1, key: 7, n: 1 }, { at: 2, key: 8, n: 1 }, { at: 3, key: 8, n: 1 }),
  { kind: "drain" } as const,
]

const onBatch = vi.spyOn(Filter.prototype, "onBatch")

afterEach(() => onBatch.mockClear())

/** Runs a filter of windows' results; gives whether it was asked before keys were stored, and the keys of what it kept. */
function run(predicate: (row: Row) => unknown, isResultTaken = false, compile: "auto" | "off" = "auto") {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source(COLUMNS))
  const window = fixture.window(timed, tumbling(10), ["key"], { count: ["count"] })
  fixture.output("kept", fixture.filter(window, predicate))
  if (isResultTaken) fixture.output("all", window)
  const arena = new Arena({ maxBytes: 1 << 20 })
  const job = { plan: fixture.plan, events: EVENTS }
  const outcome = new JobRun(job, { prng: new Prng(1), arena, restoreChance: 0, compile, batchRows: 10 }).run()
  return [onBatch.mock.calls[0]![0].deferred !== null, outcome.outputs.get("kept")!.map(({ key }) => key)]
}

it("a filter of an aggregate chooses before keys are stored", () => {
  expect(run((row) => (row["count"] as number) > 1)).toEqual([true, [8]])
})

it("a filter that reads a key is given it", () => {
  expect(run((row) => row["key"] === 7)).toEqual([false, [7]])
})

it("a filter that may read anything is given all", () => {
  expect(run((row) => Object.values(row).includes(8))).toEqual([false, [8]])
})

it("a filter whose closure runs is given all, as it may throw, and then the row is shown", () => {
  expect(run((row) => (row["count"] as number) > 1, false, "off")).toEqual([false, [8]])
})

it("where others take the window's results, too, all have all columns", () => {
  expect(run((row) => (row["count"] as number) > 1, true)).toEqual([false, [8]])
})
