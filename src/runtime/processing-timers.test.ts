/** Timers by the clock in a running job, and state of `process` across its lives. */
import { expect, test } from "vitest"
import { t } from "../batch/types.ts"
import { Prng } from "../base/prng.ts"
import { RandomFaults } from "../sim/faults.ts"
import { job } from "../stream/job.ts"
import { eventTimer, listState, mapState, processingTimer, valueState } from "../stream/process-declarations.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { liveSource } from "./live-source.fixture.ts"
import { Bench, Reading, reading, SECOND } from "./simulated-job.fixture.ts"

const MILLIS = 1_000

/** Tells of a sensor that has been silent for half a second, by the clock. */
const silence = job({
  name: "silence",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    out: readings.keyBy("sensor").process(
      {
        emits: { sensor: t.string, silentFor: t.int53, seen: t.int53 },
        state: { last: valueState(t.int53), seen: valueState(t.int53.default(0), { ttl: "1d" }) },
        timers: { silent: processingTimer() },
        onRecord(_, { state, timers, now }) {
          state.last.set(now)
          state.seen.set(state.seen.get() + 1)
          timers.silent.set(now + 500 * MILLIS)
        },
        onTimer: {
          silent({ key, now, state, emit }) {
            emit({ sensor: key.sensor, silentFor: now - (state.last.get() ?? 0), seen: state.seen.get() })
          },
        },
      },
      { id: "silence" },
    ),
  }),
})

/** Counts readings of a sensor until it has been silent for five seconds of event time. */
const bursts = job({
  name: "bursts",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    out: readings
      .eventTime("at", { outOfOrder: "2s" })
      .keyBy("sensor")
      .process(
        {
          emits: { sensor: t.string, until: t.timestamp(), values: t.string },
          state: { values: listState(t.float64), seen: mapState(t.float64, t.bool) },
          timers: { end: eventTimer() },
          onRecord(row, { state, timers }) {
            if (row.value === 666) throw new Error("the number of the beast")
            if (!state.seen.has(row.value)) state.values.add(row.value)
            state.seen.set(row.value, true)
            timers.end.set(row.at + 5 * SECOND)
          },
          onTimer: {
            end({ key, time, state, emit }) {
              emit({ sensor: key.sensor, until: time, values: state.values.values().join() })
              state.values.clear()
            },
          },
        },
        { id: "bursts" },
      ),
  }),
})

/** One of the jobs above on a simulated machine. */
function on(
  made: typeof silence | typeof bursts,
  out: ArrayTarget,
  source: ReturnType<typeof liveSource>,
): ExecutableJob {
  const bound = (made as typeof silence).with({
    inputs: { readings: source },
    outputs: { out: out.binding() },
    epoch: { min: "5ms", max: "1s" },
  })
  const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
  return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch }
}

test("P8 timers by the clock fire while no record comes, and what they give is committed", async () => {
  const bench = new Bench()
  const out = new ArrayTarget("out")
  const records = [reading(0, "x", 1), reading(1, "x", 2), reading(2, "y", 3)]
  // The third comes ten seconds after the others: until then both timers must have fired, and been committed.
  const source = liveSource({ a: records }, (ordinal) => [0, 100 * MILLIS, 10_000 * MILLIS][ordinal]!)
  const seen: number[] = []
  bench.watch = (env) => {
    void env.timers.sleep(5_000 * MILLIS).then(() => seen.push(out.rows.length))
    return env
  }
  await bench.run(on(silence, out, source), { drain: "never" })
  expect(seen).toEqual([1])
  const [first] = out.rows as { sensor: string; silentFor: number; seen: number }[]
  expect(first).toMatchObject({ sensor: "x", seen: 2 })
  expect(first!.silentFor).toBeGreaterThanOrEqual(500 * MILLIS)
  expect(first!.silentFor).toBeLessThan(600 * MILLIS)
})

test("P8 a timer that was set before the job stopped fires when it runs again", async () => {
  const bench = new Bench()
  const out = new ArrayTarget("out")
  const partitions: ArrayPartitions = { a: [reading(0, "x", 1), reading(1, "y", 2)] }
  const delayed = (delay: number) => liveSource(partitions, (ordinal) => ordinal * delay)
  await bench.run(on(silence, out, delayed(3_600_000 * MILLIS)), {}, (handle, env) => {
    void env.timers.sleep(100 * MILLIS).then(() => handle.stop())
  })
  expect(out.rows).toEqual([])
  await bench.run(on(silence, out, delayed(2_000 * MILLIS)))
  expect(out.rows).toMatchObject([{ sensor: "x", seen: 1 }])
})

test("P7 comes to the same results whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
  const prng = new Prng(7)
  const records = Array.from({ length: 40 }, (_, index) => {
    return reading(index * 4 - prng.below(6), prng.pick(["x", "y", "z"]), prng.chance(0.05) ? 666 : prng.below(9))
  })
  const partitions = {
    a: records.filter((_, index) => index % 2 === 0),
    b: records.filter((_, index) => index % 2 === 1),
  }
  const run = async (seed: number) => {
    const bench = new Bench(seed)
    const out = new ArrayTarget("out")
    const faults = new Prng(seed)
    const executable = on(bursts, out, arraySource(partitions))
    const options = {
      snapshotPolicy: { minBytes: 600, growth: 1 },
      epochRows: 1 + faults.below(7),
      batchRows: 1 + faults.below(9),
    }
    for (let life = 0; seed > 0 && life < 5; life++) {
      bench.world.faults = new RandomFaults(faults.fork(), { intensity: 0.2, max: 2 })
      await bench.live(executable, options)
    }
    bench.world.faults = new RandomFaults(faults.fork(), { intensity: 0, max: 0 })
    await bench.run(executable, options)
    return out.rows
  }
  const expected = await run(0)
  expect(expected.length).toBeGreaterThan(8)
  for (let seed = 1; seed <= 60; seed++) expect(await run(seed), `seed ${seed}`).toEqual(expected)
})
