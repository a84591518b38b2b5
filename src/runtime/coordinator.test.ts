import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { propertyCases } from "../../test/seeds.ts"
import { Prng } from "../base/prng.ts"
import type { Sink } from "../connect/sink.ts"
import type { Env } from "../env/env.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { tumbling } from "../stream/windows.ts"
import { ArrayTarget } from "./array-sink.fixture.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"
import { DEAD_LETTER_SCHEMA } from "./dead-letters.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { runJob } from "./run-job.ts"
import { Bench, reading, Reading, SECOND } from "./simulated-job.fixture.ts"
import type { JobStatus } from "./status.ts"

const TWO_FILES: ArrayPartitions = {
  "a.csv": [reading(1, "x", 1), reading(4, "y", 2), reading(3, "x", 3), reading(30, "x", 4), reading(5, "y", 5)],
  "b.csv": [
    reading(2, "x", 0.1),
    { bad: "not a number" },
    reading(12, "x", 0.2),
    reading(14, "y", 666),
    reading(40, "y", 8),
  ],
}

describe("a job", () => {
  test("E1 E2 stages every sink, commits, and applies, epoch after epoch", async () => {
    const bench = new Bench()
    const result = await bench.run(bench.job(TWO_FILES), { epochRows: 4 })
    expect(result).toMatchObject({ outcome: "finished", isNothingNew: false })
    expect(bench.tens.calls).toEqual(["stage", "apply", "stage", "apply", "stage final", "apply"])
    expect(result.status.epoch).toBe(3)
    expect(bench.results()).toMatchSnapshot()
  })

  test("E16 fires what is open at the end, and takes files that come later from there", async () => {
    const bench = new Bench()
    const partitions: ArrayPartitions = { "a.csv": [reading(1, "x", 1), reading(12, "x", 2)] }
    await bench.run(bench.job(partitions))
    expect(bench.tens.rows.map(({ windowStart }) => windowStart)).toEqual([0, 10 * SECOND])
    partitions["b.csv"] = [reading(13, "x", 4), reading(25, "x", 8)]
    const { status } = await bench.run(bench.job(partitions))
    expect(bench.tens.rows.map(({ windowStart, total }) => [windowStart, total])).toEqual([
      [0, 1],
      [10 * SECOND, 2],
      [20 * SECOND, 8],
    ])
    expect(bench.late.rows).toEqual([reading(13, "x", 4)])
    expect(status.lateRows).toBeGreaterThan(0)
  })

  test("E16 leaves windows open with drain never, for files that belong to them", async () => {
    const bench = new Bench()
    const partitions: ArrayPartitions = { "a.csv": [reading(1, "x", 1), reading(12, "x", 2)] }
    const { status } = await bench.run(bench.job(partitions), { drain: "never" })
    expect(status.openWindows).toBeGreaterThan(0)
    partitions["b.csv"] = [reading(13, "x", 4)]
    await bench.run(bench.job(partitions))
    expect(bench.tens.rows.map(({ total }) => total)).toEqual([1, 6])
  })

  test("E17 a finished job with nothing new reads nothing and commits nothing", async () => {
    const bench = new Bench()
    const { status } = await bench.run(bench.job(TWO_FILES))
    const before = bench.results()
    const again = await bench.run(bench.job(TWO_FILES))
    expect(again.isNothingNew).toBe(true)
    expect(again.status).toMatchObject({ epoch: status.epoch, rowsIn: status.rowsIn, rowsOut: status.rowsOut })
    expect(bench.results()).toEqual(before)
  })

  test("E10 stopping commits and leaves windows open; a later run goes on as if nothing had been", async () => {
    const whole = new Bench()
    await whole.run(whole.job(TWO_FILES))
    const bench = new Bench()
    const stopped = await bench.run(bench.job(TWO_FILES), { batchRows: 1 }, (handle) => void handle.stop())
    expect(stopped.outcome).toBe("stopped")
    expect(stopped.status.rowsIn).toBeLessThan(10)
    expect(bench.tens.rows).toEqual([])
    await bench.run(bench.job(TWO_FILES))
    expect(bench.results()).toEqual(whole.results())
  })

  test("stopping with an option that there is not is refused, and the job goes on", async () => {
    const bench = new Bench()
    let refused: unknown
    const result = await bench.run(bench.job(TWO_FILES), {}, (handle) => {
      try {
        void handle.stop({ drian: true } as never)
      } catch (error) {
        refused = error
      }
    })
    expect(refused).toMatchObject({ code: "invalid-options", message: 'stop(...) has no option "drian".' })
    expect(result.outcome).toBe("finished")
  })

  test("E10 stopping with drain fires what is open", async () => {
    const bench = new Bench()
    await bench.run(bench.job(TWO_FILES), { batchRows: 1 }, (handle) => {
      setImmediate(() => void handle.stop({ drain: true }))
    })
    expect(bench.tens.rows.length).toBeGreaterThan(0)
  })

  test("E19 refuses to go on without a file that was not read to its end", async () => {
    const bench = new Bench()
    await bench.run(bench.job(TWO_FILES), { batchRows: 1 }, (handle) => void handle.stop())
    const failure = bench.run(bench.job({ "b.csv": TWO_FILES["b.csv"]! }))
    await expect(failure).rejects.toMatchObject({ code: "source-missing" })
  })

  test("E14 a reset starts anew and tells the sinks", async () => {
    const bench = new Bench()
    await bench.run(bench.job(TWO_FILES))
    const before = bench.results()
    const { status } = await bench.run(bench.job(TWO_FILES), { reset: true })
    expect(bench.tens.recovery).toMatchObject({ reset: true, fresh: true })
    expect(bench.results()).toEqual(before)
    expect(status.rowsIn).toBe(10)
  })

  test("E11 the second process on a directory is refused", async () => {
    const bench = new Bench()
    const second: unknown[] = []
    // An epoch a row, so that the first one is still at it when the second one comes.
    await bench.run(bench.job(TWO_FILES), { batchRows: 1, epochRows: 1 }, (handle, env) => {
      void runJob(bench.job(TWO_FILES), { env, directory: "/job/state", baseDirectory: "/job" }).catch(
        (error: unknown) => {
          second.push(error)
          void handle.stop()
        },
      )
    })
    expect(second).toMatchObject([{ code: "state-locked" }])
  })
})

