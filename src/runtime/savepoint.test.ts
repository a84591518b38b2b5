/** Jobs that begin from savepoints of others, whatever dies when. */
import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { DEATHS, FaultAt, noFaults } from "../connect/world.conformance.ts"
import { TidemarkError } from "../base/errors.ts"
import type { Env } from "../env/env.ts"
import { NO_FAULTS, RandomFaults } from "../sim/faults.ts"
import { readSavepoint, writeSavepoint, type Savepoint } from "../state/savepoint.ts"
import type { ArrayPartitions } from "./array-source.fixture.ts"
import type { ExecutableJob } from "./executable-job.ts"
import type { RunJobOptions } from "./run-options.ts"
import { Bench, reading } from "./simulated-job.fixture.ts"

const PARTITIONS: ArrayPartitions = {
  a: Array.from({ length: 60 }, (_, index) => reading(index * 2, index % 3 === 0 ? "x" : "y", index + 1)),
  b: Array.from({ length: 40 }, (_, index) => reading(index * 3 - (index % 5), "z", 1 / (index + 1))),
}
const OUTPUTS = ["tens", "sliding", "late"] as const
const SAVEPOINT = "/job/kept"
const id = "00c0ffee"

type Results = ReturnType<Bench["results"]>

async function whole(): Promise<Results> {
  const bench = new Bench()
  await bench.run(bench.job(PARTITIONS))
  return bench.results()
}

/** Does something in a process of its own. */
async function inProcess<T>({ world }: Bench, work: (env: Env) => Promise<T>): Promise<T> {
  const promise = work(world.boot())
  promise.catch(() => undefined)
  await world.run(promise)
  if (world.isAlive) world.kill()
  return await promise
}

/** A job on the machine of another, whose outputs go elsewhere. */
function another(): { job: ExecutableJob; results: () => Results } {
  const bench = new Bench()
  return { job: bench.job(PARTITIONS), results: () => bench.results() }
}

const second = { directory: "/job/second", fromSavepoint: SAVEPOINT }

/** Runs a job until so many epochs are committed, and a savepoint is made meanwhile. */
async function savedAt(bench: Bench, epoch: number, options: Partial<RunJobOptions> = {}): Promise<Savepoint> {
  let saving: Promise<Savepoint> | undefined
  let env: Env | undefined
  bench.watch = (booted) => (env = booted)
  await bench.run(bench.job(PARTITIONS), {
    epochRows: 3,
    batchRows: 3,
    ...options,
    onEvent: (event) => {
      if (event.kind !== "committed" || event.epoch < epoch) return
      saving ??= writeSavepoint(env!.disk, "/job/state", SAVEPOINT, id)
    },
  })
  return await saving!
}

test(
  "E20 E21 what began from a savepoint of a running job gives what follows it, whatever dies when",
  { timeout: 120_000 },
  async () => {
    const expected = await whole()
    const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
    let deaths = 0
    let later = 0
    for (let seed = 1; seed <= 40 * scale; seed++) {
      const prng = new Prng(seed)
      const bench = new Bench(seed)
      const snapshotPolicy = { minBytes: prng.pick([1, 500, 5000]), growth: prng.below(3) }
      const at = 1 + prng.below(20)
      const { state } = await savedAt(bench, at, { snapshotPolicy })
      if (state.epoch > at) later++
      expect(state.epoch).toBeGreaterThanOrEqual(at)
      expect(bench.results(), `seed ${seed}: the job is not touched`).toEqual(expected)
      const other = another()
      const options = { ...second, snapshotPolicy, epochRows: 1 + prng.below(9) }
      for (let life = 0; life < 4; life++) {
        bench.world.faults = new RandomFaults(prng.fork(), { intensity: 0.15, max: 1 })
        if (!(await bench.live(other.job, options))) deaths++
      }
      bench.world.faults = NO_FAULTS
      await bench.run(other.job, options)
      for (const name of OUTPUTS) {
        const before = state.counters.get(`rows.${name}`) ?? 0
        expect(other.results()[name], `seed ${seed}: ${name} behind epoch ${state.epoch}`).toEqual(
          expected[name].slice(before),
        )
      }
    }
    expect(deaths).toBeGreaterThan(20 * scale)
    expect(later).toBeGreaterThan(0)
  },
)

