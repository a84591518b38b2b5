/** Jobs of which some partitions bring nothing for a time, or much more than others. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { batchOfRows } from "../batch/batch.ts"
import type { NumberedRange } from "../batch/numbered-records.ts"
import { NumberedSource } from "../connect/numbered-source.ts"
import type { SourceContext } from "../connect/source.ts"
import type { Env } from "../env/env.ts"
import type { EventTimeNode } from "../flow/plan.ts"
import { readStoredStatus } from "../observe/stored-status.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { liveSource } from "./live-source.fixture.ts"
import type { JobHandle } from "./run-job.ts"
import { Bench, reading, SECOND } from "./simulated-job.fixture.ts"
import type { JobStatus } from "./status.ts"

const MILLIS = 1_000
const NEVER = 1_000_000 * SECOND
const bounds = { minMicros: 5 * MILLIS, maxMicros: 100 * MILLIS }

type Reach = Pick<EventTimeNode, "idleAfterMicros" | "maxDriftMicros">
type Partitions = Parameters<typeof liveSource>[0]

/** A job whose partitions come with time. */
function live(bench: Bench, partitions: Partitions, reach: Reach, delayOf: (ordinal: number, id: string) => number) {
  const bound = bench.job(partitions, { epoch: bounds })
  const { schema: rows } = bound.inputs["readings"]!
  const nodes = bound.plan.nodes.map((node) => (node.kind === "eventTime" ? { ...node, ...reach } : node))
  const job: ExecutableJob = {
    ...bound,
    plan: { ...bound.plan, nodes },
    inputs: { readings: { schema: rows, source: liveSource(partitions, delayOf) } },
  }
  return job
}

/** What a job says of itself at moments of its run, in seconds after it was opened; then it is stopped. */
async function watched(bench: Bench, job: ExecutableJob, moments: readonly number[]): Promise<JobStatus[]> {
  const seen: JobStatus[] = []
  const watch = async (handle: JobHandle, env: Env) => {
    let now = 0
    for (const moment of moments) {
      await env.timers.sleep((moment - now) * SECOND)
      now = moment
      seen.push(handle.status())
    }
    await handle.stop()
  }
  await bench.run(job, {}, (handle, env) => void watch(handle, env))
  return seen
}

const idsOf = (partitions: readonly { readonly partition: string }[]) => partitions.map(({ partition }) => partition)
const steady = Array.from({ length: 200 }, (_, index) => reading(index, "x", 1))

test("T13 a partition that brings nothing holds windows back for no longer than the job says", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, silent: [reading(50, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : NEVER)
  const job = live(bench, partitions, { idleAfterMicros: 30 * SECOND }, delays)
  const [before, behind, later] = await watched(bench, job, [29, 31, 61])
  expect(before).toMatchObject({ idlePartitions: [], rowsOut: { tens: 0 } })
  expect(behind!.idlePartitions).toEqual([
    {
      eventTime: "readings/eventTime",
      input: "readings",
      partition: "silent",
      sinceMicros: expect.any(Number) as number,
    },
  ])
  expect(behind!.holdingBack).toMatchObject([{ partition: "busy" }])
  expect(behind!.rowsIn).toBeGreaterThan(25)
  expect(later!.rowsOut["tens"]).toBe(5)
})

test("T13 a partition that others keep from being read is not idle, nor one whose records were there", async () => {
  const bench = new Bench()
  // Both have something every 20 s, the one long before the other: they are read in turns, by their watermarks.
  const partitions = {
    one: Array.from({ length: 10 }, (_, index) => reading(index * 20, "x", 1)),
    other: Array.from({ length: 10 }, (_, index) => reading(1000 + index * 20, "y", 1)),
  }
  const job = live(bench, partitions, { idleAfterMicros: 30 * SECOND }, (ordinal) => ordinal * 20 * SECOND)
  const seen = await watched(bench, job, [31, 65, 110, 170])
  expect(seen.flatMap(({ idlePartitions }) => idlePartitions)).toEqual([])
})

test("T13 what was silent holds the watermark back again when it has brought something", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, now_and_then: [reading(1, "y", 1), reading(42, "y", 1), reading(43, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : [0, 60 * SECOND, NEVER][ordinal]!)
  const job = live(bench, partitions, { idleAfterMicros: 10 * SECOND }, delays)
  const [idle, awake, again] = await watched(bench, job, [59, 62, 75])
  expect(idsOf(idle!.idlePartitions)).toEqual(["now_and_then"])
  const { watermarkMicros } = idle!
  expect(watermarkMicros).toBeGreaterThan(50 * SECOND)
  // It goes on from where the watermark was, so its record of second 42 is late.
  expect(awake!.idlePartitions).toEqual([])
  expect(awake!.watermarkMicros! - watermarkMicros!).toBeLessThan(3 * SECOND)
  expect(awake!.lateRows).toBeGreaterThan(0)
  expect(idsOf(again!.idlePartitions)).toEqual(["now_and_then"])
})

