import { describe, expect, test } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { count, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import { eventTimer, valueState } from "../stream/process-declarations.ts"
import { tumbling } from "../stream/windows.ts"
import type { Timestamp } from "../time/timestamp.ts"
import { simulate } from "./simulate.ts"
import { SimulationFailed } from "./simulation-failed.ts"

const Click = schema({ at: t.timestamp(), page: t.string, price: t.int32 })
const SECOND = 1_000_000
const clicks = Array.from({ length: 40 }, (_, index) => ({
  at: (1_700_000_000 * SECOND + index * 7 * SECOND - (index % 5) * 9 * SECOND) as Timestamp,
  page: `/${index % 3}`,
  price: index,
}))

const perMinute = job({
  name: "per-minute",
  inputs: { clicks: Click },
  flow: ({ clicks }) => {
    const timed = clicks.eventTime("at", { outOfOrder: "10s" })
    const counted = timed
      .keyBy("page")
      .window(tumbling("1m"))
      .aggregate({ clicks: count(), total: sum("price") }, { id: "minutes" })
    const firsts = timed.keyBy("page").process(
      {
        emits: { page: t.string, clicks: t.int53 },
        state: { clicks: valueState(t.int53) },
        timers: { quiet: eventTimer() },
        onRecord(row, { state, timers }) {
          state.clicks.set((state.clicks.get() ?? 0) + 1)
          timers.quiet.set(row.at + 20 * SECOND)
        },
        onTimer: {
          quiet({ key, state, emit }) {
            emit({ page: key.page, clicks: state.clicks.get() ?? 0 })
          },
        },
      },
      { id: "firsts" },
    )
    return { counted, firsts, late: counted.late }
  },
})

/** Keeps what it has seen where no commit has it. */
function forgetful() {
  const seen = new Set<string>()
  return job({
    name: "first-clicks",
    inputs: { clicks: Click },
    flow: ({ clicks }) => ({
      firsts: clicks.filter((row) => {
        const isFirst = !seen.has(row.page)
        seen.add(row.page)
        return isFirst
      }),
    }),
  })
}

/** Numbers rows by a variable, which is not what it was when they are read again. */
function numbering() {
  let number = 0
  return job({
    name: "numbered",
    inputs: { clicks: Click },
    flow: ({ clicks }) => ({
      numbered: clicks.derive({ number: t.int32 }, () => ({ number: number++ % 1000 })).select("page", "number"),
    }),
  })
}

async function failureOf(promise: Promise<unknown>): Promise<SimulationFailed> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SimulationFailed)
  return error as SimulationFailed
}

