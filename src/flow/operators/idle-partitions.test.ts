/** T13, rule by rule: partitions that hold the watermark back no more, until there is something to read of them again. */
import { afterEach, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { t } from "../../batch/types.ts"
import type { Dataflow } from "../dataflow.ts"
import { PlanFixture, tumbling } from "../plan-fixture.reference.ts"
import { PlanRun } from "../plan-run.fixture.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"

const arena = new Arena({ maxBytes: 1 << 20 })
const LONG = 30
let open: PlanRun | undefined

afterEach(() => {
  open?.release()
  open = undefined
  expect(arena.usedBytes).toBe(0)
})

/** Windows of 10 µs over two partitions that may be idle. */
function twoPartitions(idleAfterMicros = LONG): PlanRun {
  const fixture = new PlanFixture()
  const timed = fixture.eventTime(fixture.source({ at: t.timestamp() }), { idleAfterMicros })
  const node = fixture.window(timed, tumbling(10), [], { n: ["count"] })
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  return (open = new PlanRun(fixture.plan, arena)).open(0).open(1)
}

const at = (...times: number[]): Row[] => times.map((time) => ({ at: time }))
const ends = (run: PlanRun) => run.take().map(({ windowEnd, n }) => `${String(windowEnd)}: ${String(n)}`)
const silence = (run: PlanRun, partition: number, micros = LONG) =>
  run.dataflow.idlePartition("events", partition, micros, 1_000_000)
const watermarkOf = ({ dataflow }: { dataflow: Dataflow }) => dataflow.status().watermark

it("T13 the watermark does not wait for a partition that is idle, and does before", () => {
  const run = twoPartitions()
  run.push(at(1, 25))
  expect(silence(run, 1, LONG - 1)).toBe(false)
  expect(ends(run)).toEqual([])
  expect(silence(run, 1)).toBe(true)
  expect(ends(run)).toEqual(["10: 1"])
  expect(silence(run, 1)).toBe(false)
  expect(run.dataflow.status()).toMatchObject({
    idle: [{ partition: 1, sinceMicros: 1_000_000 }],
    slowest: [{ partition: 0, others: 0 }],
  })
})

it("T13 a partition that wakes goes on from the watermark: what it brings at or before that is late, what is behind it is not", () => {
  const run = twoPartitions()
  run.push(at(1, 25))
  silence(run, 1)
  expect(watermarkOf(run)).toBe(24)
  run.push(at(19, 24, 25), { partition: 1 })
  expect(run.take("late")).toEqual(at(19))
  expect(run.dataflow.standing("events", 1)).toMatchObject({ watermark: 24, isIdle: false })
  run.drain()
  // 24 is not behind the watermark either, and counts: its window has not fired.
  expect(ends(run)).toEqual(["10: 1", "30: 3"])
})

it("T13 one that wakes holds the watermark back again", () => {
  const run = twoPartitions()
  run.push(at(1, 25))
  silence(run, 1)
  run.push(at(26), { partition: 1 })
  run.push(at(99))
  expect(watermarkOf(run)).toBe(25)
  expect(run.dataflow.status().idle).toEqual([])
})

it("T13 one whose own watermark is further than the others' goes on from that", () => {
  const run = twoPartitions()
  run.push(at(50), { partition: 1 })
  silence(run, 1)
  run.push(at(5))
  run.dataflow.wakePartition("events", 1)
  expect(run.dataflow.standing("events", 1).watermark).toBe(49)
  expect(watermarkOf(run)).toBe(4)
})

it.each([
  [0, 1],
  [1, 0],
])("T13 where all are idle the watermark is the greatest of theirs, whoever fell silent first (%i, %i)", (...order) => {
  const run = twoPartitions()
  run.push(at(5))
  run.push(at(50), { partition: 1 })
  for (const partition of order) silence(run, partition)
  expect(watermarkOf(run)).toBe(49)
  expect(run.dataflow.status().slowest).toEqual([])
  expect(ends(run)).toEqual(["10: 1"])
})

it("T13 idleness of the only partition fires nothing: time goes on with records", () => {
  const run = twoPartitions()
  run.dataflow.endPartition("events", 1)
  run.push(at(5))
  silence(run, 0)
  expect([watermarkOf(run), ends(run)]).toEqual([4, []])
})

it("T10 T13 what a source says of a partition wakes it, too", () => {
  const run = twoPartitions()
  run.push(at(25))
  silence(run, 1)
  run.dataflow.raiseWatermark("events", 1, 40)
  run.push(at(99))
  expect(watermarkOf(run)).toBe(40)
})

it("T5 T13 an idle partition may end, and one that appears while all are idle starts at the watermark", () => {
  const run = twoPartitions()
  run.push(at(25))
  for (const partition of [0, 1]) silence(run, partition)
  run.dataflow.endPartition("events", 1)
  run.open(2)
  run.push(at(20, 30), { partition: 2 })
  expect(run.take("late")).toEqual([])
  expect(run.dataflow.status().idle).toEqual([expect.objectContaining({ partition: 0 })])
  expect(watermarkOf(run)).toBe(29)
})

it.each(["epochs", "snapshot"] as const)("T13 F3 what is idle is part of the state, from %s", (from) => {
  const run = twoPartitions()
  run.push(at(1, 25))
  silence(run, 1)
  run.take()
  run.restart(from)
  expect(run.dataflow.status().idle).toEqual([expect.objectContaining({ partition: 1, sinceMicros: 1_000_000 })])
  run.push(at(35))
  expect(ends(run)).toEqual(["30: 1"])
  run.push(at(7), { partition: 1 })
  expect(run.take("late")).toEqual(at(7))
  run.restart(from)
  expect(run.dataflow.status().idle).toEqual([])
})

it("T8 T13 a union does not wait for a stream all of whose partitions are idle, which goes on where the windows are", () => {
  const fixture = new PlanFixture()
  const columns = { at: t.timestamp() }
  const one = fixture.eventTime(fixture.source(columns, "one"), { idleAfterMicros: LONG })
  const two = fixture.eventTime(fixture.source(columns, "two"))
  const node = fixture.window(fixture.union(one, two), tumbling(10), [], { n: ["count"] })
  fixture.output("results", node)
  fixture.output("late", [node, "late"])
  const run = (open = new PlanRun(fixture.plan, arena))
  run.dataflow.openPartition("one", 0)
  run.dataflow.openPartition("two", 1)
  run.push(at(1))
  run.push(at(35), { partition: 1, input: "two" })
  expect(ends(run)).toEqual([])
  run.dataflow.idlePartition("one", 0, LONG, 0)
  expect(ends(run)).toEqual(["10: 1"])
  run.push(at(55), { partition: 1, input: "two" })
  run.push(at(12, 60))
  expect(run.take("late")).toEqual(at(12))
  expect(ends(run)).toEqual(["40: 1"])
})

it("T13 T8 an event time that was all idle wakes where the windows of its union are, and so do windows that follow it alone", () => {
  const fixture = new PlanFixture()
  const one = fixture.eventTime(fixture.source({ at: t.timestamp() }, "one"), { idleAfterMicros: LONG })
  const two = fixture.eventTime(fixture.source({ at: t.timestamp() }, "two"))
  const alone = fixture.window(one, tumbling(10), [], { n: ["count"] })
  fixture.output("results", alone)
  fixture.output("late", [alone, "late"])
  fixture.output("all", fixture.window(fixture.union(one, two), tumbling(10), [], { n: ["count"] }))
  const run = (open = new PlanRun(fixture.plan, arena))
  run.dataflow.openPartition("one", 0)
  run.dataflow.openPartition("two", 1)
  run.push(at(12), { input: "one" })
  run.dataflow.idlePartition("one", 0, LONG, 1_000_000)
  run.push(at(25), { input: "two", partition: 1 })
  expect(ends(run)).toEqual([])
  run.push(at(14, 26), { input: "one" })
  expect(ends(run)).toEqual(["20: 1"])
  expect(run.take("late")).toEqual(at(14))
})
