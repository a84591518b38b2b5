import { expect, test } from "vitest"
import { Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { CallAnswer, CallFunction, CallPolicy } from "../flow/calls.ts"
import type { Plan } from "../flow/plan.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { AsyncCalls } from "./async-calls.ts"

const SECOND = 1_000_000
const POLICY: CallPolicy = {
  inFlight: 10,
  order: "input",
  timeoutMicros: 10 * SECOND,
  attempts: 3,
  backOffMicros: SECOND,
  maxBackOffMicros: 3 * SECOND,
  onFailure: undefined,
}

interface Given {
  readonly signal: AbortSignal
  readonly key: string
  readonly attempt: number
}

/** Calls of a plan with one operator, in a simulated world, and what has come of them when. */
function bench(
  ask: (row: unknown, env: SimWorld["boot"] extends () => infer E ? E : never, call: Given) => unknown,
  policy: Partial<CallPolicy> = {},
) {
  const world = new SimWorld({ seed: 3 })
  const env = world.boot()
  const schema = new Schema([{ name: "n", type: t.int32 }])
  const lambda = ((row: unknown, _params: unknown, call: Given) => ask(row, env, call)) as CallFunction
  const place = { isIdGiven: true, input: 0, inputPort: "main", schema, timeColumn: undefined } as const
  const plan: Plan = {
    jobName: "test",
    nodes: [
      { kind: "source", id: "rows", isIdGiven: true, schema, inputName: "rows" },
      { ...place, kind: "asyncMap", id: "ask", columns: schema.fields, lambda, policy: { ...POLICY, ...policy } },
    ],
    outputs: [],
  }
  const answers: (CallAnswer & { readonly micros: number })[] = []
  const calls = new AsyncCalls({
    plan,
    params: {},
    env,
    onAnswer: () => answers.push(...calls.take().map((answer) => ({ ...answer, micros: world.scheduler.now }))),
  })
  let ticket = 0
  const start = (n: number) => {
    calls.start({ operator: "ask", ticket, key: `key-${ticket++}`, makeRow: () => ({ n }) })
  }
  const pass = (micros: number) => world.run(env.timers.sleep(micros))
  return { world, calls, answers, start, pass }
}

test("a call is answered with what its function gives, at once or later, with a row of its own each time", async () => {
  const rows: unknown[] = []
  const { start, pass, answers } = bench(async (row, { timers }) => {
    rows.push(row)
    if ((row as { n: number }).n === 2) return { n: -2 }
    await timers.sleep(SECOND)
    return row
  })
  start(1)
  start(2)
  expect(rows).toEqual([])
  await pass(2 * SECOND)
  expect(answers).toEqual([
    { operator: "ask", ticket: 1, micros: 0, outcome: { kind: "given", value: { n: -2 } } },
    { operator: "ask", ticket: 0, micros: SECOND, outcome: { kind: "given", value: { n: 1 } } },
  ])
})

test("AM5 an attempt that takes too long has failed, and its signal aborts", async () => {
  const signals: AbortSignal[] = []
  const { start, pass, answers } = bench(
    (_row, { timers }, { signal }) => {
      signals.push(signal)
      return timers.sleep(11 * SECOND).then(() => ({ n: 1 }))
    },
    { attempts: 1 },
  )
  start(1)
  await pass(9 * SECOND)
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  await pass(20 * SECOND)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  expect(answers).toHaveLength(1)
  expect(answers[0]).toMatchObject({
    micros: 10 * SECOND,
    outcome: { kind: "failed", error: { code: "call-failed", message: "the call failed: it took longer than 10s" } },
  })
})

test("AM6 what fails is tried again, after waits that double up to the most, with the same key", async () => {
  const tries: { readonly at: number; readonly key: string; readonly attempt: number }[] = []
  const { start, pass, answers } = bench(
    (_row, { clock }, { key, attempt }) => {
      tries.push({ at: clock.monotonicMicros(), key, attempt })
      if (attempt === 2) throw new Error("at once")
      return Promise.reject(new Error("later"))
    },
    { attempts: 5 },
  )
  start(1)
  await pass(60 * SECOND)
  expect(tries.map(({ key, attempt }) => `${key} ${attempt}`)).toEqual([1, 2, 3, 4, 5].map((each) => `key-0 ${each}`))
  const waits = tries.slice(1).map(({ at }, index) => (at - tries[index]!.at) / SECOND)
  const most = [1, 2, 3, 3]
  waits.forEach((wait, index) => {
    expect(wait).toBeGreaterThanOrEqual(most[index]! / 2)
    expect(wait).toBeLessThanOrEqual(most[index]!)
  })
  expect(new Set(waits).size).toBe(4)
  expect(answers[0]!.outcome).toMatchObject({
    kind: "failed",
    error: { code: "call-failed", message: "the call failed 5 times, at last: it threw Error: later" },
  })
})

test("AM6 an attempt that succeeds ends it", async () => {
  const { start, pass, answers } = bench((_row, _env, { attempt }) => {
    if (attempt < 3) throw new Error("not yet")
    return { n: attempt }
  })
  start(1)
  await pass(60 * SECOND)
  expect(answers.map(({ outcome }) => outcome)).toEqual([{ kind: "given", value: { n: 3 } }])
})

test("AM7 the end of the job aborts what is under way, and nothing waits or is answered any more", async () => {
  const signals: AbortSignal[] = []
  const { start, pass, answers, calls, world } = bench((row, { timers }, { signal }) => {
    signals.push(signal)
    if ((row as { n: number }).n === 1) throw new Error("tried again after the end?")
    return timers.sleep(5 * SECOND).then(() => row)
  })
  start(1)
  start(2)
  await pass(1)
  calls.close()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true])
  const { fired } = world.scheduler
  await pass(60 * SECOND)
  expect(signals).toHaveLength(2)
  expect(answers).toEqual([])
  // What is left: the function's own wait, and ours here.
  expect(world.scheduler.fired - fired).toBeLessThan(6)
})