/** An env that tells of each write and sync of a file by its step. */
function tellingSteps(env: Env, tell: (step: string, phase: "begins" | "ends") => void): Env {
  const told = async (step: string, work: Promise<void>): Promise<void> => {
    tell(step, "begins")
    await work
    tell(step, "ends")
  }
  const open: Env["disk"]["open"] = async (path, mode, at) => {
    const file = await env.disk.open(path, mode, at)
    if (file === undefined) return undefined
    return {
      read: (target, position, step) => file.read(target, position, step),
      write: (source, position, step) => told(step, file.write(source, position, step)),
      readNow: (target, position, step) => file.readNow(target, position, step),
      writeNow: (source, position, step) => file.writeNow(source, position, step),
      sync: (step) => told(step, file.sync(step)),
      writeDurably: (source, position, steps) => file.writeDurably(source, position, steps),
      truncate: (length, step) => file.truncate(length, step),
      size: () => file.size(),
      fileId: () => file.fileId(),
      close: () => file.close(),
    }
  }
  const { clock, timers, scopes, threads, turns, disk } = env
  const watched: Env["disk"] = {
    open,
    stat: (path) => disk.stat(path),
    isThereNow: (path) => disk.isThereNow(path),
    list: (path) => disk.list(path),
    makeDirectory: (path, step) => disk.makeDirectory(path, step),
    rename: (from, to, step) => disk.rename(from, to, step),
    remove: (path, step) => disk.remove(path, step),
    syncDirectory: (path, step) => disk.syncDirectory(path, step),
  }
  const lockDirectory: Env["lockDirectory"] = (path) => env.lockDirectory(path)
  return { clock, timers, scopes, threads, turns, disk: watched, lockDirectory, randomUint32: () => env.randomUint32() }
}

