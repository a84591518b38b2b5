/** Windows of records, those that fire more than once, and aggregates over a range, in jobs that die again and again. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { RandomFaults } from "../sim/faults.ts"
import { count, last, max, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { onCount, onEventTime } from "../stream/triggers.ts"
import { countWindow, globalWindow, session, tumbling } from "../stream/windows.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { Bench, Reading, reading } from "./simulated-job.fixture.ts"

const OUTPUTS = ["counts", "visits", "parts", "latest", "history", "late"] as const

const kinds = job({
  name: "kinds",
  inputs: { readings: Reading },
  flow: ({ readings }) => {
    const timed = readings.eventTime("at", { outOfOrder: "2s" }).keyBy("sensor")
    const counts = timed.window(countWindow(5, { every: 2 })).aggregate({ total: sum("value") }, { id: "counts" })
    const visits = timed
      .window(session({ gap: "5s" }), { early: onCount(3), allowedLateness: "8s" })
      .aggregate({ readings: count(), total: sum("value") }, { id: "visits" })
    const parts = timed
      .window(tumbling("20s"), { early: onEventTime({ every: "7s" }), purging: true })
      .aggregate({ readings: count(), total: sum("value") }, { id: "parts" })
    const latest = timed
      .window(globalWindow(), { early: onCount(4) })
      .aggregate({ value: last("value") }, { id: "latest" })
    const history = timed.over("10s").aggregate({ readings: count(), most: max("value") }, { id: "history" })
    return { counts, visits, parts, latest, history, late: history.late }
  },
})

test("F3 comes to the same results whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
  const prng = new Prng(11)
  const records = Array.from({ length: 60 }, (_, index) => {
    return reading(index * 2 - prng.below(9), prng.pick(["x", "y", "z"]), prng.pick([0.1, 0.7, -0, 3, NaN]))
  })
  const partitions: ArrayPartitions = {
    a: records.filter((_, index) => index % 2 === 0),
    b: records.filter((_, index) => index % 2 === 1),
  }
  const run = async (seed: number) => {
    const bench = new Bench(seed)
    const targets = OUTPUTS.map((name) => [name, new ArrayTarget(name)] as const)
    const outputs = Object.fromEntries(
      targets.map(([name, target]) => [
        name,
        { ...target.binding(), accepts: { append: true, update: true } as const },
      ]),
    ) as Record<
      (typeof OUTPUTS)[number],
      ReturnType<ArrayTarget["binding"]> & { readonly accepts: { append: true; update: true } }
    >
    const bound = kinds.with({ inputs: { readings: arraySource(partitions) }, outputs })
    const { name, plan, paramsSchema, params, inputs, deadLetter, onError, maxBadRecords, epoch } = bound
    const parts = { name, plan, paramsSchema, params, inputs, outputs: bound.outputs }
    const executable: ExecutableJob = { ...parts, deadLetter, onError, maxBadRecords, epoch }
    const faults = new Prng(seed)
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
    return Object.fromEntries(targets.map(([name, target]) => [name, target.rows]))
  }
  const expected = await run(0)
  for (const name of OUTPUTS) expect(expected[name]!.length, name).toBeGreaterThan(2)
  const opsOf = (name: string) => new Set((expected[name] as { op: string }[]).map(({ op }) => op))
  expect(opsOf("visits")).toContain("delete")
  expect(opsOf("latest")).toContain("update")
  for (let seed = 1; seed <= 60; seed++) expect(await run(seed), `seed ${seed}`).toEqual(expected)
})