test("E20 a savepoint that was not made whole is none", async () => {
  const bench = new Bench()
  await bench.run(bench.job(PARTITIONS), { epochRows: 20 })
  let calls = 0
  for (let call = 0; ; call++) {
    for (const kind of DEATHS) {
      const to = `/job/kept-${call}-${kind}`
      const fault = new FaultAt(call, kind)
      bench.world.faults = fault
      const promise = writeSavepoint(bench.world.boot().disk, "/job/state", to, id)
      promise.catch(() => undefined)
      const end = await bench.world.run(promise)
      bench.world.faults = noFaults()
      if (bench.world.isAlive) bench.world.kill()
      if (!fault.hasStruck) {
        expect(end).not.toBe("died")
        expect(calls).toBeGreaterThan(10)
        return
      }
      calls++
      if (bench.world.image.list("/job").includes(to.slice("/job/".length))) {
        const { state } = await inProcess(bench, (env) => readSavepoint(env.disk, to))
        expect(state.epoch).toBeGreaterThan(3)
      } else {
        await expect(inProcess(bench, (env) => readSavepoint(env.disk, to))).rejects.toThrow(/There is no savepoint/)
      }
    }
  }
})

test("E21 the same command goes on from where the last run was", async () => {
  const bench = new Bench()
  await savedAt(bench, 5)
  const other = another()
  const first = await bench.run(other.job, { ...second, epochRows: 4 }, (handle) => void handle.stop())
  const { status } = await bench.run(other.job, second)
  expect(first.outcome).toBe("stopped")
  expect(status.epoch).toBeGreaterThan(first.status.epoch)
  expect((await bench.run(other.job, second)).isNothingNew).toBe(true)
})

test(
  "E21 partitions that appear, or grow behind their end, with the start from a savepoint are read once",
  { timeout: 60_000 },
  async () => {
    const all = Object.values(PARTITIONS).flat()
    const first = new Bench()
    await first.run(first.job({ a: PARTITIONS["a"]!.slice(0, 30) }), { drain: "never" })
    for (let call = 0, isDone = false; !isDone; call++) {
      const bench = new Bench()
      await bench.run(bench.job({ a: PARTITIONS["a"]!.slice(0, 30) }), { drain: "never" })
      await inProcess(bench, ({ disk }) => writeSavepoint(disk, "/job/state", SAVEPOINT, id))
      const other = another()
      const fault = new FaultAt(call, DEATHS[call % DEATHS.length]!)
      bench.world.faults = fault
      await bench.live(other.job, second)
      bench.world.faults = NO_FAULTS
      const { status } = await bench.run(other.job, second)
      isDone = !fault.hasStruck
      expect(status.rowsIn).toBe(all.length)
      const counted = [...first.results().tens, ...other.results().tens].reduce(
        (sum, row) => sum + Number(row["count"]),
        0,
      )
      expect(counted + other.results().late.length).toBe(all.length)
    }
  },
)

test("E22 other state is not replaced, unless a reset says so", async () => {
  const bench = new Bench()
  const { state } = await savedAt(bench, 5)
  const own = bench.job(PARTITIONS)
  await expect(bench.run(own, { fromSavepoint: SAVEPOINT })).rejects.toThrow(
    expect.objectContaining({ code: "state-foreign", message: expect.stringMatching(/did not begin from/) as string }),
  )
  const expected = await whole()
  expect(bench.results()).toEqual(expected)
  await bench.run(own, { fromSavepoint: SAVEPOINT, reset: true })
  for (const name of OUTPUTS) {
    expect(bench.results()[name]).toEqual(expected[name].slice(state.counters.get(`rows.${name}`)))
  }
  // With the reset said once, it is the job's own.
  expect((await bench.run(own, { fromSavepoint: SAVEPOINT })).isNothingNew).toBe(true)
  // And one that is begun anew without it has nothing of it.
  await bench.run(own, { reset: true })
  expect(bench.results()).toEqual(expected)
})