describe("the commit", () => {
  test("E9 of an epoch in which little changed is one write and one sync of one file", async () => {
    const bench = new Bench()
    const steps: string[] = []
    bench.watch = (env) => tellingSteps(env, (step, phase) => void (phase === "begins" && steps.push(step)))
    await bench.run(bench.job(TWO_FILES), { epochRows: 2 })
    const opening = ["log.open.write", "log.open.sync", "log.begin.write", "log.begin.sync"]
    const epochs = bench.events.filter(({ kind }) => kind === "committed")
    expect(epochs.length).toBeGreaterThan(3)
    expect(steps).toEqual([...opening, ...epochs.flatMap(() => ["log.commit.write", "log.commit.sync"])])
  })

  test("E8 holds reading back while storage is busy", async () => {
    const bench = new Bench()
    let busy = 0
    let most = 0
    bench.watch = (env) => tellingSteps(env, (_step, phase) => void (busy += phase === "begins" ? 1 : -1))
    const executable = bench.job(TWO_FILES)
    const binding = executable.inputs["readings"]!.source
    const source: typeof binding = {
      describe: () => binding.describe(),
      openSource: async (context) => {
        const inner = await binding.openSource(context)
        return {
          partitions: () => inner.partitions(),
          close: () => inner.close(),
          open: async (...place) => {
            const reader = await inner.open(...place)
            return {
              close: () => reader.close(),
              read: (limits) => {
                most = Math.max(most, busy)
                return reader.read(limits)
              },
            }
          },
        }
      },
    }
    await bench.run({ ...executable, inputs: { readings: { schema: Reading, source } } }, { epochRows: 1 })
    expect(most).toBe(0)
    expect(busy).toBe(0)
  })

  /** A job whose sink of one output is changed when it is opened. */
  function withSink(bench: Bench, change: (sink: Sink) => void): ExecutableJob {
    const executable = bench.job(TWO_FILES)
    const binding = bench.tens.binding()
    const openSink: typeof binding.openSink = async (context, recovery) => {
      const sink = await binding.openSink(context, recovery)
      change(sink)
      return sink
    }
    return { ...executable, outputs: { ...executable.outputs, tens: { ...binding, openSink } } }
  }

  test("a run that fails tells why, closes all that it has opened, and not what closing has led to", async () => {
    const bench = new Bench()
    const executable = withSink(bench, (sink) => {
      sink.stage = () => Promise.reject(new Error("the sink is full"))
      sink.close = () => Promise.reject(new Error("the sink does not close"))
    })
    let openFiles = -1
    const run = bench.run(executable, { epochRows: 3 }, (handle) => {
      void handle.finished.catch(() => (openFiles = bench.world.openFiles))
    })
    await expect(run).rejects.toThrow("the sink is full")
    expect(openFiles).toBe(0)
  })

  test("a run whose sink does not close says so, and closes the rest", async () => {
    const bench = new Bench()
    const executable = withSink(bench, (sink) => {
      sink.close = () => Promise.reject(new Error("the sink does not close"))
    })
    let openFiles = -1
    const run = bench.run(executable, {}, (handle) => {
      void handle.finished.catch(() => (openFiles = bench.world.openFiles))
    })
    await expect(run).rejects.toThrow("the sink does not close")
    expect(openFiles).toBe(0)
    expect(bench.tens.rows.length).toBeGreaterThan(0)
  })

  test("E8 tells of the sink that it waits for, while it waits, and reads nothing meanwhile", async () => {
    const bench = new Bench()
    let env!: Env
    const executable = withSink(bench, (sink) => {
      const stage = sink.stage.bind(sink)
      sink.stage = async (final) => {
        await env.timers.sleep(60_000_000)
        return stage(final)
      }
    })
    let waiting: JobStatus | undefined
    let later: JobStatus | undefined
    await bench.run(executable, { epochRows: 3 }, (handle, itsEnv) => {
      env = itsEnv
      void env.timers.sleep(30_000_000).then(() => (waiting = handle.status()))
      void env.timers.sleep(59_000_000).then(() => (later = handle.status()))
    })
    expect(waiting!.timeShares[0]).toMatchObject({ on: "output", name: "tens" })
    expect(waiting!.timeShares[0]!.share).toBeGreaterThan(0.99)
    expect(waiting!.rowsIn).toBe(3)
    expect(later!.rowsIn).toBe(3)
  })

  test("E8 ends the run where a sync fails, and the next run goes on from the last epoch", async () => {
    const whole = new Bench()
    await whole.run(whole.job(TWO_FILES))
    const bench = new Bench()
    let syncs = 0
    bench.world.faults = { strike: ({ step }) => (step === "log.commit.sync" && ++syncs === 2 ? "eio" : undefined) }
    await expect(bench.run(bench.job(TWO_FILES), { epochRows: 2 })).rejects.toMatchObject({ code: "disk-failed" })
    await bench.run(bench.job(TWO_FILES))
    expect(bench.results()).toEqual(whole.results())
  })

  test("E6 what a lambda does on its own happens at least once; what it gives counts exactly once", async () => {
    const seen: number[] = []
    const noting = job({
      name: "noting",
      inputs: { readings: Reading },
      flow: ({ readings }) => ({
        all: readings.filter((r) => {
          seen.push(r.value)
          return true
        }),
      }),
    })
    const bench = new Bench()
    const target = new ArrayTarget()
    const partitions = { "a.csv": [1, 2, 3, 4, 5].map((value) => reading(value, "x", value)) }
    const bound = () =>
      noting.with({ inputs: { readings: arraySource(partitions) }, outputs: { all: target.binding() } })
    let syncs = 0
    bench.world.faults = { strike: ({ step }) => (step === "log.commit.sync" && ++syncs === 2 ? "eio" : undefined) }
    await expect(bench.run(bound(), { epochRows: 2 })).rejects.toMatchObject({ code: "disk-failed" })
    await bench.run(bound())
    expect(target.rows.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5])
    expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5]))
    expect(seen.length).toBeGreaterThanOrEqual(5)
  })

  test("E3 brings the job to the same results whatever dies when, over many seeds", { timeout: 120_000 }, async () => {
    const whole = new Bench()
    await whole.run(whole.job(TWO_FILES))
    const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    let failures = 0
    for (let seed = 0; seed < 150 * scale; seed++) {
      const bench = new Bench(seed)
      const prng = new Prng(seed)
      const options = { epochRows: 1 + prng.below(4), snapshotPolicy: { minBytes: 600, growth: 1 } }
      for (let life = 0; life < 6; life++) {
        bench.world.faults = new RandomFaults(prng.fork(), { intensity: 0.3, max: 2 })
        if (!(await bench.live(bench.job(TWO_FILES), options))) failures++
      }
      bench.world.faults = NO_FAULTS
      await bench.run(bench.job(TWO_FILES), options)
      expect(bench.results(), `seed ${seed}`).toEqual(whole.results())
    }
    expect(failures).toBeGreaterThan(100)
  })

  test("E15 tells sinks whether the job starts from nothing, so that they can refuse what is not theirs", async () => {
    const bench = new Bench()
    await bench.run(bench.job(TWO_FILES))
    expect(bench.tens.recovery).toMatchObject({ fresh: true, reset: false })
    await bench.run(bench.job(TWO_FILES))
    expect(bench.tens.recovery).toMatchObject({ fresh: false, reset: false })
  })
})