test("T13 what is idle is part of the cut: a run that goes on does not wait for it anew, and status says since when", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, silent: [reading(500, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : NEVER)
  const job = live(bench, partitions, { idleAfterMicros: 30 * SECOND }, delays)
  const [first] = await watched(bench, job, [35])
  const env = bench.world.boot()
  const stored = readStoredStatus(env.disk, "/job/state")
  await bench.world.run(stored)
  bench.world.kill()
  const [eventTime] = (await stored)!.eventTimes
  const { partition, sinceMicros } = first!.idlePartitions[0]!
  expect(eventTime!.idlePartitions).toEqual([{ input: "readings", partition, sinceMicros }])
  expect(eventTime!.holdingBack).toMatchObject({ partition: "busy", others: 0 })
  const atOnce = (_ordinal: number, id: string) => (id === "busy" ? 0 : NEVER)
  const goingOn = live(bench, partitions, { idleAfterMicros: 30 * SECOND }, atOnce)
  const [second] = await watched(bench, goingOn, [2])
  expect(second!.idlePartitions).toEqual(first!.idlePartitions)
  expect(second!.rowsOut["tens"]).toBe(19)
})

test(
  "E3 T13 each record counts once whatever is idle when, and whatever dies when, over many seeds",
  { timeout: 120_000 },
  async () => {
    const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    let failures = 0
    let idle = 0
    for (let seed = 0; seed < 60 * scale; seed++) {
      const bench = new Bench(seed)
      const prng = new Prng(seed)
      const partitions = Object.fromEntries(
        ["a", "b", "c"].map((id) => {
          return [id, Array.from({ length: 12 }, (_, index) => reading(index * 3, id, index + 1))] as const
        }),
      )
      const options = { snapshotPolicy: { minBytes: 600, growth: 1 } }
      const reach = { idleAfterMicros: 40 * MILLIS, ...(prng.chance(0.5) ? { maxDriftMicros: 6 * SECOND } : {}) }
      const makeJob = () => {
        const pauses = new Map(["a", "b", "c"].map((id) => [id, prng.pick([5, 30, 200]) * MILLIS]))
        return live(bench, partitions, reach, (ordinal, id) => ordinal * pauses.get(id)!)
      }
      for (let life = 0; life < 4; life++) {
        bench.world.faults = new RandomFaults(prng.fork(), { intensity: 0.2, max: 2 })
        if (!(await bench.live(makeJob(), options))) failures++
      }
      bench.world.faults = NO_FAULTS
      await bench.run(makeJob(), options, (handle, env) => {
        const watch = async () => {
          for (; handle.status().state === "running"; await env.timers.sleep(20 * MILLIS)) {
            idle += handle.status().idlePartitions.length
          }
        }
        void watch()
      })
      const { tens, late, bad } = bench.results()
      const inWindows = tens.reduce((sum, { count }) => sum + Number(count), 0)
      expect([inWindows + late.length, bad.length], `seed ${seed}`).toEqual([36, 0])
      const once = new Set(late.map(({ sensor, value }) => `${String(sensor)} ${String(value)}`))
      expect(once.size, `seed ${seed}`).toBe(late.length)
    }
    expect(failures).toBeGreaterThan(20 * scale)
    expect(idle).toBeGreaterThan(20 * scale)
  },
)

test("T14 a partition is read as its records come, no further ahead of the slowest than the job says", async () => {
  const bench = new Bench()
  const partitions = { fast: steady, slow: Array.from({ length: 20 }, (_, index) => reading(index * 10, "y", 1)) }
  // All of the fast one is there at once; of the slow one a record each ten seconds.
  const job = live(bench, partitions, { maxDriftMicros: 30 * SECOND }, (ordinal, id) =>
    id === "fast" ? 0 : ordinal * 10 * SECOND,
  )
  const seen = await watched(bench, job, [1, 11, 21, 31])
  const read = seen.map(({ rowsIn }) => rowsIn)
  // Each record of the slow one lets ten of the fast one follow; a read is not cut where the bound lies.
  read.slice(1).forEach((rows, index) => expect(rows - read[index]!).toBeLessThan(40))
  expect(read[3]).toBeLessThan(110)
  for (const status of seen) {
    expect(status.pausedPartitions).toMatchObject([{ input: "readings", partition: "fast" }])
    expect(status.pausedPartitions[0]!.aheadMicros).toBeGreaterThan(30 * SECOND)
  }
  const env = bench.world.boot()
  const stored = readStoredStatus(env.disk, "/job/state")
  await bench.world.run(stored)
  bench.world.kill()
  expect((await stored)!.pausedPartitions).toMatchObject([{ partition: "fast" }])
})

