/** A job whose records come with time. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import type { Env } from "../env/env.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { job } from "../stream/job.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { liveSource } from "./live-source.fixture.ts"
import { Bench, Reading, reading } from "./simulated-job.fixture.ts"

const MILLIS = 1_000
const records = Array.from({ length: 12 }, (_, index) => reading(index * 3, index % 2 === 0 ? "x" : "y", index + 1))
const bounds = { minMicros: 5 * MILLIS, maxMicros: 1_000 * MILLIS }

/** A job that reads those records as they come. */
const live = (bench: Bench, delayOf: (ordinal: number) => number, isBusy = () => false): ExecutableJob => {
  const bound = bench.job({ a: records }, { epoch: bounds })
  const { schema: rows } = bound.inputs["readings"]!
  return { ...bound, inputs: { readings: { schema: rows, source: liveSource({ a: records }, delayOf, isBusy) } } }
}
const every = (micros: number) => (ordinal: number) => ordinal * micros
const whole = async () => {
  const bench = new Bench()
  await bench.run(bench.job({ a: records }))
  return bench.results()
}

test("E9 an epoch ends though no record comes any more", async () => {
  const bench = new Bench()
  const pause = 400 * MILLIS
  let clock: Env["clock"] | undefined
  bench.watch = (env) => ({ clock } = env) && env
  const committed: { micros: number; rows: number }[] = []
  // Three records within a millisecond each time: the first may be committed alone, and for the others no record comes.
  await bench.run(
    live(bench, (ordinal) => Math.floor(ordinal / 3) * pause + (ordinal % 3) * 300),
    {
      onEvent: (event) =>
        void (event.kind === "committed" && committed.push({ micros: clock!.monotonicMicros(), rows: event.rows })),
    },
  )
  for (let burst = 0; burst < records.length / 3; burst++) {
    const soon = committed.filter(({ micros }) => micros < burst * pause + 100 * MILLIS)
    expect(soon.reduce((sum, { rows }) => sum + rows, 0)).toBe((burst + 1) * 3)
  }
})

test("E9 an epoch is as long as where there is more to read while records come faster than there is time for them", async () => {
  const epochsWhile = async (isBusy: boolean): Promise<number> => {
    const bench = new Bench()
    const { status } = await bench.run(live(bench, every(8 * MILLIS), () => isBusy))
    return status.epoch
  }
  expect(await epochsWhile(false)).toBeGreaterThan(6)
  expect(await epochsWhile(true)).toBeLessThan(4)
})

test("E9 nothing is committed while nothing has come", async () => {
  const bench = new Bench()
  const { status } = await bench.run(live(bench, every(10_000 * MILLIS)))
  expect(status.epoch).toBe(records.length)
})

test("E7 gives what it gives where all are there at once", async () => {
  const bench = new Bench()
  await bench.run(live(bench, every(7 * MILLIS)))
  expect(bench.results()).toEqual(await whole())
})

test("E10 stopping does not wait for the next record", async () => {
  const bench = new Bench()
  const { outcome, status } = await bench.run(live(bench, every(3_600_000 * MILLIS)), {}, (handle, env) => {
    void env.timers.sleep(1_000 * MILLIS).then(() => handle.stop())
  })
  expect(outcome).toBe("stopped")
  expect(status.rowsIn).toBe(1)
  await bench.run(live(bench, every(7 * MILLIS)))
  expect(bench.results()).toEqual(await whole())
})

test("an input without event time that brings nothing keeps no other from being read", async () => {
  const both = job({
    name: "both",
    inputs: { one: Reading, other: Reading },
    flow: ({ one, other }) => ({ all: one.union(other) }),
  })
  for (const silent of ["one", "other"]) {
    const bench = new Bench()
    const delayOf = (input: string) => every(input === silent ? 1_000_000_000 * MILLIS : 1_000 * MILLIS)
    const bound = both.with({
      inputs: {
        one: liveSource({ a: records }, delayOf("one")),
        other: liveSource({ b: records }, delayOf("other")),
      },
      outputs: { all: new ArrayTarget("all").binding() },
    })
    const { status } = await bench.run(bound, {}, (handle, env) => {
      void env.timers.sleep(10_500 * MILLIS).then(() => handle.stop())
    })
    expect(status.rowsInByInput).toEqual({ one: 11, other: 11, [silent]: 1 })
  }
})

test("Q1 of two that bring a record now and then none stops the other, with no option said", async () => {
  const bench = new Bench()
  const bound = bench.job({ a: [] }, { epoch: bounds })
  const { schema: rows } = bound.inputs["readings"]!
  const partitions = { a: records, b: records.map((row) => ({ ...row, sensor: `b-${row.sensor}` })) }
  // A record of one comes between each two of the other.
  const delayOf = (ordinal: number, id: string) => (2 * ordinal + (id === "b" ? 1 : 0)) * 1_000 * MILLIS
  const source = liveSource(partitions, delayOf)
  const { status } = await bench.run(
    { ...bound, inputs: { readings: { schema: rows, source } } },
    {},
    (handle, env) => {
      void env.timers.sleep(20_500 * MILLIS).then(() => handle.stop())
    },
  )
  // One that is as far as the other may wait for that.
  expect(status.rowsIn).toBeGreaterThanOrEqual(20)
})

test("E3 comes to the same results whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
  const expected = await whole()
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  let failures = 0
  for (let seed = 0; seed < 100 * scale; seed++) {
    const bench = new Bench(seed)
    const prng = new Prng(seed)
    const options = { snapshotPolicy: { minBytes: 600, growth: 1 } }
    for (let life = 0; life < 5; life++) {
      bench.world.faults = new RandomFaults(prng.fork(), { intensity: 0.2, max: 2 })
      if (!(await bench.live(live(bench, every(prng.below(30) * MILLIS)), options))) failures++
    }
    bench.world.faults = NO_FAULTS
    await bench.run(live(bench, every(7 * MILLIS)), options)
    expect(bench.results(), `seed ${seed}`).toEqual(expected)
  }
  expect(failures).toBeGreaterThan(60)
})