describe("a job in simulated worlds", () => {
  test("SJ2 SJ3 that keeps what it knows in its state gives the same, whatever fails", async () => {
    const report = await simulate(perMinute, { inputs: { clicks }, seeds: 30 })
    expect(report.seeds).toBe(30)
    expect(report.processes).toBeGreaterThan(75)
    expect(report.faults).toBeGreaterThan(30)
    expect(report.epochs).toBeGreaterThan(100)
  })

  test("SJ2 that keeps it elsewhere is found out, and told how, at its shortest", async () => {
    const error = await failureOf(simulate(numbering, { inputs: { clicks }, faults: ["kill"] }))
    expect(error.message).toMatch(
      /^simulate\(\.\.\.\): with seed \d+ the rows of numbered are not what they are without faults/,
    )
    expect(error.message).toContain(`simulate(job, { ..., seeds: 1, from: ${error.seed} })`)
    expect(error.story.join("\n")).toMatch(/the process was killed while .+ \((at|behind) \S+\)/)
    expect(error.story.join("\n")).toMatch(/it was started again/)
    expect(error.story.length).toBeLessThan(12)
  })

  test("SJ2 that goes by variables or chance gives two results even where nothing fails, and is told so", async () => {
    const error = await failureOf(simulate(numbering(), { inputs: { clicks } }))
    expect(error.message).toMatch(/run twice, without any fault, the rows of numbered are not/)
    expect(error.message).toMatch(/by chance, by the clock, or by what it keeps in variables/)
  })

  test("SJ2 that gives other rows throughout is told in a message that can be read", async () => {
    const inputs = { clicks: Array.from({ length: 500 }, (_, index) => clicks[index % clicks.length]!) }
    const { message } = await failureOf(simulate(numbering(), { inputs }))
    expect(message.split("\n")).toHaveLength(63)
    expect(message).toMatch(/\n {2}\(\d+ lines more\)\n/)
  })

  test("SJ2 that gets other answers from asyncMap is told that these may wait for real time", async () => {
    let asked = 0
    const counting = job({
      name: "counting",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({
        numbered: clicks.asyncMap({ number: t.int32 }, () => Promise.resolve({ number: asked++ }), { id: "numbers" }),
      }),
    })
    const { message } = await failureOf(simulate(counting, { inputs: { clicks } }))
    expect(message).toMatch(/Or functions of asyncMap wait for real time/)
  })

  test("SJ1 is replayed by its seed", async () => {
    const first = await simulate(perMinute, { inputs: { clicks }, seeds: 3, from: 11 })
    expect(await simulate(perMinute, { inputs: { clicks }, seeds: 3, from: 11 })).toEqual(first)
  })

  test("is held against what the test says, where it says something", async () => {
    const rows = clicks.slice(0, 6)
    const inputs = { clicks: rows }
    await simulate(forgetful, { inputs, seeds: 5, check: ({ firsts }) => expect(firsts.length).toBeLessThan(7) })
    const check = ({ counted }: { counted: readonly { clicks: number | bigint }[] }) => {
      if (counted.length > 0) throw new Error("there should be no minute")
    }
    const error = await failureOf(simulate(perMinute, { inputs, check }))
    expect(error.message).toBe("simulate(...): without any fault, check says: there should be no minute")
    const isNone = await failureOf(simulate(perMinute, { inputs, check: ({ counted }) => counted.length === 0 }))
    expect(isNone.message).toBe("simulate(...): without any fault, check gives false")
    const later: unknown = () => Promise.reject(new Error("nobody hears that"))
    await expect(simulate(perMinute, { inputs, check: later as never })).rejects.toMatchObject({
      code: "invalid-options",
    })
  })

  test("only has the faults that were asked for", async () => {
    const calm = await simulate(perMinute, { inputs: { clicks }, seeds: 10, faults: [] })
    expect(calm).toMatchObject({ processes: 10, faults: 0 })
    const restarted = await simulate(perMinute, { inputs: { clicks }, seeds: 10, faults: ["restart"] })
    expect(restarted.faults).toBe(0)
    expect(restarted.processes).toBeGreaterThan(12)
  })

  test("that fails of itself fails with its own error", async () => {
    const strict = job({
      name: "strict",
      inputs: { clicks: Click },
      onError: "stop",
      flow: ({ clicks }) => ({
        kept: clicks.filter((row) => {
          if (row.price === 7) throw new Error("seven")
          return true
        }),
      }),
    })
    await expect(simulate(strict, { inputs: { clicks } })).rejects.toMatchObject({ code: "lambda-failed" })
  })

  test("may ask functions that answer at once", async () => {
    const asking = job({
      name: "asking",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({
        priced: clicks.asyncMap({ twice: t.int32 }, (row) => Promise.resolve({ twice: row.price * 2 }), {
          id: "prices",
        }),
      }),
    })
    const { processes } = await simulate(asking, { inputs: { clicks }, seeds: 10 })
    expect(processes).toBeGreaterThan(20)
  })

  test.each([
    [{ inputs: 1 }, /inputs is 1/],
    [{ inputs: {}, seeds: 0 }, /seeds is 0/],
    [{ inputs: {}, faults: ["fire"] }, /faults is "fire"/],
    [{ inputs: {}, check: 1 }, /check is 1/],
    [{ inputs: { clicks: [{}] } }, /Row \[0\] of the input clicks/],
  ])("refuses what has no meaning: %j", async (options, message) => {
    const refused = simulate(perMinute, options as never)
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toBeInstanceOf(TidemarkError)
  })
})
