/** A driven job that goes on with another number of threads: its results are those of one. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { count, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { valueState } from "../stream/process-declarations.ts"
import { hopping } from "../stream/windows.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { runOnRows } from "./run-on-rows.ts"
import { testDriver } from "./test-driver.ts"

const SECOND = 1_000_000
const at = (seconds: number) => (seconds * SECOND) as Timestamp
const trip = (seconds: number, zone: string, fare: number) => ({ at: at(seconds), zone, fare })

const revenue = job({
  name: "revenue",
  inputs: { trips: schema({ at: t.timestamp(), zone: t.string, fare: t.float64 }) },
  flow: ({ trips }) => {
    const tens = trips
      .filter((each) => each.fare > 0)
      .eventTime("at", { outOfOrder: "2s" })
      .keyBy("zone")
      .window(hopping("10s", { every: "5s" }))
      .aggregate({ trips: count(), revenue: sum("fare") }, { id: "tens" })
    return { tens, late: tens.late }
  },
})

function randomTrips(prng: Prng, length: number) {
  return Array.from({ length }, (_, index) =>
    trip(index * 2 - prng.below(prng.chance(0.1) ? 12 : 3), prng.pick(["JFK", "LGA", "EWR"]), prng.below(90) / 10),
  )
}

test("E7 threads compute after a rescale, and windows that were open before go on in them", async () => {
  const driver = await testDriver(revenue)
  await driver.push("trips", [trip(1, "JFK", 0.1), trip(2, "LGA", 0.2)])
  expect(driver.computingThreads).toBe(0)
  await driver.rescale(3)
  await driver.push("trips", [trip(3, "JFK", 0.3)])
  expect(driver.computingThreads).toBe(3)
  await driver.push("trips", [trip(20, "JFK", 1)])
  expect(driver.take("tens")).toMatchObject([
    { zone: "JFK", windowStart: at(-5), trips: 2, revenue: 0.1 + 0.3 },
    { zone: "LGA", windowStart: at(-5), trips: 1, revenue: 0.2 },
    { zone: "JFK", windowStart: at(0), trips: 2, revenue: 0.1 + 0.3 },
    { zone: "LGA", windowStart: at(0), trips: 1, revenue: 0.2 },
  ])
  await driver.rescale(1)
  expect(driver.computingThreads).toBe(0)
  await driver.drain()
  expect(driver.take("tens")).toMatchObject([
    { windowStart: at(15), trips: 1 },
    { windowStart: at(20), trips: 1 },
  ])
})

test("E7 comes to what one thread makes of the rows, bit for bit, over many seeds", async () => {
  let lives = 0
  for (let seed = 1; seed <= 12; seed++) {
    const prng = new Prng(seed)
    const rows = randomTrips(prng, 60)
    const driver = await testDriver(revenue, { commits: prng.pick(["by-hand", "each-push"]), parallelism: 2 })
    for (let from = 0; from < rows.length;) {
      const length = 1 + prng.below(9)
      await driver.push("trips", rows.slice(from, (from += length)))
      if (prng.chance(0.3)) await driver.commit()
      lives += driver.computingThreads > 0 ? 1 : 0
      if (prng.chance(0.2)) await driver.rescale(1 + prng.below(4))
      else if (prng.chance(0.1)) {
        await driver.crash()
        await driver.restore({ batchRows: 1 + prng.below(9) })
      }
    }
    await driver.endInput("trips")
    const { failedRows, ...outputs } = await runOnRows(revenue, { inputs: { trips: rows } })
    expect(failedRows).toEqual([])
    expect({ ...driver.outputs }, `seed ${seed}`).toEqual(outputs)
  }
  expect(lives).toBeGreaterThan(20)
})

test("a watermark that is told brings the work back to the job's own thread", async () => {
  const driver = await testDriver(revenue, { parallelism: 2 })
  await driver.push("trips", [trip(1, "JFK", 1)])
  await driver.push("trips", [trip(2, "JFK", 1)])
  expect(driver.computingThreads).toBe(2)
  await driver.advanceWatermark("trips", at(30))
  expect(driver.computingThreads).toBe(0)
  expect(driver.take("tens")).toMatchObject([
    { windowStart: at(-5), trips: 2 },
    { windowStart: at(0), trips: 2 },
  ])
})

test("a plan whose operators keep to one thread goes on as it is", async () => {
  const numbered = job({
    name: "numbered",
    inputs: { events: schema({ user: t.string }) },
    flow: ({ events }) => ({
      out: events.keyBy("user").process(
        {
          emits: { n: t.int53 },
          state: { seen: valueState(t.int53.default(0)) },
          onRecord(_, { state, emit }) {
            state.seen.set(state.seen.get() + 1)
            emit({ n: state.seen.get() })
          },
        },
        { id: "numbered" },
      ),
    }),
  })
  const driver = await testDriver(numbered)
  for (const parallelism of [1, 4, 2]) {
    await driver.rescale(parallelism)
    await driver.push("events", [{ user: "ann" }])
    expect(driver.computingThreads).toBe(0)
  }
  driver.expect("out", [{ n: 1 }, { n: 2 }, { n: 3 }])
})

test("a number of threads that there cannot be is refused, and the job goes on", async () => {
  const driver = await testDriver(revenue)
  const refusal = { code: "invalid-options", message: "rescale(...): parallelism is 0." }
  await expect(driver.rescale(0)).rejects.toMatchObject(refusal)
  await expect(testDriver(revenue, { parallelism: 65 })).rejects.toMatchObject({ code: "invalid-options" })
  await expect(driver.restart({ parallelism: 1.5 })).rejects.toMatchObject({ code: "invalid-options" })
  expect(driver.isRunning).toBe(true)
})
