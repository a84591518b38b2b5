import { expect, it } from "vitest"
import { forEachSeedInTurn } from "../../test/seeds.ts"
import type { Prng } from "../base/prng.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { threadProgram } from "../sim/thread-program.ts"
import { count, last, max, mean, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { hopping, tumbling } from "../stream/windows.ts"
import type { JobEvent } from "../trace/events.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayRecord } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { runJob } from "./run-job.ts"
import type { RunJobOptions } from "./run-options.ts"

const SECOND = 1_000_000

const Reading = schema({ at: t.timestamp({ format: "us" }), meter: t.string, value: t.float64 })

const meters = job({
  name: "meters",
  inputs: { readings: Reading },
  flow: ({ readings }) => {
    const sliding = readings
      // A value that is no eighth fails: then it is for the thread that has the lambda.
      .derive({ eighths: t.int32 }, (r) => ({ eighths: r.value * 8 }))
      .filter((r) => r.eighths !== 0)
      .eventTime("at", { outOfOrder: "2s" })
      .keyBy("meter")
      .window(hopping("10s", { every: "3s" }))
      .aggregate(
        { readings: count(), total: sum("value"), mean: mean("value"), last: last("value") },
        { id: "sliding" },
      )
    const highest = sliding
      .keyBy()
      .window(tumbling("3s"))
      .aggregate({ highest: max("total") }, { id: "highest" })
    return { sliding: sliding.filter((r) => r.readings > 1), highest, late: sliding.late }
  },
})

/** Readings that go on in time, some of them late. */
function randomReadings(prng: Prng, length: number): ArrayRecord[] {
  let now = 1000 * SECOND
  return Array.from({ length }, () => {
    now += prng.below(SECOND)
    const late = prng.chance(0.1) ? prng.below(prng.chance(0.1) ? 8 * SECOND : 2 * SECOND) : 0
    return { at: now - late, meter: `meter ${prng.below(5)}`, value: prng.below(40) / 8 }
  })
}

class Meters {
  readonly world: SimWorld
  readonly targets = {
    sliding: new ArrayTarget("sliding"),
    highest: new ArrayTarget("highest"),
    late: new ArrayTarget("late"),
  }
  readonly bad = new ArrayTarget("bad")
  readonly events: JobEvent[] = []

  constructor(seed: number) {
    this.world = new SimWorld({ seed, threadProgram })
    this.world.image.installDirectory("/job")
  }

  /** A job over one partition. */
  job(records: readonly ArrayRecord[]): ExecutableJob {
    const { sliding, highest, late } = this.targets
    const bound = meters.with({
      inputs: { readings: arraySource({ a: records }) },
      outputs: { sliding: sliding.binding(), highest: highest.binding(), late: late.binding() },
      deadLetter: this.bad.binding(),
    })
    const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
    return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch }
  }

  /** Runs it to its end, or until `stopAfter` epochs were committed. */
  async run(executable: ExecutableJob, options: Partial<RunJobOptions>, stopAfter = Infinity) {
    let commits = 0
    const promise = (async () => {
      const handle = await runJob(executable, {
        env: this.world.boot(),
        directory: "/job/state",
        baseDirectory: "/job",
        arenaBytes: 64 << 20,
        onEvent: (event) => {
          this.events.push(event)
          if (event.kind === "committed" && ++commits === stopAfter) void handle.stop().catch(() => undefined)
        },
        ...options,
      })
      return await handle.finished
    })()
    promise.catch(() => undefined)
    await this.world.run(promise)
    if (this.world.isAlive) this.world.kill()
    return await promise
  }

  /** Runs it until it ends, fails on its disk, or dies; tells whether it came to its end. */
  async live(executable: ExecutableJob, options: Partial<RunJobOptions>): Promise<boolean> {
    const env = this.world.boot()
    const [directory, baseDirectory] = ["/job/state", "/job"]
    const started = runJob(executable, { env, directory, baseDirectory, arenaBytes: 64 << 20, ...options })
    const finished = started.then((handle) => handle.finished)
    const end = await this.world.run(finished)
    if (this.world.isAlive) this.world.kill()
    if (end === "died") return false
    const failure: unknown = await finished.then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure !== undefined) expect(failure).toMatchObject({ code: expect.stringMatching(/^disk-/) as string })
    return failure === undefined
  }

  get rows() {
    const { sliding, highest, late } = this.targets
    return { sliding: sliding.rows, highest: highest.rows, late: late.rows, bad: this.bad.rows }
  }
}