test("E22 a reset that dies begins from the savepoint all the same", { timeout: 60_000 }, async () => {
  const expected = await whole()
  for (let call = 0; ; call++) {
    const bench = new Bench()
    const { state } = await savedAt(bench, 5)
    const own = bench.job(PARTITIONS)
    const options = { fromSavepoint: SAVEPOINT, reset: true }
    const fault = new FaultAt(call, DEATHS[0]!)
    bench.world.faults = fault as unknown as typeof NO_FAULTS
    await bench.live(own, options)
    bench.world.faults = NO_FAULTS
    await bench.run(own, options)
    for (const name of OUTPUTS) {
      expect(bench.results()[name]).toEqual(expected[name].slice(state.counters.get(`rows.${name}`)))
    }
    if (!fault.hasStruck) break
  }
})

test("E22 what cannot be gone on with costs a reset nothing: the state and what was published are as they were", async () => {
  const bench = new Bench()
  await savedAt(bench, 5)
  const own = bench.job(PARTITIONS)
  const expected = await whole()
  const gone: ExecutableJob = {
    ...own,
    inputs: Object.fromEntries(
      Object.entries(own.inputs).map(([name, { schema, source }]) => {
        const openSource: typeof source.openSource = async (context) => {
          const opened = await source.openSource(context)
          opened.open = () => Promise.reject(new TidemarkError("source-changed", "it is another one", { hint: "" }))
          return opened
        }
        return [name, { schema, source: { ...source, openSource } }]
      }),
    ),
  }
  await expect(bench.run(gone, { fromSavepoint: SAVEPOINT, reset: true })).rejects.toThrow(/another one/)
  expect(bench.results()).toEqual(expected)
  expect((await bench.run(own)).isNothingNew).toBe(true)
})

test("a savepoint that is not whole is told from none", async () => {
  const bench = new Bench()
  await savedAt(bench, 5)
  const directory = `${SAVEPOINT}/log`
  await inProcess(bench, async ({ disk }) => {
    const at = "test.truncate"
    for (const name of await disk.list(directory)) {
      const { size } = (await disk.stat(`${directory}/${name}`))!
      const file = await disk.open(`${directory}/${name}`, "update", at)
      await file?.truncate(Math.max(0, size - 5), at)
      await file?.close()
    }
  })
  await expect(bench.run(another().job, { directory: "/job/third", fromSavepoint: SAVEPOINT })).rejects.toThrow(
    expect.objectContaining({ code: "state-corrupt", message: expect.stringMatching(/is not whole/) as string }),
  )
})

test("a savepoint is no state directory, and a state directory no savepoint", async () => {
  const bench = new Bench()
  await savedAt(bench, 5)
  await expect(bench.run(bench.job(PARTITIONS), { directory: SAVEPOINT })).rejects.toThrow(/is a savepoint/)
  const fresh = { directory: "/job/third", fromSavepoint: "/job/state" }
  await expect(bench.run(another().job, fresh)).rejects.toThrow(
    expect.objectContaining({ code: "state-missing", message: expect.stringMatching(/no savepoint at/) as string }),
  )
  await expect(inProcess(bench, ({ disk }) => writeSavepoint(disk, "/job/none", "/job/x", id))).rejects.toThrow(
    /no state of a job/,
  )
  await expect(inProcess(bench, ({ disk }) => writeSavepoint(disk, "/job/state", SAVEPOINT, id))).rejects.toThrow(
    /something at/,
  )
})
