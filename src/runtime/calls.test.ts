/** Tests of jobs with calls: rows in flight over epochs, stops, recoveries and the end of the input. */
import { describe, expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { t } from "../batch/types.ts"
import type { Env } from "../env/env.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { count, sum } from "../stream/aggregates.ts"
import type { AsyncCall, AsyncMapOptions } from "../stream/async-map-options.ts"
import { job } from "../stream/job.ts"
import { tumbling } from "../stream/windows.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { liveSource } from "./live-source.fixture.ts"
import { Bench, reading, Reading, SECOND } from "./simulated-job.fixture.ts"
import type { JobStatus } from "./status.ts"

const MILLIS = 1_000
const RECORDS = Array.from({ length: 40 }, (_, index) =>
  reading(index * 2 - (index % 3) * 3, index % 2 === 0 ? "x" : "y", index),
)
const PARTITIONS: ArrayPartitions = { "a.csv": RECORDS.slice(0, 25), "b.csv": RECORDS.slice(25) }

type Answer = (value: number, call: AsyncCall, env: Env) => Promise<number> | number

/** A machine with a job that asks for each reading, and what it was asked. */
class CallBench extends Bench {
  readonly answered = new ArrayTarget("answered")
  readonly windows = new ArrayTarget("windows")
  readonly asked: { readonly value: number; readonly key: string; readonly attempt: number }[] = []
  env: Env | undefined
  underWay = 0
  most = 0
  readonly #answer: Answer

  constructor(answer: Answer, seed = 1) {
    super(seed)
    this.#answer = answer
    this.watch = (env) => (this.env = env)
  }

  override watch: (env: Env) => Env

  async #ask(value: number, call: AsyncCall): Promise<number> {
    this.asked.push({ value, key: call.key, attempt: call.attempt })
    this.most = Math.max(this.most, ++this.underWay)
    try {
      return await this.#answer(value, call, this.env!)
    } finally {
      this.underWay--
    }
  }

  /** The job; `source` overrides the readings. */
  calling(options: AsyncMapOptions = {}, change: Partial<ExecutableJob> = {}): ExecutableJob {
    const definition = job({
      name: "calling",
      inputs: { readings: Reading },
      flow: ({ readings }) => {
        const answered = readings
          .eventTime("at", { outOfOrder: "4s" })
          .asyncMap({ answer: t.float64 }, async (r, _p, call) => ({ answer: await this.#ask(r.value, call) }), {
            id: "ask",
            ...options,
          })
        const windows = answered
          .keyBy("sensor")
          .window(tumbling("10s"))
          .aggregate({ rows: count(), total: sum("answer") }, { id: "windows" })
        return { answered: answered.select("value", "answer"), windows }
      },
    })
    const bound = definition.with({
      inputs: { readings: arraySource(PARTITIONS) },
      outputs: { answered: this.answered.binding(), windows: this.windows.binding() },
      deadLetter: this.bad.binding(),
    })
    const { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch } = bound
    return { name, plan, paramsSchema, params, inputs, outputs, deadLetter, onError, maxBadRecords, epoch, ...change }
  }

  seen() {
    return { answered: this.answered.rows, windows: this.windows.rows, bad: this.bad.rows }
  }
}

/** Answers with ten times the value, after as long as its seed says. */
const after =
  (millisMax: number, seed = 5): Answer =>
  async (value, _call, { timers }) => {
    await timers.sleep(new Prng(seed * 1000 + value).below(millisMax) * MILLIS)
    return value * 10
  }

const atOnce: Answer = (value) => value * 10

async function expected() {
  const bench = new CallBench(atOnce)
  await bench.run(bench.calling())
  return bench.seen()
}

function live(bench: CallBench, delayOf: (ordinal: number) => number, options: AsyncMapOptions = {}): ExecutableJob {
  const bound = bench.calling(options, { epoch: { minMicros: 5 * MILLIS, maxMicros: 1_000 * MILLIS } })
  const { schema } = bound.inputs["readings"]!
  return { ...bound, inputs: { readings: { schema, source: liveSource({ a: RECORDS }, delayOf) } } }
}

describe("rows in flight", () => {
  test("AM1 E7 leave in the order in which they came, however batches and epochs are cut and calls answered", async () => {
    const truth = await expected()
    expect(truth.answered).toHaveLength(RECORDS.length)
    for (const [batchRows, epochRows, inFlight] of [
      [1, 3, 4],
      [7, 5, 1],
      [64, 1000, 100],
      [3, 2, 10],
    ] as const) {
      const bench = new CallBench(after(50, batchRows))
      await bench.run(bench.calling({ inFlight }), { batchRows, epochRows })
      expect(bench.seen()).toEqual(truth)
      expect(bench.most).toBeLessThanOrEqual(inFlight)
    }
  })

  test("AM12 leave in the order in which they are answered where that is asked for, each once", async () => {
    const truth = await expected()
    const bench = new CallBench(after(50))
    await bench.run(bench.calling({ order: "completion" }), { batchRows: 3 })
    const values = bench.answered.rows.map(({ value }) => Number(value))
    expect(values).not.toEqual(truth.answered.map(({ value }) => value))
    expect(values.sort((one, other) => one - other)).toEqual(RECORDS.map(({ value }) => value))
    expect(bench.windows.rows).toHaveLength(truth.windows.length)
  })

  test("AM2 E8 are bounded: reading waits for answers, and the status names what it waits for", async () => {
    const bench = new CallBench(after(3_600_000))
    let waiting: JobStatus | undefined
    await bench.run(bench.calling({ inFlight: 4, timeout: "2h" }), {}, (handle, { timers }) => {
      void timers.sleep(5 * SECOND).then(() => {
        waiting = handle.status()
        return handle.stop()
      })
    })
    expect(waiting).toMatchObject({ rowsIn: 4, rowsInFlight: 4 })
    expect(waiting!.timeShares[0]).toMatchObject({ on: "calls", name: "ask" })
    expect(waiting!.timeShares[0]!.share).toBeGreaterThan(0.9)
    expect(bench.most).toBe(4)
  })

  test("AM10 an epoch ends while calls are under way, and nothing goes round in circles", async () => {
    const bench = new CallBench(after(3_600_000))
    const before = bench.world.scheduler.fired
    await bench.run(
      live(bench, (ordinal) => ordinal * SECOND, { timeout: "2h" }),
      {},
      (handle, { timers }) => {
        void timers.sleep(20 * SECOND).then(() => handle.stop())
      },
    )
    const epochs = bench.events.filter(({ kind }) => kind === "committed")
    expect(epochs.length).toBeGreaterThanOrEqual(19)
    expect(epochs.length).toBeLessThanOrEqual(23)
    expect(bench.world.scheduler.fired - before).toBeLessThan(epochs.length * 25)
  })

  test("AM10 an answer is given out though no record comes any more", async () => {
    const bench = new CallBench(async (value, _call, { timers }) => (await timers.sleep(SECOND), value))
    let published: number | undefined
    await bench.run(
      live(bench, (ordinal) => (ordinal < 3 ? 0 : 100 * SECOND)),
      {},
      (handle, { timers }) => {
        void timers.sleep(2 * SECOND).then(() => {
          published = bench.answered.rows.length
          return handle.stop()
        })
      },
    )
    expect(published).toBe(3)
  })
})

describe("stopping", () => {
  test("AM7 E10 does not wait for calls, aborts them, and a later run asks again, in order, by the same keys", async () => {
    const truth = await expected()
    const signals: AbortSignal[] = []
    let isSlow = true
    const bench = new CallBench(async (value, { signal }, { timers }) => {
      signals.push(signal)
      await timers.sleep(isSlow && value > 2 ? 3_600 * SECOND : SECOND)
      return value * 10
    })
    const calling = bench.calling({ inFlight: 6, timeout: "2h" })
    let stoppedAt = 0
    const stopped = await bench.run(calling, {}, (handle, { timers }) => {
      void timers.sleep(10 * SECOND).then(() => {
        stoppedAt = bench.world.scheduler.now
        return handle.stop()
      })
    })
    expect(stopped).toMatchObject({ outcome: "stopped", status: { rowsInFlight: expect.any(Number) as number } })
    expect(stopped.status.rowsInFlight).toBeGreaterThan(3)
    expect(bench.world.scheduler.now - stoppedAt).toBeLessThan(SECOND)
    expect(signals.some(({ aborted }) => aborted)).toBe(true)
    const before = bench.asked.splice(0)
    isSlow = false
    const result = await bench.run(calling)
    expect(result.outcome).toBe("finished")
    expect(bench.seen()).toEqual(truth)
    const again = bench.asked.filter(({ value }) => before.some((each) => each.value === value))
    expect(again.length).toBeGreaterThan(2)
    for (const { value, key } of again) expect(before.find((each) => each.value === value)!.key).toBe(key)
  })

  test("AM7 with drain waits for them", async () => {
    const bench = new CallBench(after(60_000))
    const { outcome, status } = await bench.run(
      bench.calling({ inFlight: 5, timeout: "2m" }),
      {},
      (handle, { timers }) => {
        void timers.sleep(SECOND).then(() => handle.stop({ drain: true }))
      },
    )
    expect(outcome).toBe("stopped")
    expect(status).toMatchObject({ rowsInFlight: 0, openWindows: 0 })
    expect(bench.answered.rows).toHaveLength(status.rowsIn)
  })

  test("AM11 the end of the input waits for calls; who stops the job then finds it not finished", async () => {
    const truth = await expected()
    const bench = new CallBench(async (value, _call, { timers }) => (await timers.sleep(60 * SECOND), value * 10))
    const calling = bench.calling({ timeout: "2m" })
    const { outcome } = await bench.run(calling, {}, (handle, { timers }) => {
      void timers.sleep(30 * SECOND).then(() => handle.stop())
    })
    expect(outcome).toBe("stopped")
    expect(bench.windows.rows).toEqual([])
    const result = await bench.run(calling)
    expect(result).toMatchObject({ outcome: "finished", isNothingNew: false })
    expect(bench.seen()).toEqual(truth)
    expect((await bench.run(calling)).isNothingNew).toBe(true)
  })
})

describe("calls that fail", () => {
  const failing: Answer = (value) => {
    if (value % 10 === 3) throw new Error(`there is no ${value}`)
    return value * 10
  }
  const retry = { attempts: 2, backOff: "1ms" } as const

  test("AM9 make their rows dead letters, with the reason", async () => {
    const bench = new CallBench(failing)
    await bench.run(bench.calling({ retry }))
    expect(bench.answered.rows).toHaveLength(36)
    expect(bench.bad.rows).toHaveLength(4)
    expect(bench.bad.rows[0]).toMatchObject({
      input: "readings",
      partition: "a.csv",
      record: 4,
      operator: "ask",
      reason: "the call failed 2 times, at last: it threw Error: there is no 3",
    })
    expect(bench.asked).toHaveLength(44)
  })

  test("AM9 stop the job where its policy says so, or that of the operator", async () => {
    const bench = new CallBench(failing)
    const failure = { code: "call-failed", message: expect.stringContaining("a.csv, record 4") as string }
    await expect(bench.run(bench.calling({ retry, onFailure: "stop" }))).rejects.toMatchObject(failure)
    await expect(bench.run(bench.calling({ retry }, { onError: "stop" }))).rejects.toMatchObject(failure)
    expect(bench.underWay).toBe(0)
    await bench.run(bench.calling({ retry, onFailure: "dead-letter" }, { onError: "stop" }))
    expect(bench.bad.rows).toHaveLength(4)
  })

  test("AM9 a value that is not of its type fails its row, and is not asked for again", async () => {
    const bench = new CallBench((value) => (value === 7 ? ("seven" as unknown as number) : value))
    await bench.run(bench.calling())
    expect(bench.bad.rows).toMatchObject([
      { record: 8, reason: 'the lambda gave "seven" for the column "answer", which is not a number' },
    ])
    expect(bench.asked).toHaveLength(RECORDS.length)
  })
})

describe("recovery", () => {
  test(
    "AM4 AM8 E3 comes to the same results, in the same order and by the same keys, over many seeds",
    { timeout: 300_000 },
    async () => {
      const truth = await expected()
      const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
      let failures = 0
      let repeated = 0
      for (let seed = 0; seed < 60 * scale; seed++) {
        const bench = new CallBench(after(40, seed), seed)
        const prng = new Prng(seed)
        const options = {
          epochRows: 1 + prng.below(12),
          batchRows: 1 + prng.below(9),
          snapshotPolicy: { minBytes: 600, growth: 1 },
        }
        const inFlight = prng.pick([1, 3, 10, 100])
        for (let life = 0; life < 4; life++) {
          bench.world.faults = new RandomFaults(prng.fork(), { intensity: 0.04, max: 2 })
          if (!(await bench.live(bench.calling({ inFlight }), options))) failures++
        }
        bench.world.faults = NO_FAULTS
        await bench.run(bench.calling({ inFlight }), options)
        expect(bench.seen(), `seed ${seed}`).toEqual(truth)
        const keys = new Map(bench.asked.map(({ value, key }) => [value, key]))
        expect(new Set(keys.values()).size).toBe(RECORDS.length)
        for (const { value, key } of bench.asked) expect(keys.get(value), `seed ${seed}`).toBe(key)
        repeated += bench.asked.length - RECORDS.length
      }
      expect(failures).toBeGreaterThan(30)
      expect(repeated).toBeGreaterThan(100)
    },
  )
})

test("AM11 results of windows that ask are waited for, and the windows behind them fire", async () => {
  const flow = (isCalling: boolean, bench: CallBench): ExecutableJob => {
    const tens = new ArrayTarget("tens")
    const definition = job({
      name: "windows-of-answers",
      inputs: { readings: Reading },
      flow: ({ readings }) => {
        const sums = readings
          .eventTime("at", { outOfOrder: "4s" })
          .keyBy("sensor")
          .window(tumbling("10s"))
          .aggregate({ total: sum("value") }, { id: "sums" })
        const double = (total: number | null) => ({ double: (total ?? 0) * 2 })
        const doubled = isCalling
          ? sums.asyncMap(
              { double: t.float64 },
              async (r) => (await bench.env!.timers.sleep(SECOND), double(r.total)),
              { id: "ask" },
            )
          : sums.derive({ double: t.float64 }, (r) => double(r.total))
        const minutes = doubled
          .keyBy("sensor")
          .window(tumbling("1m"))
          .aggregate({ total: sum("double") }, { id: "minutes" })
        return { minutes }
      },
    })
    return definition.with({
      inputs: { readings: arraySource(PARTITIONS) },
      outputs: { minutes: bench.windows.binding() },
      deadLetter: tens.binding(),
    })
  }
  const [calling, deriving] = [new CallBench(atOnce), new CallBench(atOnce)]
  const result = await calling.run(flow(true, calling), { batchRows: 5 })
  await deriving.run(flow(false, deriving), { batchRows: 5 })
  expect(result.outcome).toBe("finished")
  expect(calling.windows.rows.length).toBeGreaterThan(2)
  expect(calling.windows.rows).toEqual(deriving.windows.rows)
})