/** What one thread gives. */
async function expected(records: readonly ArrayRecord[]) {
  const world = new Meters(1)
  const { status } = await world.run(world.job(records), {})
  return { rows: world.rows, status }
}

it("WT1 E7 E10 jobs give the same on threads, over cuts, stops and restarts, and where threads die, and count the same", async () => {
  let [started, lost] = [0, 0]
  await forEachSeedInTurn(60, async (prng, seed) => {
    const records = randomReadings(prng, 400 + prng.below(1200))
    const alone = await expected(records)
    const world = new Meters(seed)
    const options = {
      parallelism: 2 + prng.below(2),
      partRows: 20 + prng.below(200),
      epochRows: 30 + prng.below(400),
      batchRows: 1 + prng.below(60),
      snapshotPolicy: { minBytes: prng.pick([500, 1 << 20]), growth: 1 },
    }
    let result = await world.run(world.job(records), options, prng.pick([2, 3, Infinity]))
    while (result.outcome === "stopped") result = await world.run(world.job(records), options, prng.pick([2, Infinity]))
    expect(world.rows).toEqual(alone.rows)
    const { lateRows, rowsIn, rowsOut, watermarkMicros, openWindows } = result.status
    const { status } = alone
    expect({ lateRows, rowsIn, rowsOut, watermarkMicros, openWindows }).toEqual({
      lateRows: status.lateRows,
      rowsIn: status.rowsIn,
      rowsOut: status.rowsOut,
      watermarkMicros: status.watermarkMicros,
      openWindows: status.openWindows,
    })
    started += world.events.filter(({ kind }) => kind === "threads-compute").length
    lost += world.events.filter(({ kind }) => kind === "threads-lost").length
  })
  expect(started).toBeGreaterThan(0)
  expect(lost).toBeGreaterThan(0)
})

it("WT2 where a row fails, the job goes on behind the last commit on one thread, which says what becomes of it", async () => {
  await forEachSeedInTurn(20, async (prng, seed) => {
    const records = randomReadings(prng, 500)
    for (let count = 1 + prng.below(3); count > 0; count--) {
      const at = 100 + prng.below(400)
      records[at] = { ...records[at], value: 0.3 }
    }
    const alone = await expected(records)
    expect(alone.rows.bad.length).toBeGreaterThan(0)
    const world = new Meters(seed)
    await world.run(world.job(records), { parallelism: 2, partRows: 50, epochRows: 60 })
    expect(world.rows).toEqual(alone.rows)
    expect(world.events.some(({ kind }) => kind === "threads-lost")).toBe(true)
  })
})

it("E3 jobs on threads come to the same results whatever dies when: threads, processes, calls of the disk", async () => {
  let failures = 0
  await forEachSeedInTurn(40, async (prng, seed) => {
    const records = randomReadings(prng, 300)
    const alone = await expected(records)
    const world = new Meters(seed)
    const options = {
      parallelism: 2,
      partRows: 10 + prng.below(60),
      epochRows: 10 + prng.below(60),
      snapshotPolicy: { minBytes: 600, growth: 1 },
    }
    for (let life = 0; life < 4; life++) {
      world.world.faults = new RandomFaults(prng.fork(), { intensity: 0.2, max: 2 })
      if (!(await world.live(world.job(records), options))) failures++
    }
    world.world.faults = NO_FAULTS
    await world.run(world.job(records), options)
    expect(world.rows).toEqual(alone.rows)
  })
  expect(failures).toBeGreaterThan(20)
}, 120_000)