test("T14 the slowest that has nothing now does not keep others from being read within the bound", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, slow: [reading(0, "y", 1), reading(100, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : ordinal * 100 * SECOND)
  const [within, paused] = await watched(
    bench,
    live(bench, partitions, { maxDriftMicros: 30 * SECOND }, delays),
    [20, 60],
  )
  expect(within!.rowsIn).toBe(22)
  expect(within!.pausedPartitions).toEqual([])
  expect(paused!.rowsIn).toBe(33)
})

test("T14 with no option said one that brings nothing keeps no other from being read, though no window can fire", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, silent: [reading(0, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : NEVER)
  const [status] = await watched(bench, live(bench, partitions, {}, delays), [100])
  expect(status).toMatchObject({ pausedPartitions: [], rowsOut: { tens: 0 } })
  expect(status!.holdingBack).toMatchObject([{ partition: "silent" }])
  expect(status!.rowsIn).toBe(101)
})

test("T14 where none may be ahead each is waited for in its turn, and what waits is told", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, slow: [reading(0, "y", 1), reading(5, "y", 1), reading(100, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : ordinal * 40 * SECOND)
  const job = live(bench, partitions, { maxDriftMicros: 0 }, delays)
  const [first, second] = await watched(bench, job, [39, 79])
  expect(first!.rowsIn).toBeLessThan(4)
  expect(first!.pausedPartitions).toMatchObject([{ partition: "busy" }])
  // What one read brings is not cut.
  expect(second!.rowsIn).toBeLessThan(30)
  expect(second!.pausedPartitions).toMatchObject([{ partition: "busy" }])
})

test("T13 T14 an idle partition does not keep others from being read", async () => {
  const bench = new Bench()
  const partitions = { busy: steady, silent: [reading(0, "y", 1), reading(500, "y", 1)] }
  const delays = (ordinal: number, id: string) => (id === "busy" ? ordinal * SECOND : ordinal * NEVER)
  const reach = { maxDriftMicros: 20 * SECOND, idleAfterMicros: 40 * SECOND }
  const [paused, free] = await watched(bench, live(bench, partitions, reach, delays), [39, 80])
  expect(paused!.rowsIn).toBeLessThan(25)
  expect(free!.rowsIn).toBeGreaterThan(75)
  expect(free!.pausedPartitions).toEqual([])
})

test(
  "T14 a partition that is 10⁶ rows ahead stays where it is: neither windows nor columns take more room",
  { timeout: 60_000 },
  async () => {
    const bench = new Bench()
    const rows = 1_000_000
    const bound = live(bench, { a: [] }, { maxDriftMicros: 10 * SECOND }, () => 0)
    const { schema: columns } = bound.inputs["readings"]!
    const openSource = (context: SourceContext) => {
      const take = (secondsOf: (n: number) => number) => (range: NumberedRange) => {
        const numbers = Array.from({ length: range.count }, (_, index) => range.first + index)
        const origin = {
          partition: range.partition,
          offsets: Float64Array.from(numbers, (n) => n * range.stride),
          ordinals: Float64Array.from(numbers),
        }
        const made = numbers.map((n) => reading(secondsOf(n), `sensor ${n % 50}`, 1))
        return { ...batchOfRows(context.arena, columns, made, origin), bad: [], records: range.count }
      }
      const parts = [
        { id: "fast", content: "", records: rows, stride: 16, delayMicros: () => 0, take: take((n) => n / 1000) },
        {
          id: "slow",
          content: "",
          records: 1001,
          stride: 16,
          delayMicros: (n: number) => n * SECOND,
          take: take((n) => n),
        },
      ]
      return Promise.resolve(new NumberedSource(context, parts, ""))
    }
    const job = {
      ...bound,
      inputs: { readings: { schema: columns, source: { describe: () => "numbers", openSource } } },
    }
    const seen: JobStatus[] = []
    const options = { batchRows: 4096 }
    const { status } = await bench.run(job, options, (handle, env) => {
      const watch = async () => {
        for (; handle.status().state === "running"; await env.timers.sleep(10 * SECOND)) seen.push(handle.status())
      }
      void watch()
    })
    expect(status.rowsIn).toBe(rows + 1001)
    expect(status.rowsOut["tens"]).toBe(100 * 50 + 1)
    let paused = 0
    seen.forEach(({ rowsIn, openWindows, pausedPartitions }, index) => {
      // Ten seconds ahead of the slow one, whose delay is two, and a batch.
      expect(rowsIn).toBeLessThan((index * 10 + 1 + 10 + 2) * 1001 + 4096)
      expect(openWindows).toBeLessThan(600)
      if (idsOf(pausedPartitions).includes("fast")) paused++
    })
    // The slow one may just have caught up.
    expect(paused).toBeGreaterThan(50)
    expect(seen.length).toBeGreaterThan(95)
    expect(status.arenaPeakBytes).toBeLessThan(8 << 20)
  },
)
