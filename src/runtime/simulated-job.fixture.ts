/** A simulated machine, a job and its targets, for tests of the coordinator. */
import { expect } from "vitest"
import { schema, type RowOf } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { Env } from "../env/env.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { count, first, last, max, mean, min, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { hopping, tumbling } from "../stream/windows.ts"
import type { Timestamp } from "../time/timestamp.ts"
import type { JobEvent } from "../trace/events.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { runJob, type JobHandle } from "./run-job.ts"
import type { RunJobOptions } from "./run-options.ts"
import type { JobResult } from "./status.ts"

/** A reading of a sensor. */
export const Reading = schema({ at: t.timestamp({ format: "us" }), sensor: t.string, value: t.float64 })

/** In microseconds. */
export const SECOND = 1_000_000
/** A reading, so many seconds after 1970. */
export function reading(seconds: number, sensor: string, value: number): RowOf<typeof Reading> {
  return { at: (seconds * SECOND) as Timestamp, sensor, value }
}

const readings = job({
  name: "readings",
  inputs: { readings: Reading },
  flow: ({ readings }) => {
    const timed = readings
      .filter((r) => {
        if (r.value === 666) throw new Error("the number of the beast")
        return r.value !== 0
      })
      .eventTime("at", { outOfOrder: "2s" })
    const tens = timed
      .keyBy("sensor")
      .window(tumbling("10s"))
      .aggregate({ count: count(), total: sum("value"), mean: mean("value"), first: first("value") }, { id: "tens" })
    const sliding = timed
      .keyBy("sensor")
      .window(hopping("7s", { every: "3s" }))
      .aggregate({ total: sum("value"), low: min("value"), high: max("value"), last: last("value") }, { id: "sliding" })
    return { tens, sliding, late: tens.late }
  },
})

/** A simulated machine with a job's targets: what outlives its runs. */
export class Bench {
  readonly world: SimWorld
  readonly tens = new ArrayTarget("tens")
  readonly sliding = new ArrayTarget("sliding")
  readonly late = new ArrayTarget("late")
  readonly bad = new ArrayTarget("bad")
  readonly events: JobEvent[] = []

  constructor(seed = 1) {
    this.world = new SimWorld({ seed })
    this.world.image.installDirectory("/job")
  }

  job(partitions: ArrayPartitions, change: Partial<ExecutableJob> = {}): ExecutableJob {
    const bound = readings.with({
      inputs: { readings: arraySource(partitions) },
      outputs: { tens: this.tens.binding(), sliding: this.sliding.binding(), late: this.late.binding() },
      deadLetter: this.bad.binding(),
    })
    const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
    return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch, ...change }
  }

  /** Runs a job in a process of its own until it ends; `whileRunning` gets its handle. */
  async run(
    executable: ExecutableJob,
    options: Partial<RunJobOptions> = {},
    whileRunning: (handle: JobHandle, env: Env) => void = () => undefined,
  ): Promise<JobResult> {
    const env = this.watch(this.world.boot())
    const promise = (async () => {
      const onEvent = (event: JobEvent) => void this.events.push(event)
      const handle = await runJob(executable, {
        env,
        directory: "/job/state",
        baseDirectory: "/job",
        onEvent,
        ...options,
      })
      whileRunning(handle, env)
      return await handle.finished
    })()
    promise.catch(() => undefined)
    await this.world.run(promise)
    if (this.world.isAlive) this.world.kill()
    return await promise
  }

  /** Runs a job until it ends, fails on its disk, or dies; tells whether it came to its end. */
  async live(executable: ExecutableJob, options: Partial<RunJobOptions>): Promise<boolean> {
    const env = this.watch(this.world.boot())
    const promise = runJob(executable, { env, directory: "/job/state", baseDirectory: "/job", ...options })
    const finished = promise.then((handle) => handle.finished)
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

  /** Stands between the job and its env, for tests that look at what passes there. */
  watch: (env: Env) => Env = (env) => env

  /** All that readers of the targets see. */
  results(): Record<"tens" | "sliding" | "late" | "bad", readonly Record<string, unknown>[]> {
    const { tens, sliding, late, bad } = this
    return { tens: tens.rows, sliding: sliding.rows, late: late.rows, bad: bad.rows }
  }
}
