import { expect, test } from "vitest"
import type { Env } from "../env/env.ts"
import type { ArrayPartitions } from "../runtime/array-source.fixture.ts"
import { Bench, reading, SECOND } from "../runtime/simulated-job.fixture.ts"
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
      windows: [
        { id: "tens", eventTimes: ["readings/eventTime"] },
        { id: "sliding", eventTimes: ["readings/eventTime"] },
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
  expect(stored!.windows[0]).toMatchObject({ openWindows: 2, nextDueMicros: 70 * SECOND - 1 })
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
  expect(holdingBack).toMatchObject({ isAtLeast: true, sinceEpoch: stored!.epoch })
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
