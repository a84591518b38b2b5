/** Windows by the clock, and early results by the clock, in a running job and across its lives. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { RandomFaults } from "../sim/faults.ts"
import { count } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { onClock } from "../stream/triggers.ts"
import { session, tumbling } from "../stream/windows.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { liveSource } from "./live-source.fixture.ts"
import { Bench, Reading, reading, SECOND } from "./simulated-job.fixture.ts"

const byTheClock = job({
  name: "by-the-clock",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    out: readings
      .processingTime("seenAt", { id: "seen" })
      .keyBy("sensor")
      .window(tumbling("1s"))
      .aggregate({ readings: count() }, { id: "per-second" }),
  }),
})

const visits = job({
  name: "visits",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    out: readings
      .processingTime("seenAt", { id: "seen" })
      .keyBy("sensor")
      .window(session({ gap: "2s" }))
      .aggregate({ readings: count() }, { id: "visits" }),
  }),
})

const early = job({
  name: "early",
  inputs: { readings: Reading },
  flow: ({ readings }) => ({
    out: readings
      .eventTime("at", { outOfOrder: "0s" })
      .keyBy("sensor")
      .window(tumbling("1h"), { early: onClock({ every: "1s" }), purging: true })
      .aggregate({ readings: count() }, { id: "per-hour" }),
  }),
})

type Made = typeof byTheClock | typeof visits | typeof early

function on(made: Made, out: ArrayTarget, source: ReturnType<typeof liveSource>): ExecutableJob {
  const bound = (made as typeof byTheClock).with({
    inputs: { readings: source },
    outputs: { out: out.binding() },
    epoch: { min: "5ms", max: "1s" },
  })
  const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
  return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch }
}

/** Three readings, one second apart, and another a minute later. */
const RECORDS = [reading(0, "x", 1), reading(900, "x", 2), reading(1, "x", 3), reading(2, "y", 4)]
const ARRIVAL = (ordinal: number): number => [0, 1, 2, 60][ordinal]! * SECOND

/** How many rows were committed after so many seconds. */
async function committedAfter(made: Made, seconds: number): Promise<readonly [number, ArrayTarget]> {
  const bench = new Bench()
  const out = new ArrayTarget("out")
  const seen: number[] = []
  bench.watch = (env) => {
    void env.timers.sleep(seconds * SECOND).then(() => seen.push(out.rows.length))
    return env
  }
  await bench.run(on(made, out, liveSource({ a: RECORDS }, ARRIVAL)))
  return [seen[0]!, out]
}

test("T11 windows of the time at which rows come fire while none comes, and no row is late", async () => {
  const [seen, out] = await committedAfter(byTheClock, 5)
  expect(seen).toBe(3)
  expect(out.rows).toMatchObject([1, 1, 1, 1].map((readings) => ({ readings })))
})

test("T11 a session by the clock ends while nothing comes", async () => {
  const [seen, out] = await committedAfter(visits, 10)
  expect(seen).toBe(1)
  expect(out.rows).toMatchObject([
    { sensor: "x", readings: 3 },
    { sensor: "y", readings: 1 },
  ])
})

test("W70 W76 windows fire early by the clock while no record comes, and what they give is committed", async () => {
  const [seen, out] = await committedAfter(early, 5)
  expect(seen).toBe(3)
  expect(out.rows).toMatchObject([1, 1, 1, 1].map((readings) => ({ readings })))
})

test(
  "T11 W76 each row counts once by the clock, whatever dies when, over many seeds",
  { timeout: 120_000 },
  async () => {
    const prng = new Prng(9)
    const records = Array.from({ length: 40 }, (_, index) => reading(index, prng.pick(["x", "y"]), index))
    for (let seed = 1; seed <= 40; seed++) {
      const made = [byTheClock, visits, early][seed % 3]!
      const bench = new Bench(seed)
      const out = new ArrayTarget("out")
      const faults = new Prng(seed)
      const executable = on(made, out, arraySource({ a: records }) as ReturnType<typeof liveSource>)
      const options = {
        snapshotPolicy: { minBytes: 600, growth: 1 },
        epochRows: 1 + faults.below(7),
        batchRows: 1 + faults.below(9),
      }
      for (let life = 0; life < 4; life++) {
        bench.world.faults = new RandomFaults(faults.fork(), { intensity: 0.2, max: 2 })
        await bench.live(executable, options)
      }
      bench.world.faults = new RandomFaults(faults.fork(), { intensity: 0, max: 0 })
      await bench.run(executable, options)
      const total = (out.rows as { readings: number }[]).reduce((sum, { readings }) => sum + readings, 0)
      expect(total, `seed ${seed}`).toBe(records.length)
    }
  },
)
