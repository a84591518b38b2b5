import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import type { RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { Env } from "../env/env.ts"
import { ArrayTarget } from "../runtime/array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "../runtime/array-source.fixture.ts"
import { Bench, Reading, reading, SECOND } from "../runtime/simulated-job.fixture.ts"
import { count } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { eventTimer, processingTimer, valueState } from "../stream/process-declarations.ts"
import { tumbling } from "../stream/windows.ts"
import { readStoredStatus } from "./stored-status.ts"

const PARTITIONS: ArrayPartitions = {
  "a.csv": [1, 4, 3, 30, 5, 33, 41].map((second) => reading(second, "x", 1)),
  "b.csv": [2, 12, 14, 40, 52, 58].map((second) => reading(second, "y", second === 14 ? 666 : 2)),
  "c.csv": [{ bad: "not a number" }, reading(7, "x", 3)],
}

/** Looks at the directory as another process would. */
async function look(bench: Bench, env?: Env) {
  const booted = env ?? bench.world.boot()
  const reading = readStoredStatus(booted.disk, "/job/state")
  if (env !== undefined) return await reading
  await bench.world.run(reading)
  bench.world.kill()
  return await reading
}

test("SV1 says what the job has told of itself, wherever it was stopped", async () => {
  for (let rows = 1; rows <= 14; rows++) {
    const bench = new Bench()
    let read = 0
    const { status } = await bench.run(bench.job(PARTITIONS), { batchRows: 1, drain: "never" }, (handle, env) => {
      const wait = async () => {
        while (read++ < rows) await env.timers.sleep(1)
        await handle.stop()
      }
      void wait()
    })
    const stored = await look(bench)
    const { holdingBack } = status
    expect(stored).toMatchObject({
      job: "readings",
      epoch: status.epoch,
      rowsIn: status.rowsIn,
      badRecords: status.badRecords,
      lateRows: status.lateRows,
      openWindows: status.openWindows,
      inputs: [{ name: "readings", rows: status.rowsInByInput["readings"] }],
      outputs: Object.entries(status.rowsOut).map(([name, rows]) => ({ name, rows })),
      deadLetters: "bad",
      operators: [
        { id: "tens", kind: "window", eventTimes: ["readings/eventTime"] },
        { id: "sliding", kind: "window", eventTimes: ["readings/eventTime"] },
      ],
    })
    const [eventTime] = stored!.eventTimes
    expect(eventTime).toMatchObject({
      id: "readings/eventTime",
      watermarkMicros: status.watermarkMicros,
      maxEventTimeMicros: status.maxEventTimeMicros,
      outOfOrderMicros: 2 * SECOND,
    })
    const [hold] = holdingBack
    const { input, partition, watermarkMicros, behindMicros, others } = { ...hold }
    expect(eventTime!.holdingBack).toEqual(
      hold && expect.objectContaining({ input, partition, watermarkMicros, behindMicros, others }),
    )
  }
})

test("the slowest partition is named, with how far it is behind, and since which epoch", async () => {
  const bench = new Bench()
  const partitions: ArrayPartitions = {
    "a.csv": [reading(1, "x", 1), reading(100, "x", 1), reading(101, "x", 1)],
    "b.csv": [reading(2, "x", 1), reading(61, "x", 1), reading(62, "x", 1), reading(63, "x", 1)],
  }
  const job = bench.job(partitions)
  const { status } = await bench.run(job, { batchRows: 1, epochRows: 1, morselBytes: 1 }, (handle) => {
    bench.events.push = (...events) => {
      if (handle.status().rowsIn >= 5) void handle.stop()
      return events.length
    }
  })
  expect(status.rowsIn).toBe(5)
  const [hold] = status.holdingBack
  expect(hold).toMatchObject({ input: "readings", partition: "b.csv", others: 0, watermarkMicros: 60 * SECOND - 1 })
  expect(hold!.behindMicros).toBe(38 * SECOND)
  const stored = await look(bench)
  expect(stored!.eventTimes[0]!.holdingBack).toMatchObject({ partition: "b.csv", sinceEpoch: 5, isAtLeast: false })
  expect(stored!.operators[0]).toMatchObject({ openWindows: 2, nextDueMicros: 70 * SECOND - 1 })
})

/** Two inputs with an event time each, which meet; and what is kept by key, once with event time and once by the clock. */
const meeting = job({
  name: "meeting",
  inputs: { left: Reading, right: Reading },
  flow: ({ left, right }) => {
    const leftTime = left.eventTime("at", { outOfOrder: "2s", id: "left-time" })
    const rightTime = right.eventTime("at", { outOfOrder: "0s", id: "right-time", maxDrift: "5s" })
    const both = leftTime.union(rightTime)
    const spec = {
      emits: { sensor: t.string },
      state: { seen: valueState(t.int53.default(0)) },
      onRecord: (row: RowOf<typeof Reading>, { state, timers }: Handled) => {
        if (row.value === 2) state.seen.set(1)
        else timers.end.set(row.at + 10 * SECOND)
      },
    }
    return {
      tens: both.keyBy("sensor").window(tumbling("10s")).aggregate({ count: count() }, { id: "tens" }),
      ends: both
        .keyBy("sensor")
        .process({ ...spec, timers: { end: eventTimer() }, onTimer: { end: () => undefined } }, { id: "ends" }),
      quiet: left
        .keyBy("sensor")
        .process({ ...spec, timers: { end: processingTimer() }, onTimer: { end: () => undefined } }, { id: "quiet" }),
    }
  },
})

interface Handled {
  readonly state: { readonly seen: { set(value: number): void } }
  readonly timers: { readonly end: { set(micros: number): void } }
}

test("SV1 also where event times meet, and of what is kept by key", async () => {
  const sensors = ["x", "y", "z", "w"]
  const behind = new Set<string>()
  let kept = 0
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed)
    const rows = (scale: number) =>
      Array.from({ length: 6 }, (_, at) => reading(at * scale + prng.below(4), prng.pick(sensors), 1 + prng.below(2)))
    const bench = new Bench(seed)
    const targets = { tens: new ArrayTarget("tens"), ends: new ArrayTarget("ends"), quiet: new ArrayTarget("quiet") }
    const bound = meeting.with({
      inputs: {
        left: arraySource({ l1: rows(3), l2: rows(1 + prng.below(9)) }),
        right: arraySource({ r: rows(1 + prng.below(9)) }),
      },
      outputs: {
        tens: targets.tens.binding(),
        ends: targets.ends.binding(),
        quiet: targets.quiet.binding(),
      },
      deadLetter: bench.bad.binding(),
    })
    const until = 1 + prng.below(17)
    const options = { batchRows: 1, epochRows: 1, morselBytes: 1, drain: "never" } as const
    const { status } = await bench.run(bound, options, (handle) => {
      bench.events.push = (...events) => {
        if (handle.status().rowsIn >= until) void handle.stop()
        return events.length
      }
    })
    const stored = (await look(bench))!
    const told = status.eventTimes.map(({ isActive: _, ...rest }) => rest)
    expect(stored.eventTimes, `seed ${seed}`).toMatchObject(told)
    const holds = status.holdingBack.map(({ lastReadMicros: _, ...rest }) => rest)
    const held = stored.eventTimes.flatMap(({ id, holdingBack: hold }) => {
      if (hold === undefined) return []
      const { input, partition, watermarkMicros, behindMicros, others } = hold
      return [{ eventTime: id, input, partition, watermarkMicros, behindMicros, others }]
    })
    expect(held, `seed ${seed}`).toEqual(holds)
    expect(stored.openWindows).toBe(status.openWindows)
    expect(stored.operators.map(({ id, kind, eventTimes }) => ({ id, kind, eventTimes }))).toEqual([
      { id: "tens", kind: "window", eventTimes: ["left-time", "right-time"] },
      { id: "ends", kind: "process", eventTimes: ["left-time", "right-time"] },
      { id: "quiet", kind: "process", eventTimes: [] },
    ])
    // Event times meet here: each is measured against the furthest of both.
    const furthest = Math.max(
      ...status.eventTimes.map(({ id, maxEventTimeMicros = -Infinity }) => {
        return maxEventTimeMicros - (id === "left-time" ? 2 * SECOND : 0) - 1
      }),
    )
    for (const { eventTime, watermarkMicros, behindMicros } of status.holdingBack) {
      expect(behindMicros).toBe(watermarkMicros === undefined ? undefined : furthest - watermarkMicros)
      if (behindMicros! > 0) behind.add(eventTime)
    }
    if (stored.operators[1]!.keys! > 0 && stored.operators[1]!.timers! > 0) kept++
  }
  expect([...behind].sort()).toEqual(["left-time", "right-time"])
  expect(kept).toBeGreaterThan(20)
})