test("E7 results do not depend on a job beside that is in a hurry", async () => {
  const alone = new Bench()
  await alone.run(alone.job(TWO_FILES))
  const beside = new Bench()
  beside.watch = (env) => {
    env.turns.enter("latency")
    return env
  }
  await beside.run(beside.job(TWO_FILES))
  expect(beside.results()).toEqual(alone.results())
})

describe("bad records and failing rows", () => {
  test("X1 go to the dead letters with file, position and reason, and are counted and told", async () => {
    const bench = new Bench()
    const { status } = await bench.run(bench.job(TWO_FILES))
    expect(status.badRecords).toBe(2)
    expect(bench.bad.rows).toEqual([
      expect.objectContaining({ partition: "b.csv", record: 2, operator: null, reason: "not a number" }),
      expect.objectContaining({
        partition: "b.csv",
        record: 4,
        operator: expect.any(String) as string,
        reason: expect.stringContaining("the number of the beast") as string,
        raw: expect.stringContaining("666") as string,
      }),
    ])
    expect(Object.keys(bench.bad.rows[0]!)).toEqual(DEAD_LETTER_SCHEMA.fields.map(({ name }) => name))
    expect(bench.events.filter(({ kind }) => kind === "dead-letter")).toHaveLength(2)
  })

  test("X1 rows that the job made itself are dead letters without a place", async () => {
    const failing = job({
      name: "failing",
      inputs: { readings: Reading },
      flow: ({ readings }) => ({
        totals: readings
          .eventTime("at", { outOfOrder: "2s" })
          .keyBy("sensor")
          .window(tumbling("10s"))
          .aggregate({ total: sum("value") }, { id: "totals" })
          .filter((result) => {
            if (result.sensor === "y") throw new Error("no y, please")
            return true
          }),
      }),
    })
    const bench = new Bench()
    const bound = failing.with({
      inputs: { readings: arraySource({ "a.csv": [reading(1, "x", 1), reading(2, "y", 2)] }) },
      outputs: { totals: bench.tens.binding() },
      deadLetter: bench.bad.binding(),
    })
    await bench.run(bound)
    expect(bench.tens.rows).toMatchObject([{ sensor: "x" }])
    expect(bench.bad.rows).toMatchObject([{ input: null, partition: null, record: null, offset: null }])
    expect(bench.bad.rows[0]!["raw"]).toContain('"sensor":"y"')
    const told = { kind: "dead-letter", input: null, partition: null, record: null, operator: "totals/filter" }
    expect(bench.events).toContainEqual(expect.objectContaining(told))
    const { name, plan, paramsSchema, params, inputs, outputs, maxBadRecords, epoch } = bound
    const strict = { name, plan, paramsSchema, params, inputs, outputs, maxBadRecords, epoch, deadLetter: undefined }
    const stopped = new Bench().run({ ...strict, onError: "stop" })
    await expect(stopped).rejects.toMatchObject({
      message: expect.stringMatching(/a row that the job made: .*no y, please/) as string,
    })
  })

  test("stop the job where the policy says so, naming file, record and row; what was committed stays", async () => {
    const bench = new Bench()
    const failure = bench.run(bench.job(TWO_FILES, { onError: "stop" }), { epochRows: 2 })
    await expect(failure).rejects.toMatchObject({
      code: "lambda-failed",
      message: expect.stringMatching(/b\.csv, record 4: .*beast/) as string,
    })
    // With the default policy the same state goes on to the same results as an undisturbed run.
    await bench.run(bench.job(TWO_FILES))
    const whole = new Bench()
    await whole.run(whole.job(TWO_FILES))
    expect(bench.results()).toEqual(whole.results())
  })

  test("stop the job when there are more than maxBadRecords", async () => {
    const bench = new Bench()
    const failure = bench.run(bench.job(TWO_FILES, { maxBadRecords: 1 }))
    await expect(failure).rejects.toMatchObject({
      code: "too-many-bad-records",
      message: expect.stringContaining("b.csv, record 4") as string,
    })
    expect(bench.bad.rows).toEqual([])
  })
})

test("a lambda that reads a column that there is not is told once, before anything is read", async () => {
  const mistyped = job({
    name: "mistyped",
    inputs: { readings: Reading },
    flow: ({ readings }) => ({ kept: readings.filter((row) => (row as unknown as { vale: number }).vale > 0) }),
  })
  const bench = new Bench()
  const source = arraySource({ "a.csv": [reading(1, "x", 1), reading(2, "y", 2)] })
  await bench.run(mistyped.with({ inputs: { readings: source }, outputs: { kept: bench.tens.binding() } }))
  expect(bench.events.filter(({ kind }) => kind === "warning")).toEqual([
    {
      kind: "warning",
      about: "readings/filter",
      message: "readings/filter reads row.vale, which is no column of its rows: it is always undefined.",
      hint: expect.stringContaining('Did you mean "value"?') as string,
    },
  ])
  expect(bench.events[0]).toMatchObject({ kind: "warning" })
})

describe("E13 state", () => {
  test("of another plan is refused in words, and nothing is touched", async () => {
    const bench = new Bench()
    await bench.run(bench.job(TWO_FILES))
    const before = bench.results()
    const failure = bench.run(bench.job(TWO_FILES, { name: "other" }))
    await expect(failure).rejects.toMatchObject({ code: "state-foreign" })
    expect(bench.results()).toEqual(before)
  })
})

const SENSORS = ["x", "y", "z"]
const records = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.nat(60), fc.constantFrom(...SENSORS), fc.integer({ min: -9, max: 9 })) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  { maxLength: 30 },
)

function partitionsOf(files: readonly (readonly ([number, string, number] | undefined)[])[], names: readonly string[]) {
  return Object.fromEntries(
    files.map((file, index): [string, ArrayPartitions[string]] => [
      names[index]!,
      // Tenths do not add up exactly: the order of additions shows in the bits.
      file.map((record) => (record === undefined ? { bad: "broken" } : reading(record[0], record[1], record[2] / 10))),
    ]),
  )
}

test(
  "E7 results do not depend on batch size, epochs, stops, names or listing order, bit for bit",
  { timeout: 120_000 },
  async () => {
    const shape = fc.record({
      files: fc.array(records, { minLength: 1, maxLength: 4 }),
      batchRows: fc.integer({ min: 1, max: 9 }),
      epochRows: fc.integer({ min: 1, max: 20 }),
      stops: fc.nat(3),
      seed: fc.nat(1000),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ files, batchRows, epochRows, stops, seed }) => {
        const plain = new Bench()
        await plain.run(plain.job(partitionsOf(files, ["a", "b", "c", "d"])))
        const renamed = partitionsOf([...files].reverse(), ["z", "m", "b", "a"])
        const bench = new Bench(seed)
        const options = { batchRows, epochRows, snapshotPolicy: { minBytes: 2000, growth: 1 } }
        for (let stop = 0; stop < stops; stop++)
          await bench.run(bench.job(renamed), options, (handle) => void handle.stop())
        await bench.run(bench.job(renamed), options)
        const withoutNames = (rows: readonly Record<string, unknown>[]) =>
          rows.map(({ reason, record }) => [reason, record])
        const { bad, ...results } = bench.results()
        const { bad: plainBad, ...plainResults } = plain.results()
        expect(results).toEqual(plainResults)
        expect(withoutNames(bad)).toEqual(withoutNames(plainBad))
      }),
      propertyCases(60),
    )
  },
)