test("SV2 behind a snapshot a partition is told to have held at least since then", async () => {
  const bench = new Bench()
  const options = { batchRows: 1, epochRows: 1, snapshotPolicy: { minBytes: 1, growth: 0 } } as const
  await bench.run(bench.job(PARTITIONS), options, (handle) => {
    bench.events.push = (...events) => {
      if (handle.status().rowsIn >= 4) void handle.stop()
      return events.length
    }
  })
  const stored = await look(bench)
  const { holdingBack } = stored!.eventTimes[0]!
  // The snapshot was begun behind the epoch before the last.
  expect(holdingBack).toMatchObject({ isAtLeast: true, sinceEpoch: stored!.epoch - 1 })
  expect(stored!.rowsIn).toBe(4)
})

test("looking at a job while it runs disturbs nothing, and tells no more than it has committed", async () => {
  const whole = new Bench()
  await whole.run(whole.job(PARTITIONS))
  const bench = new Bench()
  let looks = 0
  await bench.run(bench.job(PARTITIONS), { batchRows: 1, epochRows: 2 }, (handle, env) => {
    const watch = async () => {
      for (; handle.status().state === "running"; looks++) {
        const stored = await look(bench, env)
        expect(stored?.epoch ?? 0).toBeLessThanOrEqual(handle.status().epoch + 1)
        await env.timers.sleep(50)
      }
    }
    watch().catch(() => (looks = -1000))
  })
  expect(looks).toBeGreaterThan(2)
  expect(bench.results()).toEqual(whole.results())
})

test("where no job has run there is nothing to say", async () => {
  expect(await look(new Bench())).toBeUndefined()
})
